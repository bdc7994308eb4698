/**
 * A network that fails. A call has three legs: the request travels, the service acts, the answer
 * travels; what can go wrong lies between them, and so does each place where a process may die.
 */
import { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import { InstancesUnavailable } from '../../../shared/ports/instances.ts';
import { QueueUnavailable } from '../../../shared/ports/queue.ts';
import { RuntimeUnavailable } from '../../../shared/ports/runtime.ts';
import { Unavailable } from '../../../shared/ports/store.ts';
import type { Agenda } from '../../world/agenda.ts';
import { type Call, handlerOf, type Network, type Service } from '../../world/process.ts';
import type { Log } from '../judges/log.ts';
import { type Faults, shortly } from './faults.ts';
import type { Outages } from './outages.ts';

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
/** A function that is frozen for longer than its time is ended as it thaws. */
const FROZEN_MS = 60_000;

export interface FaultyNetworkOptions {
  readonly agenda: Agenda;
  readonly seed: number;
  readonly faults: Faults;
  readonly outages: Outages;
  readonly log: Log;
  /** Writes an object as somebody else would. */
  readonly interfere: (objectName: string) => Promise<void>;
}

export class FaultyNetwork implements Network {
  readonly #options: FaultyNetworkOptions;
  readonly #latency: SeededRandom;
  /** The name of the process whose call takes effect right now. */
  acting = '';
  /** The answers that are to be late: of how many more calls of the sort, and by how much. */
  readonly #late = new Map<string, { readonly ms: number; left: number }>();
  /** Calls that change something, and arrived. */
  readonly effects = { store: 0, queue: 0, runtime: 0, instances: 0 };

  constructor(options: FaultyNetworkOptions) {
    this.#options = options;
    this.#latency = new SeededRandom(`${options.seed}/latency`);
  }

  call<T>(call: Call, effect: () => Promise<T>): Promise<T> {
    const { agenda, faults, outages } = this.#options;
    const { from, service } = call;
    const about = faults.isTraced ? aboutOf(call) : '';
    return new Promise<T>((resolve, reject) => {
      if (!from.alive) return;
      const answer = (delayMs: number, say: () => void): void => {
        agenda.in(delayMs, () => {
          if (from.alive) say();
        });
      };
      // Some losses are noticed at once, others by a time-out.
      const timeOut = (random: SeededRandom): void =>
        answer(shortly(random, TIMEOUT_MS), () => reject(unavailable(service)));
      if (faults.hits('crashBefore', about)) return this.#kill(call);
      const zombie = call.effectful && faults.hits('zombie', about);
      if (zombie) {
        const act = () => void this.#act(call, effect).catch(() => {});
        agenda.in(shortly(zombie, ZOMBIE_MS), act);
        return this.#kill(call);
      }
      const lost = faults.hits('lostRequest', about);
      if (lost) return timeOut(lost);
      const outage = outages.strike(call);
      if (outage) {
        const error = outage.error?.() ?? unavailable(service);
        return answer(this.#legMs(call, about), () => reject(error));
      }
      agenda.in(this.#legMs(call, about), () => {
        const acting = this.#act(call, effect);
        acting.catch(() => {}); // it may have nobody to tell
        if (faults.hits('crashAfter', about)) return this.#kill(call);
        const unanswered = faults.hits(isLaunch(call) ? 'lostLaunch' : 'lostAnswer', about);
        if (unanswered) return timeOut(unanswered);
        const frozen = faults.hits('freeze', about);
        const onTimeMs = frozen ? shortly(frozen, FROZEN_MS) : this.#legMs(call, about);
        const legMs = onTimeMs + this.#lateMs(call);
        acting.then(
          (value) => answer(legMs, () => resolve(value)),
          (error: Error) => answer(legMs, () => reject(error)),
        );
      });
    });
  }

  /** Has the answers to the next calls of this sort (`aboutOf`) come so much later. */
  delay(about: string, calls: number, ms: number): void {
    this.#late.set(about, { ms, left: calls });
  }

  #lateMs(call: Call): number {
    const late = this.#late.size > 0 ? this.#late.get(aboutOf(call)) : undefined;
    if (!late) return 0;
    if (--late.left === 0) this.#late.delete(aboutOf(call));
    return late.ms;
  }

  /** Does something at once, as that process. */
  as<T>(name: string, work: () => T): T {
    this.acting = name;
    const result = work();
    this.acting = '';
    return result;
  }

  /** The service acts: at once and as a whole, as the memory adapters do. */
  async #act<T>(call: Call, effect: () => Promise<T>): Promise<T> {
    const { from, service, operation, about, effectful } = call;
    const { faults, interfere, log } = this.#options;
    const isUpdate = service === 'store' && operation === 'update';
    if (isUpdate && faults.hits('conflict', faults.isTraced ? aboutOf(call) : ''))
      await interfere(about);
    if (effectful) this.effects[service]++;
    const acting = this.as(from.name, effect);
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

  #legMs({ service }: Call, about: string): number {
    const slow = this.#options.faults.hits('slowCall', about);
    if (slow) return shortly(slow, SLOW_LEG_MS);
    return this.#latency.integer(2 * LEG_MS[service]);
  }
}

function isLaunch({ operation }: Call): boolean {
  return operation === 'run' || operation === 'RunTask';
}

/** What a call is, for who makes plans of a trace; calls that change nothing begin with `?`. */
function aboutOf({ from, service, operation, about, effectful }: Call): string {
  const [resource] = about.split('/');
  return `${effectful ? '' : '?'}${handlerOf(from)} ${service}.${operation} ${resource}`;
}

/** What a service's adapter says when it could not be reached. */
export function unavailable(service: Service): Error {
  if (service === 'runtime') return new RuntimeUnavailable('simulated');
  if (service === 'instances') return new InstancesUnavailable('simulated');
  if (service === 'queue') return new QueueUnavailable('simulated');
  return new Unavailable('simulated');
}
