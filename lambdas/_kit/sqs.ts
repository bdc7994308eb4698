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
 */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { groupOfRecord } from '../../adapters/aws/sqs/wire.ts';
import type { Outcome } from '../../shared/control/controller.ts';
import { retryDelayMs } from '../../shared/control/outcome.ts';
import { delayedAgain } from '../../shared/control/work.ts';
import { MAX_RECEIVES, type Queue } from '../../shared/ports/queue.ts';
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
}

/** Whether the work is done with. What throws was not. */
export type Work = (body: string, record: SQSRecord) => Promise<boolean>;

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
  const failed = await Promise.all(groups.map((records) => inOrder(records, work, options)));
  const batchItemFailures = failed.flat().map(({ messageId }) => ({ itemIdentifier: messageId }));
  return { batchItemFailures };
}

/** Messages of a standard queue have no group: each is its own. */
function groupIdOf(record: SQSRecord): string {
  return record.attributes.MessageGroupId ?? record.messageId;
}

/** The records that are to come again (K1), or never (K3). The first piece is always begun. */
async function inOrder(
  records: readonly SQSRecord[],
  work: Work,
  options: BatchOptions,
): Promise<readonly SQSRecord[]> {
  const pieces = [...Map.groupBy(records, ({ body }) => body).values()];
  const dead: SQSRecord[] = [];
  for (const [index, piece] of pieces.entries()) {
    const isLate = index > 0 && (options.remainingMs?.() ?? Infinity) < MIN_LEFT_MS;
    if (!isLate && (await succeeds(piece, work, options))) continue;
    if (!isLate && piece.every(isAtLastReceive)) {
      // At once, since what is in flight holds up its group.
      await comeAgain(piece, 0, options);
      dead.push(...piece);
      continue;
    }
    const behind = pieces.slice(index).flat();
    await comeAgain(behind, isLate ? 0 : waitMs(piece), options);
    return [...dead, ...behind];
  }
  return dead;
}

async function succeeds(
  piece: readonly SQSRecord[],
  work: Work,
  options: BatchOptions,
): Promise<boolean> {
  const [record] = piece;
  if (!record) return true;
  const dying = piece.filter(isAtLastReceive);
  try {
    if (await work(record.body, record)) return true;
    for (const each of dying) say(options, 'message goes to the dead letters', each, {});
  } catch (thrown) {
    const error = { error: String(thrown) };
    say(options, 'message failed', record, error);
    for (const each of dying) say(options, 'message goes to the dead letters', each, error);
  }
  return false;
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

/** An outcome in SQS's terms: whether the message is done with. What is due later is sent anew. */
export async function concluded(
  outcome: Outcome,
  record: SQSRecord,
  queue: Queue,
): Promise<boolean> {
  if (outcome.type === 'after') {
    const { body } = record;
    await queue.send([delayedAgain({ group: groupOfRecord(record), body }, outcome.ms)]);
  }
  return outcome.type !== 'retry';
}
