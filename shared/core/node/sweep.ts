/**
 * What the sweep does about machines: compares those that the cloud knows with the nodes that are
 * stored. Pure. Events are hints and may be lost; this is what makes good for it (L2).
 *
 * Invariants:
 *  M1 Machines are listed before nodes are read, so that a node without a machine has lost it, or
 *     is newer than the list: that the machine has ended is then said of it by name, or not
 *     believed. What is merely missing never means deletion.
 *  M2 When the cloud says of many machines at once that they have ended, it has to say so again
 *     two sweeps later.
 *  M3 A machine is ended only if it is ours and nothing means it, a few a sweep.
 */
import { INSTANCE_ID, type Instance } from '../../api/instance.ts';
import type { Node } from '../../api/kinds/node.ts';
import { COMPUTE_LABEL } from '../scheduling/cluster.ts';
import { observeInstance } from './from-instance.ts';
import { MACHINE_COMPUTE } from './machine.ts';
import { observeInterruption, observeNode } from './observe.ts';
import { isGone, nodeControl, withControl } from './state.ts';

export interface NodeSweep {
  /** Machines, each with its node if there is one. */
  readonly pairs: readonly { readonly instance: Instance; readonly node?: Node }[];
  /** How many nodes of machines there are. */
  readonly machines: number;
  /** Nodes whose machine was not listed: to be asked for by name. */
  readonly missing: readonly Node[];
  /** Machines of ours that nothing means: to be ended. */
  readonly leaked: readonly Instance[];
}

/** Machines of ours that ended at once up to this number are everyday life. */
const FEW = 3;
/** Above it, no more than this part of all machines is believed to have ended at once. */
const BELIEVED_SHARE = 1 / 3;
/** Two sweeps are this far apart, a little less for clocks and queues. */
export const CONFIRMED_AFTER_MS = 9 * 60_000;

/** Booting, joining and pulling an image take minutes; after this a machine is of no use. */
export const JOINS_WITHIN_MS = 15 * 60_000;
/** More leaks than these at once are a mistake of ours rather than leaks. */
export const MAX_LEAKS_ENDED = 5;

/** `claimUids`: the claims that stand; a machine that was launched for one is meant. */
export function sweepOfNodes(
  instances: readonly Instance[],
  nodes: readonly Node[],
  claimUids: ReadonlySet<string>,
  nowMs: number,
): NodeSweep {
  const machines = nodes.filter((node) => isMachine(node) && !isGone(node));
  const byName = new Map(machines.map((node) => [node.metadata.name, node]));
  const listed = new Set(instances.map(({ id }) => id));
  const pairs = instances.map((instance) => {
    const node = byName.get(instance.id);
    return { instance, ...(node ? { node } : {}) };
  });
  const named = new Set(nodes.map(({ metadata }) => metadata.name));
  const leaked = instances.filter(
    (instance) => !named.has(instance.id) && isLeaked(instance, claimUids, nowMs),
  );
  return {
    pairs,
    machines: machines.length,
    missing: machines.filter(({ metadata }) => !listed.has(metadata.name)),
    leaked: leaked.slice(0, MAX_LEAKS_ENDED),
  };
}

function isMachine({ metadata }: Node): boolean {
  return metadata.labels?.[COMPUTE_LABEL] === MACHINE_COMPUTE && INSTANCE_ID.test(metadata.name);
}

function isLeaked(
  { isOurs, state, claimUid, launchedAtMs, registration }: Instance,
  claimUids: ReadonlySet<string>,
  nowMs: number,
): boolean {
  const isMeant = claimUid !== undefined && claimUids.has(claimUid);
  const isUp = state === 'pending' || state === 'running' || state === 'stopped';
  const isLate = nowMs - launchedAtMs > JOINS_WITHIN_MS;
  return isOurs && isUp && isLate && !isMeant && !registration;
}

/** A machine that went down and runs is up again, unless the list was read while it went down. */
const BACK_AFTER_MS = 300_000;

/** The node after its machine was listed; undefined when nothing about it is news. */
export function observeListed(
  node: Node,
  instance: Instance,
  atMs: number,
  nowMs: number,
): Node | undefined {
  const about = { nodeName: node.metadata.name, atMs };
  const seen = withoutDoubt(node);
  const base = seen ?? node;
  const { status, interruption } = nodeControl(base);
  const isBack = interruption?.kind === 'shutdown' && atMs - interruption.atMs > BACK_AFTER_MS;
  const kind = instance.state === 'stopping' ? 'shutdown' : isBack ? 'over' : undefined;
  const disrupted =
    kind && observeInterruption(base, { type: 'node-interruption', ...about, kind }, nowMs);
  const current = disrupted ?? base;
  const isHeard = instance.state === 'running' && instance.registration !== undefined;
  // Said again later it would be news each time, by its time alone.
  const isLost = !isHeard && instance.state !== 'stopping' && status !== 'disconnected';
  const connection = isHeard
    ? observeInstance(current, instance, atMs, nowMs)
    : isLost
      ? observeNode(current, { type: 'node', ...about, status: 'disconnected' }, nowMs)
      : undefined;
  return connection ?? disrupted ?? seen;
}

/**
 * Of nodes whose machine has ended, as the cloud says: those of which that is believed (M2).
 * `machines`: how many nodes of machines there are.
 */
export function believedEnded(
  ended: readonly Node[],
  machines: number,
  nowMs: number,
): readonly Node[] {
  const isPlausible = ended.length <= Math.max(FEW, machines * BELIEVED_SHARE);
  if (isPlausible) return ended;
  return ended.filter((node) => {
    const { endedSinceMs = nowMs } = nodeControl(node);
    return nowMs - endedSinceMs >= CONFIRMED_AFTER_MS;
  });
}

/** The node with the note that its machine is said to have ended; undefined when it has one. */
export function withDoubt(node: Node, nowMs: number): Node | undefined {
  const control = nodeControl(node);
  if (control.endedSinceMs !== undefined) return undefined;
  return withControl(node, { ...control, endedSinceMs: nowMs });
}

/** The node without that note, since its machine was seen; undefined when it has none. */
function withoutDoubt(node: Node): Node | undefined {
  const { endedSinceMs, ...control } = nodeControl(node);
  return endedSinceMs === undefined ? undefined : withControl(node, control);
}
