/**
 * What must hold of a whole cluster (docs/ARCHITECTURE.md names the invariants): pure checks over
 * everything that is stored and everything that runs. Simulation asks after every change, a person
 * may ask of a live cluster at any time. Owns the wording of the invariants in code; does not own
 * how the facts are come by.
 *
 * Safety (S1, S2, S3) holds at every moment. What is `settled` (L1, L2) holds once faults have
 * ended and the world has had its time: it says nothing of a rollout that is under way.
 */
import { sameJson } from '../api/hash.ts';
import { isTrue } from '../api/conditions.ts';
import type { EndpointSlice, Service } from '../api/kinds/core.ts';
import type { Node, NodeAllocation } from '../api/kinds/node.ts';
import type { Pod } from '../api/kinds/pod.ts';
import type { PodDisruptionBudget } from '../api/kinds/policy.ts';
import type { Deployment, ReplicaSet } from '../api/kinds/workloads.ts';
import { type AnyObject, controllerOf, type KubeObject } from '../api/meta.ts';
import { matchesLabels } from '../api/selectors.ts';
import { budgetsOf, grantedAtMs, isOf } from './disruption/budgets.ts';
import type { TaskState } from '../api/task.ts';
import { parseTime } from '../api/time.ts';
import { currentTaskId } from './pod/attempt.ts';
import { isTerminal, podIsActive, podIsReady } from './pod/predicates.ts';
import { gpuAskOf } from './pod/gpus.ts';
import { amountOf, podRequests, type Requests } from './pod/requests.ts';
import { isVirtualNode } from './scheduling/cluster.ts';
import { NodeDevices } from './scheduling/gpu/node-devices.ts';

export type InvariantName =
  'S1' | 'S2' | 'S3' | 'S5' | 'S6' | 'S7' | 'S8' | 'S9' | 'L1' | 'L2' | 'L3';

export interface Violation {
  readonly invariant: InvariantName;
  readonly message: string;
}

/** A task as its runtime knows it, and what its pod asked for when it was started. */
export interface TaskFact {
  readonly state: TaskState;
  readonly requests: Requests;
}

