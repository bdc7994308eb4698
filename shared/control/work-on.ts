/**
 * What the functions do with a message of a queue: the work that it names, followed if it says so.
 */
import type { Outcome, Reader } from './controller.ts';
import type { Effects } from './effects.ts';
import { follow } from './follow.ts';
import { POLL_HEALTH, pollHealth, pollMessage } from './poll-health.ts';
import { parseWork, reconcile } from './reconcile.ts';
import type { Routes } from './router.ts';
import { schedulePass } from './scheduler.ts';
import { isSweepWork, workOnSweep } from './sweep-work.ts';

/**
 * A message of the reconcile queue. What no controller of ours could have sent is dropped, and
 * said. `shared`: see `reconcile`.
 */
export function workOnKey(
  body: string,
  effects: Effects,
  routes: Routes,
  shared?: Pick<Reader, 'get'>,
): Promise<Outcome> {
  if (isSweepWork(body)) return workOnSweep(body, effects, routes);
  if (body === POLL_HEALTH) return poll(effects, routes);
  return follow(body, effects, routes, async (text, under) => {
    const work = parseWork(text, routes.controllers);
    if (work) return reconcile(work, under, shared);
    // It can never succeed: keeping it would only fill the dead letters.
    effects.recorder.log({ level: 'warn', message: 'unknown work dropped', fields: { text } });
    return { type: 'done' };
  });
}

/** A round of polling, and the message of the next one if there is to be one. */
async function poll(effects: Effects, routes: Routes): Promise<Outcome> {
  const outcome = await pollHealth(effects);
  if (outcome.type !== 'after') return outcome;
  await routes.reconcileQueue.send([pollMessage(effects.clock.nowMs(), outcome.ms)]);
  return { type: 'done' };
}

/** A message of the schedule queue. */
export function workOnCell(body: string, effects: Effects, routes: Routes): Promise<Outcome> {
  return follow(body, effects, routes, schedulePass);
}
