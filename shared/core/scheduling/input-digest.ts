/**
 * A digest of what a pass decided from. Two passes that saw the same objects in the same versions
 * have the same; the order of reading does not matter. Thirty-two bits tell the passes of a pod's
 * hour apart; it is no proof.
 */
import type { KubeObject } from '../../api/meta.ts';
import type { ClusterSnapshot } from './snapshot.ts';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** `ledgersAndPods`: the sum over them, which who follows them has without looking at all. */
export function inputDigest(
  snapshot: ClusterSnapshot,
  ledgersAndPods = digestSum(snapshot.ledgers) + digestSum(snapshot.pods),
): string {
  const { nodes, namespaces, pools = [], claims = [], groups = [], budgets = [] } = snapshot;
  const lists = [nodes, namespaces, pools, claims, groups, budgets];
  const sum = lists.reduce((total, list) => total + digestSum(list), ledgersAndPods) >>> 0;
  return sum.toString(16).padStart(8, '0');
}

/** What the objects are in a digest; what comes and goes is added to it and taken off it. */
export function digestSum(objects: readonly KubeObject[]): number {
  let sum = 0;
  for (const { metadata } of objects) {
    sum = (sum + fnv32(metadata.uid, fnv32(metadata.resourceVersion, FNV_OFFSET))) >>> 0;
  }
  return sum;
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo), over UTF-16 code units. */
function fnv32(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  }
  return hash >>> 0;
}
