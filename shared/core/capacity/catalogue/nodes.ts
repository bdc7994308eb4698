/**
 * The node that a machine of a type would be. What the node is made of, and how, is
 * core/node/machine.ts, as for machines that joined; here is only the guess at what the agent of a
 * machine that does not exist yet is going to offer. Of it, memory alone is a guess.
 */
import { type InstanceType, nvidiaGpus } from '../../../api/instance.ts';
import type { Labels } from '../../../api/meta.ts';
import { UNITS_PER_VCPU } from '../../../api/fargate-sizes.ts';
import {
  FEWEST_PODS,
  machineLabels,
  type Offer,
  type Place,
  podsOf,
  type Resources,
  roomOf,
  sizeOf,
} from '../../node/machine.ts';

export interface NodeSettings {
  /** The account gives its container instances trunk interfaces; by default it does not. */
  readonly awsvpcTrunking?: boolean;
  /** `ECS_RESERVED_MEMORY` of the agents, by default 0. */
  readonly reservedMemoryMiB?: number;
  /** What machines of a type were seen to register: then nothing has to be guessed. */
  readonly registeredMemoryMiB?: (type: string) => number | undefined;
}

/**
 * What the kernel and the platform keep, at most. On Amazon Linux 2 it was less for all but one
 * (vt1.3xlarge) of the fifty types that looked worst in Karpenter's table of 2023: 433 MiB of 4096
 * on c5.large, 867 of 16384 on m5.xlarge, 20749 of 786432 on r5.24xlarge. Guessing too much leaves
 * room unused; guessing too little would launch machines on which their pods do not fit.
 */
const KEPT_MIB = 256;
const KEPT_SHARE = 0.05;
const KEPT_SHARE_AT_MOST = 0.2;

/** What its agent is going to offer. */
export function expectedOffer(type: InstanceType, settings: NodeSettings = {}): Offer {
  const { name, cpus } = type;
  const memoryMiB = settings.registeredMemoryMiB?.(name) ?? expectedMemory(type, settings);
  return { cpuUnits: cpus * UNITS_PER_VCPU, memoryMiB, gpus: nvidiaGpus(type) };
}

function expectedMemory({ memoryMiB }: InstanceType, { reservedMemoryMiB = 0 }: NodeSettings) {
  const kept = Math.min(KEPT_MIB + memoryMiB * KEPT_SHARE, memoryMiB * KEPT_SHARE_AT_MOST);
  return Math.max(0, Math.floor(memoryMiB - kept) - reservedMemoryMiB);
}

/** What pods may use of it. */
export function allocatableOf(type: InstanceType, settings: NodeSettings = {}): Resources {
  const pods = podsOf(type.name, type, settings.awsvpcTrunking === true) ?? FEWEST_PODS;
  return roomOf(expectedOffer(type, settings), pods);
}

export function capacityOf(type: InstanceType, settings: NodeSettings = {}): Resources {
  return { ...allocatableOf(type, settings), ...sizeOf(type) };
}

/** Those by which pods may choose it. */
export function labelsOf(type: InstanceType, place: Place): Labels {
  return { 'kubernetes.io/os': 'linux', ...machineLabels(type.name, type, place) };
}
