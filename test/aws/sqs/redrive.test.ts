/** Dead letters shown and sent back, and causes, over the emulators' SQS. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sqsClient } from '../../../adapters/aws/clients.ts';
import { SqsQueue } from '../../../adapters/aws/sqs/sqs-queue.ts';
import { redrive, showDeadLetters } from '../../../cli/redrive.ts';
import { type Delivery, MAX_RECEIVES } from '../../../shared/ports/queue.ts';
import { type Emulator, type EmulatorName, startEmulator } from '../support/emulators.ts';
import { ids, newQueues } from './queues.ts';

const NAMES: readonly EmulatorName[] = ['ministack', 'moto'];
/** More than a batch. */
const LETTERS = 12;
const GROUP = 'a group with spaces';

describe.for(NAMES)('on %s', (name) => {
  let emulator: Emulator;
  beforeAll(async () => {
    emulator = await startEmulator(name);
  });
  afterAll(() => emulator.stop());

  async function fresh() {
    const { endpoint, region } = emulator;
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = sqsClient({ endpoint, region, credentials });
    const urls = await newQueues(client);
    const lines: string[] = [];
    const log = (line: string): void => void lines.push(line);
    const queue = new SqsQueue({ client, name: 'reconcile', ids, ...urls });
    return { queue, lines, options: { client, log, ...urls } };
  }

  async function bury(queue: SqsQueue, count: number): Promise<void> {
    const messages = Array.from({ length: count }, (_, i) => ({
      group: i === 1 ? GROUP : `g${i}`,
      body: `b${i}`,
    }));
    await queue.send(messages);
    for (let round = 0; round < MAX_RECEIVES; round++) {
      const batch = [...(await queue.receive(10, 0)), ...(await queue.receive(10, 0))];
      expect(batch).toHaveLength(count);
      for (const delivery of batch) await queue.release(delivery, 0);
    }
    expect(await queue.receive(10, 0)).toEqual([]);
  }

  test('dead letters are shown and stay, and are sent back as they were', async () => {
    const { queue, lines, options } = await fresh();
    await bury(queue, LETTERS);
    expect(await showDeadLetters({ ...options, max: 5 })).toBe(5);
    expect(await showDeadLetters({ ...options, max: 100 })).toBe(LETTERS);
    lines.length = 0;
    expect(await redrive({ ...options, max: 10 })).toBe(10);
    expect(lines.at(-1)).toBe('10 sent back; there may be more');
    expect(await redrive({ ...options, max: 10 })).toBe(LETTERS - 10);
    expect(await redrive({ ...options, max: 10 })).toBe(0);
    expect(lines.filter((line) => line.startsWith('sent back:'))).toHaveLength(LETTERS);
    const back: Delivery[] = [];
    for (;;) {
      const batch = await queue.receive(10, 0);
      if (batch.length === 0) break;
      for (const delivery of batch) await queue.ack(delivery);
      back.push(...batch);
    }
    const numbers = back.map(({ body }) => Number(body.slice(1)));
    expect(numbers.toSorted((a, b) => a - b)).toEqual([...Array(LETTERS).keys()]);
    expect(back.find(({ body }) => body === 'b1')).toMatchObject({ group: GROUP, receives: 1 });
    expect(await queue.deadLetters(10)).toEqual([]);
  });

  test('dead letters do not go to a queue of another type', async () => {
    const { options } = await fresh();
    const mixed = redrive({ ...options, url: options.timersUrl, max: 1 });
    await expect(mixed).rejects.toThrow('type');
  });

  test('an equal of the same cause is dropped', async () => {
    const { queue } = await fresh();
    const wake = { group: 'g', body: 'b', cause: '7' };
    await queue.send([wake]);
    await queue.send([wake]);
    await queue.send([{ ...wake, cause: '8' }]);
    expect(await queue.receive(10, 0)).toHaveLength(2);
  });

  // moto compares only with messages that it still holds; SQS remembers for five minutes.
  test.skipIf(name === 'moto')('it is dropped after the first was done, too', async () => {
    const { queue } = await fresh();
    const wake = { group: 'g', body: 'b', cause: '7' };
    await queue.send([wake]);
    const [first] = await queue.receive(1, 0);
    await queue.ack(first as Delivery);
    await queue.send([wake]);
    expect(await queue.receive(1, 0)).toEqual([]);
  });
});
