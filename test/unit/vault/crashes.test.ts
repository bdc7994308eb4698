/**
 * S6 of Secrets: wherever a process ends, and whatever others did meanwhile, every stored Secret
 * has all of its values; and what is left over in the vault goes.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64 } from '../../../shared/api/base64.ts';
import { expectedOf } from '../../../shared/api/change.ts';
import { vaultedValues } from '../../../shared/api/vault-ref.ts';
import { namesOf } from '../../../shared/control/sealed-secret.ts';
import { AlreadyExists, Conflict, type Store } from '../../../shared/ports/store.ts';
import { Crash, dataOf, keyOfSecret, secret, SECRETS, World } from './world.ts';

interface Step {
  readonly name: string;
  readonly kind: 'write' | 'label' | 'remove' | 'sweep' | 'wait';
  readonly text: string;
  /** The call, counted from the step's first, at which the process ends. */
  readonly crashAt: number | undefined;
}

const step = fc.record({
  name: fc.constantFrom('a', 'b'),
  kind: fc.constantFrom('write', 'write', 'label', 'remove', 'sweep', 'wait'),
  text: fc.constantFrom('one', 'two', 'three'),
  crashAt: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
}) as fc.Arbitrary<Step>;

/** What was written last, by name: as acknowledged, or as the table's versions tell. */
type Known = Map<string, string>;

async function act({ name, kind, text }: Step, store: Store): Promise<string> {
  const current = await store.get(keyOfSecret(name));
  if (kind === 'remove') {
    if (current) await store.remove(keyOfSecret(name), expectedOf(current));
    return '';
  }
  if (kind === 'label') {
    const labels = { text };
    if (current) {
      await store.update(SECRETS, { ...current, metadata: { ...current.metadata, labels } });
    }
    return dataOf(current)['k'] ?? '';
  }
  const data = { k: toBase64(text) };
  if (current) await store.update(SECRETS, { ...current, data });
  else await store.create(SECRETS, secret(name, { k: text }));
  return data.k;
}

async function run(world: World, next: Step, known: Known): Promise<void> {
  if (next.kind === 'wait') return world.clock.advance(45 * 60_000);
  if (next.kind === 'sweep') return void (await world.sweep());
  let calls = 0;
  const before = await versionOf(world, next.name);
  world.between = () => {
    if (calls++ === next.crashAt) throw new Crash();
  };
  try {
    known.set(next.name, await act(next, world.revealing()));
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    // The write took effect or it did not; there is nothing between.
    const hasWritten = (await versionOf(world, next.name)) !== before;
    if (hasWritten) known.set(next.name, outcomeOf(next, known.get(next.name) ?? ''));
  } finally {
    world.between = () => {};
  }
}

async function versionOf(world: World, name: string): Promise<string | undefined> {
  return (await world.table.get(keyOfSecret(name)))?.metadata.resourceVersion;
}

function outcomeOf({ kind, text }: Step, before: string): string {
  if (kind === 'remove') return '';
  return kind === 'label' ? before : toBase64(text);
}

describe('after a crash between any two calls', () => {
  it('every stored Secret has its values, and acknowledged ones are what was written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const world = new World();
        const known: Known = new Map();
        for (const next of steps) {
          await run(world, next, known);
          expect(await world.lost()).toEqual([]);
          for (const [name, text] of known) {
            const shown = await world.revealing().get(keyOfSecret(name));
            expect(dataOf(shown)['k'] ?? '').toBe(text);
          }
        }
        await expectNoLeaks(world);
      }),
      { numRuns: 150 },
    );
  });

  it('two writers at once leave one of their contents, whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.constantFrom('one', 'two'), async (s, text) => {
        const world = new World();
        await world.revealing().create(SECRETS, secret('a', { k: 'zero' }));
        const write = (mine: string) =>
          act({ name: 'a', kind: 'write', text: mine, crashAt: undefined }, world.revealing());
        const ends = [s.scheduleFunction(write)('one'), s.scheduleFunction(write)(text)];
        await s.waitFor(Promise.allSettled(ends));
        for (const end of await Promise.allSettled(ends)) {
          if (end.status === 'fulfilled') continue;
          expect(end.reason instanceof Conflict || end.reason instanceof AlreadyExists).toBe(true);
        }
        await world.clock.advance(3 * 3_600_000);
        await world.sweep();
        expect(await world.lost()).toEqual([]);
      }),
    );
  });
});

/** L2: after hours of sweeps the vault has what Secrets refer to, and no more. */
async function expectNoLeaks(world: World): Promise<void> {
  await world.revealing().create(SECRETS, secret('keeper', { k: 'v' }));
  await world.clock.advance(3 * 3_600_000);
  await world.sweep();
  const { items } = await world.table.list({ resource: SECRETS });
  const referred = new Set(
    items.flatMap((item) => namesOf(vaultedValues(item), world.clock.nowMs())),
  );
  expect((await world.parts()).filter((name) => !referred.has(name))).toEqual([]);
  expect(await world.lost()).toEqual([]);
}
