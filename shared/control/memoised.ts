/**
 * A reader that asks each question once: for one batch of changes or of work, which asks the same
 * things again and again (which services does this namespace have?). What it answers is as old as
 * the first asking, which is after all changes of the batch, and after all that its work was sent
 * for.
 */
import type { KubeObject, ObjectKey } from '../api/meta.ts';
import { keyText } from '../api/meta.ts';
import type { ListQuery, Page } from '../ports/store.ts';
import type { Reader } from './controller.ts';

export interface Memoised extends Reader {
  /** Asks for the object anew from now on: who shares the reader has written it. */
  forget(key: ObjectKey): void;
}

export function memoised(read: Reader): Memoised {
  const objects = new Map<string, Promise<KubeObject | undefined>>();
  const pages = new Map<string, Promise<Page<KubeObject>>>();
  return {
    get: <T extends KubeObject>(key: ObjectKey) =>
      once(objects, keyText(key), () => read.get(key)) as Promise<T | undefined>,
    list: <T extends KubeObject>(query: ListQuery) =>
      once(pages, JSON.stringify(query), () => read.list(query)) as Promise<Page<T>>,
    forget: (key) => void objects.delete(keyText(key)),
  };
}

function once<T>(answers: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const known = answers.get(key);
  if (known) return known;
  const answer = ask();
  answers.set(key, answer);
  // What could not be answered is asked for again.
  answer.catch(() => answers.delete(key));
  return answer;
}
