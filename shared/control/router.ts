/**
 * The router: whose keys does a change wake? Messages carry keys and never the change's content,
 * which is a hint; the store is the truth.
 */
import type { Change } from '../api/change.ts';
import type { Queue, WorkMessage } from '../ports/queue.ts';
import { type AnyController, type Reader, workText } from './controller.ts';
import { scheduleMessage, wakesScheduler } from './scheduler.ts';

export interface Routes {
  readonly controllers: readonly AnyController[];
  readonly reconcileQueue: Queue;
  readonly scheduleQueue: Queue;
}

/** Sends the messages that these changes call for: each key once. */
export async function route(
  changes: readonly Change[],
  read: Reader,
  { controllers, reconcileQueue, scheduleQueue }: Routes,
): Promise<void> {
  const texts = new Set<string>();
  for (const change of changes) {
    for (const controller of controllers) {
      for (const key of await controller.wakes(change, read)) {
        texts.add(workText(controller.name, key));
      }
    }
  }
  if (texts.size > 0) await reconcileQueue.send([...texts].map(workMessage));
  if (changes.some(wakesScheduler)) await scheduleQueue.send([scheduleMessage()]);
}

/** The group is the work itself, so that a key is worked on by one at a time. */
export function workMessage(text: string): WorkMessage {
  return { group: text, body: text };
}
