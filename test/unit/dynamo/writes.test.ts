/** Writes whose answers are lost, and what is left of them; bodies in parts; clocks that differ. */
import { randomBytes } from 'node:crypto';
import { BatchGetItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import { DynamoStore } from '../../../adapters/aws/dynamo/dynamo-store.ts';
import { expectedOf } from '../../../shared/api/change.ts';
import { type AnyObject, compareVersions } from '../../../shared/api/meta.ts';
import { AlreadyExists, Conflict, Unavailable } from '../../../shared/ports/store.ts';
import { draft, key, MAPS } from '../../contract/store-samples.ts';
import { type Command, failure, FakeDynamoDb, type Meddle } from './fake-dynamodb.ts';

/** A second passes at once for whoever waits. */
class Hasty extends StepClock {
  override async delay(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms >= 2_000) return super.delay(ms, signal);
    this.set(this.nowMs() + ms);
  }
}

let clock: StepClock;
let fake: FakeDynamoDb;
let store: DynamoStore;
beforeEach(() => {
  clock = new Hasty();
  fake = new FakeDynamoDb();
  store = new DynamoStore({ client: fake.client, table: 't', clock });
});

/** Of an object or a part of one: what announces a write is none. */
const isPut = (command: Command) =>
  command instanceof PutItemCommand && command.input.Item?.['told'] === undefined;
const large = (): object => ({ data: { x: randomBytes(900_000).toString('base64') } });

/** Fails the first `times` calls of a kind, before or after they take effect. */
function failing(
  isMeant: (command: Command) => boolean,
  error: Error,
  { times = 1, done = false } = {},
): Meddle {
  let left = times;
  return (command, proceed) => {
    if (!isMeant(command) || left-- <= 0) return proceed();
    if (done) proceed();
    throw error;
  };
}

const AMBIGUOUS = [
  failure('TimeoutError'),
  failure('InternalServerError', 500),
  Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }),
];

describe('a write whose answer is lost', () => {
  it.each(AMBIGUOUS)('is recognised as its own (%s)', async (error) => {
    fake.meddle = failing(isPut, error, { done: true });
    const v1 = await store.create<AnyObject>(MAPS, draft('a'));
    expect(await store.get(key('a'))).toEqual(v1);
    fake.meddle = failing(isPut, error, { done: true });
    const v2 = await store.update(MAPS, { ...v1, data: { x: '2' } });
    expect(await store.get(key('a'))).toEqual(v2);
    fake.meddle = failing(isPut, error, { done: true });
    await store.remove(key('a'), expectedOf(v2));
    expect(await store.get(key('a'))).toBeUndefined();
  });

  it('is recognised although somebody has written since', async () => {
    const v1 = await store.create<AnyObject>(MAPS, draft('a'));
    const other = new DynamoStore({ client: fake.client, table: 't', clock });
    let isFirst = true;
    fake.meddle = async (command, proceed) => {
      if (!isPut(command) || !isFirst) return proceed();
      isFirst = false;
      proceed();
      const written = (await other.get(key('a'))) as AnyObject;
      await other.update(MAPS, { ...written, by: 'other' });
      throw failure('TimeoutError');
    };
    const v2 = await store.update(MAPS, { ...v1, by: 'me' });
    const v3 = (await store.get(key('a'))) as AnyObject;
    expect([v2.by, v3.by]).toEqual(['me', 'other']);
    expect(isOlder(v2, v3)).toBe(true);
  });

  it('is made again under a version of its own when it was not done', async () => {
    fake.meddle = failing(isPut, failure('TimeoutError'), { times: 2 });
    await store.create(MAPS, draft('a'));
    const versions = fake.calls.filter(isPut).map((put) => versionOf(put));
    expect(versions).toHaveLength(3);
    expect(new Set(versions).size).toBe(3);
  });

  it('is no success when a rival wrote the very same version', async () => {
    const v1 = await store.create<AnyObject>(MAPS, draft('a'));
    const rival = new DynamoStore({ client: fake.client, table: 't', clock });
    await rival.get(key('a'));
    let isFirst = true;
    fake.meddle = async (command, proceed) => {
      if (!isPut(command) || !isFirst) return proceed();
      isFirst = false;
      const theirs = await rival.update(MAPS, { ...v1, by: 'rival' });
      expect(theirs.metadata.resourceVersion).toBe(versionOf(command));
      throw failure('TimeoutError');
    };
    clock.set(clock.nowMs() + 1);
    await expect(store.update(MAPS, { ...v1, by: 'me' })).rejects.toThrow(Conflict);
    expect((await store.get(key('a')))?.by).toBe('rival');
  });

  it('is unavailable when it stays so, and a mistake is not repeated', async () => {
    fake.meddle = failing(isPut, failure('ThrottlingException'), { times: 100 });
    await expect(store.create(MAPS, draft('a'))).rejects.toThrow(Unavailable);
    expect(fake.calls.filter(isPut)).toHaveLength(3);
    fake.meddle = failing(isPut, failure('ValidationException'), { times: 100 });
    await expect(store.create(MAPS, draft('a'))).rejects.toThrow('ValidationException');
    expect(fake.calls.filter(isPut)).toHaveLength(4);
  });

  it('is given up after its time', async () => {
    clock = new StepClock();
    store = new DynamoStore({ client: neverAnswering(), table: 't', clock });
    const write = expect(store.create(MAPS, draft('a'))).rejects.toThrow(Unavailable);
    await clock.advance(10_000);
    await write;
  });
});

