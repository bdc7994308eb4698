/**
 * Partial batches of SQS. Owns which messages of a batch are worked on, which are reported as
 * failed, and when those come again.
 *
 * Invariants:
 *  K1 A group is worked on in order and stops at its first failure: that message and all behind it
 *     are reported, or their order would be lost. Groups go on side by side.
 *  K2 Equal messages of a batch and group are one piece of work: all of them were sent before it
 *     began.
 *  K3 A message at its last receive does not come again, and so holds up nothing behind it: those
 *     would die with it, never worked on (B7).
 *  K4 What work is to go on with later is sent, for all of a batch together, before its message is
 *     done with: a crash in between wakes twice rather than never.
 */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { groupOfRecord } from '../../adapters/aws/sqs/wire.ts';
import type { Outcome } from '../../shared/control/controller.ts';
import { retryDelayMs } from '../../shared/control/outcome.ts';
import { delayedAgain } from '../../shared/control/work.ts';
import { MAX_RECEIVES, type Queue, type WorkMessage } from '../../shared/ports/queue.ts';
import type { Recorder } from '../../shared/ports/recorder.ts';

/** Says when deliveries come again that were not done: `SqsVisibility`. */
export interface Visibility {
  comeAgain(receipts: readonly string[], delayMs: number): Promise<void>;
}

export interface BatchOptions {
  /** Without it failed messages come again after the queue's visibility timeout. */
  readonly visibility?: Visibility;
  /** What is left of the function's time, in milliseconds: the context's. */
  readonly remainingMs?: () => number;
  readonly recorder?: Recorder;
  /** Where messages are sent that are due later; what answers `after` needs it. */
  readonly queue?: Pick<Queue, 'send'>;
}

/** What became of the work. What throws is to be tried again. */
export type Work = (body: string, record: SQSRecord) => Promise<Outcome>;

/** Messages that are done with once what is due later was sent. */
interface Later {
  readonly piece: readonly SQSRecord[];
  readonly message: WorkMessage;
}

interface GroupEnd {
  /** To come again, or never (K3). */
  readonly failed: readonly SQSRecord[];
  readonly later: readonly Later[];
}

/**
 * With less than this left no further work is begun: a function that is cut off gives nothing
 * back, and all of its batch waits for the visibility timeout. As long as a slow call may take.
 */
const MIN_LEFT_MS = 10_000;

/**
 * A wait shorter than SQS's way there and back is none: the first retry comes at once, since lost
 * races are most failures and are over by then.
 */
const SHORTEST_WAIT_MS = 100;

/** A body in a log line: keys are shorter, and a flood must not fill the logs. */
const SHOWN_CHARACTERS = 2_000;

