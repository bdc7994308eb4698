/**
 * What messages consist of on the wire: field numbers, names and types as data, and the kinds that
 * may be sent. The numbers are facts of the public API and never change. Owns the notation; does
 * not own what is accepted of an object: the schemas do.
 *
 * A line is a message, and the next one too where it is indented: `name number type, …`. Types are
 * scalars, other messages, `T[]` and `map<T>`. `T!` is sent only when it is meant (a pointer in Go,
 * or always written in JSON), so that its zero counts; every other zero is Go's way to say nothing.
 * `...` are fields that JSON has in the message around them.
 */
import { CORE_FIELDS } from './core-fields.ts';

export interface WireField {
  /** The field in JSON; `...` for a message whose fields stand in the one around it. */
  readonly name: string;
  /** A message, or one of string, bytes, raw (bytes that are looked into), bool, int32, int64. */
  readonly type: string;
  readonly shape: 'one' | 'list' | 'map';
  /** Zero is a value, and not a way to say nothing. */
  readonly keepsZero: boolean;
}

export type WireMessage = ReadonlyMap<number, WireField>;

const OTHER_FIELDS = `
Unknown: typeMeta 1 TypeMeta, raw 2 raw, contentEncoding 3 string, contentType 4 string
TypeMeta: apiVersion 1 string, kind 2 string
Quantity: string 1 string!
IntOrString: type 1 int64!, intVal 2 int32!, strVal 3 string!
Time: seconds 1 int64!, nanos 2 int32!
MicroTime: seconds 1 int64!, nanos 2 int32!
FieldsV1: Raw 1 string!
Deployment: metadata 1 ObjectMeta, spec 2 DeploymentSpec, status 3 DeploymentStatus
DeploymentCondition: type 1 string!, status 2 string!, reason 4 string, message 5 string,
  lastUpdateTime 6 Time, lastTransitionTime 7 Time
DeploymentSpec: replicas 1 int32!, selector 2 LabelSelector, template 3 PodTemplateSpec,
  strategy 4 DeploymentStrategy, minReadySeconds 5 int32, revisionHistoryLimit 6 int32!,
  paused 7 bool, progressDeadlineSeconds 9 int32!
DeploymentStatus: observedGeneration 1 int64, replicas 2 int32, updatedReplicas 3 int32,
  availableReplicas 4 int32, unavailableReplicas 5 int32, conditions 6 DeploymentCondition[],
  readyReplicas 7 int32, collisionCount 8 int32!, terminatingReplicas 9 int32!
DeploymentStrategy: type 1 string, rollingUpdate 2 RollingUpdateDeployment
ReplicaSet: metadata 1 ObjectMeta, spec 2 ReplicaSetSpec, status 3 ReplicaSetStatus
ReplicaSetCondition: type 1 string!, status 2 string!, lastTransitionTime 3 Time, reason 4 string,
  message 5 string
ReplicaSetSpec: replicas 1 int32!, selector 2 LabelSelector, template 3 PodTemplateSpec,
  minReadySeconds 4 int32
ReplicaSetStatus: replicas 1 int32!, fullyLabeledReplicas 2 int32, observedGeneration 3 int64,
  readyReplicas 4 int32, availableReplicas 5 int32, conditions 6 ReplicaSetCondition[],
  terminatingReplicas 7 int32!
RollingUpdateDeployment: maxUnavailable 1 IntOrString, maxSurge 2 IntOrString
FieldSelectorAttributes: rawSelector 1 string, requirements 2 FieldSelectorRequirement[]
LabelSelectorAttributes: rawSelector 1 string, requirements 2 LabelSelectorRequirement[]
NonResourceAttributes: path 1 string, verb 2 string
NonResourceRule: verbs 1 string[], nonResourceURLs 2 string[]
ResourceAttributes: namespace 1 string, verb 2 string, group 3 string, version 4 string,
  resource 5 string, subresource 6 string, name 7 string, fieldSelector 8 FieldSelectorAttributes,
  labelSelector 9 LabelSelectorAttributes
ResourceRule: verbs 1 string[], apiGroups 2 string[], resources 3 string[], resourceNames 4 string[]
SelfSubjectAccessReview: metadata 1 ObjectMeta, spec 2 SelfSubjectAccessReviewSpec,
  status 3 SubjectAccessReviewStatus
SelfSubjectAccessReviewSpec: resourceAttributes 1 ResourceAttributes,
  nonResourceAttributes 2 NonResourceAttributes
SelfSubjectRulesReview: metadata 1 ObjectMeta, spec 2 SelfSubjectRulesReviewSpec,
  status 3 SubjectRulesReviewStatus
SelfSubjectRulesReviewSpec: namespace 1 string
SubjectAccessReviewStatus: allowed 1 bool!, reason 2 string, evaluationError 3 string, denied 4 bool
SubjectRulesReviewStatus: resourceRules 1 ResourceRule[], nonResourceRules 2 NonResourceRule[],
  incomplete 3 bool!, evaluationError 4 string
Scale: metadata 1 ObjectMeta, spec 2 ScaleSpec, status 3 ScaleStatus
ScaleSpec: replicas 1 int32
ScaleStatus: replicas 1 int32!, selector 2 string
Endpoint: addresses 1 string[], conditions 2 EndpointConditions, hostname 3 string!,
  targetRef 4 ObjectReference, deprecatedTopology 5 map<string>, nodeName 6 string!, zone 7 string!,
  hints 8 EndpointHints
EndpointConditions: ready 1 bool!, serving 2 bool!, terminating 3 bool!
EndpointHints: forZones 1 ForZone[], forNodes 2 ForNode[]
EndpointPort: name 1 string!, protocol 2 string!, port 3 int32!, appProtocol 4 string!
EndpointSlice: metadata 1 ObjectMeta, endpoints 2 Endpoint[], ports 3 EndpointPort[],
  addressType 4 string!
ForNode: name 1 string!
ForZone: name 1 string!
Eviction: metadata 1 ObjectMeta, deleteOptions 2 DeleteOptions
PodDisruptionBudget: metadata 1 ObjectMeta, spec 2 PodDisruptionBudgetSpec,
  status 3 PodDisruptionBudgetStatus
PodDisruptionBudgetSpec: minAvailable 1 IntOrString, selector 2 LabelSelector,
  maxUnavailable 3 IntOrString, unhealthyPodEvictionPolicy 4 string!
PodDisruptionBudgetStatus: observedGeneration 1 int64, disruptedPods 2 map<Time>,
  disruptionsAllowed 3 int32!, currentHealthy 4 int32!, desiredHealthy 5 int32!,
  expectedPods 6 int32!, conditions 7 Condition[]
PriorityClass: metadata 1 ObjectMeta, value 2 int32!, globalDefault 3 bool, description 4 string,
  preemptionPolicy 5 string!
Condition: type 1 string!, status 2 string!, observedGeneration 3 int64, lastTransitionTime 4 Time,
  reason 5 string!, message 6 string!
DeleteOptions: gracePeriodSeconds 1 int64!, preconditions 2 Preconditions, orphanDependents 3 bool!,
  propagationPolicy 4 string!, dryRun 5 string[],
  ignoreStoreReadErrorWithClusterBreakingPotential 6 bool!
FieldSelectorRequirement: key 1 string!, operator 2 string!, values 3 string[]
LabelSelector: matchLabels 1 map<string>, matchExpressions 2 LabelSelectorRequirement[]
LabelSelectorRequirement: key 1 string!, operator 2 string!, values 3 string[]
ManagedFieldsEntry: manager 1 string, operation 2 string, apiVersion 3 string, time 4 Time,
  fieldsType 6 string, fieldsV1 7 FieldsV1, subresource 8 string
ObjectMeta: name 1 string, generateName 2 string, namespace 3 string, selfLink 4 string,
  uid 5 string, resourceVersion 6 string, generation 7 int64, creationTimestamp 8 Time,
  deletionTimestamp 9 Time, deletionGracePeriodSeconds 10 int64!, labels 11 map<string>,
  annotations 12 map<string>, ownerReferences 13 OwnerReference[], finalizers 14 string[],
  managedFields 17 ManagedFieldsEntry[]
OwnerReference: kind 1 string!, name 3 string!, uid 4 string!, apiVersion 5 string!,
  controller 6 bool!, blockOwnerDeletion 7 bool!
Preconditions: uid 1 string!, resourceVersion 2 string!
`;

