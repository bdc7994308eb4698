/** Where our models of DynamoDB, SQS and EC2 differ from emulators, and why that is right. */
import { ABSENT, ANY, type Known } from './differences.ts';

const DYNAMODB = 'Amazon DynamoDB API Reference';
const DYNAMODB_GUIDE = 'Amazon DynamoDB Developer Guide';
const SQS = 'Amazon SQS API Reference';
const EC2 = 'Amazon EC2 API Reference';

const BOTH = ['ministack', 'moto'] as const;
/** Wherever it shows. */
const EVERYWHERE = '*';

const table = { model: 'Table', ours: ANY, theirs: ANY } as const;

export const OF_DYNAMODB: readonly Known[] = [
  {
    ...table,
    of: ['ministack'],
    where: ['a page ends at a megabyte / the first megabyte'],
    path: '*',
    because: 'MiniStack has no limit on what a page reads, where it shows a part of each item',
    source: `${DYNAMODB}, Query: 1 MB at a time, before filters and projections`,
  },
  {
    ...table,
    of: ['moto'],
    where: ['a list page by page / a page that ends where the range ends'],
    path: 'LastEvaluatedKey',
    theirs: ABSENT,
    because: 'moto looks whether more follows; DynamoDB stops at the limit and does not',
    source: `${DYNAMODB}, Query, Limit and LastEvaluatedKey`,
  },
  {
    ...table,
    of: BOTH,
    where: ['the stream / what the stream tells'],
    path: 'records',
    because: 'emulators tell of a write that changes nothing; DynamoDB does not',
    source: `${DYNAMODB_GUIDE}, Change data capture for DynamoDB Streams`,
  },
  {
    ...table,
    of: ['moto'],
    where: ['the size of an item / as much as fits'],
    path: 'error',
    ours: ABSENT,
    theirs: 'ValidationException',
    because: 'moto takes less than 400 KB; ours takes what is exactly as large',
    source: `${DYNAMODB_GUIDE}, Quotas: an item's size`,
  },
];

const queue = { model: 'FakeQueue', ours: ANY, theirs: ANY } as const;

export const OF_SQS: readonly Known[] = [
  {
    ...queue,
    of: ['ministack'],
    where: ['what is given back / done twice'],
    path: 'error',
    ours: ABSENT,
    theirs: 'ReceiptHandleIsInvalid',
    because: 'whether a second deletion fails is not said; the adapter takes both for done',
    source: `${SQS}, DeleteMessage`,
  },
  {
    ...queue,
    of: ['moto'],
    where: ['what is not done in time / the first receipt deletes nothing'],
    path: 'error',
    ours: 'ReceiptHandleIsInvalid',
    theirs: ABSENT,
    because: 'moto deletes by any receipt that a message ever had',
    source: `${SQS}, DeleteMessage: the receipt handle of the latest receive`,
  },
  {
    ...queue,
    of: ['moto'],
    where: [
      'what is not done in time / they come again, before the third',
      'what is given back / then all come',
    ],
    path: 'Messages',
    because: 'moto passes over the first of a group whose time it has not yet seen expire',
    source: 'Amazon SQS Developer Guide, FIFO queue delivery logic',
  },
  {
    ...queue,
    of: ['moto'],
    where: ['the same message twice / what there is'],
    path: 'Messages',
    because: 'moto compares ids in the whole queue, whatever the scope that it was given',
    source: `${SQS}, CreateQueue, DeduplicationScope`,
  },
  {
    ...queue,
    of: ['moto'],
    where: ['the same message twice / is dropped, too'],
    path: 'Messages',
    ours: ABSENT,
    because: 'moto compares only with messages that it still holds; SQS for five minutes',
    source: `${SQS}, SendMessageBatch, MessageDeduplicationId`,
  },
];

const model = { model: 'AwsModel', ours: ANY, theirs: ANY } as const;

