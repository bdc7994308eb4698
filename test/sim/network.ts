/**
 * A network that fails. A call has three legs: the request travels, the service acts, the answer
 * travels; what can go wrong lies between them, and so does each place where a process may die.
 */
import type { SeededRandom } from '../../adapters/memory/seeded-random.ts';
import { RuntimeUnavailable } from '../../shared/ports/runtime.ts';
import { Unavailable } from '../../shared/ports/store.ts';
import type { Agenda } from '../world/agenda.ts';
import type { Post } from '../world/post.ts';
import type { Call, Network, Service } from '../world/process.ts';
import type { Faults } from './faults.ts';
import type { Log } from './log.ts';

/** Typical time of one leg, so that handlers interleave also where nothing fails. */
const LEG_MS: { readonly [service in Service]: number } = {
  store: 4,
  queue: 4,
  runtime: 40,
  instances: 40,
};
const SLOW_LEG_MS = 10_000;
const TIMEOUT_MS = 5_000;
const ZOMBIE_MS = 60_000;

export interface FaultyNetworkOptions {
  readonly agenda: Agenda;
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly log: Log;
  /** Writes an object as somebody else would. */
  readonly interfere: (objectName: string) => Promise<void>;
}

export class FaultyNetwork implements Network {
  readonly #options: FaultyNetworkOptions;
  readonly #latency: SeededRandom;
  /** The name of the process whose call takes effect right now. */
  acting = '';
  /** Calls that change something, and arrived. */
  readonly effects = { store: 0, queue: 0, runtime: 0, instances: 0 };

  constructor(options: FaultyNetworkOptions) {
    this.#options = options;
    this.#latency = options.random.fork('latency');
  }

  call<T>(call: Call, effect: () => Promise<T>): Promise<T> {
    const { agenda, faults } = this.#options;
    const { from } = call;
    return new Promise<T>((resolve, reject) => {
      const answer = (delayMs: number, say: () => void): void => {
        agenda.in(delayMs, () => {
          if (from.alive) say();
        });
      };
      // Some losses are noticed at once, others by a time-out.
      const timeOut = (): void =>
        answer(faults.lengthMs(TIMEOUT_MS), () => reject(unavailable(call.service)));
      if (!from.alive) return;
      if (faults.hits('crashBefore')) return this.#kill(call);
      if (call.effectful && faults.hits('zombie')) {
        agenda.in(faults.lengthMs(ZOMBIE_MS), () => void this.#act(call, effect).catch(() => {}));
        return this.#kill(call);
      }
      if (faults.hits('lostRequest')) return timeOut();
      agenda.in(this.#legMs(call.service), () => {
        const acting = this.#act(call, effect);
        acting.catch(() => {}); // it may have nobody to tell
        if (faults.hits('crashAfter')) return this.#kill(call);
        const isLaunch = call.operation === 'run' || call.operation === 'RunTask';
        if (faults.hits(isLaunch ? 'lostLaunch' : 'lostAnswer')) return timeOut();
        const legMs = this.#legMs(call.service);
        acting.then(
          (value) => answer(legMs, () => resolve(value)),
          (error: Error) => answer(legMs, () => reject(error)),
        );
      });
    });
  }

  /** The service acts: at once and as a whole, as the memory adapters do. */
  async #act<T>({ from, service, operation, about, effectful }: Call, effect: () => Promise<T>) {
    const { faults, interfere, log } = this.#options;
    if (service === 'store' && operation === 'update' && faults.hits('conflict')) {
      await interfere(about);
    }
    if (effectful) this.effects[service]++;
    this.acting = from.name;
    const acting = effect();
    this.acting = '';
    const what = `${from.name} ${service}.${operation} ${about}`;
    try {
      const value = await acting;
      log.write(what);
      return value;
    } catch (error) {
      log.write(`${what}: ${(error as Error).name}`);
      throw error;
    }
  }

  #kill({ from, operation }: Call): void {
    from.alive = false;
    this.#options.log.write(`${from.name} dies at ${operation}`);
  }

  #legMs(service: Service): number {
    const { faults } = this.#options;
    if (faults.hits('slowCall')) return faults.lengthMs(SLOW_LEG_MS);
    return this.#latency.integer(2 * LEG_MS[service]);
  }
}

function unavailable(service: Service): Error {
  if (service === 'runtime') return new RuntimeUnavailable('simulated');
  return new Unavailable('simulated');
}

const DUPLICATE_MS = 20_000;
const LATE_MS = 60_000;

/**
 * Streams, queues and events as they are: late, twice, out of order, and some of them not at all.
 */
export function faultyPost(faults: Faults): Post {
  const arrival = (late: boolean) => (late ? faults.lengthMs(LATE_MS) : 0);
  return {
    arrivals(channel) {
      switch (channel) {
        case 'stream':
          if (faults.hits('streamLoss')) return [];
          return [
            arrival(faults.hits('streamDelay')),
            ...(faults.hits('streamDuplicate') ? [faults.lengthMs(DUPLICATE_MS)] : []),
          ];
        case 'health':
          if (faults.hits('healthLoss')) return [];
          return [
            arrival(faults.hits('healthDelay')),
            ...(faults.hits('healthDuplicate') ? [faults.lengthMs(LATE_MS)] : []),
          ];
        case 'schedule':
          return faults.hits('scheduleTwin') ? [0, 0] : [0];
        case 'reconcile':
          if (faults.hits('queueTwin')) return [0, 0];
          return [
            faults.hits('queueDelay') ? faults.lengthMs(DUPLICATE_MS) : 0,
            ...(faults.hits('queueDuplicate') ? [faults.lengthMs(DUPLICATE_MS)] : []),
          ];
      }
    },
  };
}
