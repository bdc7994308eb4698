/** `nullplane dead-letters` and `redrive`: finds a queue's addresses in the outputs of a stack. */
import { parseArgs } from 'node:util';
import { sqsClient } from '../adapters/aws/clients.ts';
import { type Io, UsageError } from './io.ts';
import { output, readOutputs } from './outputs.ts';
import { redrive, type RedriveOptions, showDeadLetters } from './redrive.ts';
import { regionOf } from './region.ts';

const QUEUES = new Map([
  ['reconcile', 'Reconcile'],
  ['schedule', 'Schedule'],
  ['health', 'Health'],
]);
const TEXT = { type: 'string' } as const;

export async function deadLettersCommand(args: readonly string[], io: Io): Promise<void> {
  await withQueue(args, io, showDeadLetters);
}

export async function redriveCommand(args: readonly string[], io: Io): Promise<void> {
  await withQueue(args, io, redrive);
}

async function withQueue(
  args: readonly string[],
  io: Io,
  work: (options: RedriveOptions) => Promise<number>,
): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { outputs: TEXT, stack: TEXT, region: TEXT, max: { type: 'string', default: '100' } },
    allowPositionals: true,
  });
  const [name = '', ...more] = positionals;
  const title = QUEUES.get(name);
  if (!title || more.length > 0) {
    throw new UsageError(`which queue? One of ${[...QUEUES.keys()].join(', ')}`);
  }
  if (!/^[1-9][0-9]{0,5}$/.test(values.max))
    throw new UsageError('--max must be a number, 1 or more');
  if (!values.outputs) throw new UsageError('where are the queues? Give --outputs FILE');
  const outputs = readOutputs(values.outputs, values.stack);
  const url = output(outputs, `${title}QueueUrl`);
  const client = sqsClient({ region: regionOf(values.region, url, io) });
  try {
    const deadLettersUrl = output(outputs, `${title}DeadLettersUrl`);
    const log = (line: string) => io.print(`${line}\n`);
    await work({ client, deadLettersUrl, url, max: Number(values.max), log });
  } finally {
    client.destroy();
  }
}
