import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryQueue } from '../../../adapters/memory/memory-queue.ts';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Visibility } from '../../../lambdas/_kit/sqs.ts';
import { forwardTimers } from '../../../lambdas/_kit/timers.ts';
import { retryDelayMs } from '../../../shared/control/outcome.ts';
import { type Queue, QueueUnavailable, type WorkMessage } from '../../../shared/ports/queue.ts';

const clock = new StepClock();
let recorder: MemoryRecorder;
let reconcile: MemoryQueue;
let schedule: MemoryQueue;
/** What was asked to come again, and when. */
let asked: unknown[][];

beforeEach(() => {
  recorder = new MemoryRecorder();
  asked = [];
  reconcile = new MemoryQueue({ clock });
  schedule = new MemoryQueue({ clock });
});

const timer = (queue: string, body: string) => JSON.stringify({ queue, group: `of ${body}`, body });

async function forward(
  texts: readonly string[],
  queues: { readonly reconcile: Queue; readonly schedule: Queue } = { reconcile, schedule },
): Promise<string[]> {
  const attributes = { ApproximateReceiveCount: '4' };
  const records = texts.map((body, i) => {
    return { messageId: String(i), receiptHandle: `r${i}`, body, attributes } as SQSRecord;
  });
  const event: SQSEvent = { Records: records };
  const visibility: Visibility = {
    comeAgain: async (receipts, delayMs) => void asked.push([...receipts, delayMs]),
  };
  const { batchItemFailures } = await forwardTimers(event, queues, recorder, visibility);
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

const received = async (queue: Queue) =>
  (await queue.receive(10, 0)).map(({ group, body }) => [group, body]);

describe('due timers', () => {
  it('go to their queues', async () => {
    const failed = await forward([timer('reconcile', 'a'), timer('schedule', 'b')]);
    expect(failed).toEqual([]);
    expect(await received(reconcile)).toEqual([['of a', 'a']]);
    expect(await received(schedule)).toEqual([['of b', 'b']]);
  });

  it('that are none of ours are dropped, and said', async () => {
    const bad = ['', 'text', 'null', '{}', timer('other', 'a'), '{"queue":"schedule","group":1}'];
    expect(await forward([...bad, timer('reconcile', 'good')])).toEqual([]);
    expect(recorder.logs).toHaveLength(bad.length);
    expect(await received(reconcile)).toEqual([['of good', 'good']]);
  });

  it('that could not be sent are reported and come again soon, and no others', async () => {
    const down: Queue = {
      send: () => Promise.reject(new QueueUnavailable('throttled')),
      receive: async () => [],
      ack: async () => {},
      release: async () => {},
      deadLetters: async () => [],
    };
    const texts = [timer('reconcile', 'a'), timer('schedule', 'b'), timer('reconcile', 'c')];
    expect(await forward(texts, { reconcile: down, schedule })).toEqual(['0', '2']);
    expect(asked).toEqual([['r0', 'r2', retryDelayMs(4)]]);
    expect(await received(schedule)).toEqual([['of b', 'b']]);
  });

  it('that are equal are sent once, under the id of a timer', async () => {
    const sent: WorkMessage[] = [];
    const noting: Queue = {
      send: async (messages) => void sent.push(...messages),
      receive: async () => [],
      ack: async () => {},
      release: async () => {},
      deadLetters: async () => [],
    };
    const texts = [timer('reconcile', 'a'), timer('reconcile', 'b'), timer('reconcile', 'a')];
    await forward(texts, { reconcile: noting, schedule });
    expect(sent).toEqual([
      { group: 'of a', body: 'a', cause: 'timer 0' },
      { group: 'of b', body: 'b', cause: 'timer 1' },
    ]);
  });
});
