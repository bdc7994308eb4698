/** What the journal promises, and what it spares. */
import { inflateRawSync } from 'node:zlib';
import { BatchGetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { settle, StepClock } from '../../../adapters/memory/step-clock.ts';
import { DynamoStore, GATHER_MS } from '../../../adapters/aws/dynamo/dynamo-store.ts';
import type { Item } from '../../../adapters/aws/dynamo/item.ts';
import { expectedOf } from '../../../shared/api/change.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { draft, key, MAPS } from '../../contract/store-samples.ts';
import { type Command, failure, FakeDynamoDb } from './fake-dynamodb.ts';

let clock: StepClock;
let fake: FakeDynamoDb;
let store: DynamoStore;
beforeEach(() => {
  clock = new StepClock();
  fake = new FakeDynamoDb();
  store = processOf(fake, clock);
});

const processOf = ({ client }: FakeDynamoDb, clock: StepClock, gatherMs = 0) =>
  new DynamoStore({ client, table: 't', clock, gatherMs });

type Told = readonly [resource: string, sk: string, version: number];

function toldIn({ told }: Item): readonly Told[] {
  return told?.B ? (JSON.parse(inflateRawSync(told.B).toString('utf8')) as Told[]) : [];
}

const announcements = () => [...fake.items.values()].filter(({ told }) => told);
const isAnnouncement = (command: Command) =>
  command instanceof PutItemCommand && command.input.Item?.['told'] !== undefined;
const callsOf = (kind: abstract new (...args: never[]) => Command) =>
  fake.calls.filter((command) => command instanceof kind).length;

/** The item that the command writes an object with, if it does. */
function written(command: Command): Item | undefined {
  const item = command instanceof PutItemCommand ? command.input.Item : undefined;
  return item?.['born'] ? item : undefined;
}

describe('a write', () => {
  it('is announced before it is made, whatever it is', async () => {
    const unannounced: string[] = [];
    fake.meddle = (command, proceed) => {
      const item = written(command);
      const isTold = ([resource, sk, version]: Told): boolean =>
        resource === MAPS && sk === item?.['sk']?.S && version === Number(item['version']?.N);
      if (item && !announcements().flatMap(toldIn).some(isTold)) {
        unannounced.push(item['sk']?.S ?? '');
      }
      return proceed();
    };
    const v1 = await store.create(MAPS, draft('a'));
    const v2 = await store.update(MAPS, v1);
    await store.remove(key('a'), expectedOf(v2));
    await store.create(MAPS, draft('a'));
    expect(unannounced).toEqual([]);
  });

  it('is not made when it could not be announced, and is tried again', async () => {
    let left = 1;
    fake.meddle = (command, proceed) => {
      if (isAnnouncement(command) && left-- > 0) throw failure('ThrottlingException');
      return proceed();
    };
    const write = store.create(MAPS, draft('a'));
    await clock.advance(1_000);
    await write;
    expect(fake.calls.filter(written)).toHaveLength(1);
  });

  it('made beside others is announced with them', async () => {
    const gathering = processOf(fake, clock, GATHER_MS);
    const names = Array.from({ length: 40 }, (_, i) => `map-${i}`);
    const writes = names.map((name) => gathering.create(MAPS, draft(name)));
    await clock.advance(GATHER_MS);
    await Promise.all(writes);
    expect(announcements()).toHaveLength(1);
    const many = Array.from({ length: 300 }, (_, i) => gathering.create(MAPS, draft(`more-${i}`)));
    await clock.advance(GATHER_MS);
    await Promise.all(many);
    expect(announcements()).toHaveLength(3);
  });

  it('of a pod is announced together with the event about it', async () => {
    const gathering = processOf(fake, clock, GATHER_MS);
    const writes = ['pods', 'events', MAPS].map((name) => gathering.create(name, draft('a')));
    await clock.advance(GATHER_MS);
    await Promise.all(writes);
    const told = announcements().map((item) => toldIn(item).map(([resource]) => resource));
    expect(told.sort()).toEqual([[MAPS], ['pods', 'events']]);
  });
});

describe('an answer', () => {
  it('holds all that was written before the question, although other reads lag', async () => {
    fake.isStale = () => true;
    const reader = processOf(fake, clock);
    let after = (await reader.list({ resource: MAPS })).resourceVersion;
    let last = await store.create<AnyObject>(MAPS, draft('a'));
    for (let n = 0; n < 5; n++) {
      const { changes, resourceVersion } = await reader.changes({ resource: MAPS, after });
      expect(changes.map(({ object }) => object)).toEqual([last]);
      after = resourceVersion;
      last = await store.update(MAPS, { ...last, n });
    }
  });

  it('is read for half the price where reads do not lag', async () => {
    const { resourceVersion: after } = await store.list({ resource: MAPS });
    for (const name of ['a', 'b', 'c']) await store.create(MAPS, draft(name));
    await store.changes({ resource: MAPS, after });
    const reads = fake.calls.filter((call) => call instanceof BatchGetItemCommand);
    expect(reads.map(({ input }) => input.RequestItems?.['t']?.ConsistentRead)).toEqual([false]);
  });

  it('shows a write later that is announced, and not made yet', async () => {
    let release = (): void => {};
    fake.meddle = async (command, proceed) => {
      if (written(command)) await new Promise<void>((resolve) => (release = resolve));
      return proceed();
    };
    const { resourceVersion: after } = await store.list({ resource: MAPS });
    const write = processOf(fake, clock).create(MAPS, draft('a'));
    await settle();
    const first = await store.changes({ resource: MAPS, after });
    expect(first.changes).toEqual([]);
    const next = { resource: MAPS, after: first.resourceVersion };
    let isOver = false;
    const { signal } = new AbortController();
    const wait = store.waitForChange(next, signal).then(() => (isOver = true));
    await clock.advance(1_000);
    expect(isOver).toBe(false);
    release();
    await write;
    await clock.advance(1_000);
    await wait;
    expect((await store.changes(next)).changes.map(({ object }) => object.metadata.name)).toEqual([
      'a',
    ]);
  });
});

describe('a watch', () => {
  it('does not turn on the spot for a write that was refused', async () => {
    const { resourceVersion } = await store.list({ resource: MAPS });
    fake.meddle = (command, proceed) => {
      if (written(command)) throw failure('ValidationException');
      return proceed();
    };
    await expect(store.create(MAPS, draft('b'))).rejects.toThrow('ValidationException');
    fake.meddle = (_, proceed) => proceed();
    const first = await store.changes({ resource: MAPS, after: resourceVersion });
    expect(first.changes).toEqual([]);
    let isOver = false;
    const stop = new AbortController();
    const query = { resource: MAPS, after: first.resourceVersion };
    const wait = store.waitForChange(query, stop.signal).then(() => (isOver = true));
    const asked = callsOf(QueryCommand);
    await clock.advance(10_000);
    expect(isOver).toBe(false);
    expect(callsOf(QueryCommand) - asked).toBeLessThan(15);
    stop.abort();
    await wait;
  });

  it('asks one partition of what is seldom written, and two of pods', async () => {
    for (const [resource, partitions] of [
      [MAPS, 1],
      ['pods', 2],
    ] as const) {
      const { resourceVersion: after } = await store.list({ resource });
      const asked = callsOf(QueryCommand);
      await store.changes({ resource, after });
      expect(callsOf(QueryCommand) - asked).toBe(partitions);
    }
  });
});
