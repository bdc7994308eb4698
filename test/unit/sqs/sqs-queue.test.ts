import { beforeEach, describe, expect, it } from 'vitest';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { SqsQueue } from '../../../adapters/aws/sqs/sqs-queue.ts';
import { MessageRefused, QueueUnavailable } from '../../../shared/ports/queue.ts';
import { type FakeCall, FakeSqs, sdkError } from './fake-sqs.ts';

const URL = 'https://sqs/reconcile.fifo';
const TIMERS = 'https://sqs/timers';
const DEAD = 'https://sqs/dead.fifo';

let sqs: FakeSqs;
let queue: SqsQueue;

const named = (name: 'reconcile' | 'schedule', url = URL): SqsQueue =>
  new SqsQueue({
    client: sqs.client(),
    name,
    url,
    timersUrl: TIMERS,
    deadLettersUrl: DEAD,
    ids: new SeededIds(name),
  });

const bodies = (url = URL): string[] => sqs.queue(url).map(({ Body }) => Body);
const numbered = (count: number, group = (i: number) => `g${i}`) =>
  Array.from({ length: count }, (_, i) => ({ group: group(i), body: `b${i}` }));

beforeEach(() => {
  sqs = new FakeSqs();
  queue = named('reconcile');
});

/** Fails the entries of these bodies, once or for ever. */
function failing(failed: readonly string[], times: number, code: string, isSender = false) {
  let left = times;
  return ({ name, input }: FakeCall): object | undefined => {
    const hit = input.Entries?.filter((entry) => failed.includes(entry.MessageBody ?? '')) ?? [];
    if (name !== 'SendMessageBatch' || hit.length === 0 || left-- <= 0) return undefined;
    const ids = hit.map(({ Id }) => Id);
    return sqs.take(input, ids, code, isSender);
  };
}

describe('sending', () => {
  it('goes in batches of ten', async () => {
    await queue.send(numbered(25));
    const sizes = sqs.named('SendMessageBatch').map(({ input }) => input.Entries?.length);
    expect(sizes).toEqual([10, 10, 5]);
    expect(bodies().sort()).toEqual(
      numbered(25)
        .map(({ body }) => body)
        .sort(),
    );
  });

  it('makes no call for nothing', async () => {
    await queue.send([]);
    expect(sqs.calls).toEqual([]);
  });

  it('keeps a batch within what SQS takes in bytes', async () => {
    const body = 'ä'.repeat(200_000); // 400,000 bytes
    await queue.send(numbered(5).map(({ group }) => ({ group, body })));
    const sizes = sqs.named('SendMessageBatch').map(({ input }) => input.Entries?.length);
    expect(sizes).toEqual([2, 2, 1]);
  });

  it('has no two messages of a group in a batch, and keeps their order', async () => {
    const messages = numbered(6, (i) => `g${i % 2}`);
    sqs.fault = failing(['b0'], 1, 'InternalError');
    await queue.send(messages);
    for (const { input } of sqs.named('SendMessageBatch')) {
      const groups = input.Entries?.map(({ MessageGroupId }) => MessageGroupId) ?? [];
      expect(new Set(groups).size).toBe(groups.length);
    }
    const even = sqs.queue(URL).filter(({ MessageGroupId }) => MessageGroupId === 'g0');
    expect(even.map(({ Body }) => Body)).toEqual(['b0', 'b2', 'b4']);
  });

  it('sends again what SQS took not, under the same deduplication id', async () => {
    sqs.fault = failing(['b1', 'b3'], 1, 'InternalError');
    await queue.send(numbered(4));
    const [first, second] = sqs.named('SendMessageBatch').map(({ input }) => input.Entries ?? []);
    expect(second?.map(({ MessageBody }) => MessageBody)).toEqual(['b1', 'b3']);
    expect(second?.[0]?.MessageDeduplicationId).toBe(first?.[1]?.MessageDeduplicationId);
    expect(bodies()).toEqual(['b0', 'b2', 'b1', 'b3']);
  });

  it('gives up in time on what SQS never takes', async () => {
    sqs.fault = failing(['b1'], Infinity, 'ThrottlingException', true);
    await expect(queue.send(numbered(3))).rejects.toBeInstanceOf(QueueUnavailable);
    expect(sqs.calls).toHaveLength(3);
    expect(bodies()).toEqual(['b0', 'b2']);
  });

  it('sends all others before it says that one can never be sent', async () => {
    let isFirst = true;
    sqs.fault = ({ input }) => {
      if (!isFirst) return undefined;
      isFirst = false;
      const Failed = [
        { Id: '0', Code: 'InvalidParameterValue', SenderFault: true },
        { Id: '1', Code: 'InternalError', SenderFault: false },
      ];
      return { ...sqs.take(input, ['0', '1'], ''), Failed };
    };
    await expect(queue.send(numbered(3))).rejects.toBeInstanceOf(MessageRefused);
    expect(bodies()).toEqual(['b2', 'b1']);
  });

  it('refuses what SQS can not carry, before anything is sent', async () => {
    const good = { group: 'g', body: 'good' };
    for (const bad of ['', 'bell\u0007', 'half \ud800', '\uffff', 'x'.repeat(1_048_577)]) {
      const sending = queue.send([good, { group: 'g', body: bad }]);
      await expect(sending).rejects.toBeInstanceOf(MessageRefused);
    }
    const late = { ...good, delayMs: 900_001 };
    await expect(queue.send([good, late])).rejects.toBeInstanceOf(MessageRefused);
    expect(sqs.calls).toEqual([]);
  });

  it('takes what is just within the limits', async () => {
    await queue.send([
      { group: 'g', body: 'x'.repeat(1_048_576) },
      { group: 'h', body: 'tab\t line\n 🙂 \ufffd', delayMs: 900_000 },
    ]);
    expect(bodies()).toHaveLength(1);
    expect(sqs.queue(TIMERS)[0]?.DelaySeconds).toBe(900);
  });
});