describe('reads', () => {
  it('are repeated, and then unavailable', async () => {
    await store.create(MAPS, draft('a'));
    const isGet = (command: Command) => command instanceof GetItemCommand;
    const throttled = failure('ProvisionedThroughputExceededException');
    fake.meddle = failing(isGet, throttled, { times: 2 });
    expect(await store.get(key('a'))).toBeDefined();
    fake.meddle = failing(isGet, throttled, { times: 3 });
    await expect(store.get(key('a'))).rejects.toThrow(Unavailable);
  });

  it('ask for what a batch left out, but not for ever', async () => {
    const { resourceVersion: after } = await store.list({ resource: MAPS });
    for (const name of ['a', 'b', 'c']) await store.create(MAPS, draft(name));
    fake.meddle = leavingOut((keys) => keys.slice(1));
    const { changes } = await store.changes({ resource: MAPS, after });
    expect(changes.map(({ object }) => object.metadata.name)).toEqual(['a', 'b', 'c']);
    fake.meddle = leavingOut((keys) => keys);
    await expect(store.changes({ resource: MAPS, after })).rejects.toThrow(Unavailable);
  });
});

describe('a body in parts', () => {
  it('is read as it was written, replaced, and cleared away', async () => {
    const v1 = await store.create<AnyObject>(MAPS, draft('big', large()));
    expect(chunks()).toHaveLength(3);
    expect(await store.get(key('big'))).toEqual(v1);
    const v2 = await store.update(MAPS, { ...v1, ...large() });
    expect(chunks()).toHaveLength(3);
    expect((await store.list({ resource: MAPS })).items).toEqual([v2]);
    const v3 = await store.update(MAPS, { ...v2, data: {} });
    expect(chunks()).toHaveLength(0);
    const v4 = await store.update(MAPS, { ...v3, ...large() });
    const removed = await store.remove(key('big'), expectedOf(v4));
    expect(removed.data).toEqual(v4.data);
    expect(chunks()).toHaveLength(0);
  });

  it('is read again when it was replaced in between', async () => {
    const v1 = await store.create<AnyObject>(MAPS, draft('big', large()));
    const reader = new DynamoStore({ client: fake.client, table: 't', clock });
    let v2: AnyObject | undefined;
    fake.meddle = async (command, proceed) => {
      if (command instanceof BatchGetItemCommand && !v2) {
        v2 = v1;
        v2 = await store.update(MAPS, { ...v1, ...large() });
      }
      return proceed();
    };
    const read = await reader.get(key('big'));
    expect(read).toEqual(v2);
  });

  it('leaves nothing behind when the write is refused', async () => {
    const v1 = await store.create<AnyObject>(MAPS, draft('a'));
    await new DynamoStore({ client: fake.client, table: 't', clock }).update(MAPS, v1);
    await expect(store.update(MAPS, { ...v1, ...large() })).rejects.toThrow(Conflict);
    expect(chunks()).toHaveLength(0);
  });
});

describe('a name that was', () => {
  it('gets versions above the deletion, though that was by a faster clock', async () => {
    const fast = new StepClock(clock.nowMs() + 60_000);
    const other = new DynamoStore({ client: fake.client, table: 't', clock: fast });
    const removed = await other.remove(key('a'), expectedOf(await other.create(MAPS, draft('a'))));
    const again = await store.create(MAPS, draft('a'));
    expect(isOlder(removed, again)).toBe(true);
    await expect(other.create(MAPS, draft('a'))).rejects.toThrow(AlreadyExists);
    // One wrong clock does not spread.
    const elsewhere = await store.create(MAPS, draft('b'));
    expect(isOlder(elsewhere, removed)).toBe(true);
  });

  it('of an event is free when the event has ended', async () => {
    const event = await store.create('events', draft('e'));
    clock.set(clock.nowMs() + 3_600_001);
    expect(await store.get({ ...key('e'), resource: 'events' })).toBeUndefined();
    expect((await store.list({ resource: 'events' })).items).toEqual([]);
    const again = await store.create('events', draft('e'));
    expect(isOlder(event, again)).toBe(true);
  });
});

function versionOf(command: Command): string | undefined {
  return (command as PutItemCommand).input.Item?.['version']?.N;
}

function chunks(): string[] {
  return [...fake.items.keys()].filter((id) => id.includes('c#'));
}

function isOlder(a: AnyObject, b: AnyObject): boolean {
  return compareVersions(a.metadata.resourceVersion, b.metadata.resourceVersion) < 0;
}

/** Answers of batches without the keys that `rest` chooses, which come as unprocessed. */
function leavingOut(rest: <T>(keys: readonly T[]) => readonly T[]): Meddle {
  return (command, proceed) => {
    if (!(command instanceof BatchGetItemCommand)) return proceed();
    const asked = command.input.RequestItems?.['t'];
    const left = rest(asked?.Keys ?? []);
    const taken = (asked?.Keys ?? []).filter((one) => !left.includes(one));
    command.input.RequestItems = { t: { ...asked, Keys: taken } };
    const answer = proceed() as object;
    return { ...answer, UnprocessedKeys: left.length > 0 ? { t: { ...asked, Keys: left } } : {} };
  };
}

function neverAnswering() {
  const send = (_: Command, { abortSignal }: { abortSignal: AbortSignal }) =>
    new Promise((_resolve, reject) => {
      abortSignal.addEventListener('abort', () => reject(failure('AbortError')));
    });
  return { send } as unknown as FakeDynamoDb['client'];
}
