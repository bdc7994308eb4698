/**
 * Batches: launches of pods that are alike but for their node, asked for in one question where
 * calls are scarcer than tasks (ECS: ten tasks a call, forty calls a second). The scheduler makes
 * them as it binds; one member asks for all. Pure.
 *
 * Invariants:
 *  B1 Which task is a member's own follows from its pod alone: the batch's token and its node.
 *  B2 A question names only members that are bound and want it at that moment. A runtime takes on
 *     the first question of a token and no other, so that whoever asks again, for whichever
 *     members, starts nothing twice (S1); a member that it left out goes on to an attempt of its
 *     own.
 *  B3 Only first attempts are in a batch.
 */
import type { LaunchBatch, Pod } from '../../api/kinds/pod.ts';
import type { TaskState } from '../../api/task.ts';
import { currentTaskId, isAnswered, mayHaveTask } from './attempt.ts';

/** As many tasks as ECS starts in one call. */
export const MAX_BATCH = 10;

/** After so long a member asks for itself: who was to ask for it did not. */
export const BATCH_WAIT_MS = 30_000;

/** A member that is to be bound in the same pass is waited for so long. */
export const BINDING_MS = 3_000;

/** How much longer the pod leaves its launch to another member; undefined if it asks itself. */
export function waitsForBatchMs({ control = {} }: Pod, nowMs: number): number | undefined {
  const { batch, attempt, intentAtMs = 0 } = control;
  if (!batch || batch.with || attempt !== 1) return undefined;
  const leftMs = intentAtMs + BATCH_WAIT_MS - nowMs;
  return leftMs > 0 ? leftMs : undefined;
}

/** The batch that this pod is to ask for; undefined when it asks for itself at most. */
export function batchToAskFor({ control }: Pod): LaunchBatch | undefined {
  return control?.attempt === 1 && control.batch?.with ? control.batch : undefined;
}

/** What a member is at the moment of the question (B2). */
export type MemberState = 'wants' | 'unbound' | 'out';

export function memberState(pod: Pod | undefined, token: string): MemberState {
  if (!pod || pod.metadata.deletionTimestamp !== undefined) return 'out';
  if (!pod.spec.nodeName) return 'unbound';
  const { batch, attempt } = pod.control ?? {};
  const isIn = batch?.token === token && attempt === 1;
  return isIn && mayHaveTask(pod) && !isAnswered(pod) ? 'wants' : 'out';
}

/** The state as that of the pod's own task; undefined when the task is not its present one. */
export function asOwnTask(pod: Pod, task: TaskState): TaskState | undefined {
  if (task.podUid !== '') return task;
  if (task.id !== currentTaskId(pod)) return undefined;
  const { uid, name, namespace = '' } = pod.metadata;
  const nodeName = pod.spec.nodeName ?? '';
  return { ...task, podUid: uid, podName: name, namespace, nodeName, attempt: 1 };
}
