/**
 * Events for people. One object a (target, reason, message), counted up when it happens again, so
 * that a crash loop makes one line and not a thousand. Best effort: a lost event is a log line and
 * never an error.
 */
import { keyOf } from '../api/change.ts';
import { nameHash } from '../api/hash.ts';
import type { Event } from '../api/kinds/core.ts';
import { type AnyObject, draftMeta } from '../api/meta.ts';
import { parseTime, rfc3339 } from '../api/time.ts';
import type { Action } from '../core/plan.ts';
import { AlreadyExists, Conflict } from '../ports/store.ts';
import type { Effects } from './effects.ts';

type EventAction = Extract<Action, { kind: 'event' }>;

/**
 * The same event again within this time changes nothing: people read minutes, writes cost money.
 */
const COUNT_INTERVAL_MS = 10_000;

/** Cluster-scoped objects have their events here, as in Kubernetes. */
const CLUSTER_EVENTS_NAMESPACE = 'default';

export async function recordEvent(action: EventAction, effects: Effects): Promise<void> {
  try {
    await effects.store.create('events', newEvent(action, effects));
  } catch (error) {
    if (error instanceof AlreadyExists) await countUp(error.current, effects);
    else reportLoss(error, action, effects);
  }
}

function newEvent(action: EventAction, { clock, ids }: Effects): Event {
  const { about, type, reason, message } = action;
  const now = rfc3339(clock.nowMs());
  const source = { component: 'nullplane' };
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: draftMeta({
      name: `${about.name}.${nameHash([about.uid, type, reason, message].join('\n'), 12)}`,
      namespace: about.namespace || CLUSTER_EVENTS_NAMESPACE,
      uid: ids.uid(),
      creationTimestamp: now,
    }),
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      name: about.name,
      uid: about.uid,
      ...(about.namespace ? { namespace: about.namespace } : {}),
    },
    type,
    reason,
    message,
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
    source,
    reportingComponent: source.component,
    reportingInstance: '',
  };
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
