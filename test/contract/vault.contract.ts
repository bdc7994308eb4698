/** What every adapter of `Vault` keeps to. */
import { expect } from 'vitest';
import { partNames, secretFileRef } from '../../shared/api/vault-ref.ts';
import { PART_BYTES } from '../../shared/ports/vault-kit.ts';
import type { SecretValues, Vault } from '../../shared/ports/vault.ts';
import { type Cases, runCases, type Skip } from './contract.ts';

export interface VaultSubject {
  readonly name: string;
  /** An empty vault, or one that holds what other cases left. */
  readonly make: () => Vault;
  readonly skip?: readonly Skip[];
}

export function vaultContract({ name, make, skip = [] }: VaultSubject): void {
  runCases(name, { ...contentCases(make), ...partCases(make) }, skip);
}

/** Contents with their keys, as text or as bytes. */
export function values(given: { readonly [key: string]: string | Uint8Array }): SecretValues {
  const bytes = (value: string | Uint8Array) =>
    typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return new Map(Object.entries(given).map(([key, value]) => [key, bytes(value)]));
}

let contents = 0;

const newId = () => `default/uid-${process.pid}/${contents++}`;

async function readBack(vault: Vault, given: SecretValues): Promise<void> {
  const ref = await vault.put(newId(), given);
  expect((await vault.get([ref])).get(ref.id)).toEqual(given);
}

function contentCases(make: () => Vault): Cases {
  return {
    'values are read back as they were put': async () => {
      const binary = Uint8Array.from({ length: 256 }, (_, i) => i);
      await readBack(
        make(),
        values({ a: 'one', 'tls.crt': 'two\n', '.env': ' three ', empty: '', binary }),
      );
    },
    'text of all kinds is read back': async () => {
      const marked = '\ufeffmarked';
      await readBack(make(), values({ a: 'é𝕏\u2028\t\r\n', b: '{{ssm:x}}', c: '{{', marked }));
    },
    'keys of all kinds are read back, and apart from each other': async () => {
      await readBack(
        make(),
        values({
          'a/b': '1',
          'a:b': '2',
          ä: '3',
          '..': '4',
          '...': '5',
          _: '6',
          '61': '7',
          a: '8',
        }),
      );
    },
    'values larger than a part are read back': async () => {
      const long = '𝕏'.repeat(PART_BYTES / 4 - 1);
      const noise = Uint8Array.from({ length: 3 * PART_BYTES }, (_, i) => (i * 7919) % 256);
      await readBack(make(), values({ long: `a${long}${long}`, noise }));
    },
    'a hundred keys are read back': async () => {
      const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`KEY_${i}`, `v${i}`]));
      await readBack(make(), values(many));
    },
    'nothing is read back as nothing': async () => {
      await readBack(make(), values({}));
    },
    'the same put again is the same content': async () => {
      const vault = make();
      const id = newId();
      const ref = await vault.put(id, values({ a: '1' }));
      expect(await vault.put(id, values({ a: '1' }))).toEqual(ref);
      expect((await vault.get([ref])).get(ref.id)).toEqual(values({ a: '1' }));
    },
    'many contents are read at once, and what is gone is left out': async () => {
      const vault = make();
      const refs = [];
      for (let i = 0; i < 12; i++) refs.push(await vault.put(newId(), values({ a: `${i}` })));
      const [gone, ...left] = refs;
      if (!gone) throw new Error('nothing was put');
      await vault.remove(partNames(gone));
      const found = await vault.get(refs);
      expect([...found.keys()].sort()).toEqual(left.map(({ id }) => id).sort());
      expect(found.get(left[4]?.id ?? '')).toEqual(values({ a: '5' }));
    },
    'a ref is data, and holds no values': async () => {
      const vault = make();
      const ref = await vault.put(newId(), values({ a: 'canary', b: Uint8Array.of(0, 255) }));
      expect(JSON.parse(JSON.stringify(ref))).toEqual(ref);
      expect(JSON.stringify(ref)).not.toMatch(/canary|AP8=/);
    },
  };
}

function partCases(make: () => Vault): Cases {
  return {
    'text that fits a part is one part, as it is; the rest says how it is kept': async () => {
      const ref = await make().put(
        newId(),
        values({ a: 'one', long: 'x'.repeat(PART_BYTES + 1), bin: Uint8Array.of(0), none: '' }),
      );
      expect(secretFileRef(ref, 'a')).toEqual({ encoding: 'text', parts: [`${ref.id}/k/a`] });
      expect(secretFileRef(ref, 'long')?.parts).toHaveLength(2);
      expect(secretFileRef(ref, 'bin')?.encoding).toBe('base64');
      expect(secretFileRef(ref, 'none')).toBeUndefined();
      expect(secretFileRef(ref, 'nobody')).toBeUndefined();
    },
    'removing what is not there is no error, and can be repeated': async () => {
      const vault = make();
      const ref = await vault.put(newId(), values({ a: '1', b: '2' }));
      const names = partNames(ref);
      await vault.remove(names.slice(1));
      await vault.remove(names);
      await vault.remove(names);
      await vault.remove([]);
      expect((await vault.get([ref])).size).toBe(0);
    },
    'the list has the names of all parts, page by page, and when they were written': async () => {
      const vault = make();
      const many = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`KEY_${i}`, `v${i}`]));
      const ref = await vault.put(newId(), values({ ...many, long: 'x'.repeat(2 * PART_BYTES) }));
      const listed = new Map<string, number>();
      let after: string | undefined;
      do {
        const { parts, next } = await vault.list(after);
        for (const { name, writtenAtMs } of parts) listed.set(name, writtenAtMs);
        after = next;
      } while (after !== undefined);
      for (const name of partNames(ref)) expect(listed.get(name)).toBeGreaterThan(1e12);
    },
  };
}
