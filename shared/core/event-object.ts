/** Events as objects: one a (target, reason, message), whose name is derived from them. Pure. */
import { nameHash } from '../api/hash.ts';
import type { Event } from '../api/kinds/core.ts';
import { draftMeta } from '../api/meta.ts';
import { rfc3339 } from '../api/time.ts';
import type { EventAction } from './plan.ts';

/** Cluster-scoped objects have their events here, as in Kubernetes. */
const CLUSTER_EVENTS_NAMESPACE = 'default';

/** As long as Kubernetes keeps an event after it has happened last. */
export const EVENT_TTL_MS = 3_600_000;

export interface Happened {
  readonly uid: string;
  readonly resourceVersion?: string;
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

export function eventObject(
  { about, type, reason, message }: Omit<EventAction, 'kind'>,
  { uid, resourceVersion = '', count, firstMs, lastMs }: Happened,
): Event {
  const first = rfc3339(firstMs);
  const source = { component: 'nullplane' };
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: draftMeta({
      name: `${about.name}.${nameHash([about.uid, type, reason, message].join('\n'), 12)}`,
      namespace: about.namespace || CLUSTER_EVENTS_NAMESPACE,
      ...{ uid, resourceVersion, creationTimestamp: first },
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
    count,
    firstTimestamp: first,
    lastTimestamp: rfc3339(lastMs),
    source,
    reportingComponent: source.component,
    reportingInstance: '',
  };
}

/** The name of the object that an event of this name is about: see `eventObject`. */
export function nameOfTarget(eventName: string): string {
  const dot = eventName.lastIndexOf('.');
  return dot < 0 ? '' : eventName.slice(0, dot);
}
