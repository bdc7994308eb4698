/**
 * A node must have room for what the pod requests, and running nodes are filled before idle ones.
 */
import { type Cluster, type Column, PODS } from '../cluster.ts';
import { type Judge, MAX_SCORE, type Plugin } from '../framework.ts';
import type { SpecShape } from '../shape.ts';

export const TOO_MANY_PODS = 'Too many pods';
export const insufficient = (resource: string) => `Insufficient ${resource}`;

/**
 * MostAllocated packs pods onto machines that are busy anyway, so that idle ones can go: an idle
 * machine costs what a full one does. LeastAllocated spreads load instead.
 */
export type Packing = 'MostAllocated' | 'LeastAllocated';

/** What the score looks at besides what the pod requests. */
const BALANCED_BY = ['cpu', 'memory'];

export function resourceFit(packing: Packing): Plugin {
  return {
    name: 'NodeResourcesFit',
    helpedBy: ['podPending', 'podGone', 'nodeAdded', 'nodeChanged'],
    begin: (cluster) => judge(cluster, packing),
  };
}

interface Want {
  readonly column: Column;
  readonly amount: number;
}

function judge(cluster: Cluster, packing: Packing): Judge {
  const pods: Want = { column: cluster.column(PODS), amount: 1 };
  return {
    nodeFilter(spec) {
      // What few nodes have is asked of first.
      const asked = wanted(spec, cluster).filter(({ amount }) => amount > 0);
      const wants = [...asked.reverse(), pods];
      // A virtual node has no room to run out of; its limits a pod are the Fargate plugin's. What a
      // machine that is yet to be launched has is the fleet's to say.
      const isOthers = (node: number) =>
        cluster.isVirtual[node] === 1 || cluster.isOpen[node] === 1;
      return {
        allows: (node) => haveRoom(wants, node) || isOthers(node),
        within: () => (cluster.hasBoundless ? ALL_NODES : inCommon(wants)),
        refusesEmpty: (node) =>
          !isOthers(node) &&
          wants.some(({ column, amount }) => amount > column.allocatableAt(node)),
        reasons: (node) => wants.filter((want) => !fits(want, node)).map(reason),
      };
    },
    nodeScore(spec) {
      const wants = wanted(spec, cluster);
      return (node) => {
        if (cluster.isVirtual[node] === 1 || cluster.isOpen[node] === 1) return 0;
        const full = fullness(wants, node);
        return MAX_SCORE * (packing === 'MostAllocated' ? full : 1 - full);
      };
    },
  };
}

const ALL_NODES = { from: 0, to: Infinity };

/** The nodes outside lack all of one of the resources: of some, few nodes have any. */
function inCommon(wants: readonly Want[]) {
  const ranges = wants.map(({ column }) => column.range);
  return {
    from: Math.max(...ranges.map(({ from }) => from)),
    to: Math.min(...ranges.map(({ to }) => to)),
  };
}

function wanted({ requests }: SpecShape, cluster: Cluster): Want[] {
  const resources = new Set([...BALANCED_BY, ...Object.keys(requests)]);
  return [...resources].map((resource) => ({
    column: cluster.column(resource),
    amount: requests[resource] ?? 0,
  }));
}

function haveRoom(wants: readonly Want[], node: number): boolean {
  for (const want of wants) if (!fits(want, node)) return false;
  return true;
}

function fits({ column, amount }: Want, node: number): boolean {
  return column.usedAt(node) + amount <= column.allocatableAt(node);
}

function reason({ column }: Want): string {
  return column.resource === PODS ? TOO_MANY_PODS : insufficient(column.resource);
}

/**
 * The share of the node that is taken once the pod is there: the mean over the resources, 0 to 1.
 */
function fullness(wants: readonly Want[], node: number): number {
  let sum = 0;
  for (const { column, amount } of wants) {
    const allocatable = column.allocatableAt(node);
    if (allocatable > 0) sum += Math.min(1, (column.usedAt(node) + amount) / allocatable);
  }
  return sum / wants.length;
}
