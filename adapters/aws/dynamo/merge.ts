/** Several sources of items, each in order of sort keys, as one in order. */
import type { Item } from './item.ts';

/** Pages of items. */
export type Source = AsyncGenerator<Item[]>;

interface Cursor {
  readonly source: Source;
  items: readonly Item[];
  next: number;
  /** The sort key that the cursor stands on, in the table's order: by bytes. */
  key: Buffer | undefined;
}

/** The first pages are read at once, the others when they are needed. */
export async function* inOrder(sources: readonly Source[]): AsyncGenerator<Item> {
  const cursors: Cursor[] = sources.map((source) => ({
    source,
    items: [],
    next: -1,
    key: undefined,
  }));
  try {
    await Promise.all(cursors.map(advance));
    for (let first = least(cursors); first; first = least(cursors)) {
      yield first.items[first.next] as Item;
      await advance(first);
    }
  } finally {
    await Promise.all(sources.map((source) => source.return(undefined)));
  }
}

async function advance(cursor: Cursor): Promise<void> {
  cursor.next++;
  while (cursor.next >= cursor.items.length) {
    const page = await cursor.source.next();
    if (page.done) {
      cursor.key = undefined;
      return;
    }
    cursor.items = page.value;
    cursor.next = 0;
  }
  cursor.key = Buffer.from(cursor.items[cursor.next]?.['sk']?.S ?? '');
}

function least(cursors: readonly Cursor[]): Cursor | undefined {
  let first: Cursor | undefined;
  for (const cursor of cursors) {
    if (!cursor.key) continue;
    if (!first?.key || Buffer.compare(cursor.key, first.key) < 0) first = cursor;
  }
  return first;
}
