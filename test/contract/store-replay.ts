/**
 * The promise that watches rest on: whoever lists and then follows `changes` from the list's
 * version ends with what a new list shows, however writes and reads fall between each other (S6,
 * S7).
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import { StepClock } from '../../adapters/memory/step-clock.ts';
import { expectedOf } from '../../shared/api/change.ts';
import { type AnyObject, compareVersions } from '../../shared/api/meta.ts';
import { Conflict, Expired, type Store } from '../../shared/ports/store.ts';
import type { Cases } from './contract.ts';
import type { StoreOptions } from './store-samples.ts';

const RESOURCE = 'configmaps';
const NAMES = ['a', 'b', 'c', 'd'];
const NAMESPACES = ['x', 'y'];

type Step =
  | { readonly type: 'write' | 'remove'; readonly namespace: string; readonly name: string }
  | { readonly type: 'watch'; readonly limit: number }
  | { readonly type: 'clock'; readonly ms: number };

const place = { namespace: fc.constantFrom(...NAMESPACES), name: fc.constantFrom(...NAMES) };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('write' as const), ...place }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('remove' as const), ...place }) },
  fc.record({ type: fc.constant('watch' as const), limit: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ type: fc.constant('clock' as const), ms: fc.integer({ min: -100, max: 100 }) }),
);

export function replayCases(fresh: (options: Partial<StoreOptions>) => Store): Cases {
  return {
    'a list and what changed after it give what the next list shows': async () => {
      const steps = fc.array(step, { minLength: 1, maxLength: 60 });
      const namespace = fc.constantFrom(undefined, ...NAMESPACES);
      const run = fc.asyncProperty(steps, namespace, async (steps, namespace) => {
        const clock = new StepClock();
        const store = fresh({ clock, changesKept: 8 });
        const watcher = new Watcher(store, namespace);
        await watcher.relist();
        let count = 0;
        for (const step of steps) {
          if (step.type === 'clock') clock.set(clock.nowMs() + step.ms);
          else if (step.type === 'watch') await watcher.follow(step.limit);
          else await write(store, step, ++count);
        }
        while (await watcher.follow(3));
        expect(watcher.seen()).toEqual(await watcher.listed());
      });
      await fc.assert(run, { numRuns: 40 });
    },
    'writers at once and a watcher between them: nothing is missed, nothing goes back':
      async () => {
        const store = fresh({ changesKept: 10_000 });
        const watcher = new Watcher(store, undefined);
        await watcher.relist();
        const writers = NAMES.map(async (name, i) => {
          for (let n = 0; n < 50; n++) {
            const type = n % 7 === 6 ? 'remove' : 'write';
            const namespace = NAMESPACES[(n + i) % 2] as string;
            await write(store, { type, namespace, name }, n).catch((error: unknown) => {
              if (!(error instanceof Conflict)) throw error;
            });
          }
        });
        let isDone = false;
        const all = Promise.all(writers).then(() => (isDone = true));
        while (!isDone) {
          await watcher.follow(5);
          await new Promise((resolve) => setImmediate(resolve));
        }
        await all;
        while (await watcher.follow(5));
        expect(watcher.seen()).toEqual(await watcher.listed());
      },
  };
}

async function write(
  store: Store,
  { type, namespace, name }: { type: 'write' | 'remove'; namespace: string; name: string },
  count: number,
): Promise<void> {
  const key = { resource: RESOURCE, namespace, name };
  const current = await store.get(key);
  if (type === 'remove') {
    if (current) await store.remove(key, expectedOf(current));
    return;
  }
  if (current) {
    await store.update<AnyObject>(RESOURCE, { ...current, count });
    return;
  }
  const uid = `${namespace}-${name}-${count}`;
  const metadata = { name, namespace, uid, resourceVersion: '', creationTimestamp: '' };
  await store.create(RESOURCE, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
}

/**
 * A client as an informer is: it lists, follows, and lists again when it is told that it fell
 * behind.
 */
class Watcher {
  readonly #store: Store;
  readonly #query: { resource: string; namespace?: string };
  readonly #objects = new Map<string, AnyObject>();
  #version = '';

  constructor(store: Store, namespace: string | undefined) {
    this.#store = store;
    this.#query = { resource: RESOURCE, ...(namespace !== undefined && { namespace }) };
  }

  async relist(): Promise<void> {
    const page = await this.#store.list(this.#query);
    this.#objects.clear();
    for (const object of page.items) this.#objects.set(placeOf(object), object);
    this.#version = page.resourceVersion;
  }

  /** Whether there was something. */
  async follow(limit: number): Promise<boolean> {
    try {
      const query = { ...this.#query, after: this.#version, limit };
      const { changes, resourceVersion } = await this.#store.changes(query);
      expect(compareVersions(resourceVersion, this.#version)).toBeGreaterThanOrEqual(0);
      for (const { type, object, previous } of changes) {
        const known = this.#objects.get(placeOf(object));
        this.#expectNotOlder(object, known);
        this.#expectNotOlder(previous, known);
        if (type === 'put') this.#objects.set(placeOf(object), object);
        else this.#objects.delete(placeOf(object));
      }
      this.#version = resourceVersion;
      return changes.length > 0;
    } catch (error) {
      if (!(error instanceof Expired)) throw error;
      await this.relist();
      return true;
    }
  }

  /**
   * For each object: changes in between may be left out, and one may be repeated, but what is shown
   * never goes back.
   */
  #expectNotOlder(shown: AnyObject | undefined, known: AnyObject | undefined): void {
    if (!shown || !known) return;
    const [next, last] = [shown.metadata.resourceVersion, known.metadata.resourceVersion];
    expect(compareVersions(next, last)).toBeGreaterThanOrEqual(0);
  }

  seen(): AnyObject[] {
    const places = [...this.#objects.keys()].sort();
    return places.map((place) => this.#objects.get(place) as AnyObject);
  }

  async listed(): Promise<readonly AnyObject[]> {
    return (await this.#store.list(this.#query)).items;
  }
}

function placeOf(object: AnyObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
