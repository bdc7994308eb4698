/** Planted defects: tasks and attempts. */
import type { Patches } from '../patch.ts';

export const OF_TASKS = {
  unansweredIsForgotten: {
    what: 'a pod whose launch was not answered is taken for one without a task',
    file: 'shared/core/pod/attempt.ts',
    find: 'return pod.control?.attempt !== undefined && pod.control.taskStopped !== true;',
    replace: 'return pod.control?.taskId !== undefined && pod.control.taskStopped !== true;',
  },
  refusalIsFinal: {
    what: 'a launch that was refused here is taken for one that nobody else has asked for',
    file: 'shared/core/pod/attempt.ts',
    find: 'return nowMs < (askedUntilMs(pod) ?? -Infinity);',
    replace: 'return false;',
    hint: ['--systematic', '--script', 'noRoom', '--from', '4', '--about', 'runtime.run'],
  },
  questionIsShort: {
    what: 'a launch is believed to be over after two seconds',
    file: 'shared/core/pod/attempt.ts',
    find: 'export const QUESTION_MS = 120_000;',
    replace: 'export const QUESTION_MS = 2_000;',
    hint: ['--systematic', '--script', 'noRoom', '--from', '4', '--about', 'runtime.run'],
  },
  attemptReused: {
    what: 'the next attempt has the number of the last',
    file: 'shared/core/pod/next-attempt.ts',
    find: 'withIntent(pod, (pod.control?.attempt ?? 0) + 1, nowMs)',
    replace: 'withIntent(pod, pod.control?.attempt ?? 1, nowMs)',
  },
  attemptSkipped: {
    what: 'a launch that is not answered is made again as another attempt',
    file: 'shared/core/pod/plan.ts',
    find: "  return inOrder({ kind: 'runTask', ...of });",
    replace:
      "  if (nowMs - intentAtMs > 3_000) return inOrder(update('pods', withIntent(pod, " +
      'attempt + 1, nowMs)));\n' +
      "  return inOrder({ kind: 'runTask', ...of });",
  },
  noBackOff: {
    what: 'a container that crashes is started again at once',
    file: 'shared/core/pod/backoff.ts',
    find: 'return crashes <= 1 ? 0 : doubled(crashes - 2);',
    replace: 'return 0;',
  },
  noLaunchBackOff: {
    what: 'a launch that failed is tried again at once',
    file: 'shared/core/pod/next-attempt.ts',
    find:
      'const delayMs = Math.max(launchDelayMs(failures), (askedUntilMs(pod) ?? nowMs) ' +
      '- nowMs);',
    replace: 'const delayMs = 0;',
  },
  crashesNotCounted: {
    what: 'crashes are not counted, so that the back-off never grows',
    file: 'shared/core/pod/attempt.ts',
    find: '...(crashes ? { crashes } : {}),',
    replace: '',
  },
  removedAtStop: {
    what: 'a pod is removed when its task is asked to stop',
    file: 'shared/core/pod/stop.ts',
    find: 'if (!mayHaveTask(pod)) return planRemoval(pod, nowMs);',
    replace:
      'if (!mayHaveTask(pod) || pod.control?.stopAskedAtMs) return ' +
      "pod.metadata.deletionTimestamp ? inOrder(removal('pods', pod)) : NOTHING;",
  },
  stopNotRepeated: {
    what: 'a stop that was lost is not repeated',
    file: 'shared/core/pod/stop.ts',
    find: 'return planKill(pod, taskId);\n}',
    replace: 'return blocked(`waits for ${taskId}`) && NOTHING;\n}',
  },
  killWithoutLook: {
    what: 'whether a task that should be dead has ended is not asked',
    file: 'shared/core/pod/stop.ts',
    find: 'inOrder(kill, look)',
    replace: 'inOrder(kill)',
    equivalent:
      'the sweep asks for the task of every pod that was answered, and no other is killed',
  },
  neverStopped: {
    what: 'tasks of deleted pods are not asked to stop before the grace is over',
    file: 'shared/core/pod/stop.ts',
    find: '{ ...inOrder(stop), againAfterMs:',
    replace: '{ ...inOrder(), againAfterMs:',
  },
  orphanKept: {
    what: 'a live task that nobody means is left alone when it tells of itself',
    file: 'shared/control/health.ts',
    find: "if (isOrphan && (task.phase === 'pending' || task.phase === 'running')) {",
    replace: "if (isOrphan && task.phase === 'stopping') {",
    equivalent: 'the sweep stops it as well, within minutes',
  },
  orphanKeptForEver: {
    what: 'a live task that nobody means is stopped by nobody',
    file: 'shared/control/sweep-tasks.ts',
    find: 'for (const taskId of leaked) await runtime.stop(taskId, LEAKED_GRACE_SECONDS);',
    replace: '',
  },
  adoptsUnknownDevices: {
    what: 'a pod adopts a task after a restore on parts of GPUs that nobody knows',
    file: 'shared/core/pod/observe.ts',
    find: 'if (base === pod || !lacksDevices(next)) return',
    replace: 'if (base === pod || next) return',
    hint: ['--script', 'setBackShares', '--seeds', '40'],
  },
  unreadableStays: {
    what: 'a pod that is to go and was spoilt since its launch is asked for again for ever',
    file: 'shared/core/pod/plan.ts',
    find: 'const isSpoilt = isLeaving(pod) && !isReadable(pod);',
    replace: 'const isSpoilt = false;',
    hint: ['--systematic', '--script', 'needy', '--plans', '1'],
  },
  adoptsWithoutNode: {
    what: 'a pod that adopts a task after a restore is not bound to the node of the task',
    file: 'shared/core/pod/observe.ts',
    find: 'return pod.spec.nodeName || !nodeName ? pod :',
    replace: 'return pod || !nodeName ? pod :',
  },
  missingTooSoon: {
    what: 'a task that a list does not show is missing, however young it is',
    file: 'shared/core/health/sweep.ts',
    find: 'return nowMs - launchedAtMs < YOUNG_TASK_MS;',
    replace: 'return false;',
    hint: ['--script', 'swept', '--seeds', '60'],
  },
  leakedWhenMeant: {
    what: 'the sweep stops tasks that are meant',
    file: 'shared/core/health/sweep.ts',
    find: 'if (currentTaskId(pod) === taskId) return mayHaveTask(pod);',
    replace: 'if (currentTaskId(pod) === taskId) return isAnswered(pod);',
    hint: ['--script', 'swept', '--seeds', '60'],
  },
  terminalRevives: {
    what: 'a pod that is over may run again',
    file: 'shared/core/pod/phase.ts',
    find: 'if (isTerminal(pod)) return pod.status.phase;',
    replace: '',
  },
} as const satisfies Patches;
