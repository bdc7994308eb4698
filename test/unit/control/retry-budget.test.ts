import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SimulatedRuntime } from '../../../adapters/memory/simulated-runtime.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import {
  RetryBudget,
  runtimeBudgets,
  withinBudgets,
} from '../../../shared/control/retry-budget.ts';
import { NoCapacity, NotAsked, RuntimeUnavailable } from '../../../shared/ports/runtime.ts';

const MINUTE_MS = 60_000;
const DOWN = new RuntimeUnavailable('down');

/** A service that is asked within a budget: it fails while `error` is set. */
class Service {
  readonly clock = new StepClock();
  readonly budget = new RetryBudget(this.clock, 'asking');
  error: Error | undefined;
  calls = 0;

  readonly call = async (): Promise<string> => {
    this.calls++;
    if (this.error) throw this.error;
    return 'done';
  };

  /** What comes of it, asked so often one after the other. */
  async ask(times = 1): Promise<string> {
    let last = '';
    for (let i = 0; i < times; i++) {
      last = await this.budget.spend(this.call).catch((error: Error) => error.name);
    }
    return last;
  }
}

describe('a budget of failures', () => {
  test('a service that is down is asked ten times, and then once a minute', async () => {
    const service = new Service();
    service.error = DOWN;
    expect(await service.ask(50)).toBe('NotAsked');
    expect(service.calls).toBe(10);
    for (let minute = 0; minute < 60; minute++) {
      await service.clock.advance(MINUTE_MS);
      await service.ask(20);
    }
    expect(service.calls).toBe(10 + 60);
  });

  test('the error says what failed', async () => {
    const service = new Service();
    service.error = DOWN;
    await service.ask(10);
    await expect(service.budget.spend(service.call)).rejects.toThrow(
      new NotAsked('asking failed too often of late: later'),
    );
  });

  test('a service that is back is asked by one, then by more at a time', async () => {
    const service = new Service();
    service.error = DOWN;
    await service.ask(10);
    service.error = undefined;
    await service.clock.advance(MINUTE_MS);
    const burst = async () => {
      const asked = Array.from({ length: 100 }, () => service.ask());
      return (await Promise.all(asked)).filter((answer) => answer === 'done').length;
    };
    expect([await burst(), await burst(), await burst()]).toEqual([1, 3, 100]);
  });

  test.each([
    ['no capacity', new NoCapacity('none left'), 100],
    ['no call at all', new NotAsked('at its rate'), 100],
    ['an error of ours', new TypeError('undefined'), 100],
    ['no answer', DOWN, 10],
  ])('%s: asked %s times', async (_what, error, calls) => {
    const service = new Service();
    service.error = error;
    await service.ask(100);
    expect(service.calls).toBe(calls);
  });

  test.each([
    ['a refusal is an answer', new NoCapacity('none left'), 'done'],
    ['an error of ours says nothing of the service', new TypeError('undefined'), 'NotAsked'],
  ])('%s', async (_what, error, next) => {
    const service = new Service();
    service.error = DOWN;
    await service.ask(9);
    service.error = error;
    await service.ask();
    service.error = DOWN;
    await service.ask();
    service.error = undefined;
    expect(await service.ask()).toBe(next);
  });

  test('a burst of calls at once is not held back while nothing is known against it', async () => {
    const service = new Service();
    await Promise.all(Array.from({ length: 256 }, () => service.ask()));
    expect(service.calls).toBe(256);
  });

  test('a clock that goes back gives nothing, and takes nothing', async () => {
    let nowMs = 1_000_000;
    const budget = new RetryBudget({ nowMs: () => nowMs, delay: async () => {} }, 'asking');
    const fail = () => budget.spend(() => Promise.reject(DOWN)).catch((error: Error) => error);
    for (let i = 0; i < 10; i++) await fail();
    nowMs = 0;
    expect(await fail()).toBeInstanceOf(NotAsked);
    nowMs = 1_000_000 + MINUTE_MS;
    expect(await fail()).toBe(DOWN);
  });

  test('R1: failures are bounded by successes and time, whatever fails', async () => {
    const step = fc.record({ fails: fc.boolean(), passMs: fc.integer({ min: 0, max: 30_000 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
        const service = new Service();
        const startMs = service.clock.nowMs();
        const count = { done: 0, RuntimeUnavailable: 0, NotAsked: 0 };
        for (const { fails, passMs } of steps) {
          await service.clock.advance(passMs);
          service.error = fails ? DOWN : undefined;
          count[(await service.ask()) as keyof typeof count]++;
          const minutes = (service.clock.nowMs() - startMs) / MINUTE_MS;
          expect(count.RuntimeUnavailable).toBeLessThanOrEqual(10 + 2 * count.done + minutes);
        }
      }),
    );
  });

  test('R2: a success is at most a minute away', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 100 }), async (fails) => {
        const service = new Service();
        for (const fail of fails) {
          service.error = fail ? DOWN : undefined;
          await service.ask();
        }
        service.error = undefined;
        await service.clock.advance(MINUTE_MS);
        expect(await service.ask()).toBe('done');
      }),
    );
  });
});

describe('the runtime within its budgets', () => {
  const clock = new StepClock();
  const delays = { startDelayMs: 0, stopDelayMs: 0 };
  const simulated = () => new SimulatedRuntime({ clock, emit: () => {}, delays });

  test('launches that fail hold back neither stops nor looks', async () => {
    const runtime = simulated();
    runtime.run = () => Promise.reject(DOWN);
    const within = withinBudgets(runtime, runtimeBudgets(clock));
    const launch = () => within.run({} as never).catch((error: Error) => error);
    for (let i = 0; i < 10; i++) await launch();
    expect(await launch()).toBeInstanceOf(NotAsked);
    expect(await within.list()).toEqual([]);
    expect(await within.describe(['gone'])).toEqual([]);
    await within.stop('gone', 0);
  });

  test('launches in batches are there if the runtime has them, and share the budget', async () => {
    expect(withinBudgets(simulated(), runtimeBudgets(clock))).not.toHaveProperty('runAlike');
    const runtime = Object.assign(simulated(), { runAlike: () => Promise.reject(DOWN) });
    const within = withinBudgets(runtime, runtimeBudgets(clock));
    const ask = () => within.runAlike?.({} as never, []).catch((error: Error) => error);
    for (let i = 0; i < 10; i++) expect(await ask()).toBe(DOWN);
    await expect(within.run({} as never)).rejects.toBeInstanceOf(NotAsked);
  });
});
