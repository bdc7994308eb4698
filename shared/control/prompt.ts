/**
 * Prompt wakes: who wrote an object sends its own key's work at once, and the scheduler's wake-up,
 * rather than leave it to the table's stream, which is polled some four times a second. The stream
 * wakes the same keys again; the message's cause, the written version, lets the queue drop the
 * second. What only others' keys are woken by (a pod's ReplicaSet) stays with the stream, whose
 * batches merge a burst of such wakes into one.
 *
 * Invariant: a prompt wake that is lost costs time and nothing else.
 */
import type { Change } from '../api/change.ts';
import type { Store } from '../ports/store.ts';
import type { Effects } from './effects.ts';
import { noting } from './noting.ts';
import { routePromptly, type Routes } from './router.ts';

export interface Prompt {
  /** To be written through. */
  readonly store: Store;
  /** Sends the wakes of what was written since the last flush. Never throws. */
  readonly flush: () => Promise<void>;
}

export function promptly(effects: Pick<Effects, 'store' | 'recorder'>, routes: Routes): Prompt {
  const written: Change[] = [];
  const flush = async (): Promise<void> => {
    const changes = written.splice(0);
    if (changes.length === 0) return;
    try {
      await routePromptly(changes, effects.store, routes);
    } catch (error) {
      const fields = { error: String(error) };
      effects.recorder.log({ level: 'info', message: 'prompt wakes left to the stream', fields });
    }
  };
  return { store: noting(effects.store, (change) => void written.push(change)), flush };
}

/** Does work whose writes wake promptly. */
export async function prompted<T>(
  effects: Effects,
  routes: Routes,
  work: (effects: Effects) => Promise<T>,
): Promise<T> {
  const { store, flush } = promptly(effects, routes);
  try {
    return await work({ ...effects, store });
  } finally {
    await flush();
  }
}
