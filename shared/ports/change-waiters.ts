import type { ResourceName } from '../api/meta.ts';

/** Those who wait for changes of a resource. No timers: a change or an abort wakes them. */
export class ChangeWaiters {
  readonly #byResource = new Map<ResourceName, Set<() => void>>();

  /** Resolves at the next `wake` of the resource, or when the signal aborts. */
  async wait(resource: ResourceName, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const waiters = this.#byResource.get(resource) ?? new Set();
    this.#byResource.set(resource, waiters.add(wake));
    signal.addEventListener('abort', wake);
    await promise;
    waiters.delete(wake);
    signal.removeEventListener('abort', wake);
  }

  wake(resource: ResourceName): void {
    const waiters = this.#byResource.get(resource);
    if (!waiters) return;
    this.#byResource.delete(resource);
    for (const resolve of waiters) resolve();
  }

  wakeAll(): void {
    for (const resource of [...this.#byResource.keys()]) this.wake(resource);
  }
}
