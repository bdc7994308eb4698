/** Watches over writers whose clocks differ and whose writes commit late. */
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settle, StepClock } from '../../../adapters/memory/step-clock.ts';
import { DynamoStore } from '../../../adapters/aws/dynamo/dynamo-store.ts';
import { type Change, expectedOf } from '../../../shared/api/change.ts';
import { type AnyObject, compareVersions } from '../../../shared/api/meta.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import { AlreadyExists, Conflict, Expired, type Store } from '../../../shared/ports/store.ts';
import { draft, key, MAPS } from '../../contract/store-samples.ts';
import { FakeDynamoDb } from './fake-dynamodb.ts';

/** A write is given up when it, or what has to come before it, takes longer. */
const LATEST_MS = 1_900;
const LATEST_ANNOUNCED_MS = 900;
const SKEWS_MS = [-400, 0, 400];

/** The same time, seen by another machine. */
function skewed(clock: StepClock, byMs: number): Clock {
  return {
    nowMs: () => clock.nowMs() + byMs,
    delay: (ms, signal) => clock.delay(ms, signal),
  };
}

/** Writers whose puts wait until they are let through. */
class Plant {
  readonly clock = new StepClock();
  readonly fake = new FakeDynamoDb();
  readonly writers = SKEWS_MS.map((ms) => this.process(ms));
  readonly #held: { dueMs: number; release: () => void }[] = [];
  #count = 0;

  constructor() {
    this.fake.meddle = async (command, proceed) => {
      if (command instanceof PutItemCommand) await this.#hold(isAnnouncement(command));
      return proceed();
    };
    let reads = 0;
    this.fake.isStale = () => ++reads % 3 === 0;
  }

  process(skewMs: number): DynamoStore {
    const clock = skewed(this.clock, skewMs);
    return new DynamoStore({ client: this.fake.client, table: 't', clock });
  }

  #hold(isAnnouncement: boolean): Promise<void> {
    const dueMs = this.clock.nowMs() + (isAnnouncement ? LATEST_ANNOUNCED_MS : LATEST_MS);
    return new Promise((release) => this.#held.push({ dueMs, release }));
  }

  /** Begins a write; it commits with `commit`. */
  async begin(writer: number, name: string, isRemoval: boolean): Promise<void> {
    const store = this.writers[writer] as Store;
    const count = ++this.#count;
    const write = async () => {
      const current = await store.get(key(name));
      if (isRemoval) return current && store.remove(key(name), expectedOf(current));
      if (current) return store.update<AnyObject>(MAPS, { ...current, count });
      return store.create(MAPS, draft(name, { count }));
    };
    write().catch((error: unknown) => {
      if (!(error instanceof Conflict) && !(error instanceof AlreadyExists)) throw error;
    });
    await settle();
  }

