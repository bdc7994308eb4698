/**
 * Placed pods, by what selectors can tell apart, and tallies over them: how many pods that meet a
 * condition are in each domain. A tally is counted once when it is first asked for, and then kept
 * with each placement (K3).
 */
import type { Labels } from '../../api/meta.ts';
import type { Domains } from './domains.ts';
import { Tally } from './tally.ts';

/** Pods that no selector can tell apart. */
export interface PodGroup {
  readonly namespace: string;
  readonly labels: Labels;
  /** The uid of the controller, '' for pods on their own. */
  readonly owner: string;
  /** On its way out: topology spread does not count it any more, affinity does. */
  readonly terminating: boolean;
  /** How many of them are on each node. */
  readonly placed: Map<number, number>;
  /** The tallies that count them. */
  readonly tallies: Tally[];
}

export type GroupIdentity = Pick<PodGroup, 'namespace' | 'labels' | 'owner' | 'terminating'>;

interface Counted {
  readonly tally: Tally;
  readonly matches: (group: PodGroup) => boolean;
}

export class PodIndex {
  readonly #groups = new Map<string, PodGroup>();
  readonly #tallies = new Map<string, Counted>();

  group(identity: GroupIdentity): PodGroup {
    const { namespace, labels, owner, terminating } = identity;
    const key = `${namespace}/${owner}/${terminating ? 1 : 0}${JSON.stringify(labels)}`;
    let group = this.#groups.get(key);
    if (!group) {
      group = { ...identity, placed: new Map(), tallies: [] };
      this.#groups.set(key, group);
      for (const { tally, matches } of this.#tallies.values()) {
        if (matches(group)) group.tallies.push(tally);
      }
    }
    return group;
  }

  /** The tally known by `key`, which must name both the domains and the condition. */
  tally(key: string, domains: () => Domains, matches: (group: PodGroup) => boolean): Tally {
    const known = this.#tallies.get(key);
    if (known) return known.tally;
    const tally = new Tally(domains());
    this.#tallies.set(key, { tally, matches });
    for (const group of this.#groups.values()) {
      if (!matches(group)) continue;
      group.tallies.push(tally);
      for (const [node, count] of group.placed) tally.add(node, count);
    }
    return tally;
  }

  place(group: PodGroup, node: number, sign: 1 | -1): void {
    group.placed.set(node, (group.placed.get(node) ?? 0) + sign);
    for (const tally of group.tallies) tally.add(node, sign);
  }
}
