/** Limits that are counts or percentages, as numbers. */

/** A count as it is; a percentage of the whole, rounded. What is neither is NaN. */
export function resolveShare(
  limit: number | string,
  whole: number,
  round: (n: number) => number,
): number {
  if (typeof limit === 'number') return limit;
  const value = Number.parseInt(limit, 10);
  return limit.endsWith('%') ? round((value * whole) / 100) : value;
}
