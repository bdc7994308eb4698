/**
 * Folding news into objects: read, fold (pure), write if nothing else was written since, and again
 * if something was. Folds commute with other writers' changes, so that trying again is right and
 * nobody starves.
 */
import { expectedOf } from '../api/change.ts';
import type { Pod } from '../api/kinds/pod.ts';
import type { KubeObject, ObjectKey } from '../api/meta.ts';
import { mayBeRemoved } from '../core/deletion.ts';
import { observationEvents } from '../core/pod/events.ts';
import { AlreadyExists, Conflict } from '../ports/store.ts';
import { enterAdopted } from './adopt.ts';
import type { Effects } from './effects.ts';
import { recordEvent } from './record-event.ts';

/**
 * Writers of one object are few: its controller, its task, a person. More lost races than this are
 * a storm, and the queue tries later.
 */
const MAX_TRIES = 8;

/** Tries again as long as somebody else writes first, and reads again each time. */
export async function retryOnConflict<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const isLostRace = error instanceof Conflict || error instanceof AlreadyExists;
      if (!isLostRace || tries === MAX_TRIES) throw error;
    }
  }
}

/** `missing`: it is there no more. `same`: nothing was news. */
export type Folded = 'written' | 'same' | 'missing';

/** Folds news into an object of which nothing else has to be told. */
export async function foldInto<T extends KubeObject>(
  key: ObjectKey,
  fold: (object: T, nowMs: number) => T | undefined,
  { store, clock }: Effects,
): Promise<Folded> {
  return retryOnConflict(async () => {
    const object = await store.get<T>(key);
    if (!object) return 'missing';
    const next = fold(object, clock.nowMs());
    if (!next) return 'same';
    await store.update(key.resource, next);
    return 'written';
  });
}

export async function foldIntoPod(
  key: ObjectKey,
  uid: string,
  fold: (pod: Pod, nowMs: number) => Pod | undefined,
  effects: Effects,
): Promise<Folded> {
  const { store, clock } = effects;
  return retryOnConflict(async () => {
    const pod = await store.get<Pod>(key);
    if (pod?.metadata.uid !== uid) return 'missing';
    const next = fold(pod, clock.nowMs());
    if (!next) return 'same';
    await enterAdopted(pod, next, effects);
    // Beside the write, since a store makes both for less than one after the other. What the events
    // tell of the task is so, whoever writes it first: told again, they are the same.
    const told = observationEvents(pod, next).map((event) => recordEvent(event, effects));
    try {
      await write(key, pod, next, effects);
    } finally {
      await Promise.all(told);
    }
    return 'written';
  });
}

/** A pod that only waited for its task to end is removed in the write that would say so. */
async function write(
  key: ObjectKey,
  pod: Pod,
  next: Pod,
  { store, clock }: Effects,
): Promise<void> {
  if (mayBeRemoved('pods', next, clock.nowMs())) await store.remove(key, expectedOf(pod));
  else await store.update('pods', next);
}
