/**
 * Topology domains: the values of a node label, as numbers. They grow with the nodes; a number once
 * given stays.
 */
import type { Node } from '../../api/kinds/node.ts';
import { grown } from './grown.ts';

export const NO_DOMAIN = -1;

/** Which domain a node is in; NO_DOMAIN for none. */
type Numbering = (node: Node, index: number) => number;

export class Domains {
  /** The domain of each node, NO_DOMAIN where there is none. Longer than there are nodes. */
  of: Int32Array<ArrayBuffer>;
  /** The domains that have a node, in the order of the nodes. */
  readonly present: number[] = [];
  readonly #numbering: Numbering;
  readonly #isPresent = new Set<number>();
  readonly #watchers: (() => void)[] = [];
  #size = 0;

  constructor(nodes: readonly Node[], numbering: Numbering) {
    this.of = new Int32Array(nodes.length);
    this.#numbering = numbering;
    nodes.forEach((node, index) => this.add(node, index));
  }

  /** Numbers are below this. */
  get size(): number {
    return this.#size;
  }

  /** Takes a node in, whose index is one above the last one's. */
  add(node: Node, index: number): void {
    this.of = grown(this.of, index + 1);
    const domain = this.#numbering(node, index);
    this.of[index] = domain;
    if (domain === NO_DOMAIN || this.#isPresent.has(domain)) return;
    this.#isPresent.add(domain);
    this.present.push(domain);
    if (domain < this.#size) return;
    this.#size = domain + 1;
    for (const watcher of this.#watchers) watcher();
  }

  /** Has the function called whenever `size` has grown. */
  watch(watcher: () => void): void {
    this.#watchers.push(watcher);
  }
}

/** Numbers the values of a label in the order of the nodes. */
export function labelDomains(nodes: readonly Node[], label: string): Domains {
  const numbers = new Map<string, number>();
  return new Domains(nodes, ({ metadata }) => {
    const value = metadata.labels?.[label];
    if (value === undefined) return NO_DOMAIN;
    const known = numbers.get(value);
    if (known !== undefined) return known;
    numbers.set(value, numbers.size);
    return numbers.size - 1;
  });
}
