/**
 * Cells: the parts of an installation that passes of the scheduler place on, each on its own
 * (docs/cells.md). Owns what belongs to which cell. Pure; who is woken is control/cells.ts.
 *
 * Invariants:
 *  C1 A machine is of one cell, by the label that it, its claim and its pool have. Fargate's
 *     virtual nodes are of every cell: they have no ledger that two passes could compete for.
 *  C2 A pod waits in one cell: the one that its nodeSelector names, or else its namespace's label.
 *     Where it has a machine, or room on one, it counts there, whatever has been relabelled since:
 *     a binding may be under way for which that room is kept.
 */
import type { NodePool } from '../../api/kinds/karpenter.ts';
import type { NodeAllocation } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { Namespace } from '../../api/kinds/core.ts';
import type { Labels } from '../../api/meta.ts';
import { CELL_LABEL } from '../../api/node-labels.ts';
import { isVirtualNode } from './cluster.ts';
import type { ClusterSnapshot } from './snapshot.ts';

/** The cell of what names none. */
export const DEFAULT_CELL = 'default';

/** What is stored may have been spoilt: what is no name of a cell names none. */
export function cellOf(labels: Labels | undefined): string {
  const name: unknown = labels?.[CELL_LABEL];
  return typeof name === 'string' && name !== '' ? name : DEFAULT_CELL;
}

/** A pool that was spoilt must not stop those who ask for all cells. */
export function cellOfPool({ spec }: NodePool): string {
  const { template } = spec as Partial<NodePool['spec']>;
  return cellOf(template?.metadata?.labels);
}

/** Where the pod waits; `namespaceLabels` count when it says nothing itself. */
export function cellOfPod({ spec }: Pod, namespaceLabels: Labels | undefined): string {
  const isSaid = spec.nodeSelector?.[CELL_LABEL] !== undefined;
  return cellOf(isSaid ? spec.nodeSelector : namespaceLabels);
}

/** Where pods wait, in these namespaces. */
export function cellsOfPods(namespaces: readonly Namespace[]): (pod: Pod) => string {
  const labels = new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels]));
  return (pod) => cellOfPod(pod, labels.get(pod.metadata.namespace ?? ''));
}

/** What a pass over the cell knows. Everything where there is one cell. */
export function inCell<T extends Required<ClusterSnapshot>>(all: T, cell: string): T {
  if (cell === DEFAULT_CELL && !isDivided(all)) return all;
  const machines = new Map<string, string>();
  for (const node of all.nodes) {
    if (!isVirtualNode(node)) machines.set(node.metadata.name, cellOf(node.metadata.labels));
  }
  const isAt = (nodeName: string | undefined) => {
    const at = nodeName ? machines.get(nodeName) : undefined;
    return at === undefined ? undefined : at === cell;
  };
  const waitsAt = cellsOfPods(all.namespaces);
  const held = roomHeld(all.ledgers, machines);
  return {
    ...all,
    nodes: all.nodes.filter(({ metadata }) => isAt(metadata.name) ?? true),
    // The ledger of a machine that is not known counts where it may come back.
    ledgers: all.ledgers.filter(({ metadata }) => isAt(metadata.name) ?? true),
    pods: all.pods.filter((pod) => {
      return isAt(pod.spec.nodeName) ?? (held.get(pod.metadata.uid) ?? waitsAt(pod)) === cell;
    }),
    pools: all.pools.filter((pool) => cellOfPool(pool) === cell),
    claims: all.claims.filter(({ metadata }) => cellOf(metadata.labels) === cell),
  };
}

/** Something names another cell than the default one. */
function isDivided(all: Required<ClusterSnapshot>): boolean {
  const isAway = (labels: Labels | undefined) => cellOf(labels) !== DEFAULT_CELL;
  return (
    all.namespaces.some(({ metadata }) => isAway(metadata.labels)) ||
    all.pools.some((pool) => cellOfPool(pool) !== DEFAULT_CELL) ||
    all.claims.some(({ metadata }) => isAway(metadata.labels)) ||
    all.nodes.some(({ metadata }) => isAway(metadata.labels)) ||
    all.pods.some(({ spec }) => isAway(spec.nodeSelector))
  );
}

/** The cell of the machine on which a pod has room, by the pod's uid. */
function roomHeld(
  ledgers: readonly NodeAllocation[],
  machines: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const held = new Map<string, string>();
  for (const { metadata, allocations } of ledgers) {
    const cell = machines.get(metadata.name);
    if (cell === undefined) continue;
    for (const { podUid } of allocations) held.set(podUid, cell);
  }
  return held;
}
