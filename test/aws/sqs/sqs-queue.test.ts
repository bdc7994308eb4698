/**
 * The queue's contract over SQS as MiniStack and moto have it. Time is real, so that the cases run
 * side by side, each with queues of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe } from 'vitest';
import { sqsClient } from '../../../adapters/aws/clients.ts';
import type { Skip } from '../../contract/contract.ts';
import { queueContract } from '../../contract/queue.contract.ts';
import { type Emulator, type EmulatorName, startEmulator } from '../support/emulators.ts';
import { newQueue } from './queues.ts';

/** SQS's own: delays and timeouts are whole seconds. */
const UNIT_MS = 1_000;
/** Far from both sides of the second at which something comes, for a machine that is busy. */
const TICK_MS = 1_500;
/** Timers ring late rather than early, and messages take their way. */
const LATE_MS = 300;

const OF_SQS: readonly Skip[] = [
  {
    test: 'an empty body is a body',
    reason: 'SQS takes no empty message; no work has an empty name',
  },
  {
    test: 'a message that waits takes in its equals',
    reason: 'SQS drops by deduplication id alone; functions merge the equals of a batch',
  },
  {
    test: 'what is released with a delay holds back nothing',
    reason: 'SQS holds a FIFO group until what was received of it is deleted or visible',
  },
  {
    test: 'delayed messages come in order of their times',
    reason: 'a standard queue holds them: what became due together comes in any order',
  },
  {
    test: 'a receiver that waits gets all that is sent at once',
    reason: 'SQS answers with what has come so far',
  },
];

const OF_MOTO: readonly Skip[] = [
  {
    test: 'an acknowledgement that is late does not end the work of another',
    reason: 'moto deletes by any receipt that a message ever had; of a FIFO queue SQS refuses it',
  },
  {
    test: 'what is not acknowledged in time comes again, in order and before the rest',
    reason: 'moto passes over the first of a group whose second it has not yet seen expire',
  },
];

function overEmulator(name: EmulatorName, skip: readonly Skip[]): void {
  let emulator: Emulator | undefined;
  beforeAll(async () => {
    emulator = await startEmulator(name);
  });
  afterAll(() => emulator?.stop());
  queueContract({
    name: `SqsQueue on ${name}`,
    unitMs: UNIT_MS,
    tickMs: TICK_MS,
    skip,
    make: async ({ visibilityMs }) => {
      if (!emulator) throw new Error(`${name} did not start`);
      const { endpoint, region } = emulator;
      const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
      const queue = await newQueue(sqsClient({ endpoint, region, credentials }), visibilityMs);
      return { queue, pass: (ms) => sleep(ms + LATE_MS) };
    },
  });
}

describe.concurrent('ministack', () => overEmulator('ministack', OF_SQS));
describe.concurrent('moto', () => overEmulator('moto', [...OF_SQS, ...OF_MOTO]));
