/**
 * How long events are kept: an hour after they have happened last, as in Kubernetes. One that goes
 * sooner was there for nobody (S5), one that stays is a leak (L2).
 */
import type { Event } from '../../../shared/api/kinds/core.ts';
import { parseTime } from '../../../shared/api/time.ts';
import { EVENT_TTL_MS } from '../../../shared/core/event-object.ts';
import type { Violation } from '../../../shared/core/invariants.ts';

/** How wrong the clocks of who wrote it and of who removes it may be, together. */
const MAX_SKEW_MS = 10 * 60_000;

/** Judges a removal by the sweep; one with its namespace is another matter. */
export function checkExpiry(event: Event, nowMs: number): readonly Violation[] {
  const ageMs = nowMs - lastSeenMs(event);
  if (ageMs > EVENT_TTL_MS - MAX_SKEW_MS) return [];
  const message = `event ${event.metadata.name} goes after ${Math.round(ageMs / 1_000)} s`;
  return [{ invariant: 'S5', message }];
}

/** Of the events that are there just after a sweep. */
export function checkOldEvents(events: readonly Event[], nowMs: number): readonly Violation[] {
  const oldestMs = nowMs - EVENT_TTL_MS - MAX_SKEW_MS;
  const old = events.filter((event) => lastSeenMs(event) < oldestMs);
  if (old.length === 0) return [];
  return [{ invariant: 'L2', message: `${old.length} events are still there that are old` }];
}

function lastSeenMs({ lastTimestamp, metadata }: Event): number {
  return parseTime(lastTimestamp ?? metadata.creationTimestamp) ?? 0;
}
