import { describe, expect, test } from 'vitest';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import { settle, StepClock } from '../../../adapters/memory/step-clock.ts';
import { RandomIds } from '../../../adapters/node/random-ids.ts';
import { SystemClock } from '../../../adapters/node/system-clock.ts';
import { NAME_ALPHABET } from '../../../shared/api/hash.ts';

describe('StepClock', () => {
  test('resolves delays in order of time, each at its own', async () => {
    const clock = new StepClock(1_000);
    const log: string[] = [];
    const wait = async (name: string, ms: number) => {
      await clock.delay(ms);
      log.push(`${name} at ${clock.nowMs()}`);
    };
    const waits = [wait('c', 30), wait('a', 10), wait('b', 10), wait('late', 31)];
    expect(clock.nextTimerMs()).toBe(1_010);
    await clock.advance(30);
    expect(log).toEqual(['a at 1010', 'b at 1010', 'c at 1030']);
    expect(clock.nowMs()).toBe(1_030);
    await clock.advance(1);
    await Promise.all(waits);
  });

  test('runs what a delay wakes before the next, and the delays that it starts', async () => {
    const clock = new StepClock(0);
    const times: number[] = [];
    const tick = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await clock.delay(10);
        times.push(clock.nowMs());
      }
    };
    const ticking = tick();
    await clock.advance(100);
    await ticking;
    expect(times).toEqual([10, 20, 30]);
  });

  test('an abort ends a delay and leaves no timer', async () => {
    const clock = new StepClock();
    const abort = new AbortController();
    const waiting = [clock.delay(10, abort.signal), clock.delay(Infinity, abort.signal)];
    await settle();
    abort.abort();
    await Promise.all(waiting);
    await clock.delay(10, abort.signal);
    await clock.delay(0);
    expect(clock.nextTimerMs()).toBeUndefined();
  });
});

describe('SystemClock', () => {
  test('delays for the time, not at all for none, and ends at an abort', async () => {
    const clock = new SystemClock();
    const startMs = clock.nowMs();
    await clock.delay(2);
    expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(1); // timers round to milliseconds
    await clock.delay(0);
    const abort = new AbortController();
    const waiting = [clock.delay(Infinity, abort.signal), clock.delay(60_000, abort.signal)];
    abort.abort();
    await Promise.all(waiting);
    await clock.delay(60_000, abort.signal);
  });
});

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe.each([
  { name: 'SeededIds', make: () => new SeededIds('seed') },
  { name: 'RandomIds', make: () => new RandomIds() },
])('$name', ({ make }) => {
  test('gives version 4 UUIDs, each once', () => {
    const ids = make();
    const uids = Array.from({ length: 500 }, () => ids.uid());
    for (const uid of uids) expect(uid).toMatch(UUID_V4);
    expect(new Set(uids).size).toBe(uids.length);
  });

  test('gives suffixes of the name alphabet, in the length asked for', () => {
    const ids = make();
    const suffixes = Array.from({ length: 200 }, () => ids.suffix(5));
    for (const suffix of suffixes) expect(suffix).toMatch(new RegExp(`^[${NAME_ALPHABET}]{5}$`));
    expect(new Set(suffixes.join('')).size).toBe(NAME_ALPHABET.length);
  });
});

describe('seeds', () => {
  const numbers = (random: SeededRandom) => Array.from({ length: 20 }, () => random.uint32());

  test('decide what comes', () => {
    expect(numbers(new SeededRandom(7))).toEqual(numbers(new SeededRandom(7)));
    expect(numbers(new SeededRandom(7))).not.toEqual(numbers(new SeededRandom(8)));
    expect(new SeededIds(7).uid()).toBe(new SeededIds(7).uid());
  });

  test('a fork is a stream of its own, whatever was drawn before', () => {
    const fresh = new SeededRandom(7);
    const used = new SeededRandom(7);
    numbers(used);
    expect(numbers(used.fork('a'))).toEqual(numbers(fresh.fork('a')));
    expect(numbers(used.fork('a'))).not.toEqual(numbers(fresh.fork('b')));
  });

  test('numbers are spread evenly', () => {
    const random = new SeededRandom(1);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const drawn = random.integer(10);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });

  test('shuffling keeps every item and does not touch the list', () => {
    const items = Object.freeze([1, 2, 3, 4, 5, 6, 7, 8]);
    const shuffled = new SeededRandom(3).shuffled(items);
    expect(shuffled).not.toEqual(items);
    expect(shuffled.toSorted()).toEqual(items);
  });
});
