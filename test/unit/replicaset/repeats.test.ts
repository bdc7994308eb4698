import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { podIsActive } from '../../../shared/core/pod/predicates.ts';
import { planReplicaSet } from '../../../shared/core/replicaset/plan.ts';
import { Cluster, failed, ready } from './cluster.ts';
import { replicaSet } from './fixtures.ts';

const NAMESPACE = undefined;
const active = (cluster: Cluster) => cluster.pods.filter(podIsActive);

function look(cluster: Cluster, pods = cluster.pods) {
  const [set] = cluster.sets;
  if (!set) throw new Error('the set is gone');
  return planReplicaSet({ set, pods, namespace: NAMESPACE }, cluster.nowMs);
}

function scale(cluster: Cluster, replicas: number): void {
  const set = cluster.sets[0]!;
  const generation = (set.metadata.generation ?? 0) + 1;
  const metadata = { ...set.metadata, generation };
  cluster.put('replicasets.apps', { ...set, metadata, spec: { ...set.spec, replicas } } as never);
}

function start(replicas: number): Cluster {
  const cluster = new Cluster();
  cluster.put('replicasets.apps', replicaSet(replicas));
  return cluster;
}

describe('a ReplicaSet under repeats', () => {
  it('never makes a pod twice, be plans repeated, cut short, or of half-blind looks', () => {
    const steps = fc.array(
      fc.record({ hidden: fc.nat(), part: fc.nat({ max: 12 }), times: fc.constantFrom(1, 2, 3) }),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), steps, (replicas, looks) => {
        const cluster = start(replicas);
        for (const { hidden, part, times } of looks) {
          // A lagging index misses any of the pods.
          const plan = look(
            cluster,
            cluster.pods.filter((_, i) => ((hidden >> i) & 1) === 0),
          );
          for (let i = 0; i < times; i++) cluster.apply(plan, part);
          scale(cluster, replicas);
          expect(active(cluster).length).toBeLessThanOrEqual(replicas);
        }
        cluster.apply(look(cluster));
        expect(active(cluster).length).toBe(replicas);
      }),
      { numRuns: 200 },
    );
  });

  it('comes to the number it wants, and to silence, after anything', () => {
    const step = fc.oneof(
      fc.record({ type: fc.constant('scale' as const), n: fc.nat({ max: 6 }) }),
      fc.record({ type: fc.constantFrom('fail', 'ready', 'delete', 'look', 'stale'), n: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const cluster = start(3);
        let stale = look(cluster);
        for (const { type, n } of steps) {
          const pod = cluster.pods[n % Math.max(1, cluster.pods.length)];
          if (type === 'scale') scale(cluster, n);
          else if (type === 'look') cluster.apply((stale = look(cluster)), n % 7);
          else if (type === 'stale') cluster.apply(stale);
          else if (pod && type === 'delete') cluster.delete('pods', pod);
          else if (pod)
            cluster.put('pods', type === 'fail' ? failed(pod) : ready(pod, cluster.nowMs));
        }
        for (let i = 0; i < 5; i++) cluster.apply(look(cluster));
        const { spec, status } = cluster.sets[0]!;
        expect(cluster.pods.length).toBe(spec.replicas);
        expect(status.replicas).toBe(spec.replicas);
        expect(look(cluster).stages).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
