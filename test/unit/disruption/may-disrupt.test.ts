import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PodDisruptionBudget } from '../../../shared/api/kinds/policy.ts';
import { rfc3339 } from '../../../shared/api/time.ts';
import { grantedAtMs } from '../../../shared/core/disruption/budgets.ts';
import {
  type Disruptions,
  mayDisrupt,
  opennessOf,
  refusalText,
} from '../../../shared/core/disruption/may-disrupt.ts';
import { budget, pod, type PodShape, T0 } from './fixtures.ts';

const said = ({ allowed, refused, spent }: Disruptions) => ({
  allowed: allowed.map(({ metadata }) => metadata.name),
  refused: refused.map((one) => [one.pod.metadata.name, one.reason]),
  spent: spent.map(({ metadata, status }) => [metadata.name, status.disruptionsAllowed]),
});

describe('who may go now', () => {
  const [a, b, c] = [pod('a'), pod('b'), pod('c')];

  it.each<[string, readonly PodDisruptionBudget[], ReturnType<typeof said>]>([
    ['all, where no budget is', [], { allowed: ['a', 'b', 'c'], refused: [], spent: [] }],
    [
      'as many as are allowed, the first ones first',
      [budget({}, { disruptionsAllowed: 2 })],
      { allowed: ['a', 'b'], refused: [['c', 'exhausted']], spent: [['web', 0]] },
    ],
    [
      'nobody, where the spec is newer than the status',
      [{ ...budget(), metadata: { ...budget().metadata, generation: 2 } }],
      {
        allowed: [],
        refused: ['a', 'b', 'c'].map((name) => [name, 'unprocessed']),
        spent: [],
      },
    ],
    [
      'nobody, where there are several budgets',
      [budget(), budget({}, {}, 'other')],
      { allowed: [], refused: ['a', 'b', 'c'].map((name) => [name, 'several']), spent: [] },
    ],
    [
      'all, where the budget is of others',
      [
        budget({ selector: { matchLabels: { app: 'x' } } }),
        budget({ selector: undefined as never }),
      ],
      { allowed: ['a', 'b', 'c'], refused: [], spent: [] },
    ],
    [
      'who was granted already, at no cost',
      [
        budget(
          {},
          {
            disruptionsAllowed: 0,
            disruptedPods: { b: rfc3339(T0 - 29_000), c: rfc3339(T0 - 30_000) },
          },
        ),
      ],
      {
        allowed: ['b'],
        refused: [
          ['a', 'exhausted'],
          ['c', 'exhausted'],
        ],
        spent: [],
      },
    ],
  ])('%s', (_what, budgets, expected) => {
    expect(said(mayDisrupt([a, b, c], budgets, T0))).toEqual(expected);
  });

  it.each<[string, PodShape, Parameters<typeof budget>, boolean]>([
    ['is over', { phase: 'Failed', ready: false }, [{}, { disruptionsAllowed: 0 }], true],
    ['is leaving', { leaving: true }, [{}, { disruptionsAllowed: 0 }], true],
    ['does not run yet', { phase: 'Pending', ready: false }, [{}, { disruptionsAllowed: 0 }], true],
    ['is ready', {}, [{}, { disruptionsAllowed: 0 }], false],
    [
      'is not ready, while the others suffice',
      { ready: false },
      [{}, { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1 }],
      true,
    ],
    [
      'is not ready, and the others do not suffice',
      { ready: false },
      [{}, { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 1 }],
      false,
    ],
    [
      'is not ready, and nothing is desired',
      { ready: false },
      [{}, { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0 }],
      false,
    ],
    [
      'is not ready, and the budget lets such pods go',
      { ready: false },
      [
        { unhealthyPodEvictionPolicy: 'AlwaysAllow' },
        { disruptionsAllowed: 0, currentHealthy: 0, observedGeneration: 0 },
      ],
      true,
    ],
  ])('a pod that %s', (_what, shape, given, may) => {
    const { allowed, spent } = mayDisrupt([pod('a', shape)], [budget(...given)], T0);
    expect([allowed.length === 1, spent]).toEqual([may, []]);
  });

  it('writes down whom it granted, and when', () => {
    const { spent } = mayDisrupt([a], [budget()], T0 + 400);
    expect(spent[0]?.status).toMatchObject({
      disruptionsAllowed: 0,
      disruptedPods: { a: rfc3339(T0) },
      conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' }],
    });
  });

  it('grants a pod that a faster clock has made: the grant is its own', () => {
    const young = pod('a', { metadata: { creationTimestamp: rfc3339(T0 + 60_000) } });
    const [spent] = mayDisrupt([young], [budget()], T0).spent;
    expect(spent && grantedAtMs(spent.status, young)).toBeGreaterThan(T0 + 60_000);
  });

  it('says why not, for people', () => {
    const of = (...given: Parameters<typeof budget>) =>
      mayDisrupt([a], [budget(...given)], T0).refused.map(refusalText);
    expect(of({}, { disruptionsAllowed: 0 })).toEqual([
      'a: its disruption budget web needs 1 healthy pods and has 2',
    ]);
    expect(of({}, { observedGeneration: 0 })).toEqual([
      'a: its disruption budget web has not been looked at yet',
    ]);
  });
});

const shape = fc.record({
  ready: fc.boolean(),
  phase: fc.constantFrom('Running' as const, 'Pending' as const, 'Succeeded' as const),
  leaving: fc.boolean(),
});

describe('in general', () => {
  it('spends on each pod once, and no more than is allowed', () => {
    const pods = fc.uniqueArray(fc.tuple(fc.nat(9), shape), { selector: ([name]) => name });
    const counts = fc.record({
      disruptionsAllowed: fc.nat(4),
      currentHealthy: fc.nat(4),
      desiredHealthy: fc.nat(4),
    });
    fc.assert(
      fc.property(pods, counts, fc.integer({ min: 1, max: 2 }), (given, status, limit) => {
        const all = given.map(([name, one]) => pod(`p${name}`, one));
        const [first, ...rest] = [all.slice(0, limit), all.slice(limit)];
        const one = budget({}, status);
        const answer = mayDisrupt(all, [one], T0);
        expect(answer.allowed.length + answer.refused.length).toBe(all.length);
        const spentOn = Object.keys(answer.spent[0]?.status.disruptedPods ?? {});
        expect(spentOn.length).toBeLessThanOrEqual(status.disruptionsAllowed);
        const left = answer.spent[0]?.status.disruptionsAllowed ?? status.disruptionsAllowed;
        expect(left).toBe(status.disruptionsAllowed - spentOn.length);
        // Asking for some and then, with what that has spent, for all is asking for all.
        const before = mayDisrupt(first, [one], T0);
        const after = mayDisrupt([...first, ...rest.flat()], [before.spent[0] ?? one], T0);
        expect(said(after).allowed).toEqual(said(answer).allowed);
      }),
    );
  });

  it('grants nothing that a budget which is not open would refuse', () => {
    fc.assert(
      fc.property(
        shape,
        fc.nat(2),
        fc.nat(2),
        fc.nat(2),
        (one, disruptionsAllowed, current, desired) => {
          const counts = { disruptionsAllowed, currentHealthy: current, desiredHealthy: desired };
          const guarded = budget({}, counts);
          const [opensReady, opensUnready] = opennessOf(guarded);
          const { refused } = mayDisrupt([pod('a', one)], [guarded], T0);
          if (refused.length > 0) expect(one.ready ? opensReady : opensUnready).toBe(false);
        },
      ),
    );
  });
});
