/**
 * The timeout of a gang: one that has pods on nodes, and was not made whole in time, gives their
 * room back, so that others can run, and is left alone for a while. Pure. Owns when and what; what
 * a gang holds without being bound is given back at once (scheduling/gang/report.ts).
 *
 * Invariants:
 *  T1 Only a gang that has never been whole is timed: work that is under way is not ended because a
 *     part of it got lost. The pods that come in place of the lost ones are placed as before.
 *  T2 The time counts while pods hold room and fewer than `minMember` have a place that will do:
 *     one whose launch found no capacity has none.
 *  T3 Nothing is lost that nobody would make again: a pod that has begun and has no controller
 *     stays.
 *
 * Source: the scheduler-plugins project, coscheduling, `scheduleTimeoutSeconds`; its members wait
 * unbound, here they may have been bound before one of them was found to have no room.
 * See docs/decisions/0014-gang-release.md.
 */
import type { Pod } from '../../api/kinds/pod.ts';
import type { PodGroup } from '../../api/kinds/scheduling.ts';
import { controllerOf } from '../../api/meta.ts';
import { deletion } from '../deletion.ts';
import { type Action, event, eventTarget, NOTHING, type Plan, update } from '../plan.ts';
import { askedUntilMs } from '../pod/attempt.ts';
import { podIsActive } from '../pod/predicates.ts';
import { maySendBack, sentBack } from '../pod/send-back.ts';
import { DEFAULT_GANG_TIMEOUT_SECONDS } from '../scheduling/gang/membership.ts';
import { hasPlace } from '../scheduling/pending.ts';
import { backsOffMs, type GroupControl, groupControl } from './control.ts';

/** The first wait is as long as a machine takes to join; each further one is twice as long. */
const FIRST_BACK_OFF_MS = 60_000;
/** Long enough to cost nothing, short enough for a night's batch to begin within it. */
const LONGEST_BACK_OFF_MS = 900_000;

/** Pods that are released in one look, and the pause after it: as evictions of a node. */
const RELEASES_PER_LOOK = 50;
const RELEASE_PAUSE_MS = 1_000;

export const TIMED_OUT = 'Timeout';

/** The wait after so many releases in a row. */
export function releaseBackOffMs(releases: number): number {
  return Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** Math.min(releases - 1, 16));
}

export interface Holding {
  /** How many pods have a place that will do, or are done. */
  readonly fit: number;
  readonly control: GroupControl;
  /** The gang's time is over: this is said of it. */
  readonly timeout?: string;
  /** When to look again, if nothing happens. */
  readonly againAfterMs?: number;
}

/** `members`: those that are not being deleted. `isStarted`: the group is, or was, whole. */
export function holdingOf(
  group: PodGroup,
  members: readonly Pod[],
  isStarted: boolean,
  nowMs: number,
): Holding {
  const old = groupControl(group);
  const { minMember, scheduleTimeoutSeconds } = group.spec;
  const holders = members.filter(holdsRoom);
  const done = members.filter(({ status }) => status.phase === 'Succeeded').length;
  const fit = holders.filter(({ control }) => !control?.noCapacity).length + done;
  if (members.length === 0 && old.started) return { fit, control: {} };
  if (isStarted) return { fit, control: { started: true } };
  const { heldSinceMs = nowMs, ...rest } = old;
  const isHalf = holders.length > 0 && fit < minMember;
  // While it is left alone, pods that could not be released at once are no new hold.
  if (!isHalf || backsOffMs(group, nowMs) !== undefined) return { fit, control: rest };
  const timeoutSeconds = scheduleTimeoutSeconds ?? DEFAULT_GANG_TIMEOUT_SECONDS;
  const againAfterMs = heldSinceMs + timeoutSeconds * 1000 - nowMs;
  if (againAfterMs > 0) return { fit, control: { ...rest, heldSinceMs }, againAfterMs };
  const releases = (old.releases ?? 0) + 1;
  const waitMs = releaseBackOffMs(releases);
  const timeout =
    `${fit} of ${minMember} pods had a place after ${timeoutSeconds}s: ` +
    `their room is given back, and the gang is tried again in ${waitMs / 1000}s`;
  return { fit, control: { releases, retryAtMs: nowMs + waitMs }, timeout };
}

function holdsRoom(pod: Pod): boolean {
  return hasPlace(pod) && podIsActive(pod);
}

/** Takes the group's pods off their nodes, while it is left alone. */
export function planRelease(group: PodGroup, members: readonly Pod[], nowMs: number): Plan {
  if (backsOffMs(group, nowMs) === undefined || groupControl(group).started) return NOTHING;
  const holders = members.filter(holdsRoom);
  const releases = holders.flatMap((pod) => release(pod, group, nowMs) ?? []);
  const now = releases.slice(0, RELEASES_PER_LOOK);
  const asked = holders.map((pod) => (askedUntilMs(pod) ?? 0) - nowMs).filter((ms) => ms > 0);
  const pauses = releases.length > now.length ? [RELEASE_PAUSE_MS] : asked;
  const again = pauses.length > 0 ? { againAfterMs: Math.min(...pauses) } : {};
  if (now.length === 0) return { ...NOTHING, ...again };
  const stages = [now.map(({ write }) => write), now.map(({ news }) => news)];
  return { ...NOTHING, stages, ...again };
}

function release(
  pod: Pod,
  { metadata }: PodGroup,
  nowMs: number,
): { readonly write: Action; readonly news: Action } | undefined {
  const message = `its gang ${metadata.namespace ?? ''}/${metadata.name} was not whole in time`;
  const disruption = { reason: 'GangTimeout', message };
  const write = maySendBack(pod, nowMs)
    ? update('pods', sentBack(pod, message, nowMs))
    : controllerOf(pod) && deletion('pods', pod, { disruption }, nowMs);
  return (
    write && { write, news: event(eventTarget('pods', pod), 'Normal', 'GangTimeout', message) }
  );
}
