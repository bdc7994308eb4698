import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitsOf } from '../../../shared/core/deployment/limits.ts';
import { podIsActive, podIsReady } from '../../../shared/core/pod/predicates.ts';
import { availableInMs } from '../../../shared/core/replicaset/availability.ts';
import { failed, ready } from '../replicaset/cluster.ts';
import { template } from '../replicaset/fixtures.ts';
import { Rollout, rolling } from './model.ts';

const MIN_READY_SECONDS = 5;

const step = fc.record({
  type: fc.constantFrom(
    'look',
    'look',
    'set',
    'set',
    'ready',
    'ready',
    'lose',
    'fail',
    'new',
    'wait',
  ),
  n: fc.nat({ max: 100 }),
});

/** Pods that serve and are to go on doing so. */
function available(rollout: Rollout): number {
  const { nowMs } = rollout;
  const serving = rollout.pods.filter((pod) => availableInMs(pod, MIN_READY_SECONDS, nowMs) === 0);
  return serving.filter(podIsActive).length;
}

/** One thing happens. Returns how many pods were lost by it, through nobody's decision. */
function happen(rollout: Rollout, { type, n }: { type: string; n: number }): number {
  const set = rollout.sets[n % rollout.sets.length];
  const pod = rollout.pods.filter(podIsActive)[n % Math.max(1, rollout.activePods)];
  if (type === 'look') rollout.step();
  else if (type === 'new') rollout.change({ template: template(`v${n % 3}`) });
  else if (type === 'wait') rollout.wait(MIN_READY_SECONDS);
  else if (type === 'set' && set) rollout.stepSet(set);
  else if (type === 'ready') {
    if (pod && !podIsReady(pod)) rollout.put('pods', ready(pod, rollout.nowMs));
  } else if (pod) {
    const before = available(rollout);
    rollout.put('pods', type === 'fail' ? failed(pod) : ready(pod, rollout.nowMs, false));
    return before - available(rollout);
  }
  return 0;
}

describe('a rolling update in any order of looks, with pods that crash', () => {
  it('never has more pods than surge allows, nor gives up more than it may (S9)', () => {
    const limit = fc.constantFrom(0, 1, 2, '25%', '50%', '100%');
    fc.assert(
      fc.property(
        fc.record({ replicas: fc.integer({ min: 1, max: 6 }), surge: limit, unavailable: limit }),
        fc.array(step, { maxLength: 60 }),
        ({ replicas, surge, unavailable }, steps) => {
          const strategy = rolling(surge, unavailable);
          const rollout = new Rollout({ replicas, strategy, minReadySeconds: MIN_READY_SECONDS });
          rollout.settle();
          rollout.wait(MIN_READY_SECONDS);
          rollout.settle();
          const { maxSurge, maxUnavailable } = limitsOf(rollout.deployment.spec);
          let lost = 0;
          for (const next of steps) {
            lost += happen(rollout, next);
            expect(rollout.activePods).toBeLessThanOrEqual(replicas + maxSurge);
            expect(available(rollout)).toBeGreaterThanOrEqual(replicas - maxUnavailable - lost);
          }
        },
      ),
      { numRuns: 250 },
    );
  });

  it('never has more pods than surge allows, also when nothing has come to rest before', () => {
    const limit = fc.constantFrom(0, 1, 2, '50%');
    fc.assert(
      fc.property(
        fc.record({ replicas: fc.integer({ min: 1, max: 6 }), surge: limit, unavailable: limit }),
        fc.array(step, { maxLength: 60 }),
        ({ replicas, surge, unavailable }, steps) => {
          const rollout = new Rollout({ replicas, strategy: rolling(surge, unavailable) });
          const { maxSurge } = limitsOf(rollout.deployment.spec);
          rollout.step();
          for (const next of steps) {
            happen(rollout, next);
            expect(rollout.activePods).toBeLessThanOrEqual(replicas + maxSurge);
          }
        },
      ),
      { numRuns: 250 },
    );
  });

  it('ends with the last template on all pods, and silence', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const rollout = new Rollout({ replicas: 4, minReadySeconds: MIN_READY_SECONDS });
        for (const next of steps)
          if (rollout.sets.length > 0 || next.type === 'look') happen(rollout, next);
        for (let i = 0; i < 20; i++) {
          rollout.settle();
          rollout.wait(MIN_READY_SECONDS);
        }
        const image = rollout.deployment.spec.template.spec.containers[0]?.image;
        expect(rollout.pods.map((pod) => pod.spec.containers[0]?.image)).toEqual(
          Array(4).fill(image),
        );
        expect(rollout.deployment.status).toMatchObject({ replicas: 4, availableReplicas: 4 });
        expect(rollout.planned()).toEqual({ stages: [], blocked: [] });
      }),
      { numRuns: 100 },
    );
  });
});
