/**
 * Defaults: fills in what a client left out, so that stored objects say all that is true of them
 * (C1). The schemas declare most of it; the hooks here are for what depends on other fields.
 * Objects are never changed in place, and one that lacks nothing is given back as it is.
 *
 * F1. Defaulting what was defaulted changes nothing.
 */
import { toBase64 } from './base64.ts';
import type { Toleration } from './kinds/affinity.ts';
import type { Container, Probe } from './kinds/container.ts';
import type { Namespace, Secret, Service, ServicePort } from './kinds/core.ts';
import type { Pod, PodSpec, PodTemplate } from './kinds/pod.ts';
import type { Volume } from './kinds/volumes.ts';
import type { Deployment, DeploymentSpec, ReplicaSet } from './kinds/workloads.ts';
import type { AnyObject, ResourceName } from './meta.ts';
import { qosClassOf } from './qos.ts';
import type { ResourceType } from './resources.ts';
import type { Schema } from './schema.ts';

/** A pod that says nothing else stays this long on a node that is not ready or out of reach. */
const DEFAULT_TOLERATION_SECONDS = 300;

/**
 * The object with every default of its kind filled in; for pods, with what admission adds as well.
 */
export function withDefaults(type: ResourceType, object: AnyObject): AnyObject {
  const hook = HOOKS[type.name];
  return fill(type.schema, hook ? hook(object) : object) as AnyObject;
}

/** What a decoded object may still lack, in the type of its stored form. */
type Draft = AnyObject;

const HOOKS: { readonly [resource: ResourceName]: (object: Draft) => Draft } = {
  pods: (object) => hooked<Pod>(object, defaultPod),
  'deployments.apps': (object) => hooked<Deployment>(object, defaultDeployment),
  'replicasets.apps': (object) => hooked<ReplicaSet>(object, defaultReplicaSet),
  services: (object) => hooked<Service>(object, defaultService),
  secrets: (object) => hooked<Secret>(object, mergeStringData),
  namespaces: (object) => hooked<Namespace>(object, labelNamespace),
};

/**
 * Hooks see objects before the schema's defaults, so that any part may be missing; `Partial` would
 * hide that from the type checker only one level deep. They test for absence wherever they look.
 */
function hooked<T extends object>(object: Draft, hook: (object: Lacking<T>) => Lacking<T>): Draft {
  return hook(object as unknown as Lacking<T>) as unknown as Draft;
}

type Lacking<T> = T extends readonly (infer I)[]
  ? readonly Lacking<I>[]
  : T extends object
    ? { readonly [K in keyof T]?: Lacking<T[K]> | undefined }
    : T;

function defaultPod(pod: Lacking<Pod>): Lacking<Pod> {
  if (!pod.spec) return pod;
  const spec = admitPodSpec(defaultPodSpec(pod.spec) as PodSpec);
  const qos = pod.status?.qosClass ?? qosClassOf(spec);
  const status = { phase: 'Pending' as const, ...pod.status, qosClass: qos };
  return { ...pod, spec, status };
}

/**
 * What admission adds to every pod (not to templates) by the pod alone: account, tolerations of
 * lost nodes. Priority takes the classes that there are: core/priority.
 */
export function admitPodSpec(spec: PodSpec): PodSpec {
  const account = spec.serviceAccountName ?? 'default';
  return {
    ...spec,
    serviceAccountName: account,
    serviceAccount: account,
    tolerations: withNodeTolerations(spec.tolerations ?? []),
  };
}

const LOST_NODE_TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

function withNodeTolerations(given: readonly Toleration[]): readonly Toleration[] {
  const tolerates = (taint: string) => (toleration: Toleration) =>
    (!toleration.key || toleration.key === taint) &&
    (!toleration.effect || toleration.effect === 'NoExecute');
  const missing = LOST_NODE_TAINTS.filter((taint) => !given.some(tolerates(taint)));
  if (missing.length === 0) return given;
  const added = missing.map((key) => ({
    key,
    operator: 'Exists' as const,
    effect: 'NoExecute' as const,
    tolerationSeconds: DEFAULT_TOLERATION_SECONDS,
  }));
  return [...given, ...added];
}

function defaultPodSpec(spec: Lacking<PodSpec>): Lacking<PodSpec> {
  const account = spec.serviceAccountName || spec.serviceAccount;
  return {
    ...spec,
    ...(spec.containers && { containers: spec.containers.map(defaultContainer) }),
    ...(spec.initContainers && { initContainers: spec.initContainers.map(defaultContainer) }),
    ...(spec.volumes && { volumes: spec.volumes.map(defaultVolume) }),
    ...(account && { serviceAccountName: account, serviceAccount: account }),
  };
}

/** A volume of which nothing but the name is said is an empty directory. */
function defaultVolume(volume: Lacking<Volume>): Lacking<Volume> {
  return Object.keys(volume).some((field) => field !== 'name')
    ? volume
    : { ...volume, emptyDir: {} };
}

function defaultContainer(container: Lacking<Container>): Lacking<Container> {
  const { resources, livenessProbe, readinessProbe, startupProbe } = container;
  return {
    ...container,
    imagePullPolicy: container.imagePullPolicy ?? pullPolicyOf(container.image ?? ''),
    ...(resources?.limits && {
      resources: { ...resources, requests: { ...resources.limits, ...resources.requests } },
    }),
    ...(livenessProbe && { livenessProbe: withoutZeros(livenessProbe) }),
    ...(readinessProbe && { readinessProbe: withoutZeros(readinessProbe) }),
    ...(startupProbe && { startupProbe: withoutZeros(startupProbe) }),
  };
}

