/**
 * Pod: one task, which may live through many attempts. Owns the fields of a pod and what the
 * control plane remembers about it; does not own how either changes (core/pod).
 */
import type { DevicesByContainer } from '../gpus.ts';
import { conditionFields, ObjectMetaSchema, type Stored } from '../meta.ts';
import {
  any,
  atomic,
  boolean,
  type Infer,
  integer,
  list,
  map,
  mapList,
  object,
  oneOf,
  quantity,
  required,
  retainKeys,
  string,
  time,
  unsupported,
  withDefault,
} from '../schema.ts';
import { AffinitySchema, tolerations, topologySpreadConstraints } from './affinity.ts';
import { ContainerSchema, PodSecurityContextSchema, ResourcesSchema } from './container.ts';
import type { Decision } from './decision.ts';
import { PREEMPTION_POLICIES } from './scheduling.ts';
import { volumes } from './volumes.ts';

const CORE = 'io.k8s.api.core.v1';

export const LocalReferenceSchema = atomic(
  object(`${CORE}.LocalObjectReference`, 'A name in the same namespace.', {
    name: withDefault(string('The name.'), ''),
  }),
);

const DnsConfigSchema = object(`${CORE}.PodDNSConfig`, 'DNS settings.', {
  nameservers: list('Servers.', string()),
  searches: list('Search domains.', string()),
  options: list('Resolver options.', any()),
});

const HostAliasSchema = object(`${CORE}.HostAlias`, 'A line of /etc/hosts.', {
  ip: required(string('The address.')),
  hostnames: list('Its names.', string()),
});

export const PodSpecSchema = object(`${CORE}.PodSpec`, 'What a pod runs and where it may run.', {
  containers: required(mapList('The containers.', ContainerSchema, ['name'])),
  initContainers: mapList(
    'Run to completion, one by one, before the containers.',
    ContainerSchema,
    ['name'],
  ),
  ephemeralContainers: unsupported(
    mapList('Added to a running pod to debug it.', ContainerSchema, ['name']),
    'ephemeral containers do not run',
  ),
  volumes: retainKeys(volumes),
  restartPolicy: withDefault(
    oneOf('When containers are started again.', ['Always', 'OnFailure', 'Never']),
    'Always',
  ),
  terminationGracePeriodSeconds: withDefault(integer('Time between SIGTERM and SIGKILL.'), 30),
  activeDeadlineSeconds: integer('The pod fails when it is active for longer.'),
  dnsPolicy: withDefault(string('Where names are resolved.'), 'ClusterFirst'),
  dnsConfig: unsupported(DnsConfigSchema, 'dnsConfig has no effect yet'),
  nodeSelector: atomic(map('Labels that the node must have.', string())),
  nodeName: string('The node the pod is bound to.'),
  serviceAccountName: string('The service account that the pod runs as.'),
  serviceAccount: string('The old name of serviceAccountName.'),
  automountServiceAccountToken: boolean('Mount a token.'),
  hostNetwork: boolean('Use the network of the host; refused.'),
  hostPID: boolean('Use the process ids of the host; refused.'),
  hostIPC: boolean('Use the IPC namespace of the host; refused.'),
  hostUsers: boolean('Use the user namespace of the host.'),
  shareProcessNamespace: unsupported(
    boolean('Containers see each other.'),
    'processes are not shared',
  ),
  securityContext: withDefault(PodSecurityContextSchema, {}),
  imagePullSecrets: unsupported(
    mapList('Credentials of registries.', LocalReferenceSchema, ['name']),
    'images are pulled with the credentials of the node',
  ),
  hostname: string('The host name.'),
  subdomain: string('The subdomain of the host name.'),
  hostAliases: mapList('Lines of /etc/hosts.', HostAliasSchema, ['ip']),
  affinity: AffinitySchema,
  schedulerName: withDefault(string('The scheduler.'), 'default-scheduler'),
  tolerations,
  topologySpreadConstraints,
  priorityClassName: string('The priority class, by which the server sets the priority.'),
  priority: integer('The priority; higher comes first. The server sets it.'),
  preemptionPolicy: oneOf('Whether the pod may take the place of others.', PREEMPTION_POLICIES),
  enableServiceLinks: withDefault(boolean('Variables for each service.'), true),
  readinessGates: list(
    'Conditions that must hold as well for the pod to be ready.',
    object(`${CORE}.PodReadinessGate`, 'A condition.', {
      conditionType: required(string('Its type.')),
    }),
  ),
  schedulingGates: mapList(
    'The pod is not scheduled while any is left.',
    object(`${CORE}.PodSchedulingGate`, 'A gate.', { name: required(string('Its name.')) }),
    ['name'],
  ),
  resources: unsupported(ResourcesSchema, 'resources of the pod as a whole have no effect yet'),
  resourceClaims: unsupported(
    mapList(
      'Claims of devices.',
      object(`${CORE}.PodResourceClaim`, 'A claim.', {
        name: required(string('Unique in the pod.')),
        resourceClaimName: string('The claim.'),
        resourceClaimTemplateName: string('What claims are made from.'),
      }),
      ['name'],
    ),
    'resource claims have no effect yet',
  ),
  hostnameOverride: unsupported(string('The host name, whole.'), 'it has no effect yet'),
  overhead: map('What the runtime adds to the requests.', quantity()),
  runtimeClassName: unsupported(string('The runtime class.'), 'runtime classes have no effect'),
  setHostnameAsFQDN: boolean('The host name is fully qualified.'),
  os: object(`${CORE}.PodOS`, 'The operating system.', { name: required(string('linux.')) }),
});

