/**
 * A reader that asks each question once: for one batch of changes, whose wakes ask the same things
 * again and again (which services does this namespace have?). What it answers is as old as the
 * first asking, which is after all changes of the batch.
 */
import type { KubeObject, ObjectKey } from '../api/meta.ts';
import { keyText } from '../api/meta.ts';
import type { ListQuery, Page } from '../ports/store.ts';
import type { Reader } from './controller.ts';

export function memoised(read: Reader): Reader {
  const objects = new Map<string, Promise<KubeObject | undefined>>();
  const pages = new Map<string, Promise<Page<KubeObject>>>();
  return {
    get: <T extends KubeObject>(key: ObjectKey) =>
      once(objects, keyText(key), () => read.get(key)) as Promise<T | undefined>,
    list: <T extends KubeObject>(query: ListQuery) =>
      once(pages, JSON.stringify(query), () => read.list(query)) as Promise<Page<T>>,
  };
}

function once<T>(answers: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const known = answers.get(key);
  if (known) return known;
  const answer = ask();
  answers.set(key, answer);
  return answer;
}
