/**
 * Ledgers: which pods hold room of a node. Room is entered before the pod is bound, so that of two
 * passes that give the same room away one fails (S2).
 *
 * Invariants:
 *  G1 A pod that is not bound yet keeps its entry: the pass that wrote it may be about to bind it.
 *     Nobody else may have that room, and the next pass finishes the binding rather than choosing
 *     again.
 *  G2 An entry leaves with the next write once its pod is gone, done, or bound elsewhere.
 *  G3 A pod that was sent back (core/pod/send-back.ts) holds nothing by an entry that was made for
 *     an attempt of before: it is in a ledger once, and its room is given back once.
 *  G4 Room that a member of a gang holds and is not bound to is taken up or given back with a write
 *     of the ledger, so that of two passes that do one and the other one fails.
 *  G5 A ledger that is written has the pods that are on the node already: an old one went with the
 *     node, and the machine was entered again while they ran. A node with pods is given one at
 *     once, since what is told of tasks finds their pods by it (control/task-owner.ts). A pod that
 *     takes up its task again, as its table was set back, is entered first (control/adopt.ts).
 */
import type { DevicesByContainer } from '../../api/gpus.ts';
import type { Allocation, Node, NodeAllocation } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { draftMeta, ownerReference } from '../../api/meta.ts';
import { isTerminal } from '../pod/predicates.ts';
import { podRequests } from '../pod/requests.ts';
import { type Action, create, update } from '../plan.ts';
import { type Batches, NO_BATCHES } from './batches.ts';
import { isOfGang } from './gang/membership.ts';
import { isPlaced } from './pending.ts';

export const LEDGERS = 'nodeallocations.nullplane.io';

/** Pods by uid: a namesake made later holds nothing. */
export type PodsByUid = ReadonlyMap<string, Pod>;

/** The GPUs that pods get on nodes that share theirs; nothing for those that ask for none. */
export type Devices = ReadonlyMap<Pod, DevicesByContainer>;

export const NO_DEVICES: Devices = new Map();

/** What is entered with the pods. */
interface Entered {
  readonly batches?: Batches;
  readonly devices?: Devices;
  /** The pods that are bound to the node, and others. */
  readonly podsOn: (node: Node) => Iterable<Pod>;
}

/** The pods that the ledger has room for but that are not bound yet (G1). */
export function reservations(ledger: NodeAllocation, pods: PodsByUid): Pod[] {
  const reserved: Pod[] = [];
  for (const entry of ledger.allocations) {
    const pod = pods.get(entry.podUid);
    // Of most entries the pod is bound, which is the quickest to see.
    if (pod && !isPlaced(pod) && !isTerminal(pod) && isMeant(entry, pod)) reserved.push(pod);
  }
  return reserved;
}

/** The entry is for what the pod is going to do, and not for what it has done (G3). */
function isMeant({ attempt = 1 }: Allocation, { control }: Pod): boolean {
  return attempt > (control?.attempt ?? 0);
}

/** The write that enters pods in the ledger of their node; undefined when they all are in it. */
export function enter(
  node: Node,
  ledger: NodeAllocation | undefined,
  placed: readonly Pod[],
  pods: PodsByUid,
  { batches = NO_BATCHES, devices = NO_DEVICES, podsOn }: Entered,
): Action | undefined {
  const kept = (ledger?.allocations ?? []).filter((entry) => holds(entry, node, pods));
  const known = new Set(kept.map(({ podUid }) => podUid));
  const isNew = ({ metadata }: Pod) => !known.has(metadata.uid);
  const added = placed.filter(isNew).map((pod) => entryOf(pod, batches, devices));
  if (added.length === 0 && !placed.some(isOfGang)) return undefined; // G4
  const there = boundTo(node, podsOn(node)).filter(isNew).map(entryOfBound);
  return written(node, ledger, [...kept, ...there, ...added]);
}

/**
 * The write of a ledger for a node that has none and pods all the same (G5), or one that can't be
 * read; undefined where there is none and no pod is bound to the node, and whoever binds the first
 * one writes it.
 */
