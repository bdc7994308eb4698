/**
 * A world in which nothing fails but what is said to be down, everything takes its time, and is
 * counted: what bounds are measured on.
 */
import { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { podIsReady } from '../../../shared/core/pod/predicates.ts';
import { Agenda } from '../../world/agenda.ts';
import { pathOf, send, typeOf } from '../../world/client.ts';
import { namespace } from '../../world/manifests.ts';
import type { Call, Network } from '../../world/process.ts';
import { unavailable } from '../faults/network.ts';
import { World, type WorldOptions } from '../../world/world.ts';

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const NS = 'bounds';
/** Of one leg of a call; a launch takes ten times as long. */
const LEG_MS = 8;
const LAUNCH_FACTOR = 10;

/** Everything in a cell wakes its one scheduler; a queue in order makes one message of many. */
const CELL = /^(follow )?default$/;

/** Everything takes its time, and is counted. */
class CountingNetwork implements Network {
  readonly #agenda: Agenda;
  readonly #random = new SeededRandom('bounds');
  readonly effects = { store: 0, queue: 0, runtime: 0, instances: 0 };
  /** All calls, of those that only read as well. */
  readonly calls = { store: 0, queue: 0, runtime: 0, instances: 0 };
  /** A service of which every call fails. */
  down: Call['service'] | undefined;
  /** Calls under way for one object, at the most. */
  mostAtOnce = 0;
  readonly #atOnce = new Map<string, number>();

  constructor(agenda: Agenda) {
    this.#agenda = agenda;
  }

  async call<T>({ service, operation, about, effectful }: Call, effect: () => Promise<T>) {
    const scale = service === 'runtime' ? LAUNCH_FACTOR : 1;
    await this.#wait(scale * this.#random.integer(LEG_MS));
    this.calls[service]++;
    if (service === this.down) throw unavailable(service);
    const isEvent = service === 'store' && about.startsWith('events/');
    if (effectful && !isEvent) this.effects[service]++;
    const key = `${service}.${operation} ${about}`;
    const count = (this.#atOnce.get(key) ?? 0) + 1;
    if (effectful && !CELL.test(about)) this.mostAtOnce = Math.max(this.mostAtOnce, count);
    this.#atOnce.set(key, count);
    const value: T = await effect();
    await this.#wait(scale * this.#random.integer(LEG_MS));
    this.#atOnce.set(key, count - 1);
    return value;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#agenda.in(ms, resolve));
  }
}

export class Plain {
  readonly agenda = new Agenda();
  readonly network = new CountingNetwork(this.agenda);
  readonly world: World;

  constructor(options: Pick<WorldOptions, 'concurrency' | 'machines'> = {}) {
    const { agenda, network } = this;
    this.world = new World({ ...{ seed: 'bounds', agenda, network, functions: true }, ...options });
  }

  async begin(nodes: number): Promise<void> {
    await this.world.start();
    for (let i = 0; i < nodes; i++) {
      await this.world.addNode(`n${i}`, { cpu: '64', memory: '256Gi', pods: '110' });
    }
    const created = this.create(namespace(NS));
    await this.pass(MINUTE_MS);
    await created;
  }

  create(object: AnyObject): Promise<unknown> {
    return this.#send('POST', object, undefined, object);
  }

  change(object: AnyObject, patch: object): Promise<unknown> {
    return this.#send('PATCH', object, object.metadata.name, patch);
  }

  pass(ms: number): Promise<void> {
    return this.agenda.runUntil(this.agenda.nowMs + ms);
  }

  /** Lets time pass until so many pods are ready; how long that took. */
  async untilReady(count: number, withinMs: number): Promise<number> {
    const startMs = this.agenda.nowMs;
    while ((await this.ready()) < count && this.agenda.nowMs - startMs < withinMs) {
      await this.pass(5_000);
    }
    return this.agenda.nowMs - startMs;
  }

  /** Pods that are ready: all, or those of one Deployment. */
  async ready(name?: string): Promise<number> {
    const { items } = await this.world.store.list({ resource: 'pods' });
    return items.filter(
      (one) =>
        podIsReady(one as unknown as Pod) &&
        (name === undefined || one.metadata.labels?.['app'] === name),
    ).length;
  }

  #send(method: string, about: AnyObject, name: string | undefined, body: object) {
    const within = about.metadata.namespace === undefined ? {} : { namespace: NS };
    const path = pathOf(typeOf(about), { ...within, ...(name === undefined ? {} : { name }) });
    const contentType = 'application/merge-patch+json';
    return send(this.world.api, {
      ...{ method, path, body },
      ...(method === 'PATCH' ? { contentType } : {}),
    });
  }
}
