/**
 * Our ports as targets of scripts: what a store and a queue answer to whoever is above them, be
 * they in memory or adapters over services that others wrote. Owns operations by name, and the
 * parts of an object that an answer shows.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoStore } from '../../adapters/aws/dynamo/dynamo-store.ts';
import { SqsQueue } from '../../adapters/aws/sqs/sqs-queue.ts';
import { SeededIds } from '../../adapters/memory/seeded-ids.ts';
import { StepClock } from '../../adapters/memory/step-clock.ts';
import type { Change } from '../../shared/api/change.ts';
import type { AnyObject, ObjectKey } from '../../shared/api/meta.ts';
import type { Delivery, Queue, WorkMessage } from '../../shared/ports/queue.ts';
import type { ChangesQuery, ListQuery, Store } from '../../shared/ports/store.ts';
import type { Target } from './play.ts';
import type { JsonObject } from './script.ts';

const MS_A_SECOND = 1000;

type Call = (input: never) => Promise<unknown>;

interface Opened {
  readonly calls: { readonly [operation: string]: Call };
  readonly pass: (seconds: number) => Promise<void>;
}

function portTarget(open: () => Promise<Opened>): Target {
  let opened: Opened | undefined;
  return {
    begin: async () => {
      opened = await open();
      return {};
    },
    call: async (operation, input) => {
      const call = opened?.calls[operation];
      if (!call) throw new RangeError(`the port has no ${operation}`);
      return call(input as never);
    },
    pass: async (seconds) => opened?.pass(seconds),
    settle: async () => {},
  };
}

export interface QueueUrls {
  readonly queue: string;
  readonly timers: string;
  readonly dead: string;
}

/** The adapter over SQS, whoever serves it. */
export function queueTarget(
  make: () => Promise<{ client: SQSClient; urls: QueueUrls; pass: Opened['pass'] }>,
): Target {
  let worlds = 0;
  return portQueue(async () => {
    const { client, urls, pass } = await make();
    const { queue: url, timers: timersUrl, dead: deadLettersUrl } = urls;
    const ids = new SeededIds(`fidelity ${++worlds}`);
    const options = { client, name: 'reconcile', url, timersUrl, deadLettersUrl, ids } as const;
    return { queue: new SqsQueue(options), pass };
  });
}

export function portQueue(make: () => Promise<{ queue: Queue; pass: Opened['pass'] }>): Target {
  return portTarget(async () => {
    const { queue, pass } = await make();
    return { calls: callsOfQueue(queue), pass };
  });
}

function callsOfQueue(queue: Queue): Opened['calls'] {
  type Held = { readonly delivery: Delivery };
  return {
    send: ({ messages }: { readonly messages: readonly WorkMessage[] }) => queue.send(messages),
    receive: async ({ max }: { readonly max: number }) => ({
      deliveries: await queue.receive(max, 0),
    }),
    ack: ({ delivery }: Held) => queue.ack(delivery),
    release: ({ delivery, delayMs }: Held & { readonly delayMs: number }) =>
      queue.release(delivery, delayMs),
    deadLetters: async ({ max }: { readonly max: number }) => ({
      letters: await queue.deadLetters(max),
    }),
  };
}

/** The adapter over DynamoDB, whoever serves it. */
export function storeTarget(
  make: () => Promise<{ client: DynamoDBClient; table: string }>,
): Target {
  return portStore(async (clock) => new DynamoStore({ ...(await make()), clock }));
}

export function portStore(make: (clock: StepClock) => Promise<Store>): Target {
  return portTarget(async () => {
    const clock = new StepClock();
    const store = await make(clock);
    return {
      calls: callsOfStore(store),
      pass: (seconds) => clock.advance(seconds * MS_A_SECOND),
    };
  });
}

function callsOfStore(store: Store): Opened['calls'] {
  type Written = { readonly resource: string; readonly object: AnyObject };
  type Removed = { readonly key: ObjectKey; readonly uid: string; readonly version: string };
  return {
    create: async ({ resource, object }: Written) => viewOf(await store.create(resource, object)),
    update: async ({ resource, object }: Written) => viewOf(await store.update(resource, object)),
    remove: async ({ key, uid, version }: Removed) =>
      viewOf(await store.remove(key, { uid, resourceVersion: version })),
    get: async (key: ObjectKey) => viewOf(await store.get(key)),
    list: async (query: ListQuery) => {
      const { items, next = null, resourceVersion } = await store.list(query);
      return { items: items.map(viewOf), next, token: resourceVersion };
    },
    changes: async (query: ChangesQuery) => {
      const { changes, resourceVersion } = await store.changes(query);
      return { changes: changes.map(changeView), token: resourceVersion };
    },
  };
}

function viewOf(object: AnyObject | undefined): JsonObject {
  if (!object) return {};
  const { name, namespace = '', uid, resourceVersion } = object.metadata;
  const { data = null } = object as AnyObject & { readonly data?: JsonObject };
  return { place: `${namespace}/${name}`, uid, version: resourceVersion, data };
}

function changeView({ type, object, previous }: Change): JsonObject {
  return { type, ...viewOf(object), previous: previous ? viewOf(previous) : null };
}
