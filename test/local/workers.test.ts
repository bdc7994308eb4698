/** How a worker shares the process among its keys, under a virtual clock. */
import { expect, test } from 'vitest';
import { MemoryQueue } from '../../adapters/memory/memory-queue.ts';
import { MemoryRecorder } from '../../adapters/memory/memory-recorder.ts';
import { runWorker } from '../../local/workers.ts';
import type { Outcome } from '../../shared/control/controller.ts';
import { Agenda, virtualClock } from '../world/agenda.ts';

const RUN_MS = 60_000;

/** Wakes a key without pause, and has its work take so long: how often was it worked on? */
async function timesWorkedOn(tookMs: number, outcome: Outcome): Promise<number> {
  const agenda = new Agenda();
  const clock = virtualClock(agenda);
  const queue = new MemoryQueue({ clock });
  const stop = new AbortController();
  const wake = () => queue.send([{ group: 'hot', body: 'hot' }]);
  let times = 0;
  const work = async (): Promise<Outcome> => {
    times++;
    await wake();
    await clock.delay(tookMs);
    return outcome;
  };
  const worker = { queue, concurrency: 4, work };
  const context = { clock, recorder: new MemoryRecorder(), signal: stop.signal };
  void runWorker(worker, context);
  await wake();
  await agenda.runUntil(agenda.nowMs + RUN_MS);
  stop.abort();
  queue.close();
  return times;
}

test.each([
  ['quick work is done again at once', 10, { type: 'done' }, RUN_MS / 10],
  ['slow work takes a third of the time', 50, { type: 'done' }, RUN_MS / 150],
  ['no rest is longer than a person would notice', 1_000, { type: 'done' }, RUN_MS / 1_200],
  ['slow work with more to do does not rest', 50, { type: 'after', ms: 0 }, RUN_MS / 50],
] as const)('%s', async (_, tookMs, outcome, expected) => {
  const times = await timesWorkedOn(tookMs, outcome);
  expect(Math.abs(times - expected)).toBeLessThanOrEqual(1);
});