/** Works on the records of a batch. Never throws. */
export async function eachMessage(
  event: SQSEvent,
  work: Work,
  options: BatchOptions = {},
): Promise<SQSBatchResponse> {
  const groups = [...Map.groupBy(event.Records, groupIdOf).values()];
  const ends = await Promise.all(groups.map((records) => inOrder(records, work, options)));
  const unsent = new Set(
    await unsentOf(
      ends.flatMap(({ later }) => later),
      options,
    ),
  );
  const failed = ends.flatMap((end, i) => [...end.failed, ...heldUp(groups[i] ?? [], end, unsent)]);
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

/** Those whose later messages could not be sent: all, since any part of them may have been. */
async function unsentOf(
  later: readonly Later[],
  options: BatchOptions,
): Promise<readonly SQSRecord[]> {
  if (later.length === 0) return [];
  const records = later.flatMap(({ piece }) => piece);
  try {
    if (!options.queue) throw new Error('there is no queue for what is due later');
    await options.queue.send(later.map(({ message }) => message));
    return [];
  } catch (thrown) {
    const fields = { count: later.length, error: String(thrown) };
    options.recorder?.log({ level: 'warn', message: 'messages for later not sent', fields });
    await comeAgain(records, waitMs(records), options);
    return records;
  }
}

/** A group's records from its first unsent one on that have not failed already: K1. */
function heldUp(
  group: readonly SQSRecord[],
  { failed }: GroupEnd,
  unsent: ReadonlySet<SQSRecord>,
): readonly SQSRecord[] {
  const first = group.findIndex((record) => unsent.has(record));
  return first < 0 ? [] : group.slice(first).filter((record) => !failed.includes(record));
}

/** Messages of a standard queue have no group: each is its own. */
function groupIdOf(record: SQSRecord): string {
  return record.attributes.MessageGroupId ?? record.messageId;
}

/** The first piece is always begun. */
async function inOrder(
  records: readonly SQSRecord[],
  work: Work,
  options: BatchOptions,
): Promise<GroupEnd> {
  const pieces = [...Map.groupBy(records, ({ body }) => body).values()];
  const dead: SQSRecord[] = [];
  const later: Later[] = [];
  for (const [index, piece] of pieces.entries()) {
    const isLate = index > 0 && (options.remainingMs?.() ?? Infinity) < MIN_LEFT_MS;
    const outcome = isLate ? undefined : await outcomeOf(piece, work, options);
    if (outcome?.type === 'after') later.push(...laterOf(piece, outcome.ms));
    if (outcome && outcome.type !== 'retry') continue;
    if (!isLate && piece.every(isAtLastReceive)) {
      // At once, since what is in flight holds up its group.
      await comeAgain(piece, 0, options);
      dead.push(...piece);
      continue;
    }
    const behind = pieces.slice(index).flat();
    await comeAgain(behind, isLate ? 0 : waitMs(piece), options);
    return { failed: [...dead, ...behind], later };
  }
  return { failed: dead, later };
}

function laterOf(piece: readonly SQSRecord[], ms: number): Later[] {
  const [record] = piece;
  if (!record) return [];
  const { body } = record;
  return [{ piece, message: delayedAgain({ group: groupOfRecord(record), body }, ms) }];
}

async function outcomeOf(
  piece: readonly SQSRecord[],
  work: Work,
  options: BatchOptions,
): Promise<Outcome> {
  const [record] = piece;
  if (!record) return { type: 'done' };
  const dying = piece.filter(isAtLastReceive);
  try {
    const outcome = await work(record.body, record);
    if (outcome.type !== 'retry') return outcome;
    for (const each of dying) say(options, 'message goes to the dead letters', each, {});
    return outcome;
  } catch (thrown) {
    const error = { error: String(thrown) };
    say(options, 'message failed', record, error);
    for (const each of dying) say(options, 'message goes to the dead letters', each, error);
    return { type: 'retry', error: thrown instanceof Error ? thrown : new Error(String(thrown)) };
  }
}

function say(
  { recorder }: BatchOptions,
  message: string,
  record: SQSRecord,
  error: { readonly error?: string },
): void {
  const { messageId, body } = record;
  const shown = { group: groupOfRecord(record), body: body.slice(0, SHOWN_CHARACTERS) };
  const fields = { messageId, ...shown, receives: receivesOf(record), ...error };
  recorder?.log({ level: 'error', message, fields });
}

function isAtLastReceive(record: SQSRecord): boolean {
  return receivesOf(record) >= MAX_RECEIVES;
}

function receivesOf({ attributes }: SQSRecord): number {
  return Number(attributes.ApproximateReceiveCount);
}

/** How long records that failed together wait. */
export function waitMs(piece: readonly SQSRecord[]): number {
  const ms = retryDelayMs(Math.max(...piece.map(receivesOf)));
  return ms < SHORTEST_WAIT_MS ? 0 : ms;
}

/**
 * Has the records come again after `delayMs`. Best effort: what can't be said now, the visibility
 * timeout says later.
 */
export async function comeAgain(
  records: readonly SQSRecord[],
  delayMs: number,
  { visibility, recorder }: BatchOptions,
): Promise<void> {
  try {
    const receipts = records.map(({ receiptHandle }) => receiptHandle);
    await visibility?.comeAgain(receipts, delayMs);
  } catch (error) {
    const message = 'failed messages come late: their visibility could not be changed';
    recorder?.log({ level: 'warn', message, fields: { error: String(error) } });
  }
}
