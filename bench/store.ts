/**
 * How fast the file-backed store is: pods created, updated and listed, as durable as in local mode.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SystemClock } from '../adapters/node/system-clock.ts';
import { SqliteStore } from '../adapters/sqlite/sqlite-store.ts';
import type { Pod } from '../shared/api/kinds/pod.ts';
import { pagesOf } from '../shared/control/list-all.ts';
import { LABELS, pod } from './objects.ts';
import { count } from './options.ts';

export interface StoreFigures {
  readonly pods: number;
  readonly createsPerSecond: number;
  readonly updatesPerSecond: number;
  readonly listedPerSecond: number;
  /** One write at a time, each waiting for the disk. */
  readonly oneWriteMs: number;
}

/** Writes under way at a time: as many as a controller's plan has. */
const AT_A_TIME = 256;
const SINGLE_WRITES = 100;

export async function benchStore(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pods: { type: 'string', default: '20000' },
      json: { type: 'boolean', default: false },
    },
  });
  const folder = mkdtempSync(join(tmpdir(), 'nullplane-bench-'));
  const store = SqliteStore.open({ path: join(folder, 'state.db'), clock: new SystemClock() });
  try {
    const figures = await measure(store, count('--pods', values.pods));
    if (values.json) console.log(JSON.stringify({ store: figures }));
    else print(figures);
  } finally {
    store.close();
    rmSync(folder, { recursive: true });
  }
}

async function measure(store: SqliteStore, pods: number): Promise<StoreFigures> {
  const drafts = Array.from({ length: pods }, (_, i) =>
    pod(`pod-${i}`, { labels: LABELS, owner: 'bench' }),
  );
  const createsPerSecond = await rateOf(drafts, (draft) => store.create('pods', draft));
  const stored = await listed(store);
  const updatesPerSecond = await rateOf(stored, (old) =>
    store.update('pods', { ...old, status: { ...old.status, phase: 'Running' } }),
  );
  const startedMs = performance.now();
  const count = (await listed(store)).length;
  const listedPerSecond = count / ((performance.now() - startedMs) / 1000);
  const singles = Array.from({ length: SINGLE_WRITES }, (_, i) =>
    pod(`pod-${pods + i}`, { labels: LABELS }),
  );
  const singlesPerSecond = await rateOf(singles, (draft) => store.create('pods', draft), 1);
  const oneWriteMs = 1000 / singlesPerSecond;
  return { pods, createsPerSecond, updatesPerSecond, listedPerSecond, oneWriteMs };
}

async function listed(store: SqliteStore): Promise<readonly Pod[]> {
  const pods: Pod[] = [];
  for await (const page of pagesOf<Pod>(store, { resource: 'pods' })) pods.push(...page);
  return pods;
}

async function rateOf<T>(
  items: readonly T[],
  write: (item: T) => Promise<unknown>,
  atATime = AT_A_TIME,
): Promise<number> {
  const startedMs = performance.now();
  let next = 0;
  const work = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await write(item);
  };
  await Promise.all(Array.from({ length: atATime }, work));
  return items.length / ((performance.now() - startedMs) / 1000);
}

function print(figures: StoreFigures): void {
  console.table({
    [`${figures.pods} pods`]: {
      'creates/s': Math.round(figures.createsPerSecond),
      'updates/s': Math.round(figures.updatesPerSecond),
      'listed/s': Math.round(figures.listedPerSecond),
      'one write ms': figures.oneWriteMs.toFixed(2),
    },
  });
}
