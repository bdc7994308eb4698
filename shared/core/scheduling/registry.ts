/**
 * The plugins that place pods, as data: in the order in which they may refuse a node, with what a
 * score weighs.
 *
 * Weights: what a user prefers by name (5) comes before what we prefer on our own. Of that, running
 * machines come before virtual nodes (3, as much as two below together), replicas apart and GPUs
 * kept free (2) before machines full (1).
 */
import type { Enabled } from './framework.ts';
import { acceleratorsLast } from './plugins/accelerators-last.ts';
import { capacityPreference } from './plugins/capacity-preference.ts';
import { fargateLimits } from './plugins/fargate-limits.ts';
import { gpuDevices } from './plugins/gpu-devices.ts';
import { hostPorts } from './plugins/host-ports.ts';
import { interPodAffinity } from './plugins/inter-pod-affinity.ts';
import { nodeAffinity } from './plugins/node-affinity.ts';
import { nodeName } from './plugins/node-name.ts';
import { nodeUnschedulable } from './plugins/node-unschedulable.ts';
import { preferredPodAffinity } from './plugins/preferred-pod-affinity.ts';
import { replicaSpread } from './plugins/replica-spread.ts';
import { resourceFit } from './plugins/resource-fit.ts';
import { runningFirst } from './plugins/running-first.ts';
import { schedulingGates } from './plugins/scheduling-gates.ts';
import { softSpread } from './plugins/soft-spread.ts';
import { taints } from './plugins/taints.ts';
import { topologySpread } from './plugins/topology-spread.ts';

/** A gang is kept together before machines are kept full. */
export const GANG_WEIGHT = 4;
/** What a machine costs comes before everything that is only preferred. */
export const MACHINE_WEIGHT = 1e6;

/**
 * What a GPU loses by a pod comes before how full machines are, unless it is little: 290 milli
 * weigh as much as an idle machine beside a full one (scoreOf: 17 points a GPU). What a user
 * prefers remains above it.
 */
export const GPU_WEIGHT = 20;

/** What a pod says of kinds of capacity comes before even that: one step of its order does. */
export const PREFERENCE_WEIGHT = 1e7;

export const PLUGINS: readonly Enabled[] = [
  { plugin: schedulingGates, weight: 0 },
  { plugin: nodeUnschedulable, weight: 0 },
  { plugin: nodeName, weight: 0 },
  { plugin: taints, weight: 5 },
  { plugin: nodeAffinity, weight: 5 },
  { plugin: hostPorts, weight: 0 },
  { plugin: fargateLimits, weight: 0 },
  { plugin: resourceFit('MostAllocated'), weight: 1 },
  { plugin: gpuDevices, weight: GPU_WEIGHT },
  { plugin: topologySpread, weight: 0 },
  { plugin: interPodAffinity, weight: 0 },
  { plugin: preferredPodAffinity, weight: 5 },
  { plugin: softSpread, weight: 5 },
  { plugin: replicaSpread, weight: 2 },
  { plugin: acceleratorsLast, weight: 2 },
  { plugin: runningFirst, weight: 3 },
  { plugin: capacityPreference, weight: PREFERENCE_WEIGHT },
];
