import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlaced } from '../../../shared/core/scheduling/pending.ts';
import { schedule, type SchedulingResult } from '../../../shared/core/scheduling/schedule.ts';
import { NOW_MS, snapshot } from './fixtures.ts';
import { namespaces, someNodes, somePods } from './generators.ts';
import { feasible, type Placed, type World } from './reference.ts';

const RUNS = { numRuns: 200 };

const cluster = fc
  .record({ nodes: someNodes, pods: somePods })
  .map((given) => snapshot({ ...given, namespaces }));

const labels = Object.fromEntries(
  namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]),
);

function described({ placements, unschedulable, plans }: SchedulingResult): unknown {
  return {
    placements: placements.map(({ pod, node }) => `${pod.metadata.uid}@${node}`),
    unschedulable: unschedulable.map(({ pod, message }) => `${pod.metadata.uid}: ${message}`),
    plans: JSON.stringify(plans),
  };
}

describe('a pass', () => {
  it('places pods where the reference allows, and leaves those that it allows nowhere', () => {
    fc.assert(
      fc.property(cluster, (given) => {
        const { nodes, pods } = given;
        const byName = new Map(nodes.map((node) => [node.metadata.name, node]));
        const placed: Placed[] = pods.filter(isPlaced).flatMap((pod) => {
          const node = byName.get(pod.spec.nodeName ?? '');
          return node ? [{ pod, node }] : [];
        });
        const world: World = { nodes, placed, namespaces: labels };
        const result = schedule(given, NOW_MS);
        for (const { pod, node: name } of result.placements) {
          const node = byName.get(name);
          expect(node && feasible(pod, node, world), `${pod.metadata.name} on ${name}`).toBe(true);
          if (node) placed.push({ pod, node });
        }
        if (result.unfinished) return;
        for (const { pod, message } of result.unschedulable) {
          const open = nodes.filter((node) => feasible(pod, node, world));
          expect(
            open.map((node) => node.metadata.name),
            message,
          ).toEqual([]);
        }
        const waiting = pods.filter((pod) => !isPlaced(pod)).length;
        expect(result.placements.length + result.unschedulable.length).toBe(waiting);
      }),
      { numRuns: 1_500 },
    );
  });

  it('does not depend on the order of its lists', () => {
    const shuffled = cluster.chain((given) =>
      fc.record({
        given: fc.constant(given),
        nodes: fc.shuffledSubarray([...given.nodes], { minLength: given.nodes.length }),
        pods: fc.shuffledSubarray([...given.pods], { minLength: given.pods.length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ given, nodes, pods }) => {
        const other = schedule({ ...given, nodes, pods }, NOW_MS);
        expect(described(other)).toEqual(described(schedule(given, NOW_MS)));
      }),
      RUNS,
    );
  });

  it('says for each node why it is refused', () => {
    fc.assert(
      fc.property(cluster, (given) => {
        for (const { message } of schedule(given, NOW_MS).unschedulable) {
          expect(message).toMatch(new RegExp(`^0/${given.nodes.length} nodes are available: \\d`));
        }
      }),
      RUNS,
    );
  });
});
