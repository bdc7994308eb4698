/**
 * What people do to the cluster while it is being broken, drawn from the seed; and what they do at
 * the end, so that there is a state in which everything can be well: mend what can't run, and bring
 * room.
 */
import type { SeededRandom } from '../../adapters/memory/seeded-random.ts';
import { type AnyObject, controllerOf } from '../../shared/api/meta.ts';
import { type Answer, pathOf, send, typeNamed } from '../world/client.ts';
import { deployment, namespace, pod, type PodShape, service } from '../world/manifests.ts';
import type { World } from '../world/world.ts';
import type { Log } from './log.ts';

const NAMESPACES = ['a', 'b'] as const;
const DEPLOYMENTS = ['web', 'api'] as const;
/** Asks for a part of a GPU. */
const SHARES_GPUS: (typeof DEPLOYMENTS)[number] = 'api';
/** Asks for more than any node has. */
const HUGE = 'huge';
const FIRST_NODES = 3;
/** Machines that are terminated in one run at most: others must be left to work on. */
const MAX_TERMINATED = 2;
const SIMULATE = 'nullplane.io/simulate';
const MERGE = 'application/merge-patch+json';

/** What there is of machines to trouble, and how tasks are told to behave. */
export interface Ground {
  /** A small machine; its node's name. */
  addNode(): Promise<string>;
  /** Room for all that was asked for. */
  addSpare(): Promise<void>;
  disconnect(name: string): void;
  reconnect(name: string): void;
  terminate(name: string): void;
  /** What some pods ask of a GPU; nothing where there are none. */
  readonly gpuMilli?: number;
  /** What a pod says for its tasks to behave so. */
  shapeOf(behaviour: Behaviour): PodShape & { readonly behaviour?: object };
  /** What the cloud says of its machines, again. */
  tellOfMachines(): void;
}

export interface Behaviour {
  readonly startDelayMs: number;
  readonly readyDelayMs: number;
  readonly stopDelayMs: number;
  readonly exitCode?: number;
  readonly exitAfterMs?: number;
}

/** Things that no node is large enough for: they wait, and nothing else is expected of them. */
export function isUnfit({ metadata }: AnyObject): boolean {
  return metadata.labels?.['app'] === HUGE;
}

export class Workload {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #log: Log;
  readonly #ground: Ground;
  /** The machines that are there. */
  readonly #nodes = new Set<string>();
  #terminated = 0;
  #pods = 0;

  constructor(world: World, ground: Ground, random: SeededRandom, log: Log) {
    this.#world = world;
    this.#ground = ground;
    this.#random = random.fork('workload');
    this.#log = log;
  }

  /** The cluster before anybody broke anything. */
  async setUp(): Promise<void> {
    for (const name of NAMESPACES) await this.#create(namespace(name));
    for (let i = 0; i < FIRST_NODES; i++) await this.#addNode();
    for (const name of DEPLOYMENTS) await this.#create(this.#newDeployment(NAMESPACES[0], name));
  }