/** A tag that may move is pulled anew each time. */
export function pullPolicyOf(image: string): 'Always' | 'IfNotPresent' {
  const [name = '', digest] = image.split('@');
  const colon = name.lastIndexOf(':');
  const tag = colon > name.lastIndexOf('/') ? name.slice(colon + 1) : undefined;
  return tag === 'latest' || (tag === undefined && !digest) ? 'Always' : 'IfNotPresent';
}

const PROBE_NUMBERS = [
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const;

/** In a probe a zero is no choice: the default takes its place. */
function withoutZeros(probe: Lacking<Probe>): Lacking<Probe> {
  if (!PROBE_NUMBERS.some((field) => probe[field] === 0)) return probe;
  const kept = Object.entries(probe).filter(
    ([field, value]) => value !== 0 || !PROBE_NUMBERS.some((number) => number === field),
  );
  return Object.fromEntries(kept);
}

function defaultTemplate(template: Lacking<PodTemplate>): Lacking<PodTemplate> {
  return template.spec ? { ...template, spec: defaultPodSpec(template.spec) } : template;
}

function defaultDeployment(deployment: Lacking<Deployment>): Lacking<Deployment> {
  const { spec } = deployment;
  if (!spec) return deployment;
  const rolling = (spec.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate';
  const next: Lacking<DeploymentSpec> = {
    ...spec,
    ...(spec.template && { template: defaultTemplate(spec.template) }),
    ...(rolling && { strategy: { rollingUpdate: {}, ...spec.strategy } }),
  };
  return { ...deployment, spec: next };
}

function defaultReplicaSet(set: Lacking<ReplicaSet>): Lacking<ReplicaSet> {
  if (!set.spec?.template) return set;
  return { ...set, spec: { ...set.spec, template: defaultTemplate(set.spec.template) } };
}

function defaultService(service: Lacking<Service>): Lacking<Service> {
  const { spec } = service;
  if (!spec) return service;
  const clustered = spec.type !== 'ExternalName';
  return {
    ...service,
    spec: {
      ...spec,
      ...(spec.ports && { ports: spec.ports.map(defaultServicePort) }),
      ...(clustered && { internalTrafficPolicy: spec.internalTrafficPolicy ?? 'Cluster' }),
    },
  };
}

function defaultServicePort(port: Lacking<ServicePort>): Lacking<ServicePort> {
  return port.targetPort || port.port === undefined ? port : { ...port, targetPort: port.port };
}

/** Clients write text; everybody else reads base64. */
function mergeStringData(secret: Lacking<Secret>): Lacking<Secret> {
  const { stringData, ...rest } = secret;
  if (!stringData) return secret;
  const encoded = Object.entries(stringData).map(([key, text]) => [key, toBase64(text ?? '')]);
  const data = { ...rest.data, ...(Object.fromEntries(encoded) as { [key: string]: string }) };
  return { ...rest, data };
}

const NAMESPACE_LABEL = 'kubernetes.io/metadata.name';

/** So that namespaces can be selected by name. */
function labelNamespace(namespace: Lacking<Namespace>): Lacking<Namespace> {
  const { metadata } = namespace;
  if (!metadata?.name || metadata.labels?.[NAMESPACE_LABEL] === metadata.name) return namespace;
  const labels = { ...metadata.labels, [NAMESPACE_LABEL]: metadata.name };
  return { ...namespace, metadata: { ...metadata, labels } };
}

/**
 * What the schema declares, at every depth; parts that lack nothing are shared with the given
 * value.
 */
export function fill(schema: Schema, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !hasDefaults(schema)) return value;
  if (Array.isArray(value)) return fillEach(value, schema.items as Schema);
  if (schema.type === 'map') return fillMap(value as Fields, schema.items as Schema);
  return fillStruct(value as Fields, schema);
}

type Fields = { readonly [field: string]: unknown };

function fillStruct(value: Fields, schema: Schema): Fields {
  let out: { [field: string]: unknown } | undefined;
  for (const [field, child] of defaultedFields(schema)) {
    const given = value[field];
    const next = fill(child, given === undefined ? child.default : given);
    if (next === given) continue;
    out ??= { ...value };
    out[field] = next;
  }
  return out ?? value;
}

function fillEach(values: readonly unknown[], items: Schema): readonly unknown[] {
  const filled = values.map((value) => fill(items, value));
  return filled.some((value, index) => value !== values[index]) ? filled : values;
}

function fillMap(value: Fields, items: Schema): Fields {
  const filled = Object.entries(value).map(([key, item]) => [key, fill(items, item)] as const);
  return filled.some(([key, item]) => item !== value[key]) ? Object.fromEntries(filled) : value;
}

/**
 * Per schema, the fields with a default in or under them. Schemas never change, so it is worked out
 * once.
 */
const defaulted = new WeakMap<Schema, readonly (readonly [string, Schema])[]>();

function defaultedFields(schema: Schema): readonly (readonly [string, Schema])[] {
  let fields = defaulted.get(schema);
  if (!fields) {
    fields = Object.entries(schema.fields ?? {}).filter(
      ([, child]) => child.default !== undefined || hasDefaults(child),
    );
    defaulted.set(schema, fields);
  }
  return fields;
}

function hasDefaults(schema: Schema): boolean {
  if (schema.type === 'object') return defaultedFields(schema).length > 0;
  return schema.items !== undefined && hasDefaults(schema.items);
}
