/** What there is of machines to trouble, and how tasks are told to behave. */
import type { HealthMessage } from '../../../shared/api/task.ts';
import type { PodShape } from '../../world/manifests.ts';

export interface Ground {
  /** A small machine; its node's name. */
  addNode(): Promise<string>;
  /** Room for all that was asked for. */
  addSpare(): Promise<void>;
  disconnect(name: string): void;
  reconnect(name: string): void;
  terminate(name: string): void;
  /** What some pods ask of a GPU; nothing where there are none. */
  readonly gpuMilli?: number;
  /** What a pod says for its tasks to behave so. */
  shapeOf(behaviour: Behaviour): PodShape & { readonly behaviour?: object };
  /** Told of what is said of machines, so that it can be said again. */
  heard?(message: HealthMessage): void;
  /** What the cloud and its agents say of machines, again. */
  tellOfMachines(): void;
}

export interface Behaviour {
  readonly startDelayMs: number;
  readonly readyDelayMs: number;
  readonly stopDelayMs: number;
  readonly exitCode?: number;
  readonly exitAfterMs?: number;
}

/** Starts and stops at once, and runs until it is told to stop. */
export const AT_ONCE: Behaviour = { startDelayMs: 0, readyDelayMs: 0, stopDelayMs: 0 };
