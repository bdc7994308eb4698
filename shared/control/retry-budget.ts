/**
 * How often a service that fails is asked. Messages retry, and the sweep wakes again what they gave
 * up on: by themselves a launch that can't succeed is asked for ninety times an hour, and as often
 * for each pod. All that a process asks of a service shares one budget instead, as gRPC clients do
 * (gRFC A6, "Throttling Retry Attempts and Hedged RPCs"): while the service fails, most work is
 * told to come again without a call. Does not own: when that is (outcome.ts), or the rates that an
 * account is held to (the adapters').
 *
 * Invariants:
 *  R1 Failed calls of a process ≤ `FAILURES_A_SUCCESS` × its successful ones + `MOST`
 *     + one each `REFILL_MS` + those that were under way when the budget ran low.
 *  R2 A service that is back is found to be so: after `REFILL_MS` at the latest a call is let
 *     through, and each success lets through more.
 */
import type { Clock } from '../ports/clock.ts';
import {
  NoCapacity,
  NotAsked,
  RuntimeUnavailable,
  TaskRejected,
  type TaskRuntime,
} from '../ports/runtime.ts';

/** Failures in a row that are everyday life: a throttled second, a connection that broke. */
const MOST = 10;
/** Below it, no more calls are under way at a time than failures are left. */
const LOW = MOST / 2;
/** Three calls for each that succeeds at most, whatever part of them fails. */
const FAILURES_A_SUCCESS = 2;
/** As often as a service that is down is tried by each process. */
const REFILL_MS = 60_000;

export class RetryBudget {
  readonly #clock: Clock;
  readonly #name: string;
  /** Failures that are left. */
  #left = MOST;
  #underWay = 0;
  #refilledAtMs: number;

  /** `name`: of what is asked, for errors. */
  constructor(clock: Clock, name: string) {
    this.#clock = clock;
    this.#name = name;
    this.#refilledAtMs = clock.nowMs();
  }

  /**
   * Makes the call if there is a failure left for it. Throws `NotAsked` if not, and what the call
   * throws: an answer that the caller may not like is an answer all the same.
   */
  async spend<T>(call: () => Promise<T>): Promise<T> {
    this.#refill();
    if (this.#left < LOW && this.#underWay >= Math.floor(this.#left)) {
      throw new NotAsked(`${this.#name} failed too often of late: later`);
    }
    this.#underWay++;
    try {
      const answer = await call();
      this.#add(FAILURES_A_SUCCESS);
      return answer;
    } catch (error) {
      this.#add(saidBy(error));
      throw error;
    } finally {
      this.#underWay--;
    }
  }

  /** Clocks of functions may go back: then nothing is added until they are where they were. */
  #refill(): void {
    const nowMs = this.#clock.nowMs();
    const passedMs = nowMs - this.#refilledAtMs;
    if (passedMs <= 0) return;
    this.#refilledAtMs = nowMs;
    this.#add(passedMs / REFILL_MS);
  }

  #add(failures: number): void {
    this.#left = Math.min(MOST, Math.max(0, this.#left + failures));
  }
}

/** What an error does to the budget: one of ours says nothing of the service. */
function saidBy(error: unknown): number {
  if (error instanceof NoCapacity || error instanceof TaskRejected) return FAILURES_A_SUCCESS;
  return error instanceof RuntimeUnavailable && !(error instanceof NotAsked) ? -1 : 0;
}

/** The budgets of a process, one for each kind of call: what fails for one may work for another. */
export interface RuntimeBudgets {
  readonly launches: RetryBudget;
  readonly stops: RetryBudget;
  readonly looks: RetryBudget;
}

export function runtimeBudgets(clock: Clock): RuntimeBudgets {
  return {
    launches: new RetryBudget(clock, 'launching tasks'),
    stops: new RetryBudget(clock, 'stopping tasks'),
    looks: new RetryBudget(clock, 'asking for tasks'),
  };
}

/** The runtime within the budgets. Logs and commands that somebody waits for are not held back. */
export function withinBudgets(
  runtime: TaskRuntime,
  { launches, stops, looks }: RuntimeBudgets,
): TaskRuntime {
  return {
    run: (task) => launches.spend(() => runtime.run(task)),
    ...alikeWithin(runtime, launches),
    stop: (taskId, grace, handle) => stops.spend(() => runtime.stop(taskId, grace, handle)),
    describe: (taskIds) => looks.spend(() => runtime.describe(taskIds)),
    list: () => looks.spend(() => runtime.list()),
    logs: (...args) => runtime.logs(...args),
    exec: (...args) => runtime.exec(...args),
  };
}

function alikeWithin(runtime: TaskRuntime, launches: RetryBudget): Pick<TaskRuntime, 'runAlike'> {
  const runAlike = runtime.runAlike?.bind(runtime);
  if (!runAlike) return {};
  return { runAlike: (task, places) => launches.spend(() => runAlike(task, places)) };
}
