/**
 * Sending in batches. Owns which messages go together and what becomes of a batch that SQS took
 * only a part of.
 *
 * Invariants:
 *  N1 No batch holds two messages of a group, and a group's next message is sent after the one
 *     before was taken on: a part that fails can't be overtaken by its own group.
 *  N2 What is sent again has the deduplication id that it had, so that SQS drops it if it had come.
 */
import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { MessageRefused, QueueUnavailable } from '../../../shared/ports/queue.ts';
import { calling, isThrottling } from './errors.ts';
import { bytesOf, type Entry, MAX_BYTES, MAX_ENTRIES } from './wire.ts';

/** Batches under way at a time: 80 messages, while a sweep sends some hundreds at once. */
const CONCURRENT_BATCHES = 8;

/** How often what SQS took not at first is sent; whoever called tries again later (B5). */
const MAX_SENDS = 3;

/** Sends all entries. Throws `QueueUnavailable` or `MessageRefused`, with any part of them sent. */
export async function sendAll(
  client: SQSClient,
  url: string,
  entries: readonly Entry[],
): Promise<void> {
  failIfAny(entries, await sendEach(client, url, entries));
}

/** Why SQS would not take an entry, now or ever. */
export type Refusals = ReadonlyMap<Entry, string>;

/** Throws `MessageRefused` if one of the entries was refused. */
export function failIfAny(entries: readonly Entry[], refusals: Refusals): void {
  const refused = entries.find((entry) => refusals.has(entry));
  if (refused) throw new MessageRefused(refusals.get(refused));
}

/**
 * Sends all entries; the answer says which can never be sent, so that one of them takes nothing
 * from the others (B7). Throws `QueueUnavailable`, with any part of them sent.
 */
export async function sendEach(
  client: SQSClient,
  url: string,
  entries: readonly Entry[],
): Promise<Refusals> {
  const refusals: (readonly [Entry, string])[] = [];
  for (const wave of wavesOf(entries)) {
    const batches = batchesOf(wave);
    for (let at = 0; at < batches.length; at += CONCURRENT_BATCHES) {
      const together = batches.slice(at, at + CONCURRENT_BATCHES);
      const ends = await Promise.allSettled(together.map((batch) => sendBatch(client, url, batch)));
      for (const end of ends) if (end.status === 'fulfilled') refusals.push(...end.value);
      const failure = ends.find((end) => end.status === 'rejected');
      if (failure) throw failure.reason;
    }
  }
  return new Map(refusals);
}

/** The first of each group, then the second of each: N1. What has no group has no order. */
function wavesOf(entries: readonly Entry[]): Entry[][] {
  const waves: Entry[][] = [];
  const counts = new Map<string, number>();
  for (const entry of entries) {
    const { MessageGroupId: group } = entry;
    const count = group === undefined ? 0 : (counts.get(group) ?? 0);
    if (group !== undefined) counts.set(group, count + 1);
    (waves[count] ??= []).push(entry);
  }
  return waves;
}

function batchesOf(entries: readonly Entry[]): Entry[][] {
  const batches: Entry[][] = [];
  let bytes = Infinity;
  for (const entry of entries) {
    const batch = batches.at(-1);
    bytes += bytesOf(entry);
    if (batch && batch.length < MAX_ENTRIES && bytes <= MAX_BYTES) {
      batch.push(entry);
    } else {
      batches.push([entry]);
      bytes = bytesOf(entry);
    }
  }
  return batches;
}

/** The entries that SQS would not take. */
async function sendBatch(
  client: SQSClient,
  url: string,
  batch: readonly Entry[],
): Promise<readonly (readonly [Entry, string])[]> {
  const refused: (readonly [Entry, string])[] = [];
  let left = batch.map((entry, index) => ({ ...entry, Id: String(index) }));
  for (let sends = 1; left.length > 0; sends++) {
    const command = new SendMessageBatchCommand({ QueueUrl: url, Entries: left });
    const { Failed: failed = [] } = await calling(() => client.send(command));
    const again = failed.filter(
      ({ SenderFault, Code }) => !SenderFault || isThrottling(Code ?? ''),
    );
    for (const { Id, Code, Message } of failed.filter((failure) => !again.includes(failure))) {
      const entry = batch[Number(Id)];
      if (entry) refused.push([entry, `${Code}: ${Message}`]);
    }
    const ids = new Set(again.map(({ Id }) => Id));
    left = left.filter(({ Id }) => ids.has(Id));
    if (left.length > 0 && sends === MAX_SENDS) {
      throw new QueueUnavailable(`${left.length} messages not taken: ${again[0]?.Code}`);
    }
  }
  return refused;
}
