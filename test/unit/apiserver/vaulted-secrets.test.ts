/** The API server over a vaulted store: clients notice nothing, and nobody else sees a value. */
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { MemoryVault } from '../../../adapters/memory/memory-vault.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { toBase64 } from '../../../shared/api/base64.ts';
import type { Change } from '../../../shared/api/change.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { vaultedStore } from '../../../shared/control/vaulted-store.ts';
import { VaultTooLarge } from '../../../shared/ports/vault.ts';
import { TestApi } from './api.ts';
import { keyOfSecret, LAST_APPLIED } from '../vault/world.ts';

const SECRETS = '/api/v1/namespaces/default/secrets';
const A = `${SECRETS}/a`;
const CANARY = 'canary-7f3a';
const CANARY_64 = toBase64(CANARY);

async function setUp() {
  const clock = new StepClock();
  const committed: Change[] = [];
  const table = new MemoryStore({ clock, onCommit: (change) => committed.push(change) });
  const recorder = new MemoryRecorder();
  const vault = new MemoryVault(clock);
  const store: Store = vaultedStore(table, { vault, clock, recorder, ids: new SeededIds(5) });
  const api = new TestApi({ store, clock, recorder });
  await store.create('namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: 'default',
      uid: 'ns-default',
      resourceVersion: '',
      creationTimestamp: '2030-01-01T00:00:00Z',
    },
  });
  return { api, table, vault, recorder, committed };
}

/** What is in the table, its stream and the logs holds no value. */
function expectSealed({ recorder, committed }: Awaited<ReturnType<typeof setUp>>): void {
  const seen = JSON.stringify([committed, recorder.logs, recorder.audits, recorder.measures]);
  expect(seen).not.toContain(CANARY);
  expect(seen).not.toContain(CANARY_64);
}

const body = (fields: object) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'a' },
  ...fields,
});

