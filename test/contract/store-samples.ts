/** What the store's cases share: how a store is asked for, and objects to put into it. */
import type { StepClock } from '../../adapters/memory/step-clock.ts';
import type { Change } from '../../shared/api/change.ts';
import type { AnyObject } from '../../shared/api/meta.ts';
import type { Store } from '../../shared/ports/store.ts';

export interface StoreOptions {
  readonly clock: StepClock;
  readonly onCommit?: (change: Change) => void;
  /** Changes are to be kept as long as these allow at least; a store heeds one of the two. */
  readonly changesKept?: number;
  readonly keptMs?: number;
}

/** How long changes are kept by a store that goes by time, unless a case says otherwise. */
export const KEPT_MS = 60_000;

export type Fresh = (options?: Partial<StoreOptions>) => Store;

let uids = 0;

/** A config map that is yet to be created. */
export function draft(name: string, fields: object = {}, namespace = 'default'): AnyObject {
  uids++;
  const metadata = {
    name,
    namespace,
    uid: `uid-${uids}`,
    resourceVersion: '',
    creationTimestamp: '',
  };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, ...fields };
}

export const MAPS = 'configmaps';
export const keyIn = (namespace: string, name: string) => ({ resource: MAPS, namespace, name });
export const key = (name: string) => keyIn('default', name);
