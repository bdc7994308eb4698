/**
 * A process to be killed: it opens the file, and writes as fast as it can. It prints a line once a
 * write is acknowledged: by then it must be in the file, whatever comes.
 */
import { writeSync } from 'node:fs';
import { SqliteStore } from '../../../adapters/sqlite/sqlite-store.ts';
import { SystemClock } from '../../../adapters/node/system-clock.ts';
import { expectedOf } from '../../../shared/api/change.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';

const STDOUT = 1;
const WRITERS = 20;
const RESOURCE = 'configmaps';
const [path = ''] = process.argv.slice(2);

const store = SqliteStore.open({ path, clock: new SystemClock(), changesKept: 500 });
writeSync(STDOUT, 'open\n');
await Promise.all(Array.from({ length: WRITERS }, (_, i) => write(`writer-${i}`)));

/** Counts up for ever; every tenth time the object is removed and made anew. */
async function write(name: string): Promise<void> {
  let current: AnyObject | undefined;
  for (let count = 0; ; count++) {
    if (current && count % 10 === 0) {
      await store.remove({ resource: RESOURCE, namespace: '', name }, expectedOf(current));
      current = undefined;
    } else if (current) current = await store.update<AnyObject>(RESOURCE, { ...current, count });
    else current = await store.create<AnyObject>(RESOURCE, draft(name, count));
    writeSync(STDOUT, `${name} ${current ? count : 'gone'} ${count}\n`);
  }
}

function draft(name: string, count: number): AnyObject {
  const uid = `${name}-${count}`;
  const metadata = { name, uid, resourceVersion: '', creationTimestamp: '' };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, count, padding: 'x'.repeat(3000) };
}
