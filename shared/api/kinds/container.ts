/** A container of a pod: what it runs, with what, and how its health is told. */
import {
  any,
  atomic,
  boolean,
  type Infer,
  integer,
  intOrString,
  list,
  map,
  mapList,
  object,
  oneOf,
  quantity,
  required,
  string,
  unsupported,
  withDefault,
} from '../schema.ts';
import { volumeMounts } from './volumes.ts';

const CORE = 'io.k8s.api.core.v1';

const keySelector = (name: string, what: string) =>
  atomic(
    object(`${CORE}.${name}`, `One key of a ${what}.`, {
      name: withDefault(string(`Name of the ${what}.`), ''),
      key: required(string('The key.')),
      optional: boolean('The container may start without it.'),
    }),
  );

const EnvVarSourceSchema = object(`${CORE}.EnvVarSource`, 'Where a variable gets its value.', {
  fieldRef: atomic(
    object(`${CORE}.ObjectFieldSelector`, 'A field of the pod.', {
      apiVersion: withDefault(string('The version of the path.'), 'v1'),
      fieldPath: required(string("Such as metadata.name, status.podIP, metadata.labels['a'].")),
    }),
  ),
  resourceFieldRef: atomic(
    object(`${CORE}.ResourceFieldSelector`, 'A request or limit of a container.', {
      containerName: string('The container; this one by default.'),
      resource: required(string('Such as limits.cpu.')),
      divisor: quantity('The unit of the value.'),
    }),
  ),
  configMapKeyRef: keySelector('ConfigMapKeySelector', 'ConfigMap'),
  secretKeyRef: keySelector('SecretKeySelector', 'Secret'),
});

export const EnvVarSchema = object(`${CORE}.EnvVar`, 'An environment variable.', {
  name: required(string('Its name.')),
  value: string('Its value; $(NAME) expands earlier variables.'),
  valueFrom: EnvVarSourceSchema,
});

const envFromRef = (name: string, what: string) =>
  object(`${CORE}.${name}`, `A ${what} whose keys become variables.`, {
    name: withDefault(string(`Name of the ${what}.`), ''),
    optional: boolean('The container may start without it.'),
  });

export const EnvFromSchema = object(`${CORE}.EnvFromSource`, 'Variables out of a whole object.', {
  prefix: string('Prepended to each name.'),
  configMapRef: envFromRef('ConfigMapEnvSource', 'ConfigMap'),
  secretRef: envFromRef('SecretEnvSource', 'Secret'),
});

const HttpHeaderSchema = object(`${CORE}.HTTPHeader`, 'A header of a probe.', {
  name: required(string('Its name.')),
  value: required(string('Its value.')),
});

const HttpGetSchema = object(`${CORE}.HTTPGetAction`, 'Healthy when GET answers 200 to 399.', {
  path: withDefault(string('The path.'), '/'),
  port: required(intOrString('A number, or the name of a container port.')),
  host: string('The host; the pod itself by default.'),
  scheme: withDefault(oneOf('The protocol.', ['HTTP', 'HTTPS']), 'HTTP'),
  httpHeaders: list('Headers to send.', HttpHeaderSchema),
});

const handlers = {
  exec: object(`${CORE}.ExecAction`, 'Healthy when the command exits with 0.', {
    command: list('The command, not run in a shell.', string()),
  }),
  httpGet: HttpGetSchema,
  tcpSocket: object(`${CORE}.TCPSocketAction`, 'Healthy when the port accepts.', {
    port: required(intOrString('A number, or the name of a container port.')),
    host: string('The host; the pod itself by default.'),
  }),
};

export const ProbeSchema = object(`${CORE}.Probe`, 'How a container tells its health.', {
  ...handlers,
  grpc: object(`${CORE}.GRPCAction`, 'Healthy when gRPC health checking says SERVING.', {
    port: required(integer('The port.')),
    service: withDefault(string('The service to ask about.'), ''),
  }),
  initialDelaySeconds: integer('Wait after the start before the first probe.'),
  timeoutSeconds: withDefault(integer('A slower answer is a failure.'), 1),
  periodSeconds: withDefault(integer('Time between probes.'), 10),
  successThreshold: withDefault(integer('Successes in a row that make it healthy.'), 1),
  failureThreshold: withDefault(integer('Failures in a row that make it unhealthy.'), 3),
  terminationGracePeriodSeconds: integer('Grace after a failed liveness probe.'),
});

const lifecycleHandler = object(`${CORE}.LifecycleHandler`, 'A hook.', {
  ...handlers,
  sleep: object(`${CORE}.SleepAction`, 'Waits.', { seconds: required(integer('How long.')) }),
});

const LifecycleSchema = object(`${CORE}.Lifecycle`, 'Hooks of a container.', {
  postStart: lifecycleHandler,
  preStop: lifecycleHandler,
  stopSignal: string('The signal that stops the container.'),
});

const CapabilitiesSchema = object(`${CORE}.Capabilities`, 'Linux capabilities.', {
  add: list('To add.', string()),
  drop: list('To drop.', string()),
});

const profile = (name: string, doc: string) =>
  object(`${CORE}.${name}`, doc, {
    type: required(oneOf('Which profile.', ['RuntimeDefault', 'Unconfined', 'Localhost'])),
    localhostProfile: unsupported(
      string('A profile of the host.'),
      "profiles of hosts have no effect: the runtime's default applies",
    ),
  });

