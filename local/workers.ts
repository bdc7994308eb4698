/**
 * What Lambda's pollers do on AWS: take messages off a queue, work on them, settle them. Waits
 * without polling, and stops when told.
 */
import type { Outcome } from '../shared/control/controller.ts';
import { settle } from '../shared/control/work.ts';
import type { Clock } from '../shared/ports/clock.ts';
import type { Delivery, Queue } from '../shared/ports/queue.ts';
import type { Recorder } from '../shared/ports/recorder.ts';

/** A waiting worker looks up this often although nothing woke it; it costs next to nothing. */
const WAIT_MS = 60_000;

/**
 * Work that took long rests for twice as long before its key is worked on again, so that its wakes
 * merge meanwhile: a key whose look costs as much as there are pods (a large ReplicaSet, the
 * scheduler's cell) leaves two thirds of the process to others, however often its pods change. Work
 * that has more to do goes on when it said, and no rest is so long that a person would notice.
 */
const RESTS_FROM_MS = 20;
const REST_FACTOR = 2;
const LONGEST_REST_MS = 200;

/** Pause after a queue that throws, so that a broken one does not spin. */
const BROKEN_QUEUE_PAUSE_MS = 1_000;

export interface Worker {
  readonly queue: Queue;
  /** Messages worked on at a time. */
  readonly concurrency: number;
  readonly work: (delivery: Delivery) => Promise<Outcome>;
}

export interface WorkerContext {
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly signal: AbortSignal;
}

/** Runs until `signal` aborts and the work in hand is settled. */
export async function runWorker(worker: Worker, context: WorkerContext): Promise<void> {
  const { queue, concurrency } = worker;
  const { clock, recorder, signal } = context;
  const inHand = new Set<Promise<void>>();
  const resting = new Set<Promise<void>>();
  const take = (delivery: Delivery): void => {
    const working = workOn(delivery, worker, context).then((settled) => {
      inHand.delete(working);
      const rest = settled().finally(() => resting.delete(rest));
      resting.add(rest);
    });
    inHand.add(working);
  };
  while (!signal.aborted) {
    try {
      if (inHand.size >= concurrency) await Promise.race(inHand);
      for (const delivery of await queue.receive(concurrency - inHand.size, WAIT_MS)) {
        take(delivery);
      }
    } catch (error) {
      recorder.log({ level: 'error', message: 'queue failed', fields: describe(error) });
      await clock.delay(BROKEN_QUEUE_PAUSE_MS, signal);
    }
  }
  await Promise.all(inHand);
  await Promise.all(resting);
}

/**
 * Does the work. What is left, to rest and to settle, comes back as a function: it takes no
 * worker's place.
 */
async function workOn(
  delivery: Delivery,
  { queue, work }: Worker,
  { clock, recorder, signal }: WorkerContext,
): Promise<() => Promise<void>> {
  const startedAtMs = clock.nowMs();
  const lost = (error: unknown): void => {
    // Not settled: it comes again after its visibility timeout.
    recorder.log({ level: 'error', message: 'work not settled', fields: describe(error) });
  };
  try {
    const outcome = await work(delivery);
    const restMs = outcome.type === 'done' ? restAfter(clock.nowMs() - startedAtMs) : 0;
    return async () => {
      if (restMs > 0) await clock.delay(restMs, signal);
      await settle(queue, delivery, outcome).catch(lost);
    };
  } catch (error) {
    lost(error);
    return () => Promise.resolve();
  }
}

function restAfter(tookMs: number): number {
  return tookMs < RESTS_FROM_MS ? 0 : Math.min(tookMs * REST_FACTOR, LONGEST_REST_MS);
}

function describe(error: unknown): { readonly error: string; readonly stack?: string } {
  const stack = error instanceof Error ? error.stack : undefined;
  return { error: String(error), ...(stack === undefined ? {} : { stack }) };
}
