/**
 * Where stores and queues in memory differ from the adapters over emulators, and why the port
 * allows it.
 */
import { ABSENT, ANY, type Known } from './differences.ts';

const BOTH = ['ministack', 'moto'] as const;
const store = { model: 'MemoryStore', ours: ANY, theirs: ANY, of: BOTH } as const;

export const OF_STORE: readonly Known[] = [
  {
    ...store,
    where: ['changes / all since the beginning'],
    path: 'changes',
    because:
      'memory keeps every change; over DynamoDB an object shows in its last state: the port ' +
      'allows both',
    source: 'Amazon DynamoDB API Reference, GetItem: an item is read as it is now',
  },
  {
    ...store,
    where: ['changes / one at a time', 'changes / and the next'],
    path: 'changes[].*',
    because: 'the same, one by one',
    source: 'Amazon DynamoDB API Reference, GetItem: an item is read as it is now',
  },
];

const memory = { model: 'MemoryQueue', ours: ANY, theirs: ANY } as const;
const adapter = { model: 'SqsQueue on FakeQueue', ours: ANY, theirs: ANY } as const;

const LATE = ['what is not done in time / again, and before the third'];
const LATE_ORDER = ['what is not done in time / all come in order'];

const lateOnMoto = {
  of: ['moto'],
  where: [...LATE, ...LATE_ORDER],
  path: 'deliveries',
  because: 'moto passes over the first of a group whose time it has not yet seen expire',
  source: 'Amazon SQS Developer Guide, FIFO queue delivery logic',
} as const;

export const OF_QUEUE: readonly Known[] = [
  {
    ...memory,
    of: BOTH,
    where: ['what is given back for later / the second, or nothing'],
    path: 'deliveries',
    theirs: ABSENT,
    because:
      'SQS holds a group until what was received of it is deleted or visible; memory lets later ' +
      'messages pass, which the port allows',
    source: 'Amazon SQS Developer Guide, FIFO queue delivery logic',
  },
  {
    ...memory,
    of: BOTH,
    where: ['what is given back for later / and after its time the first'],
    path: 'deliveries',
    ours: ABSENT,
    because: 'in memory the second was handed out before, and holds the group',
    source: 'Amazon SQS Developer Guide, FIFO queue delivery logic',
  },
  {
    ...memory,
    of: ['ministack'],
    where: ['equals / comes again, or not'],
    path: 'deliveries',
    theirs: ABSENT,
    because: 'SQS drops by an id for five minutes; memory drops nothing, which the port allows',
    source: 'Amazon SQS API Reference, SendMessageBatch, MessageDeduplicationId',
  },
  {
    ...memory,
    of: BOTH,
    where: ['equals / one or two'],
    path: 'deliveries',
    because: 'memory merges equals that wait; on AWS functions merge those of a batch',
    source: 'Amazon SQS API Reference, SendMessageBatch, MessageDeduplicationId',
  },
  { ...memory, ...lateOnMoto },
  { ...adapter, ...lateOnMoto },
  {
    ...adapter,
    of: ['moto'],
    where: ['equals / comes again, or not'],
    path: 'deliveries',
    ours: ABSENT,
    because: 'moto compares only with messages that it still holds; SQS for five minutes',
    source: 'Amazon SQS API Reference, SendMessageBatch, MessageDeduplicationId',
  },
];
