/**
 * The sweep: what events may have missed. It treats each stored object as just changed, asks which
 * machines and tasks live, and lets old events go. An event is a hint; the store, the runtime and
 * the instances are the truth.
 *
 * A sweep is a list of parts, a part ends with a page: a function can do one of them within its
 * time, and sends what is left as the next message (sweep-work.ts). One process does them in a row.
 *
 * Invariants:
 *  W1 A sweep alone, with no events at all, brings every object to where it should be.
 *  W2 A sweep of a world that is as it should be writes nothing (L3); only events that are old
 *     enough go.
 */
import { expectedOf, keyOf } from '../api/change.ts';
import type { Event } from '../api/kinds/core.ts';
import type { AnyObject } from '../api/meta.ts';
import { RESOURCES } from '../api/resources.ts';
import { parseTime } from '../api/time.ts';
import { EVENT_TTL_MS } from '../core/event-object.ts';
import { Conflict } from '../ports/store.ts';
import { knownCells } from './cells.ts';
import type { Effects } from './effects.ts';
import { followed, marked } from './follow.ts';
import { route, type Routes, wakeCells } from './router.ts';
import { sweepNodes } from './sweep-nodes.ts';
import { sweepTasks } from './sweep-tasks.ts';
import { sweepVault } from './vault-sweep.ts';

export type SweepPart =
  | { readonly part: 'tasks' | 'machines' | 'cells' | 'vault' }
  | { readonly part: 'resource'; readonly resource: string; readonly after?: string };

/** Objects a page: seconds of work, and an answer that any store can give at once. */
const PAGE = 500;

/** The parts that a sweep begins with. */
export function sweepParts(): readonly SweepPart[] {
  const resources = RESOURCES.map(({ name }) => ({ part: 'resource', resource: name }) as const);
  return [
    { part: 'machines' },
    { part: 'tasks' },
    ...resources,
    { part: 'cells' },
    { part: 'vault' },
  ];
}

/** Does a part, up to the end of a page; returns what is left of it. */
export async function sweepPart(
  part: SweepPart,
  effects: Effects,
  routes: Routes,
): Promise<SweepPart | undefined> {
  switch (part.part) {
    case 'tasks':
      await followed(effects, routes, sweepTasks);
      return undefined;
    case 'machines':
      await followed(effects, routes, sweepNodes);
      return undefined;
    case 'vault':
      if (effects.vault) await sweepVault({ ...effects, vault: effects.vault });
      return undefined;
    case 'cells':
      await wakeCells(await knownCells(effects.store), routes.scheduleQueue, marked);
      return undefined;
    case 'resource':
      return sweepPage(part, effects, routes);
  }
}

/** All parts, one after the other. */
export async function sweep(effects: Effects, routes: Routes): Promise<void> {
  for (const part of sweepParts()) {
    let left: SweepPart | undefined = part;
    while (left) left = await sweepPart(left, effects, routes);
  }
}

type ResourcePart = Extract<SweepPart, { part: 'resource' }>;

async function sweepPage(
  { resource, after }: ResourcePart,
  effects: Effects,
  routes: Routes,
): Promise<SweepPart | undefined> {
  const from = after === undefined ? {} : { after };
  const { items, next } = await effects.store.list({ resource, limit: PAGE, ...from });
  if (resource === 'events') await expire(items, effects);
  else await wake(resource, items, effects, routes);
  return next === undefined ? undefined : { part: 'resource', resource, after: next };
}

async function wake(
  resource: string,
  items: readonly AnyObject[],
  effects: Effects,
  routes: Routes,
): Promise<void> {
  const changes = items.map((object) => ({ type: 'put' as const, resource, object }));
  await route(changes, effects.store, routes, marked);
}

async function expire(events: readonly AnyObject[], effects: Effects): Promise<void> {
  const oldestMs = effects.clock.nowMs() - EVENT_TTL_MS;
  const expired = events.filter((event) => lastSeenMs(event) < oldestMs);
  await Promise.all(expired.map((event) => forget(event, effects)));
}

function lastSeenMs(object: AnyObject): number {
  const event = object as unknown as Event;
  return parseTime(event.lastTimestamp ?? event.metadata.creationTimestamp) ?? 0;
}

async function forget(event: AnyObject, { store }: Effects): Promise<void> {
  try {
    await store.remove(keyOf('events', event), expectedOf(event));
  } catch (error) {
    // Counted up or gone since: not ours to remove any more.
    if (!(error instanceof Conflict)) throw error;
  }
}
