/** Topology domains: the values of a node label, as numbers. */
import type { Node } from '../../api/kinds/node.ts';

export interface Domains {
  /** The domain of each node; NO_DOMAIN where the label is missing. */
  readonly of: Int32Array;
  readonly size: number;
}

export const NO_DOMAIN = -1;

/** Numbers the values in the order of the nodes. */
export function numberValues(nodes: readonly Node[], label: string): Domains {
  const numbers = new Map<string, number>();
  const of = Int32Array.from(nodes, (node) => {
    const value = node.metadata.labels?.[label];
    if (value === undefined) return NO_DOMAIN;
    const known = numbers.get(value);
    if (known !== undefined) return known;
    numbers.set(value, numbers.size);
    return numbers.size - 1;
  });
  return { of, size: numbers.size };
}
