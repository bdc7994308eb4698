/**
 * Machine types as provisioning sees them: what a machine of the type would offer to pods, the
 * labels that it would have, and where it may be had for how much. Values only; catalogue/ makes
 * them of EC2's types, tests and benchmarks of their own.
 */
import type { CapacityType } from '../../api/instance.ts';
import type { Labels } from '../../api/meta.ts';
import type { Requests } from '../pod/requests.ts';

export interface MachineType {
  readonly name: string;
  /** Labels that follow from the type; zone, capacity type and those of a pool are not in it. */
  readonly labels: Labels;
  /** What pods may use, as numbers: `cpu` in millicores, memory in bytes. */
  readonly room: Requests;
  /** What it has, of which `room` is a part; limits of pools count this. */
  readonly capacity: Requests;
  readonly offerings: readonly Offering[];
}

/** One way in which a machine of the type can be had. */
export interface Offering {
  readonly zone: string;
  readonly capacityType: CapacityType;
  readonly usdPerHour: number;
}
