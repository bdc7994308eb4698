/**
 * The sweep: what events may have missed. It treats each stored object as just changed, asks the
 * runtime which tasks live, and lets old events go. An event is a hint; the store and the runtime
 * are the truth.
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
import { Conflict } from '../ports/store.ts';
import type { Effects } from './effects.ts';
import { followed, marked } from './follow.ts';
import { pagesOf } from './list-all.ts';
import { route, type Routes, workMessage } from './router.ts';
import { DEFAULT_CELL } from './scheduler.ts';
import { sweepTasks } from './sweep-tasks.ts';

/** As long as Kubernetes keeps events. */
const EVENT_TTL_MS = 3_600_000;

/** Events that one sweep removes at most; the next goes on. */
const MAX_EXPIRED_EVENTS = 5_000;

export async function sweep(effects: Effects, routes: Routes): Promise<void> {
  await followed(effects, routes, sweepTasks);
  for (const type of RESOURCES) {
    if (type.name === 'events') await expireEvents(effects);
    else await wakeAll(type.name, effects, routes);
  }
  await routes.scheduleQueue.send([workMessage(DEFAULT_CELL, marked)]);
}

async function wakeAll(resource: string, effects: Effects, routes: Routes): Promise<void> {
  for await (const items of pagesOf(effects.store, { resource })) {
    const changes = items.map((object) => ({ type: 'put' as const, resource, object }));
    await route(changes, effects.store, routes, marked);
  }
}

async function expireEvents(effects: Effects): Promise<void> {
  const oldestMs = effects.clock.nowMs() - EVENT_TTL_MS;
  let left = MAX_EXPIRED_EVENTS;
  for await (const items of pagesOf(effects.store, { resource: 'events' })) {
    const expired = items.filter((event) => lastSeenMs(event) < oldestMs).slice(0, left);
    await Promise.all(expired.map((event) => forget(event, effects)));
    left -= expired.length;
    if (left <= 0) return;
  }
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
