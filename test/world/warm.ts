/**
 * What an instance of the scheduler keeps between two invocations: its mirror of the cluster. An
 * invocation that dies takes its instance with it; two at once are two instances.
 */
import { delegating } from '../../shared/control/delegating.ts';
import { mirroredStore } from '../../shared/control/mirrored-store.ts';
import { CLUSTER_RESOURCES } from '../../shared/control/scheduler.ts';
import type { Store } from '../../shared/ports/store.ts';

interface Instance {
  /** The store as the present invocation reaches it. */
  current: Store;
  readonly mirror: Store;
}

export class WarmInstances {
  readonly #idle: Instance[] = [];

  /** Does an invocation's work over the mirror of a warm instance, or of a new one. */
  async with<T>(store: Store, work: (mirror: Store) => Promise<T>): Promise<T> {
    const instance = this.#idle.pop() ?? started(store);
    instance.current = store;
    const result = await work(instance.mirror);
    this.#idle.push(instance);
    return result;
  }
}

function started(store: Store): Instance {
  const instance = { current: store };
  const through = new Proxy(delegating(store), {
    get: (_target, method: keyof Store) => instance.current[method].bind(instance.current),
  });
  return Object.assign(instance, { mirror: mirroredStore(through, CLUSTER_RESOURCES) });
}