export const OF_EC2: readonly Known[] = [
  {
    ...model,
    of: BOTH,
    where: [EVERYWHERE],
    path: 'Reservations[].Instances[].Tags',
    because: "emulators do not add the fleet's id, as EC2 does",
    source: 'Amazon EC2 User Guide, EC2 Fleet of type instant: instances by aws:ec2:fleet-id',
  },
  {
    ...model,
    of: BOTH,
    where: ["a machine's life / the same once more"],
    path: 'Instances[].InstanceIds[]',
    because: 'emulators launch again under a client token',
    source: `${EC2}, CreateFleet, ClientToken`,
  },
  {
    ...model,
    of: BOTH,
    where: ["a machine's life / is the same machine", "a machine's life / and not among the live"],
    path: 'Reservations',
    because: 'emulators launched again under the client token',
    source: `${EC2}, CreateFleet, ClientToken`,
  },
  {
    ...model,
    of: BOTH,
    where: ["a machine's life / the token for something else"],
    path: 'error',
    ours: 'IdempotentParameterMismatch',
    theirs: ABSENT,
    because: 'emulators do not remember client tokens',
    source: `${EC2}, Ensuring idempotency`,
  },
  {
    ...model,
    of: BOTH,
    where: ['launches / a type that there is not'],
    path: '*',
    because: 'their fleets never fail, and launch types that there are not',
    source: `${EC2}, CreateFleet, Errors`,
  },
  {
    ...model,
    of: BOTH,
    where: ['launches / of nothing'],
    path: 'error',
    ours: 'InvalidParameterValue',
    theirs: ABSENT,
    because: 'emulators take a fleet of no instances',
    source: `${EC2}, TargetCapacitySpecificationRequest`,
  },
  {
    ...model,
    of: BOTH,
    where: ['what is not there / what is no id'],
    path: 'error',
    ours: 'InvalidInstanceID.Malformed',
    theirs: 'InvalidInstanceID.NotFound',
    because: 'emulators do not look at the form of an id',
    source: `${EC2}, Error codes`,
  },
  {
    ...model,
    of: ['moto'],
    where: ['launches / two at once'],
    path: 'Instances',
    because: 'moto lists each instance by itself; EC2 those of one override together',
    source: `${EC2}, CreateFleetInstance, InstanceIds`,
  },
  {
    ...model,
    of: ['moto'],
    where: [EVERYWHERE],
    path: 'Reservations[].Instances[].StateReason',
    ours: ABSENT,
    because: 'moto has an empty reason where there is none',
    source: `${EC2}, Instance, StateReason`,
  },
  {
    ...model,
    of: ['moto'],
    where: ["a machine's life / its end again"],
    path: 'TerminatingInstances[].CurrentState.Name',
    ours: 'terminated',
    theirs: 'shutting-down',
    because: 'moto lets an instance end again that has ended',
    source: `${EC2}, TerminateInstances: terminating again succeeds and changes nothing`,
  },
  {
    ...model,
    of: ['ministack'],
    where: [EVERYWHERE],
    path: 'Instances[].LaunchTemplateAndOverrides',
    theirs: ABSENT,
    because: 'MiniStack does not say which override was launched',
    source: `${EC2}, CreateFleetInstance, LaunchTemplateAndOverrides`,
  },
  {
    ...model,
    of: ['ministack'],
    where: ['launches / is of Spot'],
    path: 'Reservations[].Instances[].InstanceLifecycle',
    ours: 'spot',
    theirs: ABSENT,
    because: 'MiniStack knows no Spot instances',
    source: `${EC2}, Instance, InstanceLifecycle`,
  },
  {
    ...model,
    of: ['ministack'],
    where: ["a machine's life / it is terminated"],
    path: 'Reservations[].Instances[].StateReason',
    theirs: ABSENT,
    because: 'MiniStack gives no reason',
    source: `${EC2}, StateReason`,
  },
  {
    ...model,
    of: ['ministack'],
    where: ["a machine's life / its end"],
    path: 'TerminatingInstances[].CurrentState.Name',
    ours: 'shutting-down',
    theirs: 'terminated',
    because: 'an instance of MiniStack ends at once',
    source: 'Amazon EC2 User Guide, Instance lifecycle',
  },
  {
    ...model,
    of: ['ministack'],
    where: ['what is not there / a type'],
    path: 'error',
    ours: 'InvalidInstanceType',
    theirs: ABSENT,
    because: 'MiniStack describes any type',
    source: `${EC2}, Error codes`,
  },
  {
    ...model,
    of: ['ministack'],
    where: ['types / *'],
    path: 'InstanceTypes[].*',
    because: 'MiniStack has one shape for all types; ours are as in moto, which has AWS’s data',
    source: `${EC2}, DescribeInstanceTypes`,
  },
];
