/** Planted defects: messages. */
import type { Patches } from '../patch.ts';

export const OF_MESSAGES = {
  noVersionGate: {
    what: 'states of tasks are believed in the order in which they come',
    file: 'shared/core/pod/observe.ts',
    find: '(task.attempt === attempt && task.version > taskVersion)',
    replace: '(task.attempt === attempt && task.version !== taskVersion)',
  },
  endIsNotFinal: {
    what: 'the end of a task that is told again counts again',
    file: 'shared/core/pod/observe.ts',
    find: "if (task.attempt === attempt && taskStopped && task.phase === 'stopped') return false;",
    replace: '',
    equivalent: 'the version gate drops the repeat; only a runtime that starts anew tells it again',
  },
  ackOnRetry: {
    what: 'a message whose work failed is acknowledged',
    file: 'shared/control/work.ts',
    find: 'return queue.release(delivery, retryDelayMs(delivery.receives));',
    replace: 'return queue.ack(delivery);',
    hint: ['--composite', '--script', 'create', '--about', 'reconcile'],
  },
  timerNotSent: {
    what: 'work that is to be done again later is not sent again',
    file: 'shared/control/work.ts',
    find: 'await queue.send([delayedAgain(delivery, outcome.ms)]);',
    replace: '',
    hint: ['--from', '46', '--seeds', '20'],
  },
  conflictIsTerminal: {
    what: 'a lost race ends the work',
    file: 'shared/control/outcome.ts',
    find: 'return isTerminal(error) ? ',
    replace: "return isTerminal(error) || error.name === 'Conflict' ? ",
    hint: ['--composite', '--script', 'create', '--about', 'reconcile'],
  },
  oldLookActs: {
    what: 'a process that was frozen as it looked acts on what it saw',
    file: 'shared/control/reconcile.ts',
    find: 'nowMs - beganAtMs > MAX_LOOK_MS',
    replace: 'nowMs < beganAtMs',
    hint: ['--systematic', '--script', 'thawed'],
  },
  noSweepOfTasks: {
    what: 'the sweep does not ask which tasks live',
    file: 'shared/control/sweep.ts',
    find: 'await followed(effects, routes, sweepTasks);',
    replace: '',
  },
  noSweepOfCells: {
    what: 'the sweep does not wake the scheduler',
    file: 'shared/control/sweep.ts',
    find: 'await wakeCells(await knownCells(effects.store), routes.scheduleQueue, marked);',
    replace: '',
    equivalent: 'the sweep of pods routes each pending pod as just changed, which wakes the cell',
  },
  sweepStopsAtPage: {
    what: 'the sweep looks at no object at all',
    file: 'shared/control/sweep.ts',
    find: 'else await wake(resource, items, effects, routes);',
    replace: '',
  },
  sweepNotFollowed: {
    what: 'the work of a sweep waits for the stream at each stage',
    file: 'shared/control/follow.ts',
    find: 'await route(changes, effects.store, routes, marked);',
    replace: '',
  },
  eventsExpireAtOnce: {
    what: 'the sweep removes events that are young',
    file: 'shared/control/sweep.ts',
    find: 'const expired = events.filter((event) => lastSeenMs(event) < oldestMs);',
    replace: 'const expired = events.filter((event) => lastSeenMs(event) !== oldestMs);',
  },
  eventsNeverExpire: {
    what: 'the sweep removes nothing old',
    file: 'shared/control/sweep.ts',
    find: "if (resource === 'events') await expire(items, effects);",
    replace: "if (resource === 'events') return undefined;",
  },
  sweepListsPodsFirst: {
    what: 'the sweep lists pods before tasks: a task that is younger than the look is leaked',
    file: 'shared/control/sweep-tasks.ts',
    find:
      'const live = await runtime.list(); // before the pods: see core/health/sweep.ts' +
      '\n' +
      "  const pods = await listAll<Pod>(store, { resource: 'pods' });",
    replace:
      "const pods = await listAll<Pod>(store, { resource: 'pods' });\n" +
      '  const live = await runtime.list();',
    hint: ['--script', 'swept', '--seeds', '60'],
  },
} as const satisfies Patches;
