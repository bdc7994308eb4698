/**
 * The router: whose keys does a change wake? Messages carry keys and never the change's content,
 * which is a hint; the store is the truth.
 */
import type { Change } from '../api/change.ts';
import type { Queue, WorkMessage } from '../ports/queue.ts';
import { type AnyController, type Reader, workText } from './controller.ts';
import { DEFAULT_CELL, wakesScheduler } from './scheduler.ts';

export interface Routes {
  readonly controllers: readonly AnyController[];
  readonly reconcileQueue: Queue;
  readonly scheduleQueue: Queue;
}

/**
 * Sends the messages that these changes call for: each key once. `bodyOf` makes the message's text
 * of the work's; a sweep marks it (follow.ts).
 */
export async function route(
  changes: readonly Change[],
  read: Reader,
  { controllers, reconcileQueue, scheduleQueue }: Routes,
  bodyOf: (text: string) => string = (text) => text,
): Promise<void> {
  const texts = new Set<string>();
  for (const change of changes) {
    for (const controller of controllers) {
      for (const key of await controller.wakes(change, read)) {
        texts.add(workText(controller.name, key));
      }
    }
  }
  const messages = [...texts].map((text) => workMessage(text, bodyOf));
  if (messages.length > 0) await reconcileQueue.send(messages);
  if (changes.some(wakesScheduler)) {
    await scheduleQueue.send([workMessage(DEFAULT_CELL, bodyOf)]);
  }
}

/** The group is the work itself, marked or not, so that a key is worked on by one at a time. */
export function workMessage(text: string, bodyOf: (text: string) => string): WorkMessage {
  return { group: text, body: bodyOf(text) };
}