describe('identities', () => {
  const deduplicationIds = (): (string | undefined)[] =>
    sqs
      .named('SendMessageBatch')
      .flatMap(({ input }) => input.Entries ?? [])
      .map(({ MessageDeduplicationId }) => MessageDeduplicationId);

  it('drops an equal of the same cause, and no other', async () => {
    const wake = { group: 'g', body: 'b', cause: '7' };
    await queue.send([wake]);
    await named('reconcile').send([wake]); // another function
    expect(bodies()).toEqual(['b']);
    await queue.send([{ ...wake, cause: '8' }]);
    await queue.send([{ ...wake, body: 'follow b' }]);
    await queue.send([{ ...wake, group: 'h' }]);
    expect(bodies()).toHaveLength(4);
  });

  it('drops nothing that has no cause', async () => {
    await queue.send([{ group: 'g', body: 'b' }]);
    await queue.send([{ group: 'g', body: 'b' }]);
    expect(bodies()).toEqual(['b', 'b']);
    expect(new Set(deduplicationIds()).size).toBe(2);
  });

  it('keeps apart what runs together', async () => {
    await queue.send([{ group: 'a', body: 'bc', cause: 'd' }]);
    await queue.send([{ group: 'a', body: 'b', cause: 'cd' }]);
    await queue.send([{ group: 'ab', body: 'c', cause: 'd' }]);
    expect(bodies()).toHaveLength(3);
  });

  it('has ids that SQS takes, and hands the group out as it was', async () => {
    const groups = ['a/b:c', 'two words', 'ü', 'x'.repeat(128), 'x'.repeat(129), ''];
    await queue.send(groups.map((group) => ({ group, body: 'follow it' })));
    for (const { MessageGroupId: id } of sqs.queue(URL)) expect(id).toMatch(/^[!-~]{1,128}$/);
    for (const id of deduplicationIds()) expect(id).toMatch(/^[!-~]{1,128}$/);
    const received = await queue.receive(10, 0);
    expect(received.map(({ group }) => group)).toEqual(groups);
  });

  it('needs no attribute where the body is the group', async () => {
    const group = 'deployment:deployments/'.padEnd(200, 'x');
    await queue.send([{ group, body: group }]);
    expect(sqs.queue(URL)[0]?.MessageAttributes).toBeUndefined();
    expect(await queue.receive(1, 0)).toMatchObject([{ group, body: group, receives: 1 }]);
  });
});