  async commit(i: number): Promise<void> {
    const [held] = this.#held.splice(i % Math.max(1, this.#held.length), 1);
    held?.release();
    await settle();
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.clock.nowMs() + ms;
    for (;;) {
      const next = Math.min(...this.#held.map(({ dueMs }) => dueMs));
      if (next > untilMs) break;
      await this.clock.advance(next - this.clock.nowMs());
      await this.commit(this.#held.findIndex(({ dueMs }) => dueMs === next));
    }
    await this.clock.advance(untilMs - this.clock.nowMs());
  }

  async finish(): Promise<void> {
    while (this.#held.length > 0) await this.commit(0);
  }
}

function isAnnouncement({ input }: PutItemCommand): boolean {
  return input.Item?.['told'] !== undefined;
}

/** A client that lists once and then follows, from any process. */
class Follower {
  readonly objects = new Map<string, AnyObject>();
  #version = '';

  async list(store: Store): Promise<void> {
    const { items, resourceVersion } = await store.list({ resource: MAPS });
    this.objects.clear();
    for (const object of items) this.objects.set(object.metadata.name, object);
    this.#version = resourceVersion;
  }

  /** Whether something new was shown. */
  async follow(store: Store, limit: number): Promise<boolean> {
    const query = { resource: MAPS, after: this.#version, limit };
    try {
      const { changes, resourceVersion } = await store.changes(query);
      for (const change of changes) this.#take(change);
      this.#version = resourceVersion;
      return changes.length > 0;
    } catch (error) {
      if (!(error instanceof Expired)) throw error;
      await this.list(store);
      return true;
    }
  }

  #take(change: Change): void {
    const { type, object } = change;
    const { name } = object.metadata;
    const known = this.objects.get(name);
    if (known) {
      const order = compareVersions(object.metadata.resourceVersion, versionOf(known));
      expect(order).toBeGreaterThanOrEqual(0);
      if (order > 0) expectAccounted(change, known);
    }
    if (type === 'put') this.objects.set(name, object);
    else this.objects.delete(name);
  }
}

/** What the watcher knows is among the states that the change says it may know. */
function expectAccounted({ previous, earlier }: Change, known: AnyObject): void {
  if (earlier === 'unknown') return;
  const states = [...(previous ? [previous] : []), ...(earlier ?? [])];
  expect(states.map(versionOf)).toContain(versionOf(known));
}

const versionOf = ({ metadata }: AnyObject) => metadata.resourceVersion;

type Step =
  | { readonly type: 'begin'; readonly writer: number; readonly name: string; isRemoval: boolean }
  | { readonly type: 'commit'; readonly i: number }
  | { readonly type: 'pass'; readonly ms: number }
  | { readonly type: 'look'; readonly limit: number }
  | { readonly type: 'move'; readonly skewMs: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('begin' as const),
      writer: fc.nat({ max: SKEWS_MS.length - 1 }),
      name: fc.constantFrom('a', 'b', 'c'),
      isRemoval: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('commit' as const), i: fc.nat(9) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('pass' as const),
      ms: fc.constantFrom(0, 1, 300, 1_500, 6_000, 61_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('look' as const),
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  },
  fc.record({ type: fc.constant('move' as const), skewMs: fc.constantFrom(...SKEWS_MS) }),
);

async function play(steps: readonly Step[]): Promise<void> {
  const plant = new Plant();
  let reader: Store = plant.process(0);
  const follower = new Follower();
  await follower.list(reader);
  for (const step of steps) {
    if (step.type === 'begin') await plant.begin(step.writer, step.name, step.isRemoval);
    else if (step.type === 'commit') await plant.commit(step.i);
    else if (step.type === 'pass') await plant.pass(step.ms);
    else if (step.type === 'look') await follower.follow(reader, step.limit);
    else reader = plant.process(step.skewMs);
  }
  await plant.finish();
  while (await follower.follow(reader, 3));
  const { items } = await reader.list({ resource: MAPS });
  const seen = [...follower.objects.values()].sort((a, b) =>
    a.metadata.name < b.metadata.name ? -1 : 1,
  );
  expect(seen).toEqual(items);
}

describe('changes while writes commit late', () => {
  it('are all shown, never go back, and say what they followed on', async () => {
    const steps = fc.array(step, { minLength: 5, maxLength: 40 });
    await fc.assert(fc.asyncProperty(steps, play), { numRuns: 400 });
  });

  it('are not shown twice to who goes on in the same process', async () => {
    const { writers, clock, fake } = new Plant();
    fake.meddle = (_, proceed) => proceed();
    const store = writers[1] as DynamoStore;
    const after = (await store.list({ resource: MAPS })).resourceVersion;
    await store.create(MAPS, draft('a'));
    const first = await store.changes({ resource: MAPS, after });
    await clock.advance(1_000);
    const second = await store.changes({ resource: MAPS, after: first.resourceVersion });
    expect([first.changes.length, second.changes.length]).toEqual([1, 0]);
    const elsewhere = writers[2] as DynamoStore;
    const again = await elsewhere.changes({ resource: MAPS, after: first.resourceVersion });
    expect(again.changes.map(({ object }) => object.metadata.name)).toEqual(['a']);
  });

  it('wait for other processes by asking now and then', async () => {
    const { writers, clock, fake } = new Plant();
    fake.meddle = (_, proceed) => proceed();
    const [writer, reader] = writers as [DynamoStore, DynamoStore];
    const after = (await reader.list({ resource: MAPS })).resourceVersion;
    let isOver = false;
    const query = { resource: MAPS, after };
    const wait = reader.waitForChange(query, new AbortController().signal).then(() => {
      isOver = true;
    });
    const asked = fake.calls.length;
    await clock.advance(10_000);
    expect(isOver).toBe(false);
    expect(fake.calls.length - asked).toBeLessThan(15);
    await writer.create(MAPS, draft('a'));
    await clock.advance(1_000);
    await wait;
  });
});
