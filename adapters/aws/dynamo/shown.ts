/**
 * What this process has shown under the versions that it gave out to continue from, so that a watch
 * that looks back does not show it again. Forgetting is harmless: a repeat of a version is allowed.
 */
import type { ResourceName } from '../../../shared/api/meta.ts';

export interface ShownObjects {
  /** By sort key, which a resource's objects differ in. */
  readonly versions: ReadonlyMap<string, number>;
  /** Versions that were announced and not there, by sort key. */
  readonly awaited?: ReadonlyMap<string, number>;
  /** Whoever continues from the version has seen nothing else, but for what is older. */
  readonly isWhole: boolean;
}

/** Of what; a watch of one namespace says nothing of another. */
export interface Scope {
  readonly resource: ResourceName;
  readonly namespace?: string;
}

/** Some watches on each of many scopes. */
const MAX_TOKENS = 1_000;
/** A place and a number take some 200 bytes. */
const MAX_ENTRIES = 100_000;

export class Shown {
  readonly #byToken = new Map<string, ShownObjects>();
  #entries = 0;

  /** Undefined when this process has not given the version out for this, or has forgotten it. */
  under(scope: Scope, token: string): ShownObjects | undefined {
    return this.#byToken.get(keyOf(scope, token));
  }

  remember(scope: Scope, token: string, objects: ShownObjects): void {
    this.#byToken.set(keyOf(scope, token), objects);
    this.#entries += sizeOf(objects);
    for (const [oldest, others] of this.#byToken) {
      if (this.#byToken.size <= MAX_TOKENS && this.#entries <= MAX_ENTRIES) return;
      this.#byToken.delete(oldest);
      this.#entries -= sizeOf(others);
    }
  }
}

function sizeOf({ versions, awaited }: ShownObjects): number {
  return versions.size + (awaited?.size ?? 0);
}

/** No resource's name holds a space, and no namespace's; one that is absent is not ''. */
function keyOf({ resource, namespace }: Scope, token: string): string {
  return `${token} ${resource} ${namespace === undefined ? '*' : `=${namespace}`}`;
}
