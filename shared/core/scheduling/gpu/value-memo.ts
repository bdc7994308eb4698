/**
 * What room is worth in a pass. A pass knows the pods that there are, not those that will come:
 * they stand for them. Pods come and go all the time, and prices take some ten milliseconds to
 * find; so demand and nodes are rounded before, and what was found for them is kept: a function of
 * what it is given, whether it was asked before or not.
 */
import { WHOLE_GPU_MILLI } from '../../../api/gpus.ts';
import type { Demand } from './demand.ts';
import { NodeValue } from './node-value.ts';
import { findPrices, type NodeClass, type Prices } from './prices.ts';
import { ANY_MODEL, gpuMilli, kindKey, type PodKind } from './request.ts';

/** The most frequent kinds; the time to find prices grows with them. */
const MAX_PASS_KINDS = 16;
/** More classes of nodes than this are told apart by nothing that matters. */
const MAX_PASS_CLASSES = 12;
/** Of pods that nobody has seen, each size of them. */
const POSSIBLE_SHARE = 1 / 16;
/** What they ask for beside each device: little, so that there is room for them on every node. */
const POSSIBLE_CPU_MILLIS = 1000;
/** One for each mixture that a process has seen lately. */
const MAX_KEPT = 16;

const kept = new Map<string, NodeValue>();

export function valueFor(demand: Demand, classes: readonly NodeClass[]): NodeValue {
  const kinds = roundedKinds(demand, classes);
  const nodes = [...classes]
    .sort((a, b) => b.nodes - a.nodes)
    .slice(0, MAX_PASS_CLASSES)
    .map((one) => ({ ...one, nodes: powerOfTwo(one.nodes) }));
  const key = JSON.stringify([kinds.map((kind) => [kindKey(kind), kind.share]), nodes]);
  const known = kept.get(key);
  if (known) return known;
  const value = new NodeValue(findPrices(kinds, nodes, plainPrices(kinds)));
  const oldest = kept.keys().next();
  if (kept.size >= MAX_KEPT && !oldest.done) kept.delete(oldest.value);
  kept.set(key, value);
  return value;
}

/** Shares as powers of two, so that a pod more or less changes nothing. */
function roundedKinds(demand: Demand, classes: readonly NodeClass[]): readonly PodKind[] {
  const seen = demand.typical().slice(0, MAX_PASS_KINDS);
  const keys = new Set(seen.map(kindKey));
  const kinds = [...seen, ...possible(classes).filter((kind) => !keys.has(kindKey(kind)))];
  const rounded = kinds.map((kind) => ({ ...kind, share: powerOfTwo(kind.share) }));
  const sum = rounded.reduce((total, { share }) => total + share, 0);
  return rounded
    .map((kind) => ({ ...kind, share: kind.share / sum }))
    .sort((a, b) => b.share - a.share || (kindKey(a) < kindKey(b) ? -1 : 1));
}

/**
 * Few pods say little of those to come. That somebody wants one device whole, or all of a node, is
 * always possible: without it, a cluster that has only seen small parts would break every device.
 */
function possible(classes: readonly NodeClass[]): readonly PodKind[] {
  const sizes = [...new Set([1, ...classes.map(({ devices }) => devices)])].sort((a, b) => a - b);
  return sizes.map((devices) => ({
    ...{ devices, milliPerDevice: WHOLE_GPU_MILLI, models: ANY_MODEL, share: POSSIBLE_SHARE },
    cpuMillis: devices * POSSIBLE_CPU_MILLIS,
  }));
}

function powerOfTwo(amount: number): number {
  return 2 ** Math.round(Math.log2(amount));
}

/** Each pod is worth what it asks for: where the search begins. */
function plainPrices(kinds: readonly PodKind[]): Prices {
  return { kinds, milli: Float64Array.from(kinds, gpuMilli), cpuMilli: 1 };
}