export function restored(
  node: Node,
  pods: Iterable<Pod>,
  spoilt?: NodeAllocation,
): Action | undefined {
  const bound = boundTo(node, pods);
  const isNeeded = bound.length > 0 || spoilt !== undefined;
  return isNeeded ? written(node, spoilt, bound.map(entryOfBound)) : undefined;
}

/**
 * The ledger with a pod that takes up its task on the node again (G5); undefined where it is in it
 * already.
 */
export function withAdopted(ledger: NodeAllocation, pod: Pod): NodeAllocation | undefined {
  if (ledger.allocations.some(({ podUid }) => podUid === pod.metadata.uid)) return undefined;
  return { ...ledger, allocations: [...ledger.allocations, entryOfBound(pod)] };
}

/** The write that gives back the room of these pods, which are not bound to it. */
export function giveBack(
  node: Node,
  ledger: NodeAllocation,
  released: ReadonlySet<Pod>,
  pods: PodsByUid,
): Action {
  const uids = new Set([...released].map(({ metadata }) => metadata.uid));
  const kept = ledger.allocations.filter(
    (entry) => holds(entry, node, pods) && !uids.has(entry.podUid),
  );
  return written(node, ledger, kept);
}

function written(
  node: Node,
  ledger: NodeAllocation | undefined,
  allocations: readonly Allocation[],
): Action {
  const draft = newLedger(node, allocations);
  if (!ledger) return create(LEDGERS, draft);
  const { ownerReferences } = draft.metadata;
  return update(LEDGERS, {
    ...draft,
    metadata: { ...ledger.metadata, ...(ownerReferences ? { ownerReferences } : {}) },
  });
}

function holds(entry: Allocation, node: Node, pods: PodsByUid): boolean {
  const pod = pods.get(entry.podUid);
  if (!pod || isTerminal(pod)) return false;
  return isPlaced(pod) ? pod.spec.nodeName === node.metadata.name : isMeant(entry, pod);
}

/** What the pod says itself: it was entered for the attempt that it makes now. */
function entryOfBound(pod: Pod): Allocation {
  const { uid, name, namespace = '' } = pod.metadata;
  const { attempt, gpuDevices: devices, batch } = pod.control ?? {};
  return {
    ...{ podUid: uid, podName: name, namespace, requests: podRequests(pod.spec) },
    ...(devices && Object.keys(devices).length > 0 ? { devices } : {}),
    // What is told of its task, however late, finds it by this alone (control/task-owner.ts).
    ...(batch ? { batch: batch.token } : {}),
    ...(attempt === undefined || attempt === 1 ? {} : { attempt }),
  };
}

function boundTo({ metadata }: Node, pods: Iterable<Pod>): readonly Pod[] {
  const isBound = (pod: Pod) => isPlaced(pod) && pod.spec.nodeName === metadata.name;
  return [...pods].filter(isBound).sort(byUid);
}

/** The same pods make the same ledger, in whatever order they are listed. */
function byUid(a: Pod, b: Pod): number {
  return a.metadata.uid < b.metadata.uid ? -1 : 1;
}

function entryOf(pod: Pod, batches: Batches, devices: Devices): Allocation {
  const { uid, name, namespace = '' } = pod.metadata;
  const batch = batches.get(uid)?.token;
  const own = devices.get(pod);
  const before = pod.control?.attempt;
  return {
    ...{ podUid: uid, podName: name, namespace, requests: podRequests(pod.spec) },
    ...(own && Object.keys(own).length > 0 ? { devices: own } : {}),
    ...(batch === undefined ? {} : { batch }),
    ...(before === undefined ? {} : { attempt: before + 1 }),
  };
}

/**
 * Owned by the node, so that it goes with it; not controlled, since nothing derives it from the
 * node.
 */
function newLedger(node: Node, allocations: readonly Allocation[]): NodeAllocation {
  const { name } = node.metadata;
  return {
    apiVersion: 'nullplane.io/v1alpha1',
    kind: 'NodeAllocation',
    metadata: draftMeta({ name, ownerReferences: [ownerReference(node)] }),
    allocations,
  };
}
