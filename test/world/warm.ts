/**
 * What an instance of a function keeps between two invocations: its mirror of the store, and what
 * passes have read. An invocation that dies takes its instance with it; two at once are two
 * instances.
 */
import { delegating } from '../../shared/control/delegating.ts';
import { passMemories, type PassMemories } from '../../shared/control/pass-memories.ts';
import type { Store } from '../../shared/ports/store.ts';

interface Instance {
  /** The store as the present invocation reaches it. */
  current: Store;
  readonly mirror: Store;
  readonly passMemory: PassMemories;
}

export class WarmInstances {
  readonly #idle: Instance[] = [];
  readonly #mirrored: (store: Store) => Store;

  constructor(mirrored: (store: Store) => Store) {
    this.#mirrored = mirrored;
  }

  /** Invocations that come now begin cold, as after a deployment. */
  forget(): void {
    this.#idle.length = 0;
  }

  /** Does an invocation's work over the mirror of a warm instance, or of a new one. */
  async with<T>(
    store: Store,
    work: (kept: { readonly store: Store; readonly passMemory: PassMemories }) => Promise<T>,
  ): Promise<T> {
    const instance = this.#idle.pop() ?? started(store, this.#mirrored);
    instance.current = store;
    const { mirror, passMemory } = instance;
    const result = await work({ store: mirror, passMemory });
    this.#idle.push(instance);
    return result;
  }
}

function started(store: Store, mirrored: (store: Store) => Store): Instance {
  const instance = { current: store };
  const through = new Proxy(delegating(store), {
    get: (_target, method: keyof Store) => instance.current[method].bind(instance.current),
  });
  return Object.assign(instance, { mirror: mirrored(through), passMemory: passMemories() });
}