/** By API version: what is served, and may come in protobuf. */
const KINDS: { readonly [apiVersion: string]: readonly string[] } = {
  v1: [
    'Binding',
    'ConfigMap',
    'Event',
    'Namespace',
    'Node',
    'Pod',
    'Secret',
    'Service',
    'ServiceAccount',
  ],
  'apps/v1': ['Deployment', 'ReplicaSet'],
  'authorization.k8s.io/v1': ['SelfSubjectAccessReview', 'SelfSubjectRulesReview'],
  'autoscaling/v1': ['Scale'],
  'discovery.k8s.io/v1': ['EndpointSlice'],
  'policy/v1': ['Eviction', 'PodDisruptionBudget'],
  'policy/v1beta1': ['Eviction'],
  'scheduling.k8s.io/v1': ['PriorityClass'],
};

/** Clients send it under the version of whatever they delete. */
const OF_EVERY_VERSION = 'DeleteOptions';

/** Whether objects of the kind may be sent; the message of a kind has its name. */
export function isReadKind(apiVersion: string, kind: string): boolean {
  if (kind === OF_EVERY_VERSION) return true;
  return Object.hasOwn(KINDS, apiVersion) && (KINDS[apiVersion] ?? []).includes(kind);
}

let lines: ReadonlyMap<string, string> | undefined;
const messages = new Map<string, WireMessage>();

/** The message of that name; undefined for what is not in the table. */
export function wireMessage(name: string): WireMessage | undefined {
  const known = messages.get(name);
  if (known) return known;
  // Most servers are never spoken to in protobuf: nothing is parsed before somebody does.
  lines ??= linesByName(OTHER_FIELDS + CORE_FIELDS);
  const line = lines.get(name);
  if (line === undefined) return undefined;
  const message = new Map(line.split(',').map(parseField));
  messages.set(name, message);
  return message;
}

function linesByName(text: string): ReadonlyMap<string, string> {
  // A line that is indented goes on with the one before.
  const joined = text.trim().replace(/\n {2}/g, ' ');
  return new Map(
    joined.split(/\n+/).map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
}

const FIELD = /^(\S+) (\d+) (map<)?(\w+)(>|\[\])?(!)?$/;

function parseField(text: string): [number, WireField] {
  const [, name, number, map, type, list, keeps] = FIELD.exec(text.trim()) ?? [];
  if (name === undefined || type === undefined) throw new RangeError(`not a field: ${text}`);
  const shape = map ? 'map' : list ? 'list' : 'one';
  return [Number(number), { name, type, shape, keepsZero: keeps !== undefined }];
}
