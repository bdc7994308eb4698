import type { SQSEvent, SQSRecord } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryQueue } from '../../../adapters/memory/memory-queue.ts';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import { type BatchOptions, eachMessage } from '../../../lambdas/_kit/sqs.ts';
import type { Outcome } from '../../../shared/control/controller.ts';
import { retryDelayMs } from '../../../shared/control/outcome.ts';
import { MAX_RECEIVES } from '../../../shared/ports/queue.ts';

interface RecordOptions {
  readonly group?: string;
  readonly body?: string;
  readonly receives?: number;
}

function record(messageId: string, { group, body, receives = 1 }: RecordOptions = {}): SQSRecord {
  const attributes = {
    ApproximateReceiveCount: String(receives),
    ...(group === undefined ? {} : { MessageGroupId: group }),
  };
  const receiptHandle = `receipt of ${messageId}`;
  return { messageId, receiptHandle, body: body ?? messageId, attributes } as SQSRecord;
}

const RETRY: Outcome = { type: 'retry', error: new Error('not now') };

/** Work of which is said whether it is done. */
function outcomes<Args extends unknown[]>(work: (...args: Args) => Promise<boolean>) {
  return async (...args: Args): Promise<Outcome> =>
    (await work(...args)) ? { type: 'done' } : RETRY;
}

