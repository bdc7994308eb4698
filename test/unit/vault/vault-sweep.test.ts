import { describe, expect, it } from 'vitest';
import { expectedOf } from '../../../shared/api/change.ts';
import { toBase64 } from '../../../shared/api/base64.ts';
import { partNames, vaultedValues } from '../../../shared/api/vault-ref.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { keyOfSecret, secret, SECRETS, World } from './world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

async function write(world: World, text: string): Promise<AnyObject> {
  const store = world.revealing();
  const current = await store.get(keyOfSecret('a'));
  if (!current) return store.create(SECRETS, secret('a', { k: text }));
  return store.update<AnyObject>(SECRETS, { ...current, data: { k: toBase64(text) } });
}

const partsOf = (object: AnyObject) => partNames(vaultedValues(object)?.ref ?? never());

function never(): never {
  throw new Error('the Secret has no values');
}

describe('the sweep of the vault', () => {
  it('leaves for an hour what launches may ask for, however often it changes', async () => {
    const world = new World();
    const contents = [await write(world, 'v0')];
    await world.clock.advance(5 * HOUR_MS);
    for (let i = 1; i < 20; i++) {
      contents.push(await write(world, `v${i}`));
      const retiredAtMs = world.clock.nowMs();
      await world.clock.advance(59 * MINUTE_MS * (i % 3 === 0 ? 1 : 0.2));
      await world.sweep();
      if (world.clock.nowMs() - retiredAtMs > HOUR_MS) continue;
      const parts = await world.parts();
      const [replaced, current] = contents.slice(-2);
      for (const name of [replaced, current].flatMap((content) => partsOf(content ?? never()))) {
        expect(parts).toContain(name);
      }
    }
    await world.clock.advance(3 * HOUR_MS);
    await world.sweep();
    expect(await world.parts()).toEqual(partsOf(contents.at(-1) ?? never()));
  });

  it('takes what a sealed writer’s deletion leaves, so much at a time', async () => {
    const world = new World();
    const store = world.revealing();
    await store.create(SECRETS, secret('kept', { k: 'v' }));
    const gone = await store.create(SECRETS, secret('a', { x: '1', y: '2', z: '3' }));
    await world.sealed.remove(keyOfSecret('a'), expectedOf(gone));
    expect(await world.sweep()).toBe(0);
    await world.clock.advance(2 * HOUR_MS + MINUTE_MS);
    expect(await world.sweep(0)).toBe(0);
    expect(await world.sweep(2)).toBe(2);
    expect(await world.sweep(2)).toBe(1);
    expect(await world.sweep()).toBe(0);
    expect(await world.parts()).toHaveLength(1);
  });

  it('removes nothing on account of a store that has no Secrets', async () => {
    const world = new World();
    const gone = await world.revealing().create(SECRETS, secret('a', { k: 'v' }));
    await world.sealed.remove(keyOfSecret('a'), expectedOf(gone));
    await world.clock.advance(3 * HOUR_MS);
    expect(await world.sweep()).toBe(0);
    expect(await world.parts()).toHaveLength(1);
  });
});
