/** Whole lists, page by page. Each page is read strongly; the list as a whole is no snapshot. */
import type { AnyObject, KubeObject } from '../api/meta.ts';
import type { ListQuery } from '../ports/store.ts';
import type { Reader } from './controller.ts';

/**
 * Objects a page: far below what one answer of a store may hold, far above what is worth a call.
 */
const PAGE = 1_000;

/** The pages of the query, one in memory at a time. */
export async function* pagesOf<T extends KubeObject = AnyObject>(
  read: Pick<Reader, 'list'>,
  query: ListQuery,
): AsyncGenerator<readonly T[]> {
  let after: string | undefined;
  do {
    const page = await read.list<T>({ limit: PAGE, ...query, ...(after ? { after } : {}) });
    yield page.items;
    after = page.next;
  } while (after !== undefined);
}

export async function listAll<T extends KubeObject = AnyObject>(
  read: Pick<Reader, 'list'>,
  query: ListQuery,
): Promise<readonly T[]> {
  const items: T[] = [];
  for await (const page of pagesOf<T>(read, query)) items.push(...page);
  return items;
}
