/**
 * What Lambda's pollers do on AWS: take messages off a queue, work on them, settle them. Waits
 * without polling, and stops when told.
 */
import type { Outcome } from '../shared/control/controller.ts';
import { settle } from '../shared/control/work.ts';
import type { Delivery, Queue } from '../shared/ports/queue.ts';
import type { Recorder } from '../shared/ports/recorder.ts';

/** A waiting worker looks up this often although nothing woke it; it costs next to nothing. */
const WAIT_MS = 60_000;

/** Pause after a queue that throws, so that a broken one does not spin. */
const BROKEN_QUEUE_PAUSE_MS = 1_000;

export interface Worker {
  readonly queue: Queue;
  /** Messages worked on at a time. */
  readonly concurrency: number;
  readonly work: (delivery: Delivery) => Promise<Outcome>;
}

/** Runs until `signal` aborts and the work in hand is settled. */
export async function runWorker(
  { queue, concurrency, work }: Worker,
  {
    recorder,
    signal,
    delay,
  }: {
    readonly recorder: Recorder;
    readonly signal: AbortSignal;
    readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
  },
): Promise<void> {
  const inHand = new Set<Promise<void>>();
  const finish = async (delivery: Delivery): Promise<void> => {
    try {
      await settle(queue, delivery, await work(delivery));
    } catch (error) {
      // Not settled: it comes again after its visibility timeout.
      recorder.log({ level: 'error', message: 'work not settled', fields: describe(error) });
    }
  };
  while (!signal.aborted) {
    try {
      if (inHand.size >= concurrency) await Promise.race(inHand);
      for (const delivery of await queue.receive(concurrency - inHand.size, WAIT_MS)) {
        const task = finish(delivery).finally(() => inHand.delete(task));
        inHand.add(task);
      }
    } catch (error) {
      recorder.log({ level: 'error', message: 'queue failed', fields: describe(error) });
      await delay(BROKEN_QUEUE_PAUSE_MS, signal);
    }
  }
  await Promise.all(inHand);
}

function describe(error: unknown): { readonly error: string; readonly stack?: string } {
  const stack = error instanceof Error ? error.stack : undefined;
  return { error: String(error), ...(stack === undefined ? {} : { stack }) };
}