/** Confinement by the host's kernel. The runtime's default is what every container gets. */
const confinement = {
  seccompProfile: profile('SeccompProfile', 'A seccomp profile.'),
  appArmorProfile: profile('AppArmorProfile', 'An AppArmor profile.'),
  seLinuxOptions: unsupported(
    object(`${CORE}.SELinuxOptions`, 'An SELinux label.', {
      level: string('The level.'),
      role: string('The role.'),
      type: string('The type.'),
      user: string('The user.'),
    }),
    'SELinux options have no effect',
  ),
  windowsOptions: unsupported(any('Options of Windows.'), 'containers run on Linux'),
};

const SecurityContextSchema = object(`${CORE}.SecurityContext`, 'Privileges of a container.', {
  runAsUser: integer('The user id.'),
  runAsGroup: integer('The group id.'),
  runAsNonRoot: boolean('Refuse to start as root.'),
  readOnlyRootFilesystem: boolean('Mount the root file system read-only.'),
  allowPrivilegeEscalation: boolean('May a process gain more than its parent has.'),
  privileged: boolean('Run privileged; refused.'),
  capabilities: CapabilitiesSchema,
  ...confinement,
  procMount: unsupported(string('The proc mount.'), 'procMount has no effect'),
});

const podSecurity = {
  runAsUser: integer('The user id.'),
  runAsGroup: integer('The group id.'),
  runAsNonRoot: boolean('Refuse to start as root.'),
  fsGroup: unsupported(integer('The group that owns volumes.'), 'volumes keep their owner'),
  fsGroupChangePolicy: unsupported(
    string('When volumes change owner.'),
    'volumes keep their owner',
  ),
  supplementalGroups: unsupported(
    list('Further groups.', integer()),
    'supplemental groups have no effect yet',
  ),
  supplementalGroupsPolicy: unsupported(
    string('Whether groups of the image count.'),
    'supplemental groups have no effect yet',
  ),
  sysctls: unsupported(list('Kernel parameters.', any()), 'sysctls have no effect'),
  ...confinement,
};

export const PodSecurityContextSchema = object(
  `${CORE}.PodSecurityContext`,
  'Privileges of all containers of a pod.',
  podSecurity,
);

export const ResourcesSchema = object(`${CORE}.ResourceRequirements`, 'What a container needs.', {
  requests: map('What is reserved for it.', quantity()),
  limits: map('What it may use at most.', quantity()),
  claims: unsupported(
    mapList(
      'Claims of devices.',
      object(`${CORE}.ResourceClaim`, 'A claim of the pod.', {
        name: required(string('The claim.')),
        request: string('One request of it.'),
      }),
      ['name'],
    ),
    'resource claims have no effect yet',
  ),
});

const ContainerPortSchema = object(`${CORE}.ContainerPort`, 'A port that a container serves.', {
  name: string('A name that services and probes can use.'),
  containerPort: required(integer('The number.')),
  hostPort: unsupported(integer('A port of the host.'), 'ports of the host are not opened'),
  hostIP: string('An address of the host.'),
  protocol: withDefault(oneOf('The protocol.', ['TCP', 'UDP', 'SCTP']), 'TCP'),
});

export const ContainerSchema = object(`${CORE}.Container`, 'One container of a pod.', {
  name: required(string('Unique in the pod.')),
  image: string('The image.'),
  command: list('Replaces the entry point of the image.', string()),
  args: list('Arguments of the entry point.', string()),
  workingDir: string('The working directory.'),
  ports: mapList('Ports that it serves.', ContainerPortSchema, ['containerPort', 'protocol']),
  env: mapList('Environment variables.', EnvVarSchema, ['name']),
  envFrom: list('Objects whose keys become variables.', EnvFromSchema),
  resources: withDefault(ResourcesSchema, {}),
  resizePolicy: unsupported(
    list('Whether a resize restarts.', any()),
    'containers are not resized in place',
  ),
  restartPolicyRules: unsupported(
    list('Exit codes that restart.', any()),
    'restart rules have no effect yet',
  ),
  volumeDevices: unsupported(list('Block devices.', any()), 'block devices are not served'),
  volumeMounts,
  livenessProbe: ProbeSchema,
  readinessProbe: ProbeSchema,
  startupProbe: ProbeSchema,
  lifecycle: unsupported(LifecycleSchema, 'lifecycle hooks do not run yet'),
  terminationMessagePath: withDefault(
    string('A file to read a last word from.'),
    '/dev/termination-log',
  ),
  terminationMessagePolicy: withDefault(
    oneOf('Where the last word comes from.', ['File', 'FallbackToLogsOnError']),
    'File',
  ),
  imagePullPolicy: oneOf('When the image is pulled.', ['Always', 'IfNotPresent', 'Never']),
  restartPolicy: oneOf('Always makes an init container a sidecar.', ['Always']),
  securityContext: SecurityContextSchema,
  stdin: boolean('Keep standard input open.'),
  stdinOnce: boolean('Close it after the first session.'),
  tty: boolean('Allocate a terminal.'),
});

export type Container = Infer<typeof ContainerSchema>;
export type EnvVar = Infer<typeof EnvVarSchema>;
export type Probe = Infer<typeof ProbeSchema>;
export type ResourceRequirements = Infer<typeof ResourcesSchema>;
