import { describe, expect, it } from 'vitest';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type {
  PodDisruptionBudget,
  PodDisruptionBudgetSpec,
} from '../../../shared/api/kinds/policy.ts';
import { rfc3339 } from '../../../shared/api/time.ts';
import { planDisruption, type Scale } from '../../../shared/core/disruption/plan.ts';
import type { Plan } from '../../../shared/core/plan.ts';
import { budget, pod, T0 } from './fixtures.ts';

const NEW = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
const fresh = (spec: Partial<PodDisruptionBudgetSpec>) => {
  const { status: _, ...made } = budget(spec);
  return { ...made, status: NEW } as PodDisruptionBudget;
};

const scale = (uid: string, replicas: number): [string, Scale] => [uid, { uid, replicas }];

function look(
  one: PodDisruptionBudget,
  pods: readonly Pod[],
  scales: readonly (readonly [string, Scale])[] = [],
  nowMs = T0,
): Plan {
  return planDisruption({ budget: one, pods, scales: new Map(scales) }, nowMs);
}

function written(plan: Plan): PodDisruptionBudget {
  const [action] = plan.stages.flat();
  if (action?.kind !== 'update') throw new Error('nothing is written');
  return action.object as unknown as PodDisruptionBudget;
}

const news = (plan: Plan) =>
  plan.stages.flat().flatMap((action) => (action.kind === 'event' ? [action.reason] : []));

const own = (count: number, owner: string, from = 0) =>
  Array.from({ length: count }, (_, i) => pod(`${owner}-${from + i}`, { owner }));

describe('what a budget allows', () => {
  it.each<[Partial<PodDisruptionBudgetSpec>, number, number, [number, number, number]]>([
    // [ready pods, replicas asked for] -> [allowed, desired, expected]
    [{ minAvailable: 2 }, 3, 9, [1, 2, 3]],
    [{ minAvailable: 5 }, 3, 9, [0, 5, 3]],
    [{ minAvailable: 0 }, 3, 9, [3, 0, 3]],
    [{ minAvailable: '50%' }, 5, 5, [2, 3, 5]],
    [{ minAvailable: '30%' }, 7, 7, [4, 3, 7]],
    [{ minAvailable: '100%' }, 3, 3, [0, 3, 3]],
    [{ minAvailable: '50%' }, 2, 4, [0, 2, 4]],
    [{ maxUnavailable: 1 }, 3, 3, [1, 2, 3]],
    [{ maxUnavailable: 5 }, 3, 3, [3, 0, 3]],
    [{ maxUnavailable: 0 }, 3, 3, [0, 3, 3]],
    [{ maxUnavailable: '30%' }, 7, 7, [3, 4, 7]],
    [{ maxUnavailable: '1%' }, 3, 3, [1, 2, 3]],
    [{ maxUnavailable: 1 }, 2, 3, [0, 2, 3]],
    [{}, 3, 3, [0, 0, 0]],
  ])(
    '%j of %d pods ready and %d asked for',
    (spec, ready, replicas, [allowed, desired, expected]) => {
      const plan = look(fresh(spec), own(ready, 'rs'), [scale('rs', replicas)]);
      expect(written(plan).status).toMatchObject({
        ...{ disruptionsAllowed: allowed, desiredHealthy: desired, expectedPods: expected },
        ...{ currentHealthy: ready, observedGeneration: 1 },
      });
    },
  );

  it('adds up over controllers, each of them once', () => {
    const pods = [...own(2, 'rs1'), ...own(1, 'rs2'), ...own(1, 'other')];
    // Both sets are of one Deployment.
    const one = { uid: 'deployment', replicas: 4 };
    const scales = [['rs1', one] as const, ['rs2', one] as const, scale('other', 2)];
    expect(written(look(fresh({ maxUnavailable: 1 }), pods, scales)).status.expectedPods).toBe(6);
  });

  it('counts the pods that are ready and stay', () => {
    const pods = [
      pod('a'),
      pod('b', { ready: false }),
      pod('c', { leaving: true }),
      pod('d', { phase: 'Failed', ready: false }),
    ];
    expect(written(look(fresh({ minAvailable: 0 }), pods)).status).toMatchObject({
      currentHealthy: 1,
      expectedPods: 4,
    });
  });

  it('is told by its condition, whose time moves only when it does', () => {
    const open = written(look(fresh({ minAvailable: 1 }), [pod('a'), pod('b')]));
    const condition = { type: 'DisruptionAllowed', message: '', observedGeneration: 1 };
    expect(open.status.conditions).toEqual([
      { ...condition, status: 'True', reason: 'SufficientPods', lastTransitionTime: rfc3339(T0) },
    ]);
    const still = written(look(open, [pod('a'), pod('b'), pod('c')], [], T0 + 5_000));
    expect(still.status.conditions).toEqual(open.status.conditions);
    const closed = written(look(open, [pod('a')], [], T0 + 9_000));
    expect(closed.status.conditions).toEqual([
      {
        ...{ ...condition, status: 'False', reason: 'InsufficientPods' },
        lastTransitionTime: rfc3339(T0 + 9_000),
      },
    ]);
  });
});