describe('delayed messages', () => {
  const late = { group: 'a group', body: 'late', delayMs: 1_001 };

  it('wait in the timers queue, to the next whole second, in an envelope', async () => {
    await queue.send([late, { group: 'g', body: 'now' }]);
    expect(bodies()).toEqual(['now']);
    const [timer] = sqs.queue(TIMERS);
    expect(timer).toMatchObject({ DelaySeconds: 2 });
    const { group, body } = late;
    expect(JSON.parse(timer?.Body ?? '')).toEqual({ queue: 'reconcile', group, body });
    expect(timer?.MessageGroupId).toBeUndefined();
  });

  it('are forwarded when due, and those of another queue are put back', async () => {
    await queue.send([late]);
    const other = named('schedule', 'https://sqs/schedule.fifo');
    await other.send([{ ...late, body: 'other' }]);
    expect(await queue.receive(10, 0)).toEqual([]);
    sqs.makeDue(TIMERS);
    expect(await queue.receive(10, 0)).toMatchObject([{ group: 'a group', body: 'late' }]);
    expect(sqs.queue(TIMERS).map(({ hiddenSeconds }) => hiddenSeconds)).toEqual([0]);
    expect(await other.receive(10, 0)).toMatchObject([{ body: 'other' }]);
    expect(sqs.queue(TIMERS)).toEqual([]);
  });

  it('are forwarded once, although the timer could not be deleted', async () => {
    await queue.send([late]);
    sqs.makeDue(TIMERS);
    sqs.fault = ({ name }) =>
      name === 'DeleteMessageBatch' ? sdkError('InternalFailure', 500) : undefined;
    await expect(queue.receive(1, 0)).rejects.toBeInstanceOf(QueueUnavailable);
    sqs.fault = () => undefined;
    sqs.makeDue(TIMERS);
    expect(await queue.receive(10, 0)).toHaveLength(1);
    expect(bodies()).toEqual(['late']);
    expect(sqs.queue(TIMERS)).toEqual([]);
  });

  it('are looked at every second while somebody waits', async () => {
    await queue.receive(1, 2_500);
    const waits = sqs.named('ReceiveMessage').filter(({ input }) => input.QueueUrl === URL);
    expect(waits.map(({ input }) => input.WaitTimeSeconds)).toEqual([1, 1, 1]);
  });
});

describe('deliveries', () => {
  it('come again after the delay, to the next whole second', async () => {
    await queue.send([{ group: 'g', body: 'b' }]);
    const [delivery] = await queue.receive(1, 0);
    if (!delivery) throw new Error('nothing came');
    await queue.release(delivery, 1_500);
    expect(sqs.queue(URL)[0]?.hiddenSeconds).toBe(2);
  });

  it('that have ended are left alone', async () => {
    const ended = { group: 'g', body: 'b', receipt: 'gone', receives: 1 };
    for (const name of ['ReceiptHandleIsInvalid', 'InvalidParameterValue', 'MessageNotInflight']) {
      sqs.fault = (call) =>
        call.name === 'DeleteMessage'
          ? sdkError(name, 400)
          : { Failed: [{ Id: '0', Code: name, SenderFault: true }] };
      await queue.ack(ended);
      await queue.release(ended, 0);
    }
  });
});

describe('errors', () => {
  const throws = async (error: Error): Promise<unknown> => {
    sqs.fault = () => error;
    return queue.receive(1, 0).catch((thrown: unknown) => thrown);
  };

  it('that are not now are one class', async () => {
    const errors = [
      sdkError('ThrottlingException', 400),
      sdkError('RequestThrottled', 400),
      sdkError('OverLimit', 403),
      sdkError('InternalFailure', 500),
      sdkError('ServiceUnavailable', 503),
      sdkError('Whatever', 429),
      sdkError('TimeoutError'),
      Object.assign(new Error('reset'), { code: 'ECONNRESET' }),
    ];
    for (const error of errors) {
      const thrown = await throws(error);
      expect(thrown).toBeInstanceOf(QueueUnavailable);
      expect((thrown as Error).cause).toBe(error);
    }
  });

  it('that are mistakes of ours come as they are', async () => {
    const errors = [
      sdkError('QueueDoesNotExist', 400),
      sdkError('AccessDenied', 403),
      Object.assign(new TypeError('bad'), { code: 'ERR_INVALID_ARG_TYPE' }),
      new RangeError('a bug'),
    ];
    for (const error of errors) expect(await throws(error)).toBe(error);
  });
});

describe('dead letters', () => {
  it('are listed oldest first and stay', async () => {
    const dead = named('reconcile', DEAD);
    await dead.send(numbered(25));
    expect((await queue.deadLetters(3)).map(({ body }) => body)).toEqual(['b0', 'b1', 'b2']);
    expect(await queue.deadLetters(100)).toEqual(numbered(25));
    expect(sqs.queue(DEAD).every(({ hiddenSeconds }) => hiddenSeconds === 0)).toBe(true);
  });
});
