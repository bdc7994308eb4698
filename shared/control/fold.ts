/**
 * Folding news into a pod: read, fold (pure), write if nothing else was written since, and again if something was.
 * Folds commute with other writers' changes, so that trying again is right and nobody starves.
 */
import type { Pod } from '../api/kinds/pod.ts';
import type { ObjectKey } from '../api/meta.ts';
import { Conflict } from '../ports/store.ts';
import type { Effects } from './effects.ts';

/** Writers of one pod are few: its controller, its task, a person. More lost races than this are a storm. */
const MAX_TRIES = 8;

/** `missing`: there is no pod of that uid any more. `same`: nothing was news. */
export type Folded = 'written' | 'same' | 'missing';

export async function foldIntoPod(
  key: ObjectKey,
  uid: string,
  fold: (pod: Pod, nowMs: number) => Pod | undefined,
  { store, clock }: Effects,
): Promise<Folded> {
  for (let tries = 1; ; tries++) {
    const pod = await store.get<Pod>(key);
    if (pod?.metadata.uid !== uid) return 'missing';
    const next = fold(pod, clock.nowMs());
    if (!next) return 'same';
    try {
      await store.update('pods', next);
      return 'written';
    } catch (error) {
      if (!(error instanceof Conflict) || tries === MAX_TRIES) throw error;
    }
  }
}