describe('Secrets through the API', () => {
  it('are created, read, listed and shown in tables as ever', async () => {
    const world = await setUp();
    const { api } = world;
    const created = await api.call('POST', SECRETS, {
      body: body({ stringData: { password: CANARY }, data: { user: 'dQ==' } }),
    });
    expect(created.code).toBe(201);
    const data = { user: 'dQ==', password: CANARY_64 };
    expect(created.json.data).toEqual(data);
    expect((await api.call('GET', A)).json).toEqual(created.json);
    expect((await api.call('GET', SECRETS)).json.items[0].data).toEqual(data);
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const table = await api.call('GET', SECRETS, { headers: { accept } });
    expect(table.json.rows[0].cells.slice(0, 3)).toEqual(['a', 'Opaque', 2]);
    expect((await api.call('POST', SECRETS, { body: body({}) })).code).toBe(409);
    expectSealed(world);
  });

  it('are patched in each way, and a patch of the rest leaves the values', async () => {
    const world = await setUp();
    const { api, table } = world;
    await api.call('POST', SECRETS, { body: body({ stringData: { password: CANARY } }) });
    const before = await table.get(keyOfSecret('a'));
    const labels = { metadata: { labels: { x: 'y' } } };
    const patched = await api.patch(A, 'merge', labels);
    expect(patched.json.data).toEqual({ password: CANARY_64 });
    const vaultOf = (object: unknown) => (object as { control: { vault: unknown } }).control.vault;
    expect(vaultOf(await table.get(keyOfSecret('a')))).toEqual(vaultOf(before));
    const more = await api.patch(A, 'strategic', { stringData: { more: `${CANARY}2` } });
    expect(Object.keys(more.json.data)).toEqual(['password', 'more']);
    const json = await api.patch(A, 'json', [{ op: 'remove', path: '/data/password' }]);
    expect(json.json.data).toEqual({ more: toBase64(`${CANARY}2`) });
    expectSealed(world);
  });

  it('are applied by the server: again is no write, and owners are those of the keys', async () => {
    const world = await setUp();
    const { api } = world;
    const given = body({ data: { password: CANARY_64 } });
    const first = await api.patch(`${A}?fieldManager=me`, 'apply', given);
    expect(first.code).toBe(201);
    const again = await api.patch(`${A}?fieldManager=me`, 'apply', given);
    expect(again.json).toEqual(first.json);
    const fields = again.json.metadata.managedFields[0].fieldsV1;
    expect(fields['f:data']).toEqual({ 'f:password': {} });
    const other = body({ data: { password: 'eA==' } });
    expect((await api.patch(`${A}?fieldManager=you`, 'apply', other)).code).toBe(409);
    expectSealed(world);
  });

  it('are applied by kubectl, which repeats the values in an annotation', async () => {
    const world = await setUp();
    const { api, table } = world;
    const applied = JSON.stringify(body({ data: { password: CANARY_64 } }));
    const metadata = { name: 'a', annotations: { [LAST_APPLIED]: applied } };
    await api.call('POST', SECRETS, { body: body({ metadata, data: { password: CANARY_64 } }) });
    const shown = (await api.call('GET', A)).json;
    expect(shown.metadata.annotations[LAST_APPLIED]).toBe(applied);
    expect(JSON.stringify(await table.get(keyOfSecret('a')))).not.toContain(CANARY_64);
    expectSealed(world);
  });

  it('stay as they are when they are immutable', async () => {
    const { api } = await setUp();
    await api.call('POST', SECRETS, { body: body({ immutable: true, data: { k: 'eA==' } }) });
    expect((await api.patch(A, 'merge', { data: { k: 'eQ==' } })).code).toBe(422);
    const labels = { metadata: { labels: { x: 'y' } } };
    expect((await api.patch(A, 'merge', labels)).json.data).toEqual({ k: 'eA==' });
  });

  it('wait for their finalizers with their values, and take them along', async () => {
    const world = await setUp();
    const { api, vault } = world;
    const metadata = { name: 'a', finalizers: ['x.io/hold'] };
    await api.call('POST', SECRETS, { body: body({ metadata, data: { k: CANARY_64 } }) });
    const held = await api.call('DELETE', A);
    expect(held.json.metadata.deletionTimestamp).toBeDefined();
    expect((await api.call('GET', A)).json.data).toEqual({ k: CANARY_64 });
    await api.patch(A, 'merge', { metadata: { finalizers: null } });
    expect((await api.call('GET', A)).code).toBe(404);
    expect((await vault.list()).parts).toEqual([]);
    expectSealed(world);
  });

  it('are watched with their values', async () => {
    const world = await setUp();
    const { api } = world;
    const { resourceVersion } = (await api.call('GET', SECRETS)).json.metadata;
    await api.call('POST', SECRETS, { body: body({ data: { k: CANARY_64 } }) });
    await api.patch(A, 'merge', { data: { k: 'eQ==' } });
    const stop = new AbortController();
    const url = `${SECRETS}?watch=1&resourceVersion=${resourceVersion}`;
    const answer = await api.raw('GET', url, { signal: stop.signal });
    const events = [];
    for await (const line of answer.body as AsyncIterable<string>) {
      events.push(JSON.parse(line));
      if (events.length === 2) break;
    }
    stop.abort();
    expect(events.map(({ type, object }) => [type, object.data])).toEqual([
      ['ADDED', { k: CANARY_64 }],
      ['MODIFIED', { k: 'eQ==' }],
    ]);
    expectSealed(world);
  });

  it('say that they are too large, and no more', async () => {
    const world = await setUp();
    world.vault.put = () => Promise.reject(new VaultTooLarge('too many parts'));
    const refused = await world.api.call('POST', SECRETS, {
      body: body({ stringData: { k: CANARY } }),
    });
    expect(refused.code).toBe(413);
    expect(refused.text).not.toContain(CANARY);
    expectSealed(world);
  });
});
