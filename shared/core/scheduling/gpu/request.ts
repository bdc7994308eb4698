/**
 * What a pod asks of a machine with GPUs, and kinds of pods. GPUs of a machine are counted in
 * thousandths each ("milli"): a pod takes one device in part, or some devices whole.
 */
import { WHOLE_GPU_MILLI } from '../../../api/gpus.ts';

/** So many GPUs a node can have: none of AWS's machines has more. */
export const MAX_DEVICES = 16;

export const CORE_MILLIS = 1000;

/** A set of GPU models as bits; models are numbered from 0. */
export type ModelSet = number;

/** Models are bits of a 32-bit word. A cell with more of them numbers the rest as one. */
export const MAX_MODELS = 31;

export const ANY_MODEL: ModelSet = -1;

/** What placement looks at; what differs in nothing here is one kind of pod. */
export interface GpuRequest {
  readonly cpuMillis: number;
  /** 0 for a pod without a GPU. */
  readonly devices: number;
  /** Of each of the devices, 1 to 1,000; less than that usually only for a single one. */
  readonly milliPerDevice: number;
  readonly models: ModelSet;
}

/** A kind of pod that arrives, and how often. */
export interface PodKind extends GpuRequest {
  /** Of all pods; the shares of a demand add up to 1. */
  readonly share: number;
}

export function isPartial({ devices, milliPerDevice }: GpuRequest): boolean {
  return devices === 1 && milliPerDevice < WHOLE_GPU_MILLI;
}

/** Thousandths of GPUs in all. */
export function gpuMilli({ devices, milliPerDevice }: GpuRequest): number {
  return devices * milliPerDevice;
}

export function takesModel(models: ModelSet, model: number): boolean {
  return ((models >>> model) & 1) === 1;
}

/** One string for each kind of pod. */
export function kindKey({ cpuMillis, devices, milliPerDevice, models }: GpuRequest): string {
  return `${cpuMillis}/${devices}/${devices === 0 ? 0 : milliPerDevice}/${models}`;
}
