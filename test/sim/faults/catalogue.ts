/**
 * The faults that may happen: each kind, what it is, how likely it is, and which rows of the fault
 * catalogue of docs/reliability.md it stands for. A kind is asked about at each of its
 * opportunities, which are counted: the fault `crashAfter@12` is the one at its twelfth.
 *
 * `rate` is the probability an opportunity, before the seed scales it (faults.ts).
 */

export interface KindOfFault {
  readonly what: string;
  readonly rows: readonly number[];
  readonly rate: number;
}

/** Asked about at each call of a process. */
const OF_CALLS = {
  lostRequest: {
    what: 'the call never arrives; its caller is told that the service is unavailable',
    rows: [13],
    rate: 0.02,
  },
  lostAnswer: {
    what: 'the call takes effect; its caller is told that the service is unavailable',
    rows: [32],
    rate: 0.02,
  },
  lostLaunch: {
    what: 'as lostAnswer, for launches: RunTask is the call that is ambiguous most often',
    rows: [25],
    rate: 0.2,
  },
  crashBefore: {
    what: 'the caller dies as it calls; the call never arrives',
    rows: [8],
    rate: 0.006,
  },
  crashAfter: { what: 'the caller dies while the call takes effect', rows: [8], rate: 0.006 },
  zombie: {
    what: 'the caller dies, and its call takes effect up to a minute later',
    rows: [9, 17],
    rate: 0.004,
  },
  freeze: {
    what: 'the caller is frozen as it is answered, and goes on with what it knew later',
    rows: [10],
    rate: 0.003,
  },
  slowCall: { what: 'a call is on its way for seconds', rows: [44], rate: 0.02 },
  conflict: { what: 'somebody else writes the object just before', rows: [43], rate: 0.03 },
  staleIndex: {
    what: 'an index does not yet show the writes of the last seconds',
    rows: [16],
    rate: 0.2,
  },
  shortPage: { what: 'a list comes in pages of a few, changed in between', rows: [20], rate: 0.05 },
  staleTasks: { what: 'a look at tasks does not show the youngest', rows: [31], rate: 0.3 },
} as const satisfies Kinds;

/** Asked about at each message, or each process that is begun. */
const OF_MESSAGES = {
  streamDuplicate: { what: 'a change is told twice', rows: [1], rate: 0.05 },
  streamDelay: { what: 'a change is told late, after later ones', rows: [2, 3], rate: 0.1 },
  streamLoss: { what: 'a change is never told', rows: [4, 7], rate: 0.02 },
  queueDuplicate: { what: 'a message is handed out again', rows: [22], rate: 0.05 },
  queueTwin: { what: 'a message is handed to two at a time', rows: [22, 43], rate: 0.05 },
  queueDelay: { what: 'a message is handed out late', rows: [22], rate: 0.1 },
  scheduleTwin: { what: 'two schedulers work on one cell', rows: [43], rate: 0.2 },
  timerLoss: { what: 'a message that waits for its time is lost', rows: [23], rate: 0.02 },
  healthDuplicate: { what: 'an event of a task or node comes twice', rows: [30], rate: 0.1 },
  healthDelay: { what: 'an event comes late, after later ones', rows: [30], rate: 0.2 },
  healthLoss: { what: 'an event never comes', rows: [30], rate: 0.05 },
  healthGarbled: { what: 'an event comes well-formed, and wrong', rows: [6], rate: 0.02 },
  clockSkew: { what: 'an invocation has a clock of its own', rows: [42], rate: 0.1 },
  sweepLoss: { what: 'a sweep does not take place', rows: [11], rate: 0.3 },
} as const satisfies Kinds;

/** Asked about at each task that starts, or each thing that people do. */
const OF_TASKS = {
  taskCrash: { what: 'a container ends by itself', rows: [36], rate: 0.1 },
  crashLoop: { what: 'an image ends soon after each start', rows: [36], rate: 0.15 },
  badImage: { what: 'an image that is not there', rows: [35], rate: 0.2 },
  stuckTask: { what: 'a task never leaves its first state', rows: [33], rate: 0.04 },
  neverFits: { what: 'pods that nothing is large enough for', rows: [41], rate: 0.5 },
  oversized: { what: 'an object that is larger than a store takes', rows: [18], rate: 0.3 },
} as const satisfies Kinds;

