/**
 * Following: work that a sweep began wakes what comes next by itself and does not wait for the
 * table's stream, so that one sweep brings each object to its fixpoint although the stream is dead
 * (architecture D8). Without it every stage, from Deployment to task, would wait for another sweep.
 *
 * Invariant F1: a chain of followed work ends where nothing is written.
 */
import type { Change } from '../api/change.ts';
import type { Outcome } from './controller.ts';
import type { Effects } from './effects.ts';
import { noting } from './noting.ts';
import { route, type Routes } from './router.ts';

/**
 * Begins a message whose work is to be followed. No name of a controller or a cell holds a space.
 */
const MARK = 'follow ';

export function marked(text: string): string {
  return MARK + text;
}

/**
 * Does the work that a message names; when it is marked, wakes what its writes call for, marked.
 */
export async function follow(
  body: string,
  effects: Effects,
  routes: Routes,
  work: (text: string, effects: Effects) => Promise<Outcome>,
): Promise<Outcome> {
  if (!body.startsWith(MARK)) return work(body, effects);
  return followed(effects, routes, (under) => work(body.slice(MARK.length), under));
}

/** Does the work, and wakes what its writes call for, marked. */
export async function followed<T>(
  effects: Effects,
  routes: Routes,
  work: (effects: Effects) => Promise<T>,
): Promise<T> {
  const changes: Change[] = [];
  const store = noting(effects.store, (change) => void changes.push(change));
  const result = await work({ ...effects, store });
  await route(changes, effects.store, routes, marked);
  return result;
}
