/** Which runtime local mode uses: Docker when it answers and nothing else was asked for, else simulated tasks. */
import { SimulatedRuntime } from '../adapters/memory/simulated-runtime.ts';
import { SystemClock } from '../adapters/node/system-clock.ts';
import type { HealthMessage } from '../shared/api/task.ts';
import type { RunningRuntime } from './plane.ts';
import type { StartOptions } from './start.ts';
import { openTaskJournal } from './task-journal.ts';

export interface ChosenRuntime {
  /** For people. */
  readonly description: string;
  start(emit: (message: HealthMessage) => void): Promise<RunningRuntime>;
  /** The simulated runtime, once it runs. */
  simulated(): SimulatedRuntime | undefined;
  /** Ends a running task as a crash would. */
  kill(taskId: string): Promise<void>;
}