const state = object(`${CORE}.ContainerState`, 'One of waiting, running, terminated.', {
  waiting: object(`${CORE}.ContainerStateWaiting`, 'Not running yet.', {
    reason: string('Why, in one word.'),
    message: string('Why, for people.'),
  }),
  running: object(`${CORE}.ContainerStateRunning`, 'Running.', {
    startedAt: time('Since when.'),
  }),
  terminated: object(`${CORE}.ContainerStateTerminated`, 'Ended.', {
    exitCode: required(integer('The exit code.')),
    signal: integer('The signal that ended it.'),
    reason: string('Why, in one word.'),
    message: string('Why, for people.'),
    startedAt: time('When it started.'),
    finishedAt: time('When it ended.'),
    containerID: string('The container.'),
  }),
});

export const ContainerStatusSchema = object(`${CORE}.ContainerStatus`, 'How a container is.', {
  name: required(string('The container.')),
  state,
  lastState: state,
  ready: required(boolean('Whether it passes its readiness probe.')),
  restartCount: required(integer('How often it was started again.')),
  image: required(string('The image.')),
  imageID: required(string('The digest of the image.')),
  containerID: string('Runtime and id.'),
  started: boolean('Whether it passed its startup probe.'),
});

export const PodConditionSchema = object(`${CORE}.PodCondition`, 'A condition of a pod.', {
  ...conditionFields,
  lastProbeTime: time('When it was last probed.'),
  observedGeneration: integer('The generation it speaks of.'),
});

const ipSchema = (name: string) =>
  object(`${CORE}.${name}`, 'An address.', { ip: required(string('The address.')) });

export const PodStatusSchema = object(`${CORE}.PodStatus`, 'How a pod is.', {
  observedGeneration: integer('The generation it speaks of.'),
  phase: withDefault(
    oneOf('Where in its life the pod is.', [
      'Pending',
      'Running',
      'Succeeded',
      'Failed',
      'Unknown',
    ]),
    'Pending',
  ),
  conditions: mapList('Conditions.', PodConditionSchema, ['type']),
  message: string('Why, for people.'),
  reason: string('Why, in one word.'),
  nominatedNodeName: string('Where room is being made.'),
  hostIP: string('The address of the node.'),
  hostIPs: list('The addresses of the node.', ipSchema('HostIP')),
  podIP: string('The address of the pod.'),
  podIPs: mapList('The addresses of the pod.', ipSchema('PodIP'), ['ip']),
  startTime: time('When the node took the pod on.'),
  initContainerStatuses: list('The init containers.', ContainerStatusSchema),
  containerStatuses: list('The containers.', ContainerStatusSchema),
  qosClass: oneOf('What is evicted last.', ['Guaranteed', 'Burstable', 'BestEffort']),
});

