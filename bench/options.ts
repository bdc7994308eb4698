/** Options that the benchmarks share. */

/** The positive whole number that an option holds. */
export function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value <= 0) throw new Error(`${name}: "${text}" is no count`);
  return value;
}
