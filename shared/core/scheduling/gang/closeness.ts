/**
 * Keeps a gang together: its pods prefer the zone and the machines where others of it are, and are
 * held to one zone while the pass tries whether that has room for all.
 */
import { type Cluster, HOSTNAME_LABEL, ZONE_LABEL } from '../cluster.ts';
import { MAX_SCORE, OPEN, type Plugin } from '../framework.ts';
import type { PodGroup } from '../pod-index.ts';
import type { Tally } from '../tally.ts';
import { gangName } from './membership.ts';

/** One machine is nearer than one zone. */
const LABELS = [
  { label: ZONE_LABEL, share: 0.7 },
  { label: HOSTNAME_LABEL, share: 0.3 },
];

export const OTHER_ZONE = "node(s) weren't in the zone that is tried for the gang";

export class GangCloseness {
  readonly plugin: Plugin;
  /** The zone, by its number, that gangs are held to; undefined: none. */
  #only: number | undefined;
  #cluster: Cluster | undefined;

  constructor() {
    this.plugin = {
      name: 'GangCloseness',
      helpedBy: ['podPending', 'podGone', 'nodeAdded', 'nodeChanged'],
      begin: (cluster) => {
        this.#cluster = cluster;
        return {
          clusterFilter: ({ group }) =>
            gangName(group) === undefined ? undefined : this.#filter(),
          clusterScore: ({ group }) => closenessScore(group, cluster),
        };
      },
    };
  }

  /** The zones that have a node, by their numbers. */
  get zones(): readonly number[] {
    return this.#cluster?.domains(ZONE_LABEL).present ?? [];
  }

  /** What is done while gangs are held to the zone. */
  within<T>(zone: number, act: () => T): T {
    this.#only = zone;
    try {
      return act();
    } finally {
      this.#only = undefined;
    }
  }

  #filter() {
    const isOutside = (node: number) =>
      this.#only !== undefined && this.#cluster?.domains(ZONE_LABEL).of[node] !== this.#only;
    return {
      refuse(verdicts: Uint8Array, code: number) {
        for (let node = 0; node < verdicts.length; node++) {
          if (verdicts[node] === OPEN && isOutside(node)) verdicts[node] = code;
        }
      },
      refuses: isOutside,
      isIdle: () => this.#only === undefined,
      reasons: () => [OTHER_ZONE],
    };
  }
}

function closenessScore(group: PodGroup, cluster: Cluster) {
  const name = gangName(group);
  if (name === undefined) return undefined;
  const tallies = LABELS.map(({ label, share }) => {
    const key = `gang ${label} ${group.namespace}/${name}`;
    const isOfGang = (other: PodGroup) =>
      other.namespace === group.namespace && gangName(other) === name;
    return { share, tally: cluster.pods.tally(key, () => cluster.domains(label), isOfGang) };
  });
  return {
    add(totals: Float64Array, _verdicts: Uint8Array, weight: number) {
      for (const { tally, share } of tallies)
        addNearness(tally, totals, MAX_SCORE * weight * share);
    },
    isIdle: () => tallies.every(({ tally }) => tally.isZero),
  };
}

/** By the part of the gang's pods that is there. */
function addNearness(tally: Tally, totals: Float64Array, most: number): void {
  if (tally.total > 0) tally.addTo(totals, most / tally.total);
}
