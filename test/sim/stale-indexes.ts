/**
 * Indexes that lag: now and then, a list by index does not show what came into it in the last
 * seconds.
 */
import type { KubeObject } from '../../shared/api/meta.ts';
import type { Effects } from '../../shared/control/effects.ts';
import type { ListQuery, Page, Store } from '../../shared/ports/store.ts';
import type { Faults } from './faults.ts';
import type { Oracles } from './oracles.ts';

const LAG_MS = 5_000;

export function staleIndexes(effects: Effects, faults: Faults, oracles: () => Oracles): Effects {
  const { store } = effects;
  const list = async <T extends KubeObject>(query: ListQuery): Promise<Page<T>> => {
    const lagMs = query.index && faults.hits('staleIndex') ? faults.lengthMs(LAG_MS) : 0;
    const page = await store.list<T>(query);
    if (lagMs === 0) return page;
    const shown = (object: T) => oracles().isIndexed(query.resource, object, lagMs);
    return { ...page, items: page.items.filter(shown) };
  };
  const lagging: Store = { ...store, list };
  return { ...effects, store: lagging };
}
