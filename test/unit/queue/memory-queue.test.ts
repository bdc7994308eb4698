import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryQueue } from '../../../adapters/memory/memory-queue.ts';
import { settle, StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Delivery } from '../../../shared/ports/queue.ts';

const VISIBILITY_MS = 30_000;

function fresh() {
  const clock = new StepClock();
  return { clock, queue: new MemoryQueue({ clock, visibilityMs: VISIBILITY_MS }) };
}

describe('MemoryQueue', () => {
  test('counts what waits and what is in flight', async () => {
    const { clock, queue } = fresh();
    await queue.send([
      { group: 'a', body: '1' },
      { group: 'a', body: '2' },
      { group: 'b', body: '3', delayMs: 1_000 },
    ]);
    expect([queue.size(), queue.inFlight()]).toEqual([3, 0]);
    const [first] = await queue.receive(1, 0);
    expect([queue.size(), queue.inFlight()]).toEqual([2, 1]);
    await queue.ack(first as Delivery);
    expect([queue.size(), queue.inFlight()]).toEqual([2, 0]);
    await queue.receive(10, 0);
    await clock.advance(VISIBILITY_MS);
    expect([queue.size(), queue.inFlight()]).toEqual([2, 0]);
  });

  test('has no timer while nobody waits, whatever is delayed or in flight', async () => {
    const { clock, queue } = fresh();
    await queue.send([
      { group: 'a', body: '1' },
      { group: 'a', body: '2', delayMs: 1_000 },
    ]);
    await queue.receive(1, 0);
    expect(clock.nextTimerMs()).toBeUndefined();
    const waiting = queue.receive(1, 20_000);
    await settle();
    expect(clock.nextTimerMs()).toBeDefined();
    await queue.send([{ group: 'b', body: '3' }]);
    await waiting;
    expect(clock.nextTimerMs()).toBeUndefined();
  });

  test('a receiver that waits for ever needs no timer', async () => {
    const { clock, queue } = fresh();
    const waiting = queue.receive(1, Infinity);
    await settle();
    expect(clock.nextTimerMs()).toBeUndefined();
    await queue.send([{ group: 'a', body: '1' }]);
    expect(await waiting).toHaveLength(1);
  });

  test('who has waited longest is served first', async () => {
    const { clock, queue } = fresh();
    const first = queue.receive(10, 10 * VISIBILITY_MS);
    const second = queue.receive(10, 10 * VISIBILITY_MS);
    await settle();
    await queue.send([{ group: 'a', body: '1' }]);
    expect(await first).toHaveLength(1);
    await clock.advance(VISIBILITY_MS);
    expect(await second).toHaveLength(1);
  });

  test('closing lets those who wait go', async () => {
    const { clock, queue } = fresh();
    const waiting = [queue.receive(1, Infinity), queue.receive(1, 20_000)];
    await settle();
    queue.close();
    expect(await Promise.all(waiting)).toEqual([[], []]);
    expect(await queue.receive(1, Infinity)).toEqual([]);
    expect(clock.nextTimerMs()).toBeUndefined();
  });

  test('takes tens of thousands of groups, and forgets them when they are done', async () => {
    const { queue } = fresh();
    const groups = Array.from({ length: 30_000 }, (_, i) => `g${i}`);
    await queue.send(groups.map((group) => ({ group, body: 'work' })));
    const seen: string[] = [];
    for (;;) {
      const batch = await queue.receive(10, 0);
      if (batch.length === 0) break;
      for (const delivery of batch) await queue.ack(delivery);
      seen.push(...batch.map(({ group }) => group));
    }
    expect(seen).toEqual(groups);
    expect([queue.size(), queue.inFlight()]).toEqual([0, 0]);
  });
});

type Step =
  | {
      readonly type: 'send';
      readonly group: string;
      readonly body: string;
      readonly delayMs: number;
    }
  | { readonly type: 'receive'; readonly max: number }
  | { readonly type: 'ack' | 'release'; readonly which: number; readonly delayMs: number }
  | { readonly type: 'pass'; readonly ms: number };

const anyDelayMs = fc.constantFrom(0, 0, 10, 1_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant('send' as const),
    group: fc.constantFrom('a', 'b', 'c'),
    body: fc.constantFrom('1', '2', '3', '4'),
    delayMs: anyDelayMs,
  }),
  fc.record({ type: fc.constant('receive' as const), max: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    type: fc.constantFrom('ack' as const, 'release' as const),
    which: fc.nat(20),
    delayMs: anyDelayMs,
  }),
  fc.record({
    type: fc.constant('pass' as const),
    ms: fc.constantFrom(1, 10, 1_000, VISIBILITY_MS),
  }),
);

/** What each message that was sent is owed: to come after its sending, or to be a dead letter. */
class Ledger {
  readonly #owed = new Set<string>();

  sent(group: string, body: string): void {
    this.#owed.add(`${group}/${body}`);
  }

  done({ group, body }: { group: string; body: string }): void {
    this.#owed.delete(`${group}/${body}`);
  }

  owed(): string[] {
    return [...this.#owed];
  }
}

test('whatever happens, no message is lost and no group is worked on twice at once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const { clock, queue } = fresh();
      const ledger = new Ledger();
      let held: (Delivery & { readonly untilMs: number })[] = [];
      const receive = async (max: number): Promise<void> => {
        held = held.filter(({ untilMs }) => untilMs > clock.nowMs());
        const batch = await queue.receive(max, 0);
        const busy = new Set(held.map(({ group }) => group));
        for (const delivery of batch) expect(busy.has(delivery.group)).toBe(false);
        for (const delivery of batch) ledger.done(delivery); // later sends are owed anew
        held.push(...batch.map((d) => ({ ...d, untilMs: clock.nowMs() + VISIBILITY_MS })));
      };
      for (const step of steps) {
        if (step.type === 'send') {
          const { group, body, delayMs } = step;
          await queue.send([{ group, body, delayMs }]);
          ledger.sent(group, body);
        } else if (step.type === 'receive') await receive(step.max);
        else if (step.type === 'pass') await clock.advance(step.ms);
        else {
          const [delivery] = held.splice(step.which % Math.max(held.length, 1), 1);
          if (!delivery) continue;
          if (step.type === 'ack') await queue.ack(delivery);
          else await queue.release(delivery, step.delayMs);
        }
      }
      await clock.advance(2 * VISIBILITY_MS);
      for (;;) {
        const batch = await queue.receive(10, 0);
        if (batch.length === 0) break;
        for (const delivery of batch) ledger.done(delivery);
        for (const delivery of batch) await queue.ack(delivery);
      }
      for (const letter of await queue.deadLetters(1000)) ledger.done(letter);
      expect(ledger.owed()).toEqual([]);
      expect([queue.size(), queue.inFlight()]).toEqual([0, 0]);
    }),
    { numRuns: 200 },
  );
});
