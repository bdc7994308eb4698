/** Counts of a status: those that are zero are left out, as Kubernetes does. */

export type Counts = { readonly [field: string]: number };

export function present<C extends Counts>(counts: C): Partial<C> {
  return Object.fromEntries(Object.entries(counts).filter(([, n]) => n !== 0)) as Partial<C>;
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