export const PodSchema = object(`${CORE}.Pod`, 'Containers that run together, as one task.', {
  apiVersion: string('v1'),
  kind: string('Pod'),
  metadata: ObjectMetaSchema,
  spec: required(PodSpecSchema),
  status: withDefault(PodStatusSchema, { phase: 'Pending' }),
});

export const PodTemplateSchema = object(
  `${CORE}.PodTemplateSpec`,
  'The pods that a controller makes.',
  {
    metadata: withDefault(ObjectMetaSchema, {}),
    spec: required(PodSpecSchema),
  },
);

/**
 * What the control plane remembers about a pod. `attempt` counts launches from 1; the pair (pod
 * uid, attempt) names a task for ever. An intent is written before the launch is asked for
 * (architecture D4).
 */
export interface PodControl {
  /** The request on whose account the pod is (control/trace.ts). */
  readonly auditId?: string;
  /** The launch that was last intended; absent while the pod was never meant to run. */
  readonly attempt?: number;
  /**
   * When that launch was intended. A look-up comes first when this is older than
   * `INTENT_MAX_AGE_MS`.
   */
  readonly intentAtMs?: number;
  /** The runtime's own name of the task, once it answered. */
  readonly taskId?: string;
  /** When it answered first: the launch, which may be long after its intent, was not later. */
  readonly answeredAtMs?: number;
  /**
   * The highest task version seen for this attempt; what is not above it is late or a duplicate
   * (S7).
   */
  readonly taskVersion?: number;
  /** The task of this attempt is known to have ended. */
  readonly taskStopped?: boolean;
  /** When a launch of this attempt was refused; see `mayBeAskedFor` in core/pod/attempt.ts. */
  readonly refusedAtMs?: number;
  /** The last launch found no capacity; kept until the runtime takes one on. */
  readonly noCapacity?: boolean;
  /** The task was seen stopping; set on pods that are to stop, so that they are not asked twice. */
  readonly stopAskedAtMs?: number;
  /** Launches or pulls that failed in a row; the back-off doubles with each. */
  readonly failures?: number;
  /** Why the readiness probes of containers fail, by container; for the events. */
  readonly unready?: { readonly [container: string]: string };
  /** Runs that ended in a row, each before it had lasted ten minutes. */
  readonly crashes?: number;
  /** The next attempt may not start before this time. */
  readonly backOffUntilMs?: number;
  /** `secrets/name` or `configmaps/name`: what the pod waits for before it can start. */
  readonly waitsFor?: readonly string[];
  /**
   * The GPUs that its containers see, on a node whose GPUs we hand out: no entry where it asks for
   * none. Absent elsewhere.
   */
  readonly gpuDevices?: DevicesByContainer;
  /** The first attempt is asked for together with those of pods alike: core/pod/batch.ts. */
  readonly batch?: LaunchBatch;
  /** How its place was decided, for people. */
  readonly decision?: Decision;
}

/** A question that starts one task on each of several nodes: for first attempts only. */
export interface LaunchBatch {
  /** Names the question; all members have the same. */
  readonly token: string;
  /** The registration of the pod's node: it tells the pod's task among those of the answer. */
  readonly at: string;
  /** Of the member that asks: the names of the others, in its namespace. */
  readonly with?: readonly string[];
}

export type PodSpec = Infer<typeof PodSpecSchema>;
export type PodStatus = Infer<typeof PodStatusSchema>;
export type PodCondition = Infer<typeof PodConditionSchema>;
export type ContainerStatus = Infer<typeof ContainerStatusSchema>;
export type ContainerState = NonNullable<ContainerStatus['state']>;
export type PodTemplate = Infer<typeof PodTemplateSchema>;
export type Pod = Stored<typeof PodSchema, 'v1', 'Pod'> & { readonly control?: PodControl };
