/**
 * What people do, as clients of the API do it. Each asks once, waits for a minute, and gives up on
 * a server that does not answer; in scripts each asks until there is an answer, so that what they
 * ask for is the same whatever fails.
 */
import type { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import type { AnyObject, ObjectKey } from '../../../shared/api/meta.ts';
import { type Answer, pathOf, type Request, send, typeNamed } from '../../world/client.ts';
import type { World } from '../../world/world.ts';
import type { Log } from '../judges/log.ts';

const CLIENT_PATIENCE_MS = 60_000;
/** Of those who ask again. */
const SHORT_PATIENCE_MS = 5_000;
const ASK_AGAIN_MS = 2_000;
const MAX_ASKED = 20;
const MERGE = 'application/merge-patch+json';

export type Propagation = 'Background' | 'Foreground' | 'Orphan';

interface Asked {
  readonly subresource?: string;
  readonly body?: unknown;
  readonly contentType?: string;
}

export class People {
  readonly #world: World;
  readonly #log: Log;
  readonly #persistent: boolean;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(world: World, log: Log, persistent: boolean) {
    this.#world = world;
    this.#log = log;
    this.#persistent = persistent;
  }

  create(object: AnyObject): Promise<Answer | undefined> {
    const { name, namespace } = object.metadata;
    return this.#send(
      'POST',
      object.kind.toLowerCase(),
      namespace,
      undefined,
      { body: object },
      name,
    );
  }

  patch(
    resource: string,
    ns: string | undefined,
    name: string,
    body: object,
  ): Promise<Answer | undefined> {
    return this.#send('PATCH', resource, ns, name, { body, contentType: MERGE });
  }

  /** The object becomes this, whatever it was. */
  replace(object: AnyObject): Promise<Answer | undefined> {
    const { name, namespace } = object.metadata;
    return this.#send('PUT', object.kind.toLowerCase(), namespace, name, { body: object });
  }

  delete(
    resource: string,
    ns: string | undefined,
    name: string,
    options: {
      readonly propagationPolicy?: Propagation;
      readonly gracePeriodSeconds?: number;
    } = {},
  ): Promise<Answer | undefined> {
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', ...options };
    return this.#send('DELETE', resource, ns, name, { body });
  }

  deleteKey({ resource, namespace, name }: ObjectKey): Promise<Answer | undefined> {
    const [word = ''] = resource.split('.');
    return this.delete(word, namespace === '' ? undefined : namespace, name);
  }

  evict(ns: string, name: string): Promise<Answer | undefined> {
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } };
    return this.#send('POST', 'pods', ns, name, { body, subresource: 'eviction' });
  }

  cordon(node: string, unschedulable: boolean): Promise<Answer | undefined> {
    return this.patch('nodes', undefined, node, { spec: { unschedulable: unschedulable || null } });
  }

  /** As `kubectl drain`, which does not wait: what a budget keeps back stays. */
  async drain(node: string): Promise<void> {
    await this.cordon(node, true);
    for (const pod of await this.list('pods')) {
      const { namespace = '', name } = pod.metadata;
      const { nodeName } = pod['spec'] as { readonly nodeName?: string };
      if (nodeName === node) await this.evict(namespace, name);
    }
  }

  /**
   * A Deployment is deleted, and another one takes its name as soon as it is gone; people who wait
   * for that no longer leave it at the deletion.
   */
  recreateSomething(random: SeededRandom): Promise<void> {
    return this.inTurn(async () => {
      const all = await this.list('deployments.apps');
      const standing = all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      if (standing.length > 0) await this.#recreate(random.pick(standing), random);
    });
  }

  async #recreate(object: AnyObject, random: SeededRandom): Promise<void> {
    const { metadata, spec, apiVersion, kind } = object as AnyObject & { spec: unknown };
    const { namespace: ns = '', name, labels, uid } = metadata;
    const propagationPolicy = random.pick(['Background', 'Foreground', 'Orphan'] as const);
    await this.delete('deployments', ns, name, { propagationPolicy });
    await this.#gone('deployments.apps', ({ metadata: other }) => other.uid === uid);
    const fresh = { name, namespace: ns, ...(labels ? { labels } : {}) };
    await this.create({ apiVersion, kind, metadata: fresh, spec } as unknown as AnyObject);
  }

  /** As `kubectl delete`, which waits; not for ever. */
  async deleteAndWait(resource: string, ns: string, name: string): Promise<void> {
    await this.delete(resource, ns, name);
    const isIt = ({ metadata }: AnyObject) => metadata.namespace === ns && metadata.name === name;
    await this.#gone(resource, isIt);
  }

  /** Waits for what is being deleted; people who have waited long enough go on. */
  async #gone(resource: string, isIt: (object: AnyObject) => boolean): Promise<void> {
    for (let looked = 0; looked < MAX_ASKED; looked++) {
      if (!(await this.list(resource)).some(isIt)) return;
      await this.#world.clock.delay(ASK_AGAIN_MS);
    }
  }

  /** After all that was to be done in turn before: what takes several requests is not cut apart. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** What is there; looking is no part of the test. */
  async list(resource: string): Promise<readonly AnyObject[]> {
    return (await this.#world.store.list({ resource })).items;
  }

  async #send(
    method: string,
    resource: string,
    ns: string | undefined,
    name: string | undefined,
    { subresource, ...rest }: Asked,
    about = name,
  ): Promise<Answer | undefined> {
    const type = typeNamed(resource);
    const path = pathOf(type, {
      ...(ns === undefined ? {} : { namespace: ns }),
      ...(name === undefined ? {} : { name }),
      ...(subresource === undefined ? {} : { subresource }),
    });
    const what = `${method} ${path}${about === name ? '' : `/${about}`}`;
    for (let asked = 1; ; asked++) {
      const answer = await this.#ask({ method, path, ...rest }, what);
      if (!this.#persistent || isFinal(answer, method) || asked === MAX_ASKED) return answer;
      await this.#world.serving();
      await this.#world.clock.delay(ASK_AGAIN_MS);
    }
  }

  /** A request whose server dies is never answered. */
  async #ask(request: Request, what: string): Promise<Answer | undefined> {
    const patienceMs = this.#persistent ? SHORT_PATIENCE_MS : CLIENT_PATIENCE_MS;
    const answer = await Promise.race([
      send(this.#world.api, request),
      this.#world.clock.delay(patienceMs).then(() => undefined),
    ]);
    this.#log.write(`user ${what}: ${answer?.status ?? '-'}`);
    return answer;
  }
}

/** Whether asking again would be no use. A name that is taken may have been taken by oneself. */
function isFinal(answer: Answer | undefined, method: string): boolean {
  if (!answer || answer.status >= 500) return false;
  return answer.status !== 409 || method === 'POST';
}
