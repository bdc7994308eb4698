/**
 * What is another in a list than in the one before: objects that stay are told by who they are,
 * since stored objects are frozen and whoever lists them gives out the same ones again.
 */

export interface Differences<T> {
  /** Those that are not in the list any more, at least not as they were. */
  readonly gone: readonly T[];
  /** Those that were not in it, at least not as they are. */
  readonly come: readonly T[];
}

interface Before<T> {
  readonly list: readonly T[];
  /** By which an object is known in all its versions. */
  readonly keyOf: (object: T) => string;
  /** Whether an object of the list has the key. */
  readonly has: (key: string) => boolean;
}

/** Takes one look at each object where most stay in their order, whatever came or went between. */
export function differences<T extends object>(
  { list, keyOf, has }: Before<T>,
  now: readonly T[],
): Differences<T> {
  const [gone, come]: [T[], T[]] = [[], []];
  const passed = new Set<string>();
  let at = 0;
  const pass = (object: T): void => {
    gone.push(object);
    passed.add(keyOf(object));
  };
  for (const object of now) {
    if (object === list[at]) {
      at++;
      continue;
    }
    const key = keyOf(object);
    const isAhead = has(key) && !passed.has(key);
    for (let old = list[at]; isAhead && old && keyOf(old) !== key; old = list[at]) {
      pass(old);
      at++;
    }
    const old = isAhead ? list[at] : undefined;
    if (old) at++;
    if (old === object) continue;
    if (old) pass(old);
    come.push(object);
  }
  for (const old of list.slice(at)) pass(old);
  return withoutMoved(gone, come);
}

/** Objects that are at another place of the list are the same all the same. */
function withoutMoved<T extends object>(gone: readonly T[], come: readonly T[]): Differences<T> {
  const [before, now] = [new Set(gone), new Set(come)];
  return {
    gone: gone.filter((object) => !now.has(object)),
    come: come.filter((object) => !before.has(object)),
  };
}
