/**
 * Facts about stored objects, each found once. Stored objects are frozen, so that a fact holds as
 * long as its object lives; and an owner of ten thousand pods, who looks at all of them whenever
 * one changes, finds new facts about one.
 */

/** The same function, which remembers what it found out about an object. */
export function remembered<O extends object, F extends NonNullable<unknown>>(
  find: (object: O) => F,
): (object: O) => F {
  const known = new WeakMap<O, F>();
  return (object) => {
    let fact = known.get(object);
    if (fact === undefined) {
      fact = find(object);
      known.set(object, fact);
    }
    return fact;
  };
}
