/**
 * What an instance of a function keeps between two invocations: its mirror of the store, what
 * passes have read, and how often the runtime has failed it. An invocation that dies takes its
 * instance with it; two at once are two instances.
 */
import { delegating } from '../../shared/control/delegating.ts';
import type { Effects } from '../../shared/control/effects.ts';
import { passMemories, type PassMemories } from '../../shared/control/pass-memories.ts';
import {
  type RuntimeBudgets,
  runtimeBudgets,
  withinBudgets,
} from '../../shared/control/retry-budget.ts';
import type { Store } from '../../shared/ports/store.ts';

interface Instance {
  /** The store as the present invocation reaches it. */
  current: Store;
  readonly mirror: Store;
  readonly passMemory: PassMemories;
  readonly budgets: RuntimeBudgets;
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

  /** Does an invocation's work with what a warm instance has kept, or in a new one. */
  async with<T>(effects: Effects, work: (effects: Effects) => Promise<T>): Promise<T> {
    const instance = this.#idle.pop() ?? started(effects, this.#mirrored);
    instance.current = effects.store;
    const { mirror: store, passMemory, budgets } = instance;
    const runtime = withinBudgets(effects.runtime, budgets);
    const result = await work({ ...effects, store, passMemory, runtime });
    this.#idle.push(instance);
    return result;
  }
}

function started({ store, clock }: Effects, mirrored: (store: Store) => Store): Instance {
  const instance = { current: store };
  const through = new Proxy(delegating(store), {
    get: (_target, method: keyof Store) => instance.current[method].bind(instance.current),
  });
  return Object.assign(instance, {
    mirror: mirrored(through),
    passMemory: passMemories(),
    budgets: runtimeBudgets(clock),
  });
}
