/**
 * The outside, as the control loop holds it: composed at entry points, handed down, never reached
 * for.
 */
import type { MachineType } from '../core/capacity/machine-type.ts';
import type { RecordedPass } from '../core/scheduling/recording.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import type { InstancePool } from '../ports/instances.ts';
import type { Recorder } from '../ports/recorder.ts';
import type { TaskRuntime } from '../ports/runtime.ts';
import type { Store } from '../ports/store.ts';
import type { Vault } from '../ports/vault.ts';
import type { PassMemories } from './pass-memories.ts';

export type MachineTypes = () => Promise<readonly MachineType[]>;

export interface Effects {
  readonly store: Store;
  readonly runtime: TaskRuntime;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly recorder: Recorder;
  /** Where machines come from; absent where no node is one. */
  readonly instances?: InstancePool;
  /** What machines can be had, where they can be; asked for only where there is a node pool. */
  readonly machineTypes?: MachineTypes;
  /** Where the values of Secrets are, for the sweep; absent where they are in the store. */
  readonly vault?: Vault;
  /** What passes of the scheduler leave for the next; each reads everything where it is absent. */
  readonly passMemory?: PassMemories;
  /** Keeps passes of the scheduler to be looked into; absent where nobody asked for it. */
  readonly recordPass?: RecordPass;
}

/** `types`: what machines could be had. */
export type RecordPass = (pass: RecordedPass, types: readonly MachineType[]) => void;
