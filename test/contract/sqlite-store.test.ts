import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import { SqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { storeContract } from './store.contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'nullplane-store-'));
const open: SqliteStore[] = [];
let files = 0;

afterEach(() => {
  for (const store of open.splice(0)) store.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

storeContract({
  name: 'SqliteStore',
  make: (options) => {
    const path = join(folder, `${++files}.db`);
    const store = SqliteStore.open({ ...options, path, durability: 'process' });
    open.push(store);
    return store;
  },
});
