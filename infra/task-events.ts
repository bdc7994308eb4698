/**
 * Which of ECS's events of a task reach the health function. A task goes through eight states and
 * is told of in each; a pod shows two of them, and the answer of RunTask shows the first. Each
 * message that is not sent saves its requests, an invocation, a read, and a write of the pod.
 *
 * Invariant: of whatever a task does, its end is told. What is left out is never the last event.
 */

type Pattern = {
  readonly [field: string]: readonly (string | { readonly 'anything-but': string })[];
};

/** By the name of their rule; no event fits two of them. */
export const TASK_EVENTS: { readonly [rule: string]: Pattern } = {
  /** Not what is told of a running task that was asked to stop: it still runs. */
  running: { lastStatus: ['RUNNING'], desiredStatus: ['RUNNING'] },
  stopped: { lastStatus: ['STOPPED'] },
  /**
   * It ends and we did not ask for it: a crash, Spot that is taken back. Its pod serves no more,
   * and the end itself may be half a minute away.
   */
  ending: {
    lastStatus: ['DEACTIVATING', 'DEPROVISIONING'],
    stopCode: [{ 'anything-but': 'UserInitiated' }],
  },
};