  /** One thing that somebody does. */
  async act(): Promise<void> {
    const ns = this.#random.pick(NAMESPACES);
    const name = this.#random.pick(DEPLOYMENTS);
    const patch = (change: object) => this.#patch(ns, name, change);
    const acts: readonly (readonly [weight: number, act: () => Promise<unknown>])[] = [
      [8, () => this.#create(this.#newDeployment(ns, name))],
      [4, () => patch({ spec: { replicas: this.#random.integer(5) } })],
      [4, () => patch(this.#templateChange(this.#image(), this.#behaviour()))],
      [5, () => this.#flap(ns, name)],
      [1, () => patch({ spec: { paused: true } })],
      [1, () => patch({ spec: { paused: null } })],
      [2, () => this.#delete('deployments', ns, name)],
      [3, () => this.#deleteSomePod()],
      [1, () => this.#create(pod(`solo-${++this.#pods}`, ns, { cpu: '200m' }))],
      [1, () => this.#create(service(name, ns, { app: name }))],
      [1, () => this.#create(deployment(HUGE, ns, { replicas: 1, cpu: '64' }))],
      [0.5, () => this.#delete('namespaces', undefined, ns)],
      [1, () => this.#create(namespace(ns))],
      [3, () => this.#troubleANode()],
    ];
    await this.#draw(acts)();
  }

  /** Lets everything be able to run, whatever was done before. */
  async mend(): Promise<void> {
    for (const name of this.#nodes) this.#ground.reconnect(name);
    await this.#ground.addSpare();
    for (const ns of NAMESPACES) {
      for (const name of DEPLOYMENTS) {
        await this.#patch(ns, name, {
          spec: { paused: null, ...this.#templateChange('app:1', CALM).spec },
        });
      }
    }
    await this.#deleteOrphans();
  }

  /** ReplicaSets that were orphaned may have a template that can't run, and nobody mends them. */
  async #deleteOrphans(): Promise<void> {
    const { items } = await this.#world.store.list({ resource: 'replicasets.apps' });
    for (const set of items) {
      const { namespace: ns, name } = set.metadata;
      if (!controllerOf(set)) await this.#send('DELETE', 'replicasets', ns, name, {});
    }
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

  #templateChange(image: string, given: Behaviour) {
    const { behaviour, command } = this.#ground.shapeOf(given);
    const annotations = behaviour && { [SIMULATE]: JSON.stringify(behaviour) };
    const container = { name: 'main', image, ...(command ? { command } : {}) };
    return {
      spec: {
        template: {
          metadata: annotations ? { annotations } : {},
          spec: { containers: [container] },
        },
      },
    };
  }

  #image(): string {
    return this.#random.pick(['app:1', 'app:2', 'app:3', 'app:missing']);
  }

  /** How its tasks behave: slow to start or to stop, or crashing. */
  #behaviour(): Behaviour {
    const random = this.#random;
    return {
      startDelayMs: random.integer(3_000),
      readyDelayMs: random.integer(3_000),
      stopDelayMs: random.integer(8_000),
      ...(random.chance(0.2) ? { exitCode: 1, exitAfterMs: random.integer(20_000) } : {}),
    };
  }

  async #deleteSomePod(): Promise<unknown> {
    const { items } = await this.#world.store.list({ resource: 'pods' });
    if (items.length === 0) return;
    const { metadata } = this.#random.pick(items);
    const now = this.#random.chance(0.2);
    return this.#send('DELETE', 'pods', metadata.namespace, metadata.name, {
      body: { kind: 'DeleteOptions', apiVersion: 'v1', ...(now ? { gracePeriodSeconds: 1 } : {}) },
    });
  }

  /** Up, and down again while the pods are still on their way: launches meet deletions. */
  async #flap(ns: string, name: string): Promise<void> {
    await this.#patch(ns, name, { spec: { replicas: 4 } });
    await this.#world.clock.delay(Math.floor(FLAP_MS * this.#random.fraction() ** 2));
    await this.#patch(ns, name, { spec: { replicas: this.#random.integer(2) } });
  }

  /** A machine that is terminated never comes back; others have other names. */
  async #troubleANode(): Promise<void> {
    const name = this.#random.pick([...this.#nodes]);
    const what = this.#random.pick(['disconnect', 'reconnect', 'terminate', 'add'] as const);
    this.#log.write(`node ${name} ${what}`);
    if (what === 'disconnect') this.#ground.disconnect(name);
    if (what === 'reconnect') this.#ground.reconnect(name);
    if (what === 'add') await this.#addNode();
    if (what === 'terminate' && this.#terminated < MAX_TERMINATED) {
      this.#terminated++;
      this.#nodes.delete(name);
      this.#ground.terminate(name);
    }
  }

  async #addNode(): Promise<void> {
    this.#nodes.add(await this.#ground.addNode());
  }

  #create(object: AnyObject): Promise<Answer | undefined> {
    const { name, namespace: ns } = object.metadata;
    return this.#send(
      'POST',
      `${object.kind.toLowerCase()}`,
      ns,
      undefined,
      { body: object },
      name,
    );
  }

  #patch(ns: string, name: string, body: object): Promise<Answer | undefined> {
    return this.#send('PATCH', 'deployments', ns, name, { body, contentType: MERGE });
  }

  #delete(resource: string, ns: string | undefined, name: string): Promise<Answer | undefined> {
    const propagationPolicy = this.#random.pick(['Background', 'Foreground', 'Orphan']);
    const policy = resource === 'namespaces' ? {} : { propagationPolicy };
    return this.#send('DELETE', resource, ns, name, {
      body: { kind: 'DeleteOptions', apiVersion: 'v1', ...policy },
    });
  }

  /** A request whose server dies is never answered: people give up on it. */
  async #send(
    method: string,
    resource: string,
    ns: string | undefined,
    name: string | undefined,
    rest: { readonly body?: unknown; readonly contentType?: string },
    about = name,
  ): Promise<Answer | undefined> {
    const type = typeNamed(resource);
    const path = pathOf(type, {
      ...(ns === undefined ? {} : { namespace: ns }),
      ...(name === undefined ? {} : { name }),
    });
    const answer = await Promise.race([
      send(this.#world.api, { method, path, ...rest }),
      this.#world.clock.delay(CLIENT_PATIENCE_MS).then(() => undefined),
    ]);
    this.#log.write(`user ${method} ${type.plural} ${ns ?? ''}/${about}: ${answer?.status ?? '-'}`);
    return answer;
  }

  #draw<T>(weighted: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.#random.fraction() * weighted.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of weighted) if ((left -= weight) < 0) return value;
    throw new RangeError('nothing to draw from');
  }
}

const CLIENT_PATIENCE_MS = 60_000;
const FLAP_MS = 4_000;

/** Starts and stops at once, and runs until it is told to stop. */
const CALM: Behaviour = { startDelayMs: 0, readyDelayMs: 0, stopDelayMs: 0 };
