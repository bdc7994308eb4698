/**
 * How machines that could be launched enter a pass: by a plugin, as every rule does. The plugin
 * stays while passes follow each other over one cluster (scheduling/memory.ts); the fleet is each
 * pass's own, since pools, prices and shortages are others each time.
 */
import type { Cluster } from '../scheduling/cluster.ts';
import type { Judge, Plugin } from '../scheduling/framework.ts';
import { type Fleet, NO_TYPE } from './fleet.ts';

export class FleetPlugin {
  readonly plugin: Plugin;
  #fleet: Fleet;
  #cluster: Cluster | undefined;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    this.plugin = {
      name: 'Machines',
      helpedBy: ['podPending', 'nodeAdded', 'nodeChanged'],
      begin: (cluster) => this.#begin(cluster),
    };
  }

  /** From now on it speaks for this fleet. The one before has no machines in the cluster. */
  serve(fleet: Fleet): void {
    this.#fleet = fleet;
    if (this.#cluster) fleet.join(this.#cluster);
  }

  #begin(cluster: Cluster): Judge {
    this.#cluster = cluster;
    this.#fleet.join(cluster);
    return {
      nodeFilter: (spec) => ({
        allows: (node) => this.#fleet.allows(node, spec),
        reasons: () => [NO_TYPE],
      }),
      nodeScore: (spec) => (node) => this.#fleet.score(node, spec),
      track:
        ({ spec }) =>
        (node, sign) =>
          this.#fleet.note(node, spec, sign),
    };
  }
}
