/**
 * Replicas that say nothing of spread are kept apart by host and by zone, softly: one machine or
 * one zone should not take all of them with it.
 */
import { HOSTNAME_LABEL, ZONE_LABEL } from '../cluster.ts';
import type { Plugin } from '../framework.ts';
import { emptiest } from './soft-spread.ts';

const APART_BY = [HOSTNAME_LABEL, ZONE_LABEL];

export const replicaSpread: Plugin = {
  name: 'ReplicaSpread',
  helpedBy: [],
  begin: (cluster) => ({
    clusterScore({ group, spread, spec }) {
      // A GPU that is opened for each replica costs more than one that takes all of them.
      if (group.owner === '' || spread.length > 0 || spec.gpus) return undefined;
      const labels = APART_BY.filter((label) => cluster.domains(label).size > 1);
      if (labels.length === 0) return undefined;
      const tallies = labels.map((label) =>
        cluster.pods.tally(
          `replicas ${label} ${group.owner}`,
          () => cluster.domains(label),
          ({ owner, terminating }) => owner === group.owner && !terminating,
        ),
      );
      return emptiest(tallies);
    },
  }),
};
