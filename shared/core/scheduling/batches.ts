/**
 * Which of the pods that a pass binds are launched together (core/pod/batch.ts): pods that are
 * alike but for their name, each on a machine of its own. Pods on virtual nodes are left out:
 * there, launches are limited by the task and not by the call.
 */
import { gpuSharingOf } from '../../api/gpus.ts';
import { hash64 } from '../../api/hash.ts';
import type { Node, NodeAllocation } from '../../api/kinds/node.ts';
import type { LaunchBatch, Pod } from '../../api/kinds/pod.ts';
import { controllerOf } from '../../api/meta.ts';
import { nodeControl } from '../node/state.ts';
import { SLOT_ANNOTATION } from '../replicaset/slots.ts';
import { isVirtualNode } from './cluster.ts';

/** By pod uid. */
export type Batches = ReadonlyMap<string, LaunchBatch>;

export const NO_BATCHES: Batches = new Map();

interface Member {
  readonly pod: Pod;
  readonly at: string;
}

interface Placed {
  readonly node: Node;
  readonly ledger: NodeAllocation | undefined;
  readonly pods: readonly Pod[];
}

/** `placed`: in the order in which they are bound; who asks for a batch is bound last of it. */
export function batchesOf(placed: readonly Placed[], size: number, nowMs: number): Batches {
  if (size < 2) return NO_BATCHES;
  const batches = new Map<string, LaunchBatch>();
  for (const members of Map.groupBy(placed.flatMap(membersOn), alikeKey).values()) {
    for (const batch of onDistinctNodes(members, size)) enter(batches, batch, nowMs);
  }
  return batches;
}

/**
 * A pod that is in the ledger already has been placed by an earlier pass, without this batch: a
 * task's owner is found by what the ledger says (control/task-owner.ts).
 */
function membersOn({ node, ledger, pods }: Placed): readonly Member[] {
  const at = nodeControl(node).registrationId;
  if (at === undefined || isVirtualNode(node) || handsOutGpus(node)) return [];
  const entered = new Set(ledger?.allocations.map(({ podUid }) => podUid));
  const isFirst = ({ metadata, control }: Pod) =>
    control?.attempt === undefined && !entered.has(metadata.uid);
  const fresh = pods.filter((pod) => isFirst(pod) && isUnnamed(pod));
  return fresh.map((pod) => ({ pod, at }));
}

/** There, pods that are alike see devices of their own. */
function handsOutGpus({ metadata }: Node): boolean {
  return gpuSharingOf(metadata.labels) === 'assigned';
}

/** Where a pod's own name, slot, address or node may come to stand in its containers. */
const OWN_FIELDS = /"fieldPath":"(metadata\.(name"|uid"|annotations)|spec\.nodeName|status\.)/;

const specTexts = new WeakMap<Pod, string>();

function specText(pod: Pod): string {
  let text = specTexts.get(pod);
  if (text === undefined) {
    text = JSON.stringify(pod.spec);
    specTexts.set(pod, text);
  }
  return text;
}

/** Nothing in its containers is the pod's alone. */
function isUnnamed(pod: Pod): boolean {
  const { name, uid } = pod.metadata;
  const text = specText(pod);
  return !OWN_FIELDS.test(text) && !text.includes(name) && !text.includes(uid);
}

function alikeKey({ pod }: Member): string {
  const { namespace, labels, annotations = {} } = pod.metadata;
  const { [SLOT_ANNOTATION]: _, ...told } = annotations;
  return JSON.stringify([namespace, controllerOf(pod)?.uid, labels, told]) + specText(pod);
}

/** One pod of each node at a time, neighbours together: they are bound at about one time. */
function onDistinctNodes(members: readonly Member[], size: number): (readonly Member[])[] {
  const byNode = [...Map.groupBy(members, ({ at }) => at).values()];
  const rounds = Math.max(...byNode.map(({ length }) => length));
  return Array.from({ length: rounds }, (_, round) => {
    const distinct = byNode.flatMap((ofNode) => ofNode[round] ?? []);
    const chunks = Math.ceil(distinct.length / size);
    return Array.from({ length: chunks }, (_, i) => distinct.slice(i * size, (i + 1) * size));
  }).flat();
}

function enter(batches: Map<string, LaunchBatch>, members: readonly Member[], nowMs: number): void {
  const asker = members.at(-1);
  if (members.length < 2 || !asker) return;
  const token = tokenOf(members, nowMs);
  const names = members.slice(0, -1).map(({ pod }) => pod.metadata.name);
  for (const { pod, at } of members) {
    const isAsker = pod === asker.pod;
    batches.set(pod.metadata.uid, { token, at, ...(isAsker ? { with: names } : {}) });
  }
}

/** Two passes never make the same one: uids are the pods' own, and a pod is bound once a time. */
function tokenOf(members: readonly Member[], nowMs: number): string {
  const text = [nowMs, ...members.map(({ pod }) => pod.metadata.uid)].join();
  const digits = [text, `again ${text}`].map((t) => hash64(t).toString(16).padStart(16, '0'));
  return `b-${digits.join('')}`;
}
