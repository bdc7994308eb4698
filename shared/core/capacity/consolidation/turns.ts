/** Who is asked about in a pass, where a pass can't ask about all: each in its turn. */

/** After so long, the questions begin with another one. */
const ROTATION_MS = 60_000;

/** So many of them at most; others a minute later. */
export function inTurn<T>(items: readonly T[], count: number, nowMs: number): readonly T[] {
  if (items.length <= count) return items;
  const from = (Math.floor(nowMs / ROTATION_MS) * count) % items.length;
  return [...items.slice(from), ...items.slice(0, from)].slice(0, count);
}
