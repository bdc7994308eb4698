/**
 * What an hour of a task on Fargate costs, in dollars, without taxes: Linux, US East (N. Virginia).
 * Paid is the size that the request is rounded up to. Source: aws.amazon.com/fargate/pricing, as
 * quoted in March and April 2026 (wring.co, cloudburn.io; vantage.sh for ARM and storage).
 */
import {
  FARGATE_INCLUDED_STORAGE_GIB,
  FARGATE_MAX_STORAGE_GIB,
  roundedToFargate,
  type TaskSize,
  taskSizeOf,
  UNITS_PER_VCPU,
} from '../../../api/fargate-sizes.ts';
import type { CapacityType, InstanceShape } from '../../../api/instance.ts';
import type { About } from './types.ts';

export const FARGATE_USD = {
  amd64: { perCpuHour: 0.04048, perGiBHour: 0.004445 },
  arm64: { perCpuHour: 0.03238, perGiBHour: 0.00356 },
  /** Of what a task has beyond the storage that is included. */
  perStorageGiBHour: 0.000111,
} as const;

/** What Fargate Spot costs of that: "up to 70 % off", an estimate. Storage costs the same. */
export const FARGATE_SPOT_SHARE = 0.3;

const GIB = 2 ** 30;

export interface FargatePrice {
  readonly usdPerHour: number;
  readonly isEstimate: boolean;
  /** What is paid for. */
  readonly size: TaskSize;
}

export interface FargateOptions {
  readonly arch?: InstanceShape['arch'];
  readonly storageBytes?: number;
}

/** Of what a pod asks for. Undefined where Fargate has no size that holds it. */
export function fargatePrice(
  cpuMillis: number,
  memoryBytes: number,
  capacityType: CapacityType,
  { arch = 'amd64', storageBytes = 0 }: FargateOptions = {},
): FargatePrice | undefined {
  const size = roundedToFargate(taskSizeOf(cpuMillis, memoryBytes));
  const storageGiB = Math.ceil(storageBytes / GIB);
  if (!size || storageGiB > FARGATE_MAX_STORAGE_GIB) return undefined;
  const { perCpuHour, perGiBHour } = FARGATE_USD[arch];
  const computing = (size.cpu / UNITS_PER_VCPU) * perCpuHour + (size.memoryMiB / 1024) * perGiBHour;
  const paidGiB = Math.max(0, storageGiB - FARGATE_INCLUDED_STORAGE_GIB);
  const storage = paidGiB * FARGATE_USD.perStorageGiBHour;
  const isSpot = capacityType === 'spot';
  const usdPerHour = computing * (isSpot ? FARGATE_SPOT_SHARE : 1) + storage;
  return { usdPerHour, isEstimate: isSpot, size };
}

export const fargateAbout: About = {
  source: 'aws.amazon.com/fargate/pricing, as quoted by others',
  date: '2026-04',
};
