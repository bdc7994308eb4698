/**
 * Events for people. One object a (target, reason, message), counted up when it happens again, so
 * that a crash loop makes one line and not a thousand. Best effort: a lost event is a log line and
 * never an error.
 */
import { keyOf } from '../api/change.ts';
import type { Event } from '../api/kinds/core.ts';
import type { AnyObject } from '../api/meta.ts';
import { parseTime, rfc3339 } from '../api/time.ts';
import { eventObject } from '../core/event-object.ts';
import type { EventAction } from '../core/plan.ts';
import { AlreadyExists, Conflict } from '../ports/store.ts';
import type { Effects } from './effects.ts';

/**
 * The same event again within this time changes nothing: people read minutes, writes cost money.
 */
const COUNT_INTERVAL_MS = 10_000;

export async function recordEvent(action: EventAction, effects: Effects): Promise<void> {
  try {
    await effects.store.create('events', newEvent(action, effects));
  } catch (error) {
    if (error instanceof AlreadyExists) await countUp(error.current, effects);
    else reportLoss(error, action, effects);
  }
}

function newEvent(action: EventAction, { clock, ids }: Effects): Event {
  const nowMs = clock.nowMs();
  return eventObject(action, { uid: ids.uid(), count: 1, firstMs: nowMs, lastMs: nowMs });
}

async function countUp(current: AnyObject, effects: Effects): Promise<void> {
  const event = current as unknown as Event;
  const nowMs = effects.clock.nowMs();
  if (nowMs - (parseTime(event.lastTimestamp) ?? 0) < COUNT_INTERVAL_MS) return;
  const counted = { ...event, count: (event.count ?? 1) + 1, lastTimestamp: rfc3339(nowMs) };
  try {
    await effects.store.update('events', counted);
  } catch (error) {
    if (error instanceof Conflict) return; // somebody else has just counted
    effects.recorder.log({
      level: 'debug',
      message: 'event not counted',
      fields: { key: keyOf('events', current), error: String(error) },
    });
  }
}

function reportLoss(error: unknown, action: EventAction, { recorder }: Effects): void {
  recorder.log({
    level: 'warn',
    message: 'event not recorded',
    fields: { about: action.about, reason: action.reason, error: String(error) },
  });
}