export interface ClusterFacts {
  readonly deployments: readonly Deployment[];
  readonly replicaSets: readonly ReplicaSet[];
  readonly pods: readonly Pod[];
  readonly nodes: readonly Node[];
  readonly allocations: readonly NodeAllocation[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  readonly budgets: readonly PodDisruptionBudget[];
  readonly tasks: readonly TaskFact[];
}

export function isLive({ phase }: TaskState): boolean {
  return phase !== 'stopped';
}

/** S1: at most one live task a pod, and so a pod attempt. */
export function checkOneTaskPerPod(tasks: readonly TaskFact[]): readonly Violation[] {
  const live = tasks.filter(({ state }) => isLive(state));
  const byPod = Map.groupBy(live, ({ state }) => state.podUid);
  return [...byPod.values()]
    .filter((ofPod) => ofPod.length > 1)
    .map((ofPod) => {
      const names = ofPod.map(({ state }) => `${state.id} on ${state.nodeName}`).join(', ');
      return broken('S1', `pod ${ofPod[0]?.state.podName} has live tasks ${names}`);
    });
}

/** S2: neither the tasks that live on a node nor the pods bound to it ask for more than it has. */
export function checkNodeRoom(
  node: Node,
  { pods, tasks }: Pick<ClusterFacts, 'pods' | 'tasks'>,
): readonly Violation[] {
  const { name } = node.metadata;
  const ran = tasks.filter(({ state }) => isLive(state) && state.nodeName === name);
  const bound = pods.filter((pod) => pod.spec.nodeName === name && !isTerminal(pod));
  return [
    ...overcommitted(
      node,
      'tasks',
      ran.map(({ requests }) => requests),
    ),
    ...overcommitted(
      node,
      'pods',
      bound.map(({ spec }) => podRequests(spec)),
    ),
  ];
}

function overcommitted(
  node: Node,
  what: string,
  holders: readonly Requests[],
): readonly Violation[] {
  const sums = new Map<string, number>([['pods', holders.length]]);
  for (const requests of holders) {
    for (const [resource, amount] of Object.entries(requests)) {
      sums.set(resource, (sums.get(resource) ?? 0) + amount);
    }
  }
  return [...sums].flatMap(([resource, used]) => {
    const has = amountOf(resource, node.status.allocatable?.[resource] ?? '0');
    const message = `${what} on ${node.metadata.name} hold ${used} ${resource} of ${has}`;
    return used > has ? [broken('S2', message)] : [];
  });
}

/**
 * S2 in the ledger: each pod that is bound and not done has its entry with its node. Virtual nodes
 * have no ledger.
 */
export function checkLedger({
  pods,
  nodes,
  allocations,
}: Pick<ClusterFacts, 'pods' | 'nodes' | 'allocations'>): readonly Violation[] {
  const virtual = new Set(nodes.filter(isVirtualNode).map(({ metadata }) => metadata.name));
  const written = new Set(allocations.map(({ metadata }) => metadata.name));
  const unwritten = new Map(
    nodes.filter((n) => !written.has(n.metadata.name)).map((n) => [n.metadata.name, n]),
  );
  const entries = new Set(
    allocations.flatMap(({ metadata, allocations: held }) =>
      held.map(({ podUid }) => `${metadata.name}/${podUid}`),
    ),
  );
  return pods
    .filter(({ spec, ...pod }) => spec.nodeName && !isTerminal({ spec, ...pod }))
    .filter(({ spec }) => !virtual.has(spec.nodeName ?? ''))
    .filter((pod) => !isOlder(pod, unwritten.get(pod.spec.nodeName ?? '')))
    .filter(({ spec, metadata }) => !entries.has(`${spec.nodeName}/${metadata.uid}`))
    .map(({ spec, metadata }) =>
      broken('S2', `the ledger of ${spec.nodeName} does not know its pod ${metadata.name}`),
    );
}

/** The node was entered again while the pod ran on it; its next ledger will know the pod. */
function isOlder(pod: Pod, node: Node | undefined): boolean {
  const createdMs = ({ metadata }: KubeObject) => parseTime(metadata.creationTimestamp) ?? 0;
  return node !== undefined && createdMs(pod) < createdMs(node);
}

/**
 * S3: of each device of a node no more is held than there is: 1,000 milli and its memory, a whole
 * one and a slice by one alone. What bound pods have is what the ledger says.
 */
export function checkDevices(
  node: Node,
  { pods, allocations }: Pick<ClusterFacts, 'pods' | 'allocations'>,
): readonly Violation[] {
  const { name } = node.metadata;
  const devices = new NodeDevices(node);
  const entries = allocations.find(({ metadata }) => metadata.name === name)?.allocations ?? [];
  const written = new Map(entries.map((entry) => [entry.podUid, entry.devices]));
  const held = pods.filter((pod) => pod.spec.nodeName === name && !isTerminal(pod));
  const violations = held.flatMap((pod) => {
    const ask = gpuAskOf(pod);
    if (!ask || devices.sharing === undefined) return [];
    const own = pod.control?.gpuDevices;
    // The ledger went with its node where that was deleted: then what the pod itself says counts.
    const isEntered = written.has(pod.metadata.uid);
    const entry = (isEntered ? written.get(pod.metadata.uid) : own) ?? {};
    if (devices.sharing === 'assigned' && isEntered && !sameJson(own, entry)) {
      return [broken('S3', `${nameOf(pod)} and the ledger of ${name} differ on its GPUs`)];
    }
    const holding = devices.recorded(ask, entry);
    if (!holding) return [broken('S3', `${nameOf(pod)} has no GPUs on ${name} as it asks`)];
    devices.hold(holding, 1);
    return [];
  });
  const overheld = devices.overheld.map((device) => {
    return broken('S3', `more of GPU ${device} of ${name} is held than there is`);
  });
  return [...violations, ...overheld];
}

/** L1: the state matches the spec. `unfit` says of which pods nobody expects that they ever run. */
export function checkMatches(
  facts: ClusterFacts,
  unfit: (pod: Pod) => boolean = () => false,
): readonly Violation[] {
  const stillGoing: readonly KubeObject[] = [
    ...facts.deployments,
    ...facts.replicaSets,
    ...facts.pods,
  ];
  return [
    ...stillGoing
      .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
      .map((object) => broken('L1', `${nameOf(object)} is still being deleted`)),
    ...facts.deployments.flatMap((deployment) => deploymentMatches(deployment, facts, unfit)),
    ...facts.replicaSets.flatMap((set) => replicaSetMatches(set, facts)),
    ...facts.pods.flatMap((pod) => podMatches(pod, unfit)),
    ...facts.services.flatMap((service) => serviceMatches(service, facts)),
    ...facts.budgets.flatMap((budget) => budgetMatches(budget, facts)),
  ];
}

function deploymentMatches(
  deployment: Deployment,
  { replicaSets, pods }: ClusterFacts,
  unfit: (pod: Pod) => boolean,
): readonly Violation[] {
  const { spec, status, metadata } = deployment;
  const sets = replicaSets.filter((set) => controllerOf(set)?.uid === metadata.uid);
  const own = pods.filter((pod) => sets.some((s) => controllerOf(pod)?.uid === s.metadata.uid));
  const ready = own.filter(podIsReady).length;
  const expectedReady = own.some(unfit) ? ready : spec.replicas;
  const wanted: readonly (readonly [string, number, number])[] = [
    ['observedGeneration', status.observedGeneration ?? 0, metadata.generation ?? 0],
    ['pods', own.length, spec.replicas],
    ['ready pods', ready, expectedReady],
    ['status.replicas', status.replicas ?? 0, own.length],
    ['status.readyReplicas', status.readyReplicas ?? 0, ready],
    ['status.availableReplicas', status.availableReplicas ?? 0, ready],
    ...(spec.paused
      ? []
      : [['status.updatedReplicas', status.updatedReplicas ?? 0, spec.replicas] as const]),
  ];
  return different(deployment, wanted);
}

function replicaSetMatches(set: ReplicaSet, { pods }: ClusterFacts): readonly Violation[] {
  const { spec, status, metadata } = set;
  const own = pods.filter((pod) => controllerOf(pod)?.uid === metadata.uid && podIsActive(pod));
  return different(set, [
    ['observedGeneration', status.observedGeneration ?? 0, metadata.generation ?? 0],
    ['active pods', own.length, spec.replicas],
    ['status.replicas', status.replicas, spec.replicas],
    ['status.readyReplicas', status.readyReplicas ?? 0, own.filter(podIsReady).length],
  ]);
}

function podMatches(pod: Pod, unfit: (pod: Pod) => boolean): readonly Violation[] {
  if (isTerminal(pod)) return [];
  if (unfit(pod)) {
    const bound = isTrue(pod.status.conditions, 'PodScheduled');
    return bound ? [broken('L1', `${nameOf(pod)} is bound, and nothing is large enough`)] : [];
  }
  return podIsReady(pod) ? [] : [broken('L1', `${nameOf(pod)} is not ready`)];
}

/** A budget knows how many of its pods are healthy, and nobody is on the way out any more. */
function budgetMatches(budget: PodDisruptionBudget, { pods }: ClusterFacts): readonly Violation[] {
  const { metadata, status } = budget;
  const own = pods.filter((pod) => isOf(pod, budget));
  return different(budget, [
    ['observedGeneration', status.observedGeneration ?? 0, metadata.generation ?? 0],
    ['currentHealthy', status.currentHealthy, own.filter(podIsReady).length],
    ['disruptedPods', Object.keys(status.disruptedPods ?? {}).length, 0],
  ]);
}

/**
 * S9, of a pod as it was when somebody evicted it: its budget had granted it, unless it was not
 * ready, which budgets may let go.
 */
export function checkEviction(
  pod: Pod,
  budgets: readonly PodDisruptionBudget[],
): readonly Violation[] {
  const [budget] = podIsActive(pod) && podIsReady(pod) ? budgetsOf(pod, budgets) : [];
  if (!budget || grantedAtMs(budget.status, pod) !== undefined) return [];
  return [broken('S9', `${nameOf(pod)} is evicted, and ${nameOf(budget)} has not granted it`)];
}

/** S9, of a budget that an evictor has written: each grant took one of what was allowed. */
export function checkGrants(
  before: PodDisruptionBudget,
  after: PodDisruptionBudget,
): readonly Violation[] {
  const old = before.status.disruptedPods ?? {};
  const grants = Object.entries(after.status.disruptedPods ?? {});
  const fresh = grants.filter(([name, atMs]) => old[name] !== atMs).length;
  const left = before.status.disruptionsAllowed - fresh;
  if (fresh === 0 || (left >= 0 && after.status.disruptionsAllowed === left)) return [];
  const counts = `${before.status.disruptionsAllowed} to ${after.status.disruptionsAllowed}`;
  return [broken('S9', `${nameOf(after)}: ${fresh} grants take what is allowed from ${counts}`)];
}

/** The endpoints of a service are its ready pods. */
function serviceMatches(service: Service, facts: ClusterFacts): readonly Violation[] {
  const { selector } = service.spec;
  if (!selector || service.metadata.deletionTimestamp !== undefined) return [];
  const { namespace } = service.metadata;
  const expected = facts.pods
    .filter((pod) => pod.metadata.namespace === namespace && podIsReady(pod) && !isTerminal(pod))
    .filter((pod) => matchesLabels(selector, pod.metadata.labels))
    .map((pod) => pod.metadata.uid);
  const actual = facts.endpointSlices
    .filter((slice) => slice.metadata.namespace === namespace)
    .filter((slice) => slice.metadata.labels?.[SERVICE_NAME_LABEL] === service.metadata.name)
    .flatMap((slice) => slice.endpoints)
    .filter((endpoint) => endpoint.conditions?.ready)
    .map((endpoint) => endpoint.targetRef?.uid ?? '');
  return sorted(expected) === sorted(actual)
    ? []
    : [broken('L1', `endpoints of ${nameOf(service)} are ${actual.length} of ${expected.length}`)];
}

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** L2: every live task has the live pod that means it, and every pod that runs has its task. */
export function checkNoLeaks({
  pods,
  tasks,
}: Pick<ClusterFacts, 'pods' | 'tasks'>): readonly Violation[] {
  const live = tasks.filter(({ state }) => isLive(state));
  const meant = new Set(
    pods.filter((pod) => pod.spec.nodeName && !isTerminal(pod)).map(currentTaskId),
  );
  const running = new Set(live.map(({ state }) => state.id));
  return [
    ...live
      .filter(({ state }) => !meant.has(state.id))
      .map(({ state }) => broken('L2', `task ${state.id} of ${state.podName} lives for no pod`)),
    ...pods
      .filter((pod) => podIsReady(pod) && !isTerminal(pod))
      .filter((pod) => !running.has(currentTaskId(pod) ?? ''))
      .map((pod) => broken('L2', `${nameOf(pod)} is ready without a task`)),
  ];
}

/**
 * The owners that objects name exist: what garbage collection leaves behind is a leak as well (L2).
 */
export function checkOwners(objects: readonly AnyObject[]): readonly Violation[] {
  const uids = new Set(objects.map(({ metadata }) => metadata.uid));
  return objects.flatMap((object) => {
    const owners = object.metadata.ownerReferences ?? [];
    const orphaned = owners.length > 0 && !owners.some(({ uid }) => uids.has(uid));
    return orphaned ? [broken('L2', `${nameOf(object)} has outlived its owner`)] : [];
  });
}

function different(
  object: KubeObject,
  facts: readonly (readonly [what: string, actual: number, wanted: number])[],
): readonly Violation[] {
  return facts
    .filter(([, actual, wanted]) => actual !== wanted)
    .map(([what, actual, wanted]) =>
      broken('L1', `${nameOf(object)}: ${what} is ${actual}, not ${wanted}`),
    );
}

function broken(invariant: InvariantName, message: string): Violation {
  return { invariant, message };
}

function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
}

function sorted(texts: readonly string[]): string {
  return [...texts].sort().join(' ');
}
