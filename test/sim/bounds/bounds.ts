/**
 * The bounds B1 to B6, measured on worlds without faults but for the one that each is about: what
 * an accepted change costs, what a recovery takes, and what is left alone when nothing decides.
 */
import { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import { Agenda } from '../../world/agenda.ts';
import { send, pathOf, typeOf } from '../../world/client.ts';
import { deployment, namespace } from '../../world/manifests.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { podIsReady } from '../../../shared/core/pod/predicates.ts';
import type { Call, Network } from '../../world/process.ts';
import { World } from '../../world/world.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const NS = 'bounds';
/** Of one leg of a call; a launch takes ten times as long. */
const LEG_MS = 8;
const LAUNCH_FACTOR = 10;
const SWEEP_EVERY_MS = 5 * MINUTE_MS;

/** Everything in a cell wakes its one scheduler; a queue in order makes one message of many. */
const CELL = /^(follow )?default$/;

/** Nothing fails, everything takes its time, and is counted. */
class CountingNetwork implements Network {
  readonly #agenda: Agenda;
  readonly #random = new SeededRandom('bounds');
  readonly effects = { store: 0, queue: 0, runtime: 0, instances: 0 };
  /** Calls under way for one object, at the most. */
  mostAtOnce = 0;
  readonly #atOnce = new Map<string, number>();

  constructor(agenda: Agenda) {
    this.#agenda = agenda;
  }

  async call<T>({ service, operation, about, effectful }: Call, effect: () => Promise<T>) {
    const scale = service === 'runtime' ? LAUNCH_FACTOR : 1;
    await this.#wait(scale * this.#random.integer(LEG_MS));
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

class Plain {
  readonly agenda = new Agenda();
  readonly network = new CountingNetwork(this.agenda);
  readonly world: World;

  constructor(concurrency?: number) {
    this.world = new World({
      ...{ seed: 'bounds', agenda: this.agenda, network: this.network, functions: true },
      ...(concurrency === undefined ? {} : { concurrency }),
    });
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

  async ready(): Promise<number> {
    const { items } = await this.world.store.list({ resource: 'pods' });
    return items.filter((one) => podIsReady(one as unknown as Pod)).length;
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

export interface Amplification {
  readonly pods: number;
  /** Writes of a launch, and of a change of the image, each divided by the pods. */
  readonly writesPerLaunch: number;
  readonly writesPerChange: number;
  readonly launchesPerChange: number;
  /** Equal effects under way at the same time, at the most (B2). */
  readonly mostAtOnce: number;
}

/** B1, B2: what so many Deployments of three cost to start, and to change. */
export async function amplificationOf(deployments: number): Promise<Amplification> {
  const plain = new Plain();
  const pods = 3 * deployments;
  await plain.begin(Math.ceil(pods / 50));
  const { effects } = plain.network;
  const web = (i: number) => deployment(`web-${i}`, NS, { replicas: 3 });
  const before = { ...effects };
  const created = Array.from({ length: deployments }, (_, i) => plain.create(web(i)));
  await plain.untilReady(pods, HOUR_MS);
  await Promise.all(created);
  await plain.pass(MINUTE_MS);
  const started = { ...effects };
  const image = {
    spec: { template: { spec: { containers: [{ name: 'main', image: 'app:2' }] } } },
  };
  const changed = Array.from({ length: deployments }, (_, i) => plain.change(web(i), image));
  await plain.pass(10 * MINUTE_MS);
  await Promise.all(changed);
  return {
    pods,
    writesPerLaunch: (started.store - before.store) / pods,
    writesPerChange: (effects.store - started.store) / pods,
    launchesPerChange: (effects.runtime - started.runtime) / pods,
    mostAtOnce: plain.network.mostAtOnce,
  };
}

/** B3: how often four pods that crash are launched in a day. */
export async function launchesOfACrashLoop(): Promise<number> {
  const plain = new Plain();
  await plain.begin(1);
  const before = plain.network.effects.runtime;
  const behaviour = { exitCode: 1, exitAfterMs: 3_000 };
  const created = plain.create(deployment('crash', NS, { replicas: 4, behaviour }));
  await plain.pass(24 * HOUR_MS);
  await created;
  return plain.network.effects.runtime - before;
}

export interface Drain {
  readonly pods: number;
  readonly seconds: number;
  readonly writesPerPod: number;
  /** At no look were there fewer pods ready than at the one before. */
  readonly isSteady: boolean;
}

/**
 * B6: nothing is taken from queues for three hours, while people create so many Deployments of
 * three; then how long it takes until all of their pods run, and what it costs. The runtime takes
 * whatever is asked of it. `concurrency`: invocations of each function at a time.
 */
export async function drainAfterOutage(deployments: number, concurrency: number): Promise<Drain> {
  const plain = new Plain(concurrency);
  const pods = 3 * deployments;
  await plain.begin(Math.ceil(pods / 100));
  const resume = plain.world.halt('consumers');
  const created = Array.from({ length: deployments }, (_, i) =>
    plain.create(deployment(`web-${i}`, NS, { replicas: 3 })),
  );
  await plain.pass(3 * HOUR_MS);
  await Promise.all(created);
  const { effects } = plain.network;
  const [startMs, before] = [plain.agenda.nowMs, effects.store];
  resume();
  let [ready, isSteady] = [0, true];
  while (ready < pods && plain.agenda.nowMs - startMs < HOUR_MS) {
    await plain.pass(SECOND_MS);
    const now = await plain.ready();
    isSteady &&= now >= ready;
    ready = now;
  }
  const seconds = (plain.agenda.nowMs - startMs) / SECOND_MS;
  return { pods, seconds, writesPerPod: (effects.store - before) / pods, isSteady };
}

/** Static stability: the control plane is away for a day; how many tasks were stopped or lost. */
export async function lostInADayWithoutUs(): Promise<number> {
  const plain = new Plain();
  await plain.begin(4);
  const created = plain.create(deployment('web', NS, { replicas: 20 }));
  await plain.untilReady(20, HOUR_MS);
  await created;
  const tasks = await plain.world.runtime.list();
  const resume = plain.world.halt('all');
  await plain.pass(24 * HOUR_MS);
  const stayed = new Set(await plain.world.runtime.list());
  resume();
  for (let i = 0; i < 3; i++) {
    plain.world.sweep();
    await plain.pass(SWEEP_EVERY_MS);
  }
  const after = new Set(await plain.world.runtime.list());
  return tasks.filter((id) => !stayed.has(id) || !after.has(id)).length;
}