async function failures(
  records: readonly SQSRecord[],
  work: (body: string) => Promise<boolean>,
  options?: BatchOptions,
): Promise<readonly string[]> {
  const event: SQSEvent = { Records: [...records] };
  const { batchItemFailures } = await eachMessage(event, outcomes(work), options);
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

/** Notes when which messages come again. */
class FakeVisibility {
  readonly asked: (readonly [string, number])[] = [];
  async comeAgain(receipts: readonly string[], delayMs: number): Promise<void> {
    this.asked.push([receipts.map((r) => r.replace('receipt of ', '')).join(' '), delayMs]);
  }
}

const failingAt =
  (...bodies: string[]) =>
  async (body: string): Promise<boolean> =>
    !bodies.includes(body);

describe('a batch of messages', () => {
  it('reports nothing when all succeed', async () => {
    const records = [record('1', { group: 'a' }), record('2', { group: 'b' })];
    expect(await failures(records, async () => true)).toEqual([]);
  });

  it('stops a group at its first failure and leaves the others alone', async () => {
    const worked: string[] = [];
    const groups = { 1: 'a', 2: 'a', 3: 'b', 4: 'a' };
    const records = Object.entries(groups).map(([id, group]) => record(id, { group }));
    const failed = await failures(records, async (body) => {
      worked.push(body);
      return body !== '2';
    });
    expect(failed).toEqual(['2', '4']);
    expect(worked.sort()).toEqual(['1', '2', '3']);
  });

  it('takes a thrown error for a failure', async () => {
    const failed = await failures([record('1')], () => Promise.reject(new Error('boom')));
    expect(failed).toEqual(['1']);
  });

  it('treats the messages of a standard queue one by one', async () => {
    expect(await failures([record('1'), record('2')], failingAt('1'))).toEqual(['1']);
  });
});

describe('equal messages', () => {
  const records = [
    record('1', { group: 'a', body: 'x' }),
    record('2', { group: 'a', body: 'y' }),
    record('3', { group: 'a', body: 'x' }),
    record('4', { group: 'b', body: 'x' }),
  ];

  it('of a group are one piece of work', async () => {
    const worked: string[] = [];
    const failed = await failures(records, async (body) => {
      worked.push(body);
      return true;
    });
    expect(failed).toEqual([]);
    expect(worked.sort()).toEqual(['x', 'x', 'y']); // x once for each group
  });

  it('fail together', async () => {
    expect((await failures(records.slice(0, 3), failingAt('x'))).toSorted()).toEqual([
      '1',
      '2',
      '3',
    ]);
    expect(await failures(records.slice(0, 3), failingAt('y'))).toEqual(['2']);
  });
});

describe('failed messages', () => {
  it('come again after their retry delay, with those behind them', async () => {
    const visibility = new FakeVisibility();
    const records = [
      record('1', { group: 'a', receives: 5 }),
      record('2', { group: 'a' }),
      record('3', { group: 'b' }),
    ];
    await failures(records, failingAt('1'), { visibility });
    expect(visibility.asked).toEqual([['1 2', retryDelayMs(5)]]);
  });

  it('come again at once after the first failure', async () => {
    const visibility = new FakeVisibility();
    await failures([record('1')], failingAt('1'), { visibility });
    expect(visibility.asked).toEqual([['1', 0]]);
  });

  it('are reported although their visibility could not be changed', async () => {
    const recorder = new MemoryRecorder();
    const visibility = { comeAgain: () => Promise.reject(new Error('throttled')) };
    expect(await failures([record('1')], failingAt('1'), { visibility, recorder })).toEqual(['1']);
    expect(recorder.logs.map(({ level }) => level)).toEqual(['warn']);
  });
});

describe('a message at its last receive', () => {
  const poison = record('1', { group: 'a', body: 'poison', receives: MAX_RECEIVES });
  const good = record('2', { group: 'a', body: 'good', receives: MAX_RECEIVES });

  it('is logged with its body, and frees its group at once', async () => {
    const recorder = new MemoryRecorder();
    const visibility = new FakeVisibility();
    const thrower = () => Promise.reject(new Error('boom'));
    expect(await failures([poison], thrower, { recorder, visibility })).toEqual(['1']);
    expect(visibility.asked).toEqual([['1', 0]]);
    expect(recorder.logs.at(-1)).toMatchObject({
      level: 'error',
      message: 'message goes to the dead letters',
      fields: { group: 'a', body: 'poison', receives: MAX_RECEIVES, error: 'Error: boom' },
    });
  });

  it('does not take those behind it along', async () => {
    const worked: string[] = [];
    const failed = await failures([poison, good], async (body) => {
      worked.push(body);
      return body === 'good';
    });
    expect(worked).toEqual(['poison', 'good']);
    expect(failed).toEqual(['1']);
  });

  it('holds up those behind it while an equal of it is to come again', async () => {
    const equal = record('3', { group: 'a', body: 'poison' });
    const failed = await failures([poison, good, equal], failingAt('poison'));
    expect(failed.toSorted()).toEqual(['1', '2', '3']);
  });
});

describe('a function that runs out of time', () => {
  it('gives back what it has not begun, to come at once', async () => {
    const visibility = new FakeVisibility();
    let remainingMs = 30_000;
    const records = ['1', '2', '3'].map((id) => record(id, { group: 'a' }));
    const worked: string[] = [];
    const work = async (body: string): Promise<boolean> => {
      worked.push(body);
      remainingMs -= 15_000;
      return true;
    };
    const options = { visibility, remainingMs: () => remainingMs };
    expect(await failures(records, work, options)).toEqual(['3']);
    expect(worked).toEqual(['1', '2']);
    expect(visibility.asked).toEqual([['3', 0]]);
  });

  it('begins something, however little it has', async () => {
    const records = ['1', '2'].map((id) => record(id, { group: 'a' }));
    expect(await failures(records, async () => true, { remainingMs: () => 1 })).toEqual(['2']);
  });
});

describe('an outcome', () => {
  const error = new Error('x');
  const ended = async (records: readonly SQSRecord[], outcome: Outcome, options?: BatchOptions) => {
    const event: SQSEvent = { Records: [...records] };
    const { batchItemFailures } = await eachMessage(event, async () => outcome, options);
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  };

  it('is done with unless it is to be tried again', async () => {
    expect(await ended([record('1')], { type: 'done' })).toEqual([]);
    expect(await ended([record('1')], { type: 'terminal', error })).toEqual([]);
    expect(await ended([record('1')], { type: 'retry', error })).toEqual(['1']);
  });

  it('for later is sent anew into the group that it came from', async () => {
    const clock = new StepClock();
    const queue = new MemoryQueue({ clock });
    const group = 'a group with spaces';
    const hashed = {
      ...record('1', { group: 'f00d', body: 'follow it' }),
      messageAttributes: { group: { stringValue: JSON.stringify(group), dataType: 'String' } },
    } as unknown as SQSRecord;
    expect(await ended([hashed], { type: 'after', ms: 1_000 }, { queue })).toEqual([]);
    await clock.advance(1_000);
    expect(await queue.receive(1, 0)).toMatchObject([{ group, body: 'follow it' }]);
  });

  it('for later is sent once for all of a batch', async () => {
    const sent: number[] = [];
    const queue = { send: async (messages: readonly unknown[]) => void sent.push(messages.length) };
    const records = ['1', '2', '3'].map((id) => record(id, { group: id }));
    expect(await ended(records, { type: 'after', ms: 1_000 }, { queue })).toEqual([]);
    expect(sent).toEqual([3]);
  });

  it('unsent for later fails with what is behind it, and comes again soon', async () => {
    const visibility = new FakeVisibility();
    const queue = { send: () => Promise.reject(new Error('down')) };
    const groups = { 1: 'a', 2: 'b', 3: 'a', 4: 'c' };
    const records = Object.entries(groups).map(([id, group]) => record(id, { group }));
    const work = async (body: string): Promise<Outcome> =>
      body === '1' || body === '2' ? { type: 'after', ms: 1_000 } : { type: 'done' };
    const { batchItemFailures } = await eachMessage({ Records: records }, work, {
      ...{ visibility, queue },
    });
    const failed = batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    expect(failed.sort()).toEqual(['1', '2', '3']);
    expect(visibility.asked).toEqual([['1 2', 0]]);
  });
});

/** What may come in a batch: few groups and bodies, so that they meet. */
const anyRecord = fc.record({
  group: fc.constantFrom('a', 'b'),
  body: fc.constantFrom('1', '2', '3', '4'),
  receives: fc.constantFrom(1, 2, MAX_RECEIVES),
});

it('whatever fails, each message is done or reported, and none overtakes its group', async () => {
  const anyBatch = fc.array(anyRecord, { maxLength: 10 });
  const anyFailing = fc.uniqueArray(fc.constantFrom<string>('1', '2', '3', '4'));
  await fc.assert(
    fc.asyncProperty(anyBatch, anyFailing, async (batch, failing) => {
      const records = batch.map((options, index) => record(String(index), options));
      const done = new Set<string>();
      const work = async (body: string, { attributes }: SQSRecord): Promise<boolean> => {
        if (!failing.includes(body)) done.add(`${attributes.MessageGroupId}/${body}`);
        return !failing.includes(body);
      };
      const { batchItemFailures } = await eachMessage({ Records: records }, outcomes(work));
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      expect(failed.size).toBe(batchItemFailures.length);
      for (const [index, { group, body }] of batch.entries()) {
        expect(done.has(`${group}/${body}`)).toBe(!failed.has(String(index)));
        const isHeldUp = batch.slice(0, index).some((earlier, i) => {
          const comesAgain = earlier.receives < MAX_RECEIVES && failed.has(String(i));
          return earlier.group === group && comesAgain;
        });
        const isMerged = batch.slice(0, index).some((earlier) => {
          return earlier.group === group && earlier.body === body;
        });
        if (isHeldUp && !isMerged) expect(failed.has(String(index))).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
