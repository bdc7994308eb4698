/**
 * A tally: a number for each domain of a label, kept up to date with each placement, and the loops
 * over all nodes that plugins are made of.
 */
import { type Domains, NO_DOMAIN } from './domains.ts';
import { OPEN } from './framework.ts';
import { grown } from './grown.ts';

/** A sum for each domain. */
export class Tally {
  readonly domains: Domains;
  /** By domain; longer than there are domains. */
  sums: Float64Array<ArrayBuffer>;
  /** Over all domains. Weights of both signs may cancel out here and still differ by domain. */
  total = 0;
  /** How many domains have a sum. */
  #nonZero = 0;
  /** The lowest sum of a domain that has a node, and how many have it; none: to be found anew. */
  #lowest = Infinity;
  #atLowest = 0;
  /** Of how many domains that is known. */
  #known = 0;

  constructor(domains: Domains) {
    this.domains = domains;
    this.sums = new Float64Array(domains.size);
    domains.watch(() => (this.sums = grown(this.sums, domains.size)));
  }

  add(node: number, amount: number): void {
    const domain = this.domains.of[node] ?? NO_DOMAIN;
    if (domain === NO_DOMAIN) return;
    const before = this.sums[domain] ?? 0;
    const after = before + amount;
    this.sums[domain] = after;
    this.total += amount;
    if (before === 0 && after !== 0) this.#nonZero++;
    else if (before !== 0 && after === 0) this.#nonZero--;
    this.#follow(before, after);
  }

  /** No domain has a sum: all is as if nothing had ever been added. */
  get isZero(): boolean {
    return this.#nonZero === 0;
  }

  /** The lowest sum of a domain that has a node; Infinity when none has. */
  get lowest(): number {
    const { present } = this.domains;
    if (this.#atLowest === 0 || this.#known !== present.length) {
      this.#lowest = Infinity;
      for (const domain of present) {
        const sum = this.sums[domain] ?? 0;
        if (sum === this.#lowest) this.#atLowest++;
        else if (sum < this.#lowest) {
          this.#lowest = sum;
          this.#atLowest = 1;
        }
      }
      this.#known = present.length;
    }
    return this.#lowest;
  }

  /** While some domain still has the lowest sum, no other need be looked at. */
  #follow(before: number, after: number): void {
    if (before === this.#lowest) this.#atLowest--;
    if (after === this.#lowest) this.#atLowest++;
    else if (after < this.#lowest && this.#known > 0) {
      this.#lowest = after;
      this.#atLowest = 1;
    }
  }

  /** Adds the weighted sum of each node's domain to the node's value. */
  addTo(values: Float64Array, weight: number): void {
    const { sums } = this;
    const { of } = this.domains;
    for (let node = 0; node < values.length; node++) {
      const domain = of[node] ?? NO_DOMAIN;
      if (domain !== NO_DOMAIN) values[node] = (values[node] ?? 0) + weight * (sums[domain] ?? 0);
    }
  }

  /** Whether the node is in a domain. */
  has(node: number): boolean {
    return (this.domains.of[node] ?? NO_DOMAIN) !== NO_DOMAIN;
  }

  /** The sum of the node's domain; 0 where it has none. */
  at(node: number): number {
    return this.sums[this.domains.of[node] ?? NO_DOMAIN] ?? 0;
  }

  /** Whether the node's sum is in the range. */
  isWithin({ least, most, needsDomain }: SumRange, node: number): boolean {
    if (!this.has(node)) return !needsDomain;
    const sum = this.at(node);
    return sum >= least && sum <= most;
  }

  /**
   * Closes each open node whose sum is not in the range; one without a domain only when it needs
   * one.
   */
  refuseOutside(range: SumRange, verdicts: Uint8Array, code: number): void {
    const { sums } = this;
    const { of } = this.domains;
    const { least, most, needsDomain } = range;
    if (this.isZero && !needsDomain && least <= 0 && most >= 0) return;
    for (let node = 0; node < verdicts.length; node++) {
      const domain = of[node] ?? NO_DOMAIN;
      const sum = sums[domain] ?? 0;
      const refused = domain === NO_DOMAIN ? needsDomain : sum < least || sum > most;
      if (refused && verdicts[node] === OPEN) verdicts[node] = code;
    }
  }
}

export interface SumRange {
  readonly least: number;
  readonly most: number;
  readonly needsDomain: boolean;
}

/** The best open node gets `most` and the worst nothing, so that counts of any size compare. */
export function addRanked(
  raw: Float64Array,
  totals: Float64Array,
  verdicts: Uint8Array,
  most: number,
): void {
  let lowest = Infinity;
  let highest = -Infinity;
  for (let node = 0; node < verdicts.length; node++) {
    if (verdicts[node] !== OPEN) continue;
    const value = raw[node] ?? 0;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  if (!(highest > lowest)) return;
  const scale = most / (highest - lowest);
  for (let node = 0; node < verdicts.length; node++) {
    totals[node] = (totals[node] ?? 0) + ((raw[node] ?? 0) - lowest) * scale;
  }
}
