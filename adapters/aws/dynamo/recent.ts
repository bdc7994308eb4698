/**
 * Objects that this process read or wrote, by place and version, so that they are not unpacked
 * again, and so that a write knows the state before it. A version's state never changes: nothing
 * here is ever stale. Bounded by the length of the JSON.
 */
import type { AnyObject } from '../../../shared/api/meta.ts';
import type { PastState } from './codec.ts';
import type { Head } from './item.ts';

/** A state of an object as it is stored. */
export interface State {
  readonly head: Pick<Head, 'place' | 'version' | 'born' | 'isDeleted' | 'expiresAtMs'>;
  readonly object: AnyObject;
  /** The states before it that are known, newest first. */
  readonly past: () => readonly PastState[];
  readonly jsonLength: number;
}

/** In characters of JSON; as objects it is two to three times that. Some 5,000 pods. */
const MAX_JSON_LENGTH = 16 * 1024 * 1024;

export class Recent {
  readonly #states = new Map<string, State>();
  #jsonLength = 0;

  get(place: string, version: number): State | undefined {
    const state = this.#states.get(place);
    return state?.head.version === version ? state : undefined;
  }

  /** An older state does not take the place of a newer one. */
  add(place: string, state: State): void {
    const known = this.#states.get(place);
    if (known && known.head.version >= state.head.version) return;
    this.#forget(place);
    this.#states.set(place, state);
    this.#jsonLength += state.jsonLength;
    for (const oldest of this.#states.keys()) {
      if (this.#jsonLength <= MAX_JSON_LENGTH) return;
      this.#forget(oldest);
    }
  }

  #forget(place: string): void {
    this.#jsonLength -= this.#states.get(place)?.jsonLength ?? 0;
    this.#states.delete(place);
  }
}
