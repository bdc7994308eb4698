/**
 * What a controller is to the loop: which keys a change wakes, what it reads, what it decides. One
 * controller a kind and concern; the list is registry.ts.
 */
import type { Change } from '../api/change.ts';
import type { ObjectKey } from '../api/meta.ts';
import type { Plan } from '../core/plan.ts';
import type { Store } from '../ports/store.ts';

/** What snapshots may use of a store. */
export type Reader = Pick<Store, 'get' | 'list'>;

export interface Controller<Snapshot> {
  /** Unique; part of queue groups and logs. */
  readonly name: string;
  /** The resource that is reconciled. */
  readonly resource: string;
  /**
   * The keys that a change wakes. May read (a pod's change wakes the services that select it). It
   * is a hint: a key too many costs a look, a key too few is found by the sweep.
   */
  wakes(change: Change, read: Reader): Promise<readonly ObjectKey[]> | readonly ObjectKey[];
  /**
   * Everything that the decision needs, read strongly; undefined when there is nothing to decide.
   */
  snapshot(key: ObjectKey, read: Reader): Promise<Snapshot | undefined>;
  /** The decision: pure. */
  plan(snapshot: Snapshot, nowMs: number): Plan;
}

/** A controller whose snapshot type is its own business. */
// The registry holds controllers of all snapshots.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyController = Controller<any>;

/** How a reconcile ended. The class of an error decides, in outcome.ts and nowhere else. */
export type Outcome =
  | { readonly type: 'done' }
  | { readonly type: 'after'; readonly ms: number }
  | { readonly type: 'retry'; readonly error: Error }
  | { readonly type: 'terminal'; readonly error: Error };

/**
 * A message of the reconcile queue; its group is the same text, so that a key is worked on by one
 * at a time.
 */
export function workText(controller: string, key: ObjectKey): string {
  return `${controller}:${key.resource}/${key.namespace}/${key.name}`;
}
