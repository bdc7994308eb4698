import { describe, expect, it } from 'vitest';
import { toBase64 } from '../../../shared/api/base64.ts';
import { expectedOf } from '../../../shared/api/change.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { partNames, vaultedValues } from '../../../shared/api/vault-ref.ts';
import {
  AlreadyExists,
  Conflict,
  type Store,
  TooLarge,
  Unavailable,
} from '../../../shared/ports/store.ts';
import { VaultTooLarge, VaultUnavailable } from '../../../shared/ports/vault.ts';
import { dataOf, keyOfSecret, LAST_APPLIED, secret, SECRETS, World } from './world.ts';

const read = (store: Store, name = 'a') => store.get(keyOfSecret(name));

function changed(object: AnyObject, texts: { readonly [key: string]: string }): AnyObject {
  const data = Object.fromEntries(Object.entries(texts).map(([key, v]) => [key, toBase64(v)]));
  return { ...object, data };
}

/** The object under other labels, as a client's patch makes it. */
function labelled(object: AnyObject, value: string): AnyObject {
  return { ...object, metadata: { ...object.metadata, labels: { value } } };
}

describe('a Secret in the store', () => {
  it('has its keys in the table and its values in the vault', async () => {
    const world = new World();
    const store = world.revealing();
    const created = await store.create(SECRETS, secret('a', { user: 'u', password: 'canary' }));
    expect(dataOf(created)['password']).toBe(toBase64('canary'));
    const stored = await read(world.table);
    expect(stored?.['data']).toEqual({ user: '', password: '' });
    expect(JSON.stringify(stored)).not.toContain(toBase64('canary'));
    expect(await read(world.revealing())).toEqual({ ...created, control: stored?.control });
    const { items } = await world.revealing().list({ resource: SECRETS });
    expect(items.map(dataOf)).toEqual([dataOf(created)]);
  });

  it('has what kubectl apply repeats of it in the vault too', async () => {
    const world = new World();
    const applied = '{"data":{"password":"Y2FuYXJ5"}}';
    const annotations = { [LAST_APPLIED]: applied, other: 'shown' };
    const given = secret('a', { password: 'canary' }, { annotations });
    await world.revealing().create(SECRETS, given);
    const stored = await read(world.table);
    expect(stored?.metadata.annotations).toEqual({ [LAST_APPLIED]: '', other: 'shown' });
    expect((await read(world.revealing()))?.metadata.annotations).toEqual(annotations);
  });

  it('is written by an update of the rest without a call to the vault', async () => {
    const world = new World();
    const store = world.revealing();
    await store.create(SECRETS, secret('a', { k: 'v' }));
    const shown = await read(store);
    world.calls.length = 0;
    await store.update(SECRETS, labelled(shown as AnyObject, '1'));
    expect(world.calls).toEqual(['update']);
    // Another process, which has to read the values to know that they stay.
    const other = world.revealing();
    await other.update(SECRETS, labelled((await read(other)) as AnyObject, '2'));
    expect(world.calls.filter((call) => call === 'vault put')).toEqual([]);
    expect(dataOf(await read(world.revealing()))).toEqual({ k: toBase64('v') });
  });

  it('keeps its values and audit id when a sealed writer changes the rest', async () => {
    const world = new World();
    await world
      .revealing()
      .create(SECRETS, { ...secret('a', { k: 'v' }), control: { auditId: '1' } });
    const sealed = (await world.sealed.get(keyOfSecret('a'))) as AnyObject;
    expect(sealed.control).toMatchObject({ auditId: '1', vault: {} });
    await world.sealed.update(SECRETS, labelled(sealed, '1'));
    expect(dataOf(await read(world.revealing()))).toEqual({ k: toBase64('v') });
  });

  it('can be empty, be emptied, and be filled again', async () => {
    const world = new World();
    const store = world.revealing();
    const { data: _none, ...bare } = secret('a', {});
    const empty = await store.create(SECRETS, bare);
    expect(world.calls).not.toContain('vault put');
    const filled = await store.update(SECRETS, changed(empty, { k: 'v', none: '' }));
    expect(dataOf(await read(store))).toEqual({ k: toBase64('v'), none: '' });
    await store.update(SECRETS, changed(filled, {}));
    expect(dataOf(await read(world.revealing()))).toEqual({});
    expect(await world.lost()).toEqual([]);
  });

  it('has other values than a namesake before it, and the values go with it', async () => {
    const world = new World();
    const store = world.revealing();
    const first = await store.create(SECRETS, secret('a', { k: 'one' }));
    const removed = await store.remove(keyOfSecret('a'), expectedOf(first));
    expect(dataOf(removed)).toEqual({ k: '' });
    expect(await world.parts()).toEqual([]);
    await store.create(SECRETS, secret('a', { k: 'two' }));
    expect(dataOf(await read(store))).toEqual({ k: toBase64('two') });
    expect((await world.parts()).every((name) => !name.includes(first.metadata.uid))).toBe(true);
  });

  it('takes a hundred keys and a megabyte', async () => {
    const world = new World();
    const texts = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`KEY_${i}`, 'é'.repeat(5_000)]),
    );
    const created = await world.revealing().create(SECRETS, secret('a', texts));
    expect(dataOf(await read(world.revealing()))).toEqual(dataOf(created));
  });
});

