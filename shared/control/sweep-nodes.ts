/**
 * The sweep's look at the machines: nodes that nobody made are made, nodes hear again how their
 * machines are, and machines that nobody means are ended. Decisions are core/node/sweep.ts's.
 */
import type { Instance } from '../api/instance.ts';
import type { NodeClaim } from '../api/kinds/karpenter.ts';
import type { Node } from '../api/kinds/node.ts';
import type { AnyObject } from '../api/meta.ts';
import { CLAIMS } from '../core/capacity/claim/state.ts';
import { observeNode } from '../core/node/observe.ts';
import {
  believedEnded,
  type NodeSweep,
  observeListed,
  sweepOfNodes,
  withDoubt,
} from '../core/node/sweep.ts';
import type { InstancePool } from '../ports/instances.ts';
import type { Reader } from './controller.ts';
import type { Effects } from './effects.ts';
import { createNode, foldIntoNode } from './fold-node.ts';
import { inParallel } from './in-parallel.ts';
import { listAll } from './list-all.ts';

/** Writes at a time: nodes are thousands at most, and few of them are news. */
const CONCURRENT_NODES = 16;

/**
 * The off switch: no machine is ended for being leaked while the namespace `default` has this
 * annotation, whatever its value.
 */
export const KEEP_LEAKED_ANNOTATION = 'nullplane.io/keep-leaked-instances';

export async function sweepNodes(effects: Effects): Promise<void> {
  const { instances, store, clock } = effects;
  if (!instances) return;
  const listedAtMs = clock.nowMs();
  const listed = await instances.list(); // before the nodes: see core/node/sweep.ts
  const nodes = await listAll<Node>(store, { resource: 'nodes' });
  const swept = sweepOfNodes(listed, nodes, await standingClaims(store), clock.nowMs());
  await hearOfAll(swept, listedAtMs, effects);
  await settleMissing(swept, instances, effects);
  await endLeaked(swept.leaked, instances, effects);
}

/** Their machines are meant although they have no node yet. */
async function standingClaims(read: Reader): Promise<ReadonlySet<string>> {
  const claims = await listAll<NodeClaim>(read, { resource: CLAIMS });
  const standing = claims.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return new Set(standing.map(({ metadata }) => metadata.uid));
}

/** One node that can't be written holds up no other. Throws the first error at the end. */
async function hearOfAll(
  { pairs }: NodeSweep,
  listedAtMs: number,
  effects: Effects,
): Promise<void> {
  const failures: unknown[] = [];
  await inParallel(
    pairs,
    CONCURRENT_NODES,
    ({ instance, node }) =>
      node ? hearOf(node, instance, listedAtMs, effects) : createNode(instance, effects),
    (error) => void failures.push(error),
  );
  if (failures.length > 0) throw failures[0];
}

/** Nodes whose machine is as they say cost no read and no write. */
async function hearOf(
  node: Node,
  instance: Instance,
  atMs: number,
  effects: Effects,
): Promise<void> {
  if (!observeListed(node, instance, atMs, effects.clock.nowMs())) return;
  const fold = (current: Node, nowMs: number) => observeListed(current, instance, atMs, nowMs);
  await foldIntoNode(node.metadata.name, fold, effects);
}

async function settleMissing(
  { missing, machines }: NodeSweep,
  instances: InstancePool,
  effects: Effects,
): Promise<void> {
  if (missing.length === 0) return;
  const nowMs = effects.clock.nowMs();
  const described = await instances.describe(missing.map(({ metadata }) => metadata.name));
  const byId = new Map(described.map((one) => [one.id, one]));
  const ended = missing.filter(({ metadata }) => {
    const answer = byId.get(metadata.name);
    return answer && (!answer.instance || answer.instance.state === 'terminated');
  });
  const believed = new Set(believedEnded(ended, machines, nowMs));
  if (believed.size < ended.length) {
    const fields = { ended: ended.length, believed: believed.size, machines };
    const message = 'too many machines ended at once to be believed';
    effects.recorder.log({ level: 'warn', message, fields });
  }
  for (const node of ended) await settle(node, believed.has(node), nowMs, effects);
  for (const { id, instance } of described) {
    const node = missing.find(({ metadata }) => metadata.name === id);
    if (node && instance && !ended.includes(node)) await hearOf(node, instance, nowMs, effects);
  }
}

async function settle(
  { metadata: { name, uid } }: Node,
  isBelieved: boolean,
  atMs: number,
  effects: Effects,
): Promise<void> {
  const gone = { type: 'node', nodeName: name, status: 'gone', atMs } as const;
  const fold = (node: Node, nowMs: number) => {
    if (node.metadata.uid !== uid) return undefined;
    return isBelieved ? observeNode(node, gone, nowMs) : withDoubt(node, nowMs);
  };
  await foldIntoNode(name, fold, effects);
}

async function endLeaked(
  leaked: readonly Instance[],
  instances: InstancePool,
  { store, recorder }: Effects,
): Promise<void> {
  if (leaked.length === 0) return;
  const key = { resource: 'namespaces', namespace: '', name: 'default' };
  const settings = await store.get<AnyObject>(key);
  const isOff = settings?.metadata.annotations?.[KEEP_LEAKED_ANNOTATION] !== undefined;
  const ids = leaked.map(({ id }) => id);
  const message = isOff ? 'leaked instances kept by annotation' : 'leaked instances ended';
  recorder.log({ level: 'warn', message, fields: { instances: ids.join(' ') } });
  if (!isOff) await instances.terminate(ids);
}
