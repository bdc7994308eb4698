import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeClaim } from '../../../shared/api/kinds/karpenter.ts';
import { claimControl } from '../../../shared/core/capacity/claim/state.ts';
import { consolidate } from '../../../shared/core/capacity/consolidation/consolidate.ts';
import type { Action } from '../../../shared/core/plan.ts';
import type { ClusterSnapshot } from '../../../shared/core/scheduling/schedule.ts';
import { MACHINE_TYPES } from '../../world/machines.ts';
import { budget } from '../disruption/fixtures.ts';
import { NOW_MS } from '../scheduling/fixtures.ts';
import { clusterOf, type Machine, machine, podOn, pool } from './fixtures.ts';

function decide(snapshot: Required<ClusterSnapshot>, nowMs = NOW_MS) {
  const { plans, againAfterMs } = consolidate(snapshot, MACHINE_TYPES, nowMs);
  const actions = plans.flatMap(({ stages }) => stages.flat());
  const claims = (kind: 'update' | 'create') =>
    actions.flatMap((action): readonly NodeClaim[] =>
      action.kind === kind ? [(action as Extract<Action, { kind: 'update' }>).object as never] : [],
    );
  const going = claims('update').filter((claim) => claimControl(claim)?.disruption);
  return {
    going: going.map(({ metadata }) => metadata.name).sort(),
    reasons: [...new Set(going.map((claim) => claimControl(claim)?.disruption?.reason))],
    launched: claims('create'),
    againAfterMs,
  };
}

const NOBODY = { going: [], reasons: [], launched: [] };

describe('empty nodes', () => {
  it('go, all that budgets allow at once', () => {
    const machines = [1, 2, 3].map((n) => machine(n));
    expect(decide(clusterOf([pool()], machines))).toMatchObject({
      going: ['claim-1', 'claim-2', 'claim-3'],
      reasons: ['Empty'],
    });
    const one = pool({ disruption: { budgets: [{ nodes: 1 }] } });
    expect(decide(clusterOf([one], machines)).going).toHaveLength(1);
  });

  it('wait until they have been quiet for long enough', () => {
    const late = pool({ disruption: { consolidateAfter: '5m' } });
    const first = decide(clusterOf([late], [machine(1)]));
    expect(first).toMatchObject({ going: [], againAfterMs: 300_000 });
    const quiet = { pods: '33niihzj4ux45', sinceMs: NOW_MS - 300_000 };
    const [known] = [machine(1, { control: { seen: quiet } })];
    expect(decide(clusterOf([late], [known])).going).toEqual(['claim-1']);
  });

  it('stay where consolidation is off', () => {
    const never = pool({ disruption: { consolidateAfter: 'Never' } });
    expect(decide(clusterOf([never], [machine(1)]))).toMatchObject(NOBODY);
  });

  const LEFT_ALONE: readonly (readonly [string, Machine])[] = [
    ['is not set up', machine(1, { control: {}, conditions: [] })],
    ['asks to stay', machine(1, { nodeMeta: noDisruption() })],
    ['is going already', machine(1, { meta: { deletionTimestamp: '2023-11-14T22:00:00Z' } })],
    [
      'was chosen already',
      machine(1, {
        control: { disruption: { reason: 'Empty', atMs: NOW_MS, replacements: [] } },
      }),
    ],
    ['stands in for one that is there', machine(1, { control: { replaces: ['claim-1'] } })],
    ['is of a pool that is gone', machine(1, { pool: 'other' })],
  ];
  it.each(LEFT_ALONE)('are left alone: one that %s', (what, one) => {
    const { claim, node } = one;
    const isUnset = what === 'is not set up';
    const told = { ...claim, status: isUnset ? {} : claim.status };
    expect(decide(clusterOf([pool()], [{ claim: told, node }]))).toMatchObject(NOBODY);
  });
});

function noDisruption() {
  return { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } };
}

