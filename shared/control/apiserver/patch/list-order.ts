/**
 * The order of merged lists: what the client named comes in its order, the rest stays where it was.
 */

/**
 * Interleaves items that the client named (`named`, in the client's order) with the others (`kept`,
 * in the order of the live list). An item that was kept goes before a named one if it stood before
 * it in the live list.
 */
export function interleave<K>(
  kept: readonly K[],
  named: readonly K[],
  live: ReadonlyMap<K, number>,
): K[] {
  const out: K[] = [];
  let next = 0;
  for (const name of named) {
    const place = live.get(name) ?? -1;
    while (next < kept.length && (live.get(kept[next] as K) ?? Infinity) < place) {
      out.push(kept[next] as K);
      next++;
    }
    out.push(name);
  }
  out.push(...kept.slice(next));
  return out;
}
