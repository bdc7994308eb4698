import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, test } from 'vitest';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import { StoreFileUnusable } from '../../../adapters/sqlite/database.ts';
import { SqliteStore } from '../../../adapters/sqlite/sqlite-store.ts';
import { expectedOf } from '../../../shared/api/change.ts';
import { type AnyObject, compareVersions } from '../../../shared/api/meta.ts';
import { Expired, Unavailable } from '../../../shared/ports/store.ts';

const folder = mkdtempSync(join(tmpdir(), 'nullplane-sqlite-'));
let files = 0;
const newPath = (): string => join(folder, `${++files}.db`);

afterAll(() => rmSync(folder, { recursive: true }));

const RESOURCE = 'configmaps';

function open(path: string, clock = new StepClock(), changesKept = 1000): SqliteStore {
  return SqliteStore.open({ path, clock, durability: 'process', changesKept });
}

function draft(name: string, fields: object = {}): AnyObject {
  const metadata = { name, namespace: 'd', uid: `uid-${name}`, resourceVersion: '' };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadata, creationTimestamp: '' },
    ...fields,
  };
}

describe('a file that is opened again', () => {
  test('has the objects, the indexes and the changes that it had', async () => {
    const path = newPath();
    const first = open(path);
    const { resourceVersion: after } = await first.list({ resource: RESOURCE });
    const owner = { apiVersion: 'v1', kind: 'X', name: 'x', uid: 'o' };
    const a = draft('a', { data: { x: 'é𝕏' } });
    await first.create(RESOURCE, { ...a, metadata: { ...a.metadata, ownerReferences: [owner] } });
    const b = await first.create(RESOURCE, draft('b'));
    await first.remove({ resource: RESOURCE, namespace: 'd', name: 'b' }, expectedOf(b));
    const queries = [{}, { index: { name: 'owner', value: 'o' } as const }];
    const read = async (store: SqliteStore) => [
      ...(await Promise.all(queries.map((q) => store.list({ resource: RESOURCE, ...q })))),
      await store.changes({ resource: RESOURCE, after }),
    ];
    const before = await read(first);
    first.close();
    const second = open(path);
    expect(await read(second)).toEqual(before);
    second.close();
  });

  test('goes on with its versions, although the clock was set back', async () => {
    const path = newPath();
    const clock = new StepClock();
    let last = '0';
    for (let round = 0; round < 3; round++) {
      const store = open(path, clock);
      const created = await store.create(RESOURCE, draft(`n${round}`));
      const removed = await store.remove(
        { resource: RESOURCE, namespace: 'd', name: `n${round}` },
        expectedOf(created),
      );
      expect(compareVersions(created.metadata.resourceVersion, last)).toBeGreaterThan(0);
      last = removed.metadata.resourceVersion;
      store.close();
      clock.set(clock.nowMs() - 3_600_000);
    }
  });

  test('knows what it has forgotten', async () => {
    const path = newPath();
    const first = open(path, undefined, 10);
    const { resourceVersion: after } = await first.list({ resource: RESOURCE });
    let last = await first.create(RESOURCE, draft('a'));
    for (let i = 0; i < 30; i++) last = await first.update(RESOURCE, last);
    first.close();
    const second = open(path, undefined, 10);
    await expect(second.changes({ resource: RESOURCE, after })).rejects.toThrow(Expired);
    second.close();
  });

  test('holds no state that nothing leads to', async () => {
    const path = newPath();
    const store = open(path, undefined, 10);
    let a = await store.create(RESOURCE, draft('a'));
    await store.create(RESOURCE, draft('untouched'));
    for (let i = 0; i < 50; i++) {
      if (i % 5 === 4) {
        await store.remove({ resource: RESOURCE, namespace: 'd', name: 'a' }, expectedOf(a));
        a = await store.create(RESOURCE, draft('a'));
      } else a = await store.update(RESOURCE, a);
    }
    store.close();
    const db = new DatabaseSync(path);
    const [states, needed] = ['SELECT version FROM states', NEEDED_STATES].map((sql) =>
      db.prepare(`${sql} ORDER BY version`).all(),
    );
    db.close();
    expect(states).toEqual(needed);
  });
});

