/**
 * Controllers on the memory store, woken by its changes and carried out in order, until nothing is
 * left to do.
 */
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import { type Change, keyOf } from '../../../shared/api/change.ts';
import { type AnyObject, draftMeta, type KubeObject } from '../../../shared/api/meta.ts';
import { type AnyController, workText } from '../../../shared/control/controller.ts';
import type { Effects } from '../../../shared/control/effects.ts';
import { parseWork, reconcile } from '../../../shared/control/reconcile.ts';
import { deletion, type DeletionOptions } from '../../../shared/core/deletion.ts';
import type { TaskRuntime } from '../../../shared/ports/runtime.ts';

const MAX_ROUNDS = 1_000;

export class Loop {
  readonly clock = new StepClock();
  /** Writes of objects other than events. */
  readonly writes: Change[] = [];
  readonly store = new MemoryStore({ clock: this.clock, onCommit: (change) => this.#on(change) });
  readonly #controllers: readonly AnyController[];
  readonly #changes: Change[] = [];
  readonly #ids = new SeededIds('loop');

  constructor(...controllers: readonly AnyController[]) {
    this.#controllers = controllers;
  }

  async create(resource: string, name: string, rest: object = {}): Promise<AnyObject> {
    const { metadata, ...fields } = rest as { metadata?: object };
    const meta = {
      namespace: resource === 'namespaces' ? '' : 'd',
      uid: this.#ids.uid(),
      ...metadata,
    };
    const object = {
      apiVersion: 'v1',
      kind: 'Any',
      metadata: draftMeta({ name, ...meta }),
      ...fields,
    };
    return this.store.create(resource, object);
  }

  /** A user's deletion. */
  async delete(resource: string, object: KubeObject, options: DeletionOptions = {}): Promise<void> {
    const current = await this.store.get(keyOf(resource, object));
    const action = current && deletion(resource, current, options, this.clock.nowMs());
    if (action?.kind === 'update') await this.store.update(resource, action.object);
    if (action?.kind === 'remove') await this.store.remove(action.key, action.expected);
  }

  async change(
    resource: string,
    object: KubeObject,
    to: (now: AnyObject) => object,
  ): Promise<void> {
    const current = await this.store.get(keyOf(resource, object));
    if (current) await this.store.update(resource, to(current) as AnyObject);
  }

  async names(resource: string): Promise<readonly string[]> {
    const { items } = await this.store.list({ resource });
    return items.map((item) => item.metadata.name);
  }

  async get(resource: string, object: KubeObject): Promise<AnyObject | undefined> {
    return this.store.get(keyOf(resource, object));
  }

  /** As a sweep does: the object counts as just changed. */
  async wake(resource: string, object: KubeObject): Promise<void> {
    const current = await this.get(resource, object);
    if (current) this.#changes.push({ type: 'put', resource, object: current });
    await this.settle();
  }

  /** Lets the controllers work until nothing changes any more. */
  async settle(): Promise<void> {
    for (let i = 0; this.#changes.length > 0; i++) {
      if (i > MAX_ROUNDS) throw new Error('it does not come to rest');
      const texts = new Set<string>();
      for (const change of this.#changes.splice(0)) {
        for (const controller of this.#controllers) {
          const keys = await controller.wakes(change, this.store);
          for (const key of keys) texts.add(workText(controller.name, key));
        }
      }
      for (const text of texts) await this.#work(text);
    }
  }

  async #work(text: string): Promise<void> {
    const work = parseWork(text, this.#controllers);
    if (!work) throw new Error(`not work: ${text}`);
    const outcome = await reconcile(work, this.#effects());
    if (outcome.type === 'after') await this.#work(text);
    if (outcome.type === 'terminal') throw outcome.error;
  }

  #effects(): Effects {
    const { store, clock } = this;
    const runtime = {} as TaskRuntime;
    return { store, clock, ids: this.#ids, recorder: new MemoryRecorder(), runtime };
  }

  #on(change: Change): void {
    this.#changes.push(change);
    if (change.resource !== 'events') this.writes.push(change);
  }
}

export function ownedBy(
  owner: KubeObject,
  kind: string,
  more: object = {},
  apiVersion = 'v1',
): { ownerReferences: readonly object[] } {
  const { name, uid } = owner.metadata;
  return { ownerReferences: [{ apiVersion, kind, name, uid, ...more }] };
}
