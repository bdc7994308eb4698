/**
 * The table's stream, in one process: what the store has committed goes to the router in order and
 * in batches. If the process dies in between, the sweep at the next start finds what was missed.
 */
import type { Change } from '../shared/api/change.ts';
import type { Recorder } from '../shared/ports/recorder.ts';

/** As many records as Lambda takes from a stream at a time by default. */
const BATCH = 100;

export class ChangePump {
  readonly #route: (changes: readonly Change[]) => Promise<void>;
  readonly #recorder: Recorder;
  #waiting: Change[] = [];
  #running: Promise<void> | undefined;

  constructor(route: (changes: readonly Change[]) => Promise<void>, recorder: Recorder) {
    this.#route = route;
    this.#recorder = recorder;
  }

  /** Called by the store after each commit. */
  push(change: Change): void {
    this.#waiting.push(change);
    this.#running ??= this.#drain();
  }

  /** Resolves when all that was pushed is routed. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #drain(): Promise<void> {
    await Promise.resolve(); // the store commits several writes in one turn: take them together
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      try {
        await this.#route(batch);
      } catch (error) {
        this.#recorder.log({
          level: 'error',
          message: 'changes not routed; the sweep will find them',
          fields: { error: String(error), changes: batch.length },
        });
      }
    }
    this.#running = undefined;
  }
}