/** Asked about every twenty seconds of trouble: things that last (incidents.ts). */
const OF_TIMES = {
  blackout: { what: 'no function runs for 25 hours, and the API is away', rows: [26], rate: 0.001 },
  consumersOff: { what: 'no message is taken for 30 hours; the API works', rows: [4], rate: 0.001 },
  throttled: { what: 'no invocation is begun for up to a minute', rows: [11], rate: 0.01 },
  streamStall: { what: 'no change is told for up to half an hour', rows: [2], rate: 0.004 },
  brownoutStore: { what: 'many calls of the store fail, for long', rows: [44], rate: 0.006 },
  brownoutQueue: { what: 'many calls of the queues fail, for long', rows: [44], rate: 0.006 },
  brownoutRuntime: { what: 'many calls of the runtime fail, for long', rows: [44], rate: 0.006 },
  storeBurst: { what: 'the store refuses everything for a minute', rows: [13], rate: 0.008 },
  hotPartition: { what: 'one kind of object can not be written', rows: [14], rate: 0.008 },
  denied: { what: 'one operation is refused for up to an hour', rows: [48], rate: 0.006 },
  shortage: { what: 'there is no capacity, for hours', rows: [34], rate: 0.006 },
  quota: { what: 'no more than so many tasks at a time', rows: [47, 29], rate: 0.008 },
  deploy: { what: 'new code begins while old code still works', rows: [12], rate: 0.015 },
  poisonKey: { what: 'the work on one object throws whatever is done', rows: [5], rate: 0.012 },
  corruption: { what: 'one field of a stored object is spoilt', rows: [19], rate: 0.012 },
  redrive: { what: 'all messages there ever were come again', rows: [24], rate: 0.005 },
  restore: { what: 'the table is set back by minutes', rows: [21], rate: 0.004 },
  nodesLost: { what: 'all nodes are gone from the table', rows: [46], rate: 0.005 },
  zoneLoss: { what: 'a third of the machines is out of sight', rows: [39], rate: 0.006 },
  spotReclaim: { what: 'a machine is taken away with a warning', rows: [37], rate: 0.01 },
  spotStorm: { what: 'machines are taken away all at once', rows: [37], rate: 0.004 },
  partition: { what: 'a node is cut off, and its tasks live on', rows: [38], rate: 0.015 },
  nodeDeath: { what: 'a machine ends without a warning', rows: [38], rate: 0.008 },
  gpuFault: { what: 'a GPU fails, and is well again', rows: [40], rate: 0.01 },
  secondScheduler: { what: 'another scheduler works on the cell', rows: [43], rate: 0.01 },
  recreate: { what: 'an object is deleted and made anew, as another', rows: [17], rate: 0.01 },
} as const satisfies Kinds;

interface Kinds {
  readonly [kind: string]: KindOfFault;
}

export const ROWS_OF_CATALOGUE = 48;

export const CATALOGUE = { ...OF_CALLS, ...OF_MESSAGES, ...OF_TASKS, ...OF_TIMES };

export type FaultKind = keyof typeof CATALOGUE;
export type Incident = keyof typeof OF_TIMES;

export const FAULT_KINDS = Object.keys(CATALOGUE) as readonly FaultKind[];
export const INCIDENTS = Object.keys(OF_TIMES) as readonly Incident[];

export function isFaultKind(text: string): text is FaultKind {
  return Object.hasOwn(CATALOGUE, text);
}

/** The rows of the catalogue that those kinds stand for. */
export function rowsOf(kinds: readonly FaultKind[]): readonly number[] {
  const rows = new Set(kinds.flatMap((kind) => [...CATALOGUE[kind].rows]));
  return [...rows].sort((a, b) => a - b);
}