describe('a look that finds nothing new', () => {
  it.each<[string, PodDisruptionBudget, readonly Pod[]]>([
    ['pods', fresh({ minAvailable: 1 }), [pod('a'), pod('b')]],
    ['no pods', fresh({ minAvailable: 1 }), []],
    ['nothing to count by', fresh({ maxUnavailable: 1 }), own(1, 'unknown')],
  ])('writes nothing and tells nothing: %s', (_what, one, pods) => {
    const first = written(look(one, pods));
    const again = look(first, pods, [], T0 + 60_000);
    expect(again.stages).toEqual([]);
    expect(again.againAfterMs).toBeUndefined();
  });
});

describe('pods that were granted', () => {
  const grants = { a: rfc3339(T0 - 30_000), b: rfc3339(T0 - 10_000) };
  const one = (disruptedPods: { readonly [name: string]: string }) =>
    budget({ minAvailable: 1 }, { disruptedPods });

  it('count as gone until they are seen to go, or their time is over', () => {
    const pods = [pod('a'), pod('b'), pod('c'), pod('d')];
    const plan = look(one(grants), pods);
    expect(written(plan).status).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1 });
    expect(written(plan).status.disruptedPods).toEqual(grants);
    expect(plan.againAfterMs).toBe(90_000);
    const later = look(written(plan), pods, [], T0 + 90_000);
    expect(written(later).status).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 2 });
    expect(written(later).status.disruptedPods).toEqual({ b: grants.b });
  });

  it.each<[string, readonly Pod[]]>([
    ['gone', [pod('b')]],
    ['leaving', [pod('a', { leaving: true }), pod('b')]],
    [
      'another pod of that name',
      [pod('a', { metadata: { creationTimestamp: rfc3339(T0) } }), pod('b')],
    ],
  ])('are forgotten when they are %s', (_what, pods) => {
    expect(Object.keys(written(look(one(grants), pods)).status.disruptedPods ?? {})).toEqual(['b']);
  });

  it('leave no trace when there are none', () => {
    expect(written(look(one(grants), [pod('c')])).status).not.toHaveProperty('disruptedPods');
  });
});

describe('what can’t be counted', () => {
  it('allows nothing, and says so once', () => {
    const open = budget({ maxUnavailable: 1 });
    const plan = look(open, own(2, 'unknown'));
    const problem = 'found no controllers for pod "unknown-0"';
    expect(written(plan).status).toMatchObject({
      disruptionsAllowed: 0,
      conditions: [{ status: 'False', reason: 'SyncFailed', message: problem }],
    });
    expect(plan.blocked).toEqual([problem]);
    expect(news(plan)).toEqual(['CalculateExpectedPodCountFailed']);
    const mended = look(written(plan), own(2, 'unknown'), [scale('unknown', 2)]);
    expect(written(mended).status).toMatchObject({
      disruptionsAllowed: 1,
      conditions: [{ status: 'True', reason: 'SufficientPods' }],
    });
  });

  it('is no matter where a number of pods has to stay', () => {
    const plan = look(fresh({ minAvailable: 1 }), own(2, 'unknown'));
    expect(written(plan).status.disruptionsAllowed).toBe(1);
  });

  it('are pods that nobody controls: they are told of, and add nothing', () => {
    const plan = look(fresh({ maxUnavailable: 1 }), [pod('a'), ...own(2, 'rs')], [scale('rs', 2)]);
    expect(written(plan).status).toMatchObject({ expectedPods: 2, desiredHealthy: 1 });
    expect(news(plan)).toEqual(['UnmanagedPods']);
  });

  it('are no pods at all', () => {
    expect(news(look(fresh({ minAvailable: 1 }), []))).toEqual(['NoPods']);
  });
});