describe('nodes that are used little', () => {
  it('go where others have room, and nothing is launched', () => {
    const [a, b] = [machine(1), machine(2)];
    const pods = [podOn(a, 'x', '500m'), podOn(b, 'y', '900m'), podOn(b, 'z', '300m')];
    expect(decide(clusterOf([pool()], [a, b], pods))).toMatchObject({
      going: ['claim-1'],
      reasons: ['Underutilized'],
      launched: [],
    });
  });

  it('go together, where one machine costs less than all of them', () => {
    const machines = [1, 2, 3].map((n) => machine(n, { type: 'm1.2xlarge' }));
    const pods = machines.map((one, n) => podOn(one, `p${n}`, '1000m'));
    const { going, launched } = decide(clusterOf([pool()], machines, pods));
    expect(going).toEqual(['claim-1', 'claim-2', 'claim-3']);
    expect(launched.map((claim) => claimControl(claim)?.types[0])).toEqual(['m1.xlarge']);
  });

  it('are replaced by a smaller machine, which must cost less', () => {
    const one = machine(1, { type: 'm1.2xlarge' });
    const { going, launched } = decide(clusterOf([pool()], [one], [podOn(one, 'x', '1500m')]));
    expect(going).toEqual(['claim-1']);
    expect(launched.map((claim) => claimControl(claim)?.types)).toEqual([
      ['m1.large', 'm1.xlarge'],
    ]);
    expect(launched.map((claim) => claimControl(claim)?.replaces)).toEqual([['claim-1']]);
    const right = machine(1);
    const full = clusterOf([pool()], [right], [podOn(right, 'x', '1500m')]);
    expect(decide(full)).toMatchObject(NOBODY);
  });

  it('are not replaced Spot by Spot where there is little choice', () => {
    const spot = pool({
      template: {
        requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['spot'] }],
      },
    });
    const one = machine(1, { type: 'm1.2xlarge', capacityType: 'spot' });
    expect(decide(clusterOf([spot], [one], [podOn(one, 'x', '1500m')]))).toMatchObject(NOBODY);
  });

  it('stay where only empty ones may go', () => {
    const [a, b] = [machine(1), machine(2)];
    const pods = [podOn(a, 'x', '500m'), podOn(b, 'y', '500m')];
    const empty = pool({ disruption: { consolidationPolicy: 'WhenEmpty' } });
    expect(decide(clusterOf([empty], [a, b], pods))).toMatchObject(NOBODY);
  });

  it('stay while one of their pods must', () => {
    const [a, b] = [machine(1), machine(2)];
    const other = podOn(b, 'y', '1900m');
    const bare = { ownerReferences: [] };
    const shut = budget({ minAvailable: 1 }, { disruptionsAllowed: 0 });
    const guarded = { ...shut, metadata: { ...shut.metadata, namespace: 'default' } };
    for (const [given, budgets] of [
      [noDisruption(), []],
      [bare, []],
      [{}, [guarded]],
    ] as const) {
      const pods = [podOn(a, 'x', '100m', given), other];
      const { going } = decide(clusterOf([pool()], [a, b], pods, { budgets }));
      expect(going).not.toContain('claim-1');
    }
  });
});

describe('nodes that are no longer what their pool makes', () => {
  const drifted = { type: 'Drifted', status: 'True' } as const;

  it('are replaced whatever that costs, one at a time', () => {
    const machines = [1, 2].map((n) => machine(n, { conditions: [drifted] }));
    const pods = machines.map((one, n) => podOn(one, `p${n}`, '1500m'));
    const { going, reasons, launched } = decide(clusterOf([pool()], machines, pods));
    expect([going, reasons, launched.length]).toEqual([['claim-1'], ['Drifted'], 1]);
  });

  it('stay while the budgets for that are spent', () => {
    const one = machine(1, { conditions: [drifted] });
    const shut = pool({ disruption: { budgets: [{ nodes: 0, reasons: ['Drifted'] }] } });
    expect(decide(clusterOf([shut], [one], [podOn(one, 'x', '1500m')]))).toMatchObject(NOBODY);
  });
});

describe('any cluster', () => {
  const load = fc.array(fc.integer({ min: 1, max: 19 }), { maxLength: 3 });
  const loads = fc.array(fc.tuple(fc.constantFrom('m1.large', 'm1.2xlarge'), load), {
    minLength: 1,
    maxLength: 6,
  });

  it('comes to rest: each step costs less, and the last one changes nothing', () => {
    fc.assert(
      fc.property(loads, (given) => {
        let machines = given.map(([type], n) => machine(n + 1, { type }));
        let pods = given.flatMap(([, cpus], n) =>
          cpus.map((cpu, i) => podOn(machines[n] as Machine, `p${n}-${i}`, `${cpu * 100}m`)),
        );
        const usd = (all: readonly Machine[]) => all.reduce((sum, one) => sum + priceOf(one), 0);
        for (let step = 0; step < 20; step++) {
          const { going, launched } = decide(clusterOf([pool()], machines, pods));
          if (going.length === 0) return;
          const before = usd(machines);
          const added = launched.map((claim, i) =>
            machine(100 + step * 10 + i, { type: claimControl(claim)?.types[0] ?? '' }),
          );
          const left = machines.filter(({ claim }) => !going.includes(claim.metadata.name));
          const gone = new Set(
            machines.filter((one) => !left.includes(one)).map(({ node }) => node.metadata.name),
          );
          machines = [...left, ...added];
          pods = pods.map((pod) =>
            gone.has(pod.spec.nodeName ?? '') ? moved(pod, machines, pods) : pod,
          );
          expect(usd(machines)).toBeLessThan(before);
        }
        throw new Error('it does not come to rest');
      }),
      { numRuns: 60 },
    );
  });
});

function priceOf({ claim }: Machine): number {
  const type = MACHINE_TYPES.find(({ name }) => name === claim.control.launchedType);
  return type?.offerings[0]?.usdPerHour ?? 0;
}

/** Anywhere with the most room: what matters here is that steps end, not where pods go. */
function moved(
  pod: ReturnType<typeof podOn>,
  machines: readonly Machine[],
  pods: readonly (typeof pod)[],
) {
  const cpuOf = (one: typeof pod) =>
    Number.parseInt(one.spec.containers[0]?.resources?.requests?.['cpu'] ?? '0', 10);
  const free = (one: Machine) =>
    (one.claim.control.room['cpu'] ?? 0) -
    pods
      .filter(({ spec }) => spec.nodeName === one.node.metadata.name)
      .reduce((sum, other) => sum + cpuOf(other), 0);
  const [target] = [...machines].sort((a, b) => free(b) - free(a));
  return { ...pod, spec: { ...pod.spec, nodeName: target?.node.metadata.name ?? '' } };
}