describe('losing a race', () => {
  it('leaves nothing in the vault when the name is taken, and says by what', async () => {
    const world = new World();
    const store = world.revealing();
    await store.create(SECRETS, secret('a', { k: 'one' }));
    const before = await world.parts();
    await expect(store.create(SECRETS, secret('a', { k: 'two' }))).rejects.toSatisfy(
      (error) => error instanceof AlreadyExists && dataOf(error.current)['k'] === toBase64('one'),
    );
    expect(await world.parts()).toEqual(before);
  });

  it('keeps the winner’s values, although both wrote the same', async () => {
    const world = new World();
    const store = world.revealing();
    const base = await store.create(SECRETS, secret('a', { k: 'one' }));
    await store.update(SECRETS, changed(base, { k: 'two' }));
    const lost = store.update(SECRETS, changed(base, { k: 'two' }));
    await expect(lost).rejects.toSatisfy(
      (error) => error instanceof Conflict && dataOf(error.current)['k'] === toBase64('two'),
    );
    await world.clock.advance(3 * 3_600_000);
    await world.sweep();
    expect(dataOf(await read(world.revealing()))).toEqual({ k: toBase64('two') });
  });
});

describe('a watch of Secrets', () => {
  it('shows values of what is, and none of what was', async () => {
    const world = new World();
    const store = world.revealing();
    const { resourceVersion: after } = await store.list({ resource: SECRETS });
    const v1 = await store.create(SECRETS, secret('a', { k: 'one' }));
    const v2 = await store.update(SECRETS, changed(v1, { k: 'two' }));
    const { changes } = await world.revealing().changes({ resource: SECRETS, after });
    expect(changes.map(({ object }) => dataOf(object)['k'])).toEqual(
      [v1, v2].map((object) => dataOf(object)['k']),
    );
    expect(dataOf(changes[1]?.previous)).toEqual({ k: '' });
    await store.remove(keyOfSecret('a'), expectedOf(v2));
    const later = await world.revealing().changes({ resource: SECRETS, after });
    expect(later.changes.map(({ type, object }) => [type, dataOf(object)])).toEqual([
      ['delete', { k: '' }],
    ]);
  });
});

describe('a vault that fails', () => {
  it.each([
    [new VaultUnavailable('throttled'), Unavailable],
    [new VaultTooLarge('too many'), TooLarge],
  ])('%s is the store’s error, and nothing is stored', async (thrown, expected) => {
    const world = new World();
    world.between = (call) => {
      if (call === 'before vault put') throw thrown;
    };
    const create = world.revealing().create(SECRETS, secret('a', { k: 'v' }));
    await expect(create).rejects.toThrow(expected);
    expect(await read(world.table)).toBeUndefined();
  });

  it('lets a Secret be deleted all the same', async () => {
    const world = new World();
    const store = world.revealing();
    const created = await store.create(SECRETS, secret('a', { k: 'canary' }));
    world.between = (call) => {
      if (call === 'before vault remove') throw new VaultUnavailable('throttled');
    };
    await store.remove(keyOfSecret('a'), expectedOf(created));
    expect(await read(world.table)).toBeUndefined();
    expect(JSON.stringify(world.recorder)).not.toMatch(/canary|Y2FuYXJ5/);
  });

  it('does not show a Secret without its values, nor let them be overwritten', async () => {
    const world = new World();
    const created = await world.revealing().create(SECRETS, secret('a', { k: 'v' }));
    await world.vault.remove(partNames(vaultedValues(created)?.ref ?? { id: '', entries: [] }));
    const { resourceVersion: after } = await world.table.list({ resource: 'pods' });
    await expect(read(world.revealing())).rejects.toThrow(Unavailable);
    await expect(world.revealing().list({ resource: SECRETS })).rejects.toThrow(Unavailable);
    expect(after).not.toBe('');
  });
});

describe('the store below', () => {
  it('takes no values', async () => {
    const world = new World();
    const create = world.sealed.create(SECRETS, secret('a', { k: 'v' }));
    await expect(create).rejects.toThrow(TypeError);
    const annotations = { [LAST_APPLIED]: '{}' };
    const applied = world.sealed.create(SECRETS, secret('a', {}, { annotations }));
    await expect(applied).rejects.toThrow(TypeError);
    expect(await world.sealed.create(SECRETS, secret('a', { none: '' }))).toBeDefined();
  });
});
