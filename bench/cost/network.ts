/**
 * Between SDK clients and the services in memory: each request takes the service's usual time on
 * the agenda, and what a caller computes is measured as that caller's. Owns whose turn it is; does
 * not own what is answered.
 */
import type { Clock } from '../../shared/ports/clock.ts';
import {
  inProcess,
  type InProcessAnswer,
  type SentRequest,
} from '../../test/aws/support/in-process.ts';
import { type Agenda, virtualClock } from '../../test/world/agenda.ts';
import type { Caller, Meter } from './meter.ts';

/** What services usually take, seen from a function in the same region, in milliseconds. */
export const LATENCY_MS = { dynamodb: 5, sqs: 10, ecs: 150 } as const;

export class Network {
  readonly agenda: Agenda;
  readonly #meter: Meter;
  #turn: Caller | undefined;

  constructor(agenda: Agenda, meter: Meter) {
    this.agenda = agenda;
    this.#meter = meter;
  }

  /** Until the next thing happens, this caller computes. */
  turnOf(caller: Caller): void {
    this.#turn = caller;
  }

  /** A clock whose waits end with the caller's turn. */
  clockOf(caller: Caller): Clock {
    const clock = virtualClock(this.agenda);
    return {
      nowMs: () => clock.nowMs(),
      delay: async (ms, signal) => {
        await clock.delay(ms, signal);
        if (signal?.aborted !== true) this.turnOf(caller);
      },
    };
  }

  /** The next thing happens; what it made a caller compute is measured. */
  async step(): Promise<void> {
    this.#turn = undefined;
    const before = process.threadCpuUsage();
    await this.agenda.step();
    const { user, system } = process.threadCpuUsage(before);
    if (this.#turn) this.#meter.add('cpuMs', this.#turn, (user + system) / 1000);
  }

  async runUntil(untilMs: number, stop: () => boolean = () => false): Promise<void> {
    for (;;) {
      const next = this.agenda.nextAtMs();
      if (stop() || next === undefined || next > untilMs) break;
      await this.step();
    }
  }

  /** A request handler of the SDK whose answers take `latencyMs`. */
  handler(
    caller: Caller,
    latencyMs: number,
    answer: (request: SentRequest) => InProcessAnswer | Promise<InProcessAnswer>,
  ) {
    return inProcess((request) => this.#pass(caller, latencyMs, async () => answer(request)));
  }

  /** The service's own work is a step of its own, so that it is nobody's turn. */
  #pass<T>(caller: Caller, latencyMs: number, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.agenda.in(latencyMs, () => {
        const settle = (end: () => void) => {
          this.agenda.in(0, () => {
            this.turnOf(caller);
            end();
          });
        };
        work().then(
          (result) => settle(() => resolve(result)),
          (error: Error) => settle(() => reject(error)),
        );
      });
    });
  }
}
