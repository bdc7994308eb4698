/**
 * The sweep of the vault: contents that no Secret refers to. Crashes and lost races leave them
 * behind, and so does who deletes Secrets without a right to the vault. It needs names only, never
 * a value, and the store as it is below `vaultedStore`.
 *
 * Invariants:
 *  W1 What a Secret refers to, or may still come to refer to, stays: names are read before the
 *     Secrets are, and what is younger than any write can be is left alone.
 *  W2 A store that shows no Secret at all is no reason to remove anything: rather a wrong table, or
 *     one that was just restored (D8).
 */
import type { KubeObject } from '../api/meta.ts';
import { vaultedValues } from '../api/vault-ref.ts';
import type { Clock } from '../ports/clock.ts';
import type { Recorder } from '../ports/recorder.ts';
import type { Vault } from '../ports/vault.ts';
import type { Reader } from './controller.ts';
import { pagesOf } from './list-all.ts';
import { namesOf, RETIRED_FOR_MS } from './sealed-secret.ts';

export interface VaultSweep {
  readonly store: Pick<Reader, 'list'>;
  readonly vault: Pick<Vault, 'list' | 'remove'>;
  readonly clock: Clock;
  readonly recorder: Recorder;
  /** Removed parts a run at most; 0 switches the sweep off. `MAX_REMOVED` when absent. */
  readonly maxRemoved?: number;
}

/**
 * Twice as long as a replaced content is kept: a Secret remembers the one before last only as long
 * as the last is surely younger than this.
 */
export const LEAKED_AGE_MS = 2 * RETIRED_FOR_MS;

/** A run every five minutes: some thousand parts an hour, and time to notice what goes wrong. */
export const MAX_REMOVED = 100;

/** Pages of names a run: ten thousand, which is what an account may have. */
const MAX_PAGES = 200;

/** Removes leaked parts; returns how many. Throws what the ports throw: the next run goes on. */
export async function sweepVault(sweep: VaultSweep): Promise<number> {
  const { store, vault, clock, recorder, maxRemoved = MAX_REMOVED } = sweep;
  if (maxRemoved === 0) return 0;
  const old = await oldNames(vault, clock.nowMs() - LEAKED_AGE_MS);
  if (old.length === 0) return 0;
  const { secrets, names } = await referredNames(store, clock.nowMs());
  const leaked = old.filter((name) => !names.has(name));
  if (leaked.length === 0) return 0;
  if (secrets === 0) {
    const fields = { parts: leaked.length };
    recorder.log({ level: 'warn', message: 'vault not swept: the store has no Secrets', fields });
    return 0;
  }
  const removed = leaked.slice(0, maxRemoved);
  await vault.remove(removed);
  const fields = { removed: removed.length, left: leaked.length - removed.length };
  recorder.log({ level: 'info', message: 'leaked parts removed from the vault', fields });
  recorder.measure({ name: 'VaultPartsRemoved', value: removed.length, unit: 'Count' });
  return removed.length;
}

async function oldNames(vault: VaultSweep['vault'], beforeMs: number): Promise<readonly string[]> {
  const names: string[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const { parts, next } = await vault.list(after);
    for (const { name, writtenAtMs } of parts) if (writtenAtMs < beforeMs) names.push(name);
    if (next === undefined) break;
    after = next;
  }
  return names;
}

async function referredNames(store: VaultSweep['store'], nowMs: number) {
  const names = new Set<string>();
  let secrets = 0;
  for await (const page of pagesOf<KubeObject>(store, { resource: 'secrets' })) {
    secrets += page.length;
    for (const secret of page) {
      for (const name of namesOf(vaultedValues(secret), nowMs)) names.add(name);
    }
  }
  return { secrets, names };
}
