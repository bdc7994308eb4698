/**
 * The router: whose keys does a change wake? Messages carry keys and never the change's content,
 * which is a hint; the store is the truth.
 */
import { type Change, keyOf } from '../api/change.ts';
import { keyText } from '../api/meta.ts';
import type { Clock } from '../ports/clock.ts';
import type { Queue, WorkMessage } from '../ports/queue.ts';
import { cellsOf } from './cells.ts';
import { type AnyController, type Reader, workText } from './controller.ts';
import { memoised } from './memoised.ts';
import { beginsPolling, pollMessage } from './poll-health.ts';
import { wakesScheduler } from './scheduler.ts';
import { wellFormedChange } from './well-formed-store.ts';

export interface Routes {
  readonly controllers: readonly AnyController[];
  readonly reconcileQueue: Queue;
  readonly scheduleQueue: Queue;
  /** Present where the runtime does not tell of its containers' health, which is polled then. */
  readonly polls?: Pick<Clock, 'nowMs'>;
}

/**
 * Sends the messages that these changes call for: each key once. `bodyOf` makes the message's text
 * of the work's; a sweep marks it (follow.ts).
 */
export async function route(
  changes: readonly Change[],
  read: Reader,
  routes: Routes,
  bodyOf: (text: string) => string = (text) => text,
): Promise<void> {
  const wakes = new Wakes();
  const asked = memoised(read);
  const readable = changes.map(wellFormedChange);
  for (const change of readable) {
    for (const controller of routes.controllers) {
      for (const key of await controller.wakes(change, asked)) {
        wakes.add(workText(controller.name, key), causeOf(change, controller, keyText(key)));
      }
    }
  }
  await send(wakes, readable, asked, routes, bodyOf);
}

/**
 * Sends only the wakes of the changed objects' own keys, and the scheduler's (prompt.ts). Not those
 * of objects whose controller has seen what is wanted of them: it was most likely the one who wrote
 * their status, and whatever else it was, the stream tells, with the state before.
 */
export async function routePromptly(
  changes: readonly Change[],
  read: Reader,
  routes: Routes,
): Promise<void> {
  const wakes = new Wakes();
  const asked = memoised(read);
  for (const change of changes) {
    if (isSeen(change)) continue;
    const own = keyText(keyOf(change.resource, change.object));
    for (const controller of routes.controllers) {
      if (controller.resource !== change.resource) continue;
      for (const key of await controller.wakes(change, asked)) {
        const cause = causeOf(change, controller, keyText(key));
        if (keyText(key) === own) wakes.add(workText(controller.name, key), cause);
      }
    }
  }
  await send(wakes, changes, asked, routes, (text) => text);
}

/** Whether the object's controller says that it has seen the present generation. */
function isSeen({ type, object }: Change): boolean {
  const { generation, deletionTimestamp } = object.metadata;
  const { observedGeneration } = (object.status ?? {}) as { observedGeneration?: number };
  const isWanted = type === 'put' && deletionTimestamp === undefined;
  return isWanted && observedGeneration !== undefined && observedGeneration === generation;
}

async function send(
  wakes: Wakes,
  changes: readonly Change[],
  read: Reader,
  { reconcileQueue, scheduleQueue, polls }: Routes,
  bodyOf: (text: string) => string,
): Promise<void> {
  const messages = wakes.messages(bodyOf);
  if (polls && changes.some(beginsPolling)) messages.push(pollMessage(polls.nowMs()));
  if (messages.length > 0) await reconcileQueue.send(messages);
  const helpful = changes.filter(wakesScheduler);
  if (helpful.length > 0) {
    await wakeCells(await cellsOf(helpful, read), scheduleQueue, bodyOf);
  }
}

/**
 * The version at which an object woke its own key: both the writer and the stream send that wake,
 * and the second is dropped. Undefined for the key of another object, which many changes wake.
 */
function causeOf(change: Change, controller: AnyController, key: string): string | undefined {
  const isOwn =
    controller.resource === change.resource &&
    key === keyText(keyOf(change.resource, change.object));
  return isOwn ? change.object.metadata.resourceVersion : undefined;
}

/** Works to be sent, each once, under the latest cause if all its causes are its own. */
class Wakes {
  readonly #causes = new Map<string, string | undefined>();

  add(text: string, cause: string | undefined): void {
    const isShared = this.#causes.has(text) && this.#causes.get(text) === undefined;
    this.#causes.set(text, isShared ? undefined : cause);
  }

  messages(bodyOf: (text: string) => string): WorkMessage[] {
    return [...this.#causes].map(([text, cause]) => ({
      ...workMessage(text, bodyOf),
      ...(cause === undefined ? {} : { cause }),
    }));
  }
}

/** Has each of the cells placed on. */
export function wakeCells(
  cells: readonly string[],
  scheduleQueue: Queue,
  bodyOf: (text: string) => string,
): Promise<void> {
  return scheduleQueue.send(cells.map((cell) => workMessage(cell, bodyOf)));
}

/** The group is the work itself, marked or not, so that a key is worked on by one at a time. */
function workMessage(text: string, bodyOf: (text: string) => string): WorkMessage {
  return { group: text, body: bodyOf(text) };
}
