/**
 * The numbers of the functions and queues, each with its reason. Owns no resources.
 *
 * Invariants:
 *  I1 A queue hides a message for six times the timeout of the function it feeds, as AWS advises:
 *     else a slow batch is worked on twice.
 *  I2 A message is received eight times before it is given up on: `MAX_RECEIVES` of the queue port.
 */

export const FUNCTION_NAMES = ['api', 'router', 'reconciler', 'scheduler', 'health'] as const;
export type FunctionName = (typeof FUNCTION_NAMES)[number];

export interface FunctionSettings {
  readonly memoryMiB: number;
  readonly timeoutSeconds: number;
  /** Reserved only when the option says so: at least what its sources may invoke at a time. */
  readonly reserved: number;
  readonly description: string;
}

/** A streamed answer may last as long as a function. */
export const STREAMING_TIMEOUT_SECONDS = 900;
/** The longest that a gateway waits for a buffered answer. */
export const BUFFERED_TIMEOUT_SECONDS = 29;

/** A processor is 1769 MiB; less memory is a share of it. */
export const FUNCTIONS: { readonly [name in FunctionName]: FunctionSettings } = {
  // A watch holds a function for its whole length and mostly waits: memory is what it costs. A
  // third of a processor answers a get in single milliseconds.
  api: {
    memoryMiB: 512,
    timeoutSeconds: STREAMING_TIMEOUT_SECONDS,
    reserved: 100,
    description: 'Kubernetes API: authenticate, authorize, validate, write',
  },
  // Reads a hundred records of a few KiB and sends keys. Thirty seconds are a hundred times what a
  // batch takes; a shard waits that long for a call that hangs.
  router: {
    memoryMiB: 512,
    timeoutSeconds: 30,
    reserved: 20,
    description: 'table stream to queues: whose keys does a change wake',
  },
  // Ten keys at a time. A sweep's look at the tasks lists all pods: 10,000 of them take some 400 MB
  // and a quarter of a minute.
  reconciler: {
    memoryMiB: 1024,
    timeoutSeconds: 60,
    reserved: 1000,
    description: 'one key at a time: snapshot, plan, execute',
  },
  // Placement is arithmetic on one thread: one processor, and no more would help.
  scheduler: {
    memoryMiB: 1769,
    timeoutSeconds: 60,
    reserved: 5,
    description: 'all pending pods of a cell: place, write ledgers, bind',
  },
  // One object an event.
  health: {
    memoryMiB: 512,
    timeoutSeconds: 30,
    reserved: 10,
    description: 'what tasks and instances say of themselves, into status; due timers to queues',
  },
};

/** I1. */
export const VISIBILITY_TIMEOUTS = 6;
/** I2. */
export const MAX_RECEIVES = 8;
/** The longest that SQS keeps a message: time to notice and redrive. */
export const DEAD_LETTER_DAYS = 14;
/** A wake-up older than this was repeated by many sweeps. */
export const MESSAGE_DAYS = 4;

/** The most that Lambda takes from a FIFO queue, and enough of a standard one. */
export const QUEUE_BATCH = 10;
/** Functions at a time for queues whose work is little: two, the least that Lambda takes. */
export const FEW_AT_A_TIME = 2;

/** As many records as a router writes wake-ups of within its timeout, many times over. */
export const STREAM_BATCH = 100;
/**
 * What one change calls for is sent by whoever wrote it; the stream wakes those who count or show
 * others' objects, and a second later is early enough for them. Of a thousand pods that start, each
 * is then looked at some times less by its ReplicaSet, and so on up (docs/cost.md).
 */
export const STREAM_WINDOW_SECONDS = 1;
/** With bisecting, enough to find one bad record of a hundred (log2 100 = 7) and then some. */
export const STREAM_RETRIES = 10;
/** A shard stands still no longer than this for what can't be routed; the sweep repairs it. */
export const STREAM_RECORD_MAX_AGE_SECONDS = 3600;

/** What events of tasks and instances are tried for: as long as a sweep needs to make up for it. */
export const EVENT_RETRIES = 185;
export const EVENT_MAX_AGE_HOURS = 1;
/** Of an event that a function died of: the most that Lambda takes. One that failed is queued. */
export const INVOCATION_RETRIES = 2;
/** A sweep that comes late is superseded by the next: one more try, within a minute. */
export const SWEEP_RETRIES = 1;
export const SWEEP_MAX_AGE_SECONDS = 60;
