/**
 * What people do to the cluster while it is being broken, drawn from the seed.
 */
import type { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import {
  budget,
  deployment,
  namespace,
  pod,
  podGroup,
  priorityClass,
  service,
} from '../../world/manifests.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { FaultKind } from '../faults/catalogue.ts';
import type { Faults } from '../faults/faults.ts';
import type { Behaviour, Ground } from './ground.ts';
import type { Machines } from './machines.ts';
import { GANG, GANG_SIZE, HUGE, templateChange, URGENT, URGENT_PRIORITY } from './mend.ts';
import type { People } from './people.ts';
import { anyChange } from './transitions.ts';

const NAMESPACES = ['a', 'b'] as const;
const DEPLOYMENTS = ['web', 'api'] as const;
/** Asks for a part of a GPU. */
const SHARES_GPUS: (typeof DEPLOYMENTS)[number] = 'api';
const FIRST_NODES = 3;
/** Larger than any store takes. */
const OVERSIZED = 2_000_000;
const FLAP_MS = 4_000;
/** So late that no run sees it start. */
const NEVER_MS = 10 * 86_400_000;

export interface WorkloadOptions {
  readonly people: People;
  readonly machines: Machines;
  readonly ground: Ground;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly random: SeededRandom;
}

export class DrawnWorkload {
  readonly #people: People;
  readonly #machines: Machines;
  readonly #ground: Ground;
  readonly #clock: Clock;
  readonly #faults: Faults;
  readonly #random: SeededRandom;
  #pods = 0;

  constructor({ people, machines, ground, clock, faults, random }: WorkloadOptions) {
    this.#people = people;
    this.#machines = machines;
    this.#ground = ground;
    this.#clock = clock;
    this.#faults = faults;
    this.#random = random;
  }

  /** The cluster before anybody broke anything. */
  async setUp(): Promise<void> {
    const people = this.#people;
    for (const name of NAMESPACES) await people.create(namespace(name));
    await people.create(priorityClass(URGENT, URGENT_PRIORITY));
    for (let i = 0; i < FIRST_NODES; i++) await this.#machines.add();
    for (const name of DEPLOYMENTS) await people.create(this.#newDeployment(NAMESPACES[0], name));
  }

  /** One thing that somebody does. */
  async act(): Promise<void> {
    const people = this.#people;
    const ns = this.#random.pick(NAMESPACES);
    const name = this.#random.pick(DEPLOYMENTS);
    const patch = (change: object) => people.patch('deployments', ns, name, change);
    const acts: readonly (readonly [weight: number, act: () => Promise<unknown>])[] = [
      [8, () => people.create(this.#newDeployment(ns, name))],
      [4, () => patch({ spec: { replicas: this.#random.integer(5) } })],
      [4, () => patch(templateChange(this.#image(), this.#ground.shapeOf(this.#behaviour())))],
      [4, () => patch(anyChange(this.#random))],
      [5, () => this.#flap(ns, name)],
      [1, () => patch({ spec: { paused: true } })],
      [1, () => patch({ spec: { paused: null } })],
      [2, () => this.#delete('deployments', ns, name)],
      [1, () => people.recreateSomething(this.#random)],
      [3, () => this.#deleteSomePod()],
      [3, () => this.#evictSomePod()],
      [1, () => this.#relabelSomePod()],
      [2, () => people.create(this.#budget(ns, name))],
      [1, () => this.#delete('poddisruptionbudgets', ns, name)],
      [1, () => people.create(pod(`solo-${++this.#pods}`, ns, { cpu: '200m' }))],
      [1, () => this.#createGang(ns)],
      [1, () => people.create(this.#urgent(ns))],
      [1, () => people.create(service(name, ns, { app: name }))],
      [1, () => patch(this.#padding())],
      [1, () => this.#createHuge(ns)],
      [0.5, () => this.#delete('namespaces', undefined, ns)],
      [1, () => people.create(namespace(ns))],
      [3, () => this.#troubleANode()],
    ];
    await this.#draw(acts)();
  }

  #newDeployment(ns: string, name: string): AnyObject {
    const recreate = this.#random.chance(0.2);
    const { gpuMilli } = this.#ground;
    return deployment(name, ns, {
      replicas: 1 + this.#random.integer(4),
      cpu: this.#random.pick(['100m', '500m', '1500m']),
      image: this.#image(),
      ...(gpuMilli !== undefined && name === SHARES_GPUS ? { gpuMilli } : {}),
      ...this.#ground.shapeOf(this.#behaviour()),
      ...(recreate ? { strategy: { type: 'Recreate' } } : {}),
    });
  }

  /** At times more than a store takes. */
  #padding(): object {
    const length = this.#strikes('oversized') ? OVERSIZED : 1;
    return { metadata: { annotations: { padding: 'x'.repeat(length) } } };
  }

  /** At times a pod that fits nowhere. */
  async #createHuge(ns: string): Promise<void> {
    if (!this.#strikes('neverFits')) return;
    await this.#people.create(deployment(HUGE, ns, { replicas: 1, cpu: '64' }));
  }

  async #createGang(ns: string): Promise<void> {
    await this.#people.create(podGroup(GANG, ns, GANG_SIZE));
    const labels = { 'scheduling.x-k8s.io/pod-group': GANG };
    const shape = { replicas: GANG_SIZE, cpu: '900m', labels };
    await this.#people.create(deployment(GANG, ns, shape));
  }

  #urgent(ns: string): AnyObject {
    return deployment(URGENT, ns, { replicas: 2, cpu: '1', priorityClassName: URGENT });
  }

  #image(): string {
    if (this.#strikes('badImage')) return 'app:missing';
    return this.#random.pick(['app:1', 'app:2', 'app:3']);
  }

  /** How its tasks behave: slow to start or to stop, crashing, or stuck. */
  #behaviour(): Behaviour {
    const random = this.#random;
    const crash = this.#faults.hits('crashLoop');
    return {
      startDelayMs: this.#strikes('stuckTask') ? NEVER_MS : random.integer(3_000),
      readyDelayMs: random.integer(3_000),
      stopDelayMs: random.integer(8_000),
      ...(crash ? { exitCode: 1, exitAfterMs: crash.integer(20_000) } : {}),
    };
  }

  #strikes(kind: FaultKind): boolean {
    return this.#faults.hits(kind) !== undefined;
  }

  #delete(resource: string, ns: string | undefined, name: string): Promise<unknown> {
    const propagationPolicy = this.#random.pick(['Background', 'Foreground', 'Orphan'] as const);
    return this.#people.delete(resource, ns, name, ns === undefined ? {} : { propagationPolicy });
  }

  async #somePod(): Promise<{ readonly ns: string; readonly name: string } | undefined> {
    const pods = await this.#people.list('pods');
    if (pods.length === 0) return undefined;
    const { name, namespace: ns = '' } = this.#random.pick(pods).metadata;
    return { ns, name };
  }

  async #deleteSomePod(): Promise<unknown> {
    const found = await this.#somePod();
    const now = this.#random.chance(0.2);
    if (!found) return undefined;
    return this.#people.delete('pods', found.ns, found.name, now ? { gracePeriodSeconds: 1 } : {});
  }

  async #evictSomePod(): Promise<unknown> {
    const found = await this.#somePod();
    return found && this.#people.evict(found.ns, found.name);
  }

  /** Its owner lets it go, and fills its place; a selector that it is given back takes it again. */
  async #relabelSomePod(): Promise<void> {
    const found = await this.#somePod();
    if (!found) return;
    const { ns, name } = found;
    const was = (await this.#people.list('pods')).find(({ metadata }) => metadata.name === name);
    await this.#people.patch('pods', ns, name, { metadata: { labels: { app: 'alone' } } });
    await this.#clock.delay(this.#random.integer(FLAP_MS));
    const labels = { app: was?.metadata.labels?.['app'] ?? 'alone' };
    await this.#people.patch('pods', ns, name, { metadata: { labels } });
  }

  #budget(ns: string, name: string): AnyObject {
    const limits = [{ maxUnavailable: 1 }, { minAvailable: 1 }, { minAvailable: '50%' }];
    return budget(name, ns, this.#random.pick(limits));
  }

  /** Up, and down again while the pods are still on their way: launches meet deletions. */
  async #flap(ns: string, name: string): Promise<void> {
    const patch = (replicas: number) =>
      this.#people.patch('deployments', ns, name, { spec: { replicas } });
    await patch(4);
    await this.#clock.delay(Math.floor(FLAP_MS * this.#random.fraction() ** 2));
    await patch(this.#random.integer(2));
  }

  async #troubleANode(): Promise<void> {
    const name = this.#random.pick(this.#machines.names);
    const what = this.#random.pick(['cut off', 'reconnect', 'end', 'add', 'drain'] as const);
    if (what === 'cut off') this.#machines.cutOff(name);
    if (what === 'reconnect') this.#machines.reconnect(name);
    if (what === 'end') this.#machines.end(name);
    if (what === 'add') await this.#machines.add();
    if (what === 'drain') await this.#people.drain(name);
  }

  #draw<T>(weighted: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.#random.fraction() * weighted.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of weighted) if ((left -= weight) < 0) return value;
    throw new RangeError('nothing to draw from');
  }
}
