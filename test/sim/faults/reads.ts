/**
 * Lists as services give them: an index or a list of tasks that does not show what came in the last
 * seconds, and pages of a few, between which the world goes on.
 */
import type { KubeObject } from '../../../shared/api/meta.ts';
import type { TaskState } from '../../../shared/api/task.ts';
import type { Effects } from '../../../shared/control/effects.ts';
import type { ListQuery, Page, Store } from '../../../shared/ports/store.ts';
import type { Indexes } from '../judges/indexes.ts';
import type { Looks } from '../judges/looks.ts';
import { type Faults, shortly } from './faults.ts';

const LAG_MS = 5_000;
const SHORT_PAGE = 3;

/** What is known of how long things have been there, and what is to be known of what is hidden. */
export interface Ages {
  readonly indexes: Pick<Indexes, 'isShown'>;
  readonly looks: Pick<Looks, 'hide'>;
  /** Whether the task was started before that time. */
  isListed(taskId: string, forMs: number): boolean;
}

export interface Reading {
  readonly faults: Faults;
  readonly ages: () => Ages;
  /** The name of the process that reads. */
  readonly reader: string;
}

export function faultyReads(effects: Effects, { faults, ages, reader }: Reading): Effects {
  const { store, runtime } = effects;
  const list = async <T extends KubeObject>(query: ListQuery): Promise<Page<T>> => {
    const { resource, index } = query;
    const stale = index && faults.hits('staleIndex', `?${resource} by ${index.name}`);
    const short = faults.hits('shortPage', `?${resource}`);
    const limit = Math.min(
      query.limit ?? Infinity,
      short ? 1 + short.integer(SHORT_PAGE) : Infinity,
    );
    const page = await store.list<T>(limit < Infinity ? { ...query, limit } : query);
    if (!stale) return page;
    const lagMs = shortly(stale, LAG_MS);
    const { indexes, looks } = ages();
    const items = page.items.filter((object) => indexes.isShown(object, index, lagMs));
    looks.hide(
      reader,
      page.items.filter((object) => !items.includes(object)),
    );
    return { ...page, items };
  };
  const lagging: Store = { ...store, list };
  const listTasks = async (): Promise<readonly string[]> => {
    const stale = faults.hits('staleTasks');
    const ids = await runtime.list();
    if (!stale) return ids;
    const lagMs = shortly(stale, LAG_MS);
    return ids.filter((id) => ages().isListed(id, lagMs));
  };
  const describe = async (asked: readonly string[]): Promise<readonly TaskState[]> => {
    const stale = faults.hits('staleTasks');
    const tasks = await runtime.describe(asked);
    if (!stale) return tasks;
    const lagMs = shortly(stale, LAG_MS);
    return tasks.filter(({ id }) => ages().isListed(id, lagMs));
  };
  return { ...effects, store: lagging, runtime: { ...runtime, list: listTasks, describe } };
}
