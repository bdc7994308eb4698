/**
 * What a task on Fargate can't have. A virtual node never runs out of room, but each pod must fit
 * the largest size that Fargate offers; smaller pods are rounded up to the next size at launch.
 */
import {
  FARGATE_MAX_STORAGE_GIB,
  LARGEST_FARGATE_SIZE,
  UNITS_PER_VCPU,
} from '../../../api/fargate-sizes.ts';
import type { Cluster } from '../cluster.ts';
import type { Plugin } from '../framework.ts';
import type { SpecShape } from '../shape.ts';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

const MAX_CPU_MILLIS = (LARGEST_FARGATE_SIZE.cpu * 1000) / UNITS_PER_VCPU;
const MAX_MEMORY_BYTES = LARGEST_FARGATE_SIZE.memoryMiB * MIB;
const MAX_STORAGE_BYTES = FARGATE_MAX_STORAGE_GIB * GIB;

export const offersNo = (what: string) => `node(s) on Fargate offer no ${what}`;
export const TOO_LARGE = 'node(s) on Fargate offer at most 16 vCPU, 120Gi memory, 200Gi storage';

const LIMITS: ReadonlyMap<string, number> = new Map([
  ['cpu', MAX_CPU_MILLIS],
  ['memory', MAX_MEMORY_BYTES],
  ['ephemeral-storage', MAX_STORAGE_BYTES],
]);

export const fargateLimits: Plugin = {
  name: 'FargateLimits',
  helpedBy: ['podPending', 'nodeAdded', 'nodeChanged'],
  begin: (cluster: Cluster) => ({
    nodeFilter(spec) {
      const reasons = refusals(spec);
      if (reasons.length === 0) return undefined;
      return {
        allows: (node) => cluster.isVirtual[node] === 0,
        isIdle: () => !cluster.isVirtual.includes(1),
        reasons: () => reasons,
      };
    },
  }),
};

/** Why no virtual node takes such a pod. */
export function refusals({ requests, hostPorts }: SpecShape): readonly string[] {
  const asked = Object.entries(requests).filter(([, amount]) => amount > 0);
  const unknown = asked.filter(([resource]) => !LIMITS.has(resource));
  const tooLarge = asked.some(([resource, amount]) => amount > (LIMITS.get(resource) ?? Infinity));
  return [
    ...unknown.map(([resource]) => offersNo(resource)),
    ...(hostPorts.length > 0 ? [offersNo('host ports')] : []),
    ...(tooLarge ? [TOO_LARGE] : []),
  ];
}