const NEEDED_STATES = `
  SELECT version FROM objects
  UNION SELECT version FROM changes
  UNION SELECT previous FROM changes WHERE previous NOT NULL`;

describe('a file that is not for us', () => {
  const refusal = (path: string, words: RegExp): void => {
    expect(() => open(path)).toThrow(StoreFileUnusable);
    expect(() => open(path)).toThrow(words);
  };

  test('is left alone when another application made it', () => {
    const path = newPath();
    const db = new DatabaseSync(path);
    db.exec('CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)');
    db.close();
    const bytes = readFileSync(path);
    refusal(path, /another application/);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test('is left alone when it is no database', () => {
    const path = newPath();
    writeFileSync(path, 'not a database, but long enough to be looked at as one '.repeat(50));
    refusal(path, /not a database/);
  });

  test('is left alone when a newer release wrote it', () => {
    const path = newPath();
    open(path).close();
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 999');
    db.close();
    refusal(path, /newer release/);
  });

  test('is refused while somebody has it open, and free when they close it', () => {
    const path = newPath();
    const holder = open(path);
    refusal(path, /in use/);
    holder.close();
    open(path).close();
  });

  test('says what is wrong when it can not be made', () => {
    refusal(join(folder, 'no-such-folder', 'x.db'), /no-such-folder.*can't be opened/);
  });
});

describe('closing', () => {
  test('commits what was asked for before, and refuses what comes after', async () => {
    const path = newPath();
    const store = open(path);
    const pending = store.create(RESOURCE, draft('a'));
    store.close();
    const created = await pending;
    await expect(store.create(RESOURCE, draft('b'))).rejects.toThrow(Unavailable);
    await expect(store.get({ resource: RESOURCE, namespace: 'd', name: 'a' })).rejects.toThrow(
      Unavailable,
    );
    const again = open(path);
    expect((await again.list({ resource: RESOURCE })).items).toEqual([created]);
    again.close();
  });

  test('lets those who wait for changes go', async () => {
    const store = open(newPath());
    const { resourceVersion: after } = await store.list({ resource: RESOURCE });
    const { signal } = new AbortController();
    const waiting = store.waitForChange({ resource: RESOURCE, after }, signal);
    store.close();
    await waiting;
  });
});

describe('a process that is killed', () => {
  const WRITES_BEFORE_KILL = [1, 300, 3000];

  test('loses no write that was acknowledged, and leaves the file free', async () => {
    const path = newPath();
    for (const count of WRITES_BEFORE_KILL) {
      rmSync(path, { force: true });
      const { lines, whileRunning } = await killedAfter(path, count);
      expect(whileRunning).toBeInstanceOf(StoreFileUnusable);
      await expectAllWritten(path, lines);
    }
  });
});

/**
 * Runs the writer until it has acknowledged so many writes, and kills it in the midst of the next.
 */
async function killedAfter(path: string, count: number) {
  const script = join(import.meta.dirname, 'sqlite-writer.ts');
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  let whileRunning: unknown;
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    output += text;
    if (output.startsWith('open\n')) whileRunning ??= errorOf(() => open(path));
    if (output.split('\n').length > count + 2) child.kill('SIGKILL');
  });
  await exitOf(child);
  // The last line may be cut off: then nobody has read it as acknowledged.
  return { lines: output.split('\n').slice(1, -1), whileRunning };
}

async function expectAllWritten(path: string, lines: readonly string[]): Promise<void> {
  const store = open(path);
  expect(lines.length).toBeGreaterThan(0);
  const acknowledged = new Map(lines.map((line) => [line.split(' ')[0] as string, line]));
  for (const [name, line] of acknowledged) {
    const acknowledgedCount = Number(line.split(' ')[2]);
    const found = await store.get({ resource: RESOURCE, namespace: '', name });
    // One more write of each writer was on its way, and may have been committed.
    const last = found?.count ?? Math.ceil(acknowledgedCount / 10) * 10;
    expect([acknowledgedCount, acknowledgedCount + 1]).toContain(last);
  }
  const { items, resourceVersion } = await store.list({ resource: RESOURCE });
  for (const { metadata } of items) {
    expect(compareVersions(metadata.resourceVersion, resourceVersion)).toBeLessThanOrEqual(0);
  }
  store.close();
}

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.on('close', () => resolve()));
}

function errorOf(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}
