/**
 * What a machine offers to pods, and the labels that it has by itself. One place for a machine that
 * joined (from-instance.ts) and one that might be launched (capacity/catalogue/nodes.ts), so that
 * what was planned for is what comes.
 */
import {
  type CapacityType,
  type InstanceShape,
  type Registration,
  regionOfZone,
} from '../../api/instance.ts';
import { GPU } from '../../api/gpus.ts';
import type { Labels } from '../../api/meta.ts';
import { trunkedTasks } from '../capacity/catalogue/trunking.ts';
import { COMPUTE_LABEL, ZONE_LABEL } from '../scheduling/cluster.ts';
import { typeLabels } from './draft.ts';
import { CAPACITY_TYPE_LABEL } from './virtual-nodes.ts';

/** The value of `nullplane.io/compute` of machines. */
export const MACHINE_COMPUTE = 'ec2';

/**
 * Tasks on a machine whose shape is not known: each has a network interface of its own, and types
 * of the size `large` have three, one of them the machine's.
 */
export const FEWEST_PODS = 2;

/** The root volume that the launch template gives; ECS does not count it. */
const ROOT_VOLUME = '30Gi';

/** The attribute of a container instance that has a trunk interface ("ENI trunking"). */
const TRUNK_ATTRIBUTE = 'ecs.awsvpc-trunk-id';

/** What an agent offers to tasks. */
export type Offer = Pick<Registration, 'cpuUnits' | 'memoryMiB' | 'gpus'>;

export type Resources = { readonly [resource: string]: string };

/** The offer as pods may use it. */
export function roomOf(offer: Offer, pods: number | string): Resources {
  const { cpuUnits, memoryMiB } = offer;
  return {
    cpu: `${Math.floor((cpuUnits * 1000) / 1024)}m`,
    memory: `${memoryMiB}Mi`,
    'ephemeral-storage': ROOT_VOLUME,
    pods: String(pods),
    ...gpusOf(offer),
  };
}

/** All of them as whole ones; what they offer besides is gpus.ts. */
export function gpusOf({ gpus }: Pick<Offer, 'gpus'>): Resources {
  return gpus > 0 ? { [GPU]: String(gpus) } : {};
}

/** What the machine has, of which its agent offers a part. */
export function sizeOf({ cpus, memoryMiB }: InstanceShape): Resources {
  return { cpu: String(cpus), memory: `${memoryMiB}Mi` };
}

/**
 * How many tasks get an interface of their own; undefined where the type's shape does not say.
 * Where a trunk carries them, as many as ECS documents for the type; types that it says nothing of
 * are taken to have none.
 */
export function podsOf(
  type: string,
  { networkInterfaces }: InstanceShape,
  hasTrunk: boolean,
): number | undefined {
  const trunked = hasTrunk ? trunkedTasks(type) : undefined;
  if (trunked !== undefined) return trunked;
  return networkInterfaces && Math.max(1, networkInterfaces - 1);
}

export function hasTrunk({ attributes }: Registration): boolean {
  return attributes[TRUNK_ATTRIBUTE] !== undefined;
}

export interface Place {
  readonly zone: string;
  readonly capacityType: CapacityType;
}

export function machineLabels(
  type: string,
  shape: InstanceShape | undefined,
  { zone, capacityType }: Place,
): Labels {
  const region = regionOfZone(zone);
  return {
    ...typeLabels(type, shape),
    [COMPUTE_LABEL]: MACHINE_COMPUTE,
    [CAPACITY_TYPE_LABEL]: capacityType,
    [ZONE_LABEL]: zone,
    ...(region === undefined ? {} : { 'topology.kubernetes.io/region': region }),
  };
}
