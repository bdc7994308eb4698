import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeSelectorTerm } from '../../../shared/api/kinds/affinity.ts';
import type { NodePool } from '../../../shared/api/kinds/karpenter.ts';
import type { Node } from '../../../shared/api/kinds/node.ts';
import { draftMeta } from '../../../shared/api/meta.ts';
import { allows, type RequirementExpression } from '../../../shared/api/requirement.ts';
import { matchesExpression } from '../../../shared/api/selectors.ts';
import {
  claimExpressions,
  compatible,
  conflictOf,
  hasValue,
  impossibleLabel,
  intersection,
  labelRequirements,
  lackingValues,
  NO_REQUIREMENTS,
  NODE_NAME_FIELD,
  podAlternatives,
  poolRequirements,
  type Requirements,
  requirementOn,
  requirementsOf,
  satisfies,
  termRequirements,
} from '../../../shared/core/capacity/requirements.ts';
import { matchesRequired, matchesTerm } from '../../../shared/core/scheduling/node-selector.ts';

const key = fc.constantFrom('team', 'topology.kubernetes.io/zone', 'size');
const value = fc.constantFrom('a', 'b', '1', '2', '5');
const expression: fc.Arbitrary<RequirementExpression> = fc.oneof(
  fc.record({
    key,
    operator: fc.constantFrom('In' as const, 'NotIn' as const),
    values: fc.array(value, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ key, operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const) }),
  fc.record({
    key,
    operator: fc.constantFrom('Gt' as const, 'Lt' as const),
    values: fc.constantFrom('1', '3').map((one) => [one]),
  }),
);
const expressions = fc.array(expression, { maxLength: 4 });
const labels = fc.dictionary(key, value, { maxKeys: 3 });

const plain = (requirements: Requirements) =>
  Object.fromEntries(
    [...requirements].map(([k, one]) => [k, { ...one, values: [...one.values].sort() }]),
  );

describe('requirements', () => {
  it('are satisfied by the labels that match all expressions', () => {
    fc.assert(
      fc.property(expressions, labels, (all, given) => {
        const matches = all.every((one) => matchesExpression(one, given));
        expect(satisfies(given, requirementsOf(all))).toBe(matches);
      }),
    );
  });

  it('intersect to what satisfies both, in whichever order', () => {
    fc.assert(
      fc.property(expressions, expressions, labels, (some, more, given) => {
        const [a, b] = [requirementsOf(some), requirementsOf(more)];
        const both = intersection(a, b);
        expect(satisfies(given, both)).toBe(satisfies(given, a) && satisfies(given, b));
        expect(plain(intersection(b, a))).toEqual(plain(both));
        expect(plain(intersection(both, both))).toEqual(plain(both));
        expect(plain(requirementsOf([...some, ...more]))).toEqual(plain(both));
      }),
    );
  });

  it('are what their claim says', () => {
    fc.assert(
      fc.property(expressions, labels, (all, given) => {
        const claimed = requirementsOf(claimExpressions(requirementsOf(all)));
        expect(satisfies(given, claimed)).toBe(satisfies(given, requirementsOf(all)));
      }),
    );
  });

  it('of labels are satisfied by them, and ask for no more', () => {
    fc.assert(
      fc.property(labels, labels, (wanted, given) => {
        const has = Object.entries(wanted).every(([k, v]) => given[k] === v);
        expect(satisfies(given, labelRequirements(wanted))).toBe(has);
      }),
    );
    expect(satisfies({}, labelRequirements({ constructor: 'x' }))).toBe(false);
    expect(satisfies(undefined, NO_REQUIREMENTS)).toBe(true);
  });

  it('tell which label can never be met', () => {
    const never = [
      { key: 'team', operator: 'In', values: ['a'] },
      { key: 'team', operator: 'NotIn', values: ['a'] },
    ] as const;
    expect(impossibleLabel(requirementsOf(never))).toBe('team');
    expect(impossibleLabel(requirementsOf(never.slice(1)))).toBeUndefined();
    expect(hasValue(requirementsOf(never.slice(1)), 'team', 'b')).toBe(true);
    expect(hasValue(NO_REQUIREMENTS, 'team', 'b')).toBe(true);
  });
});

describe('an offer', () => {
  const offer = requirementsOf([
    { key: 'team', operator: 'In', values: ['a', 'b'] },
    { key: 'size', operator: 'Gt', values: ['3'] },
    { key: 'gone', operator: 'DoesNotExist' },
  ]);

  it.each<[RequirementExpression, string | undefined]>([
    [{ key: 'team', operator: 'In', values: ['b', 'c'] }, undefined],
    [
      { key: 'team', operator: 'In', values: ['c'] },
      'team In [c] is incompatible with team In [a b]',
    ],
    [{ key: 'team', operator: 'Exists' }, undefined],
    [{ key: 'team', operator: 'DoesNotExist' }, 'team DoesNotExist is incompatible'],
    [{ key: 'size', operator: 'Lt', values: ['5'] }, undefined],
    [{ key: 'size', operator: 'Lt', values: ['4'] }, 'size Lt 4 is incompatible with size Gt 3'],
    [{ key: 'gone', operator: 'NotIn', values: ['x'] }, undefined],
    [{ key: 'gone', operator: 'Exists' }, 'gone Exists is incompatible'],
    // Of these the offer says nothing: only what machines bring along can be had.
    [{ key: 'other', operator: 'Exists' }, 'label "other" does not have known values'],
    [{ key: 'other', operator: 'In', values: ['x'] }, 'label "other" does not have known values'],
    [{ key: 'other', operator: 'NotIn', values: ['x'] }, undefined],
    [{ key: 'other', operator: 'DoesNotExist' }, undefined],
    [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['z'] }, undefined],
    [{ key: 'karpenter.k8s.aws/instance-gpu-count', operator: 'Gt', values: ['1'] }, undefined],
  ])('to the wish %j: %s', (wish, why) => {
    const wanted = requirementsOf([wish]);
    const conflict = conflictOf(offer, wanted);
    if (why === undefined) expect(conflict).toBeUndefined();
    else expect(conflict).toContain(why);
    expect(compatible(offer, wanted)).toBe(why === undefined);
  });

  it('that is compatible leaves something possible of each label', () => {
    fc.assert(
      fc.property(expressions, expressions, (offered, wanted) => {
        const [have, want] = [requirementsOf(offered), requirementsOf(wanted)];
        if (impossibleLabel(have) !== undefined || !compatible(have, want)) return;
        expect(impossibleLabel(intersection(have, want))).toBeUndefined();
      }),
    );
  });

  it('is compatible with every wish that one of its nodes meets', () => {
    fc.assert(
      fc.property(expressions, expressions, labels, (offered, wanted, node) => {
        const [have, want] = [requirementsOf(offered), requirementsOf(wanted)];
        // A node of the offer has the labels that are spoken of, and nothing else.
        const own = Object.fromEntries(Object.entries(node).filter(([k]) => have.has(k)));
        if (!satisfies(own, have) || !satisfies(own, want)) return;
        expect(compatible(have, want, new Set())).toBe(true);
      }),
    );
  });
});

describe('the least number of values', () => {
  const types = ['a', 'b', 'c', 'd'];

  it.each([
    [2, ['a', 'b', 'c'], []],
    [3, ['a', 'b', 'c'], []],
    [4, ['a', 'b', 'c', 'x'], ['type']],
    [1, ['x'], ['type']],
  ])('%d of those in %j is lacking in %j', (minValues, values, lacking) => {
    const wanted = requirementsOf([{ key: 'type', operator: 'In', values, minValues }]);
    expect(lackingValues(wanted, () => types)).toEqual(lacking);
  });
});

function pool(spec: object, labels: object = {}): NodePool {
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: draftMeta({ name: 'gpu' }),
    spec: { template: { metadata: { labels }, spec } },
    status: { nodes: 0 },
  } as unknown as NodePool;
}

describe('a pool', () => {
  it('requires what it says, its labels, and its own name, under present names', () => {
    const requirements = poolRequirements(
      pool(
        {
          requirements: [
            { key: 'beta.kubernetes.io/arch', operator: 'In', values: ['amd64'] },
            { key: 'kubernetes.io/arch', operator: 'Exists' },
          ],
        },
        { team: 'ml' },
      ),
    );
    const node = { 'karpenter.sh/nodepool': 'gpu', team: 'ml', 'kubernetes.io/arch': 'amd64' };
    expect(satisfies(node, requirements)).toBe(true);
    for (const label of Object.keys(node)) {
      expect(satisfies({ ...node, [label]: 'other' }, requirements)).toBe(false);
    }
    expect([...requirements.keys()].sort()).toEqual(Object.keys(node).sort());
    expect(allows(requirementOn(requirements, 'kubernetes.io/arch'), undefined)).toBe(false);
  });
});

describe('a pod', () => {
  const term: fc.Arbitrary<NodeSelectorTerm> = fc.record(
    {
      matchExpressions: fc.array(expression, { maxLength: 2 }),
      matchFields: fc.constantFrom([], [{ key: 'metadata.name', operator: 'In', values: ['n1'] }]),
    },
    { requiredKeys: [] },
  );

  function nodeOf(given: { readonly [label: string]: string }): Node {
    const metadata = draftMeta({ name: 'n1', labels: given });
    return { apiVersion: 'v1', kind: 'Node', metadata, spec: {}, status: {} };
  }

  it('takes the nodes that placement would let it have', () => {
    const selector = fc.dictionary(key, value, { maxKeys: 1 });
    const terms = fc.option(fc.array(term, { minLength: 1, maxLength: 3 }), { nil: undefined });
    fc.assert(
      fc.property(selector, terms, labels, (nodeSelector, nodeSelectorTerms, given) => {
        const nodeAffinity = nodeSelectorTerms && {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms },
        };
        const alternatives = podAlternatives({
          nodeSelector,
          ...(nodeAffinity ? { affinity: { nodeAffinity } } : {}),
        });
        const own = { ...given, [NODE_NAME_FIELD]: 'n1' };
        const placed = matchesRequired(nodeOf(given), { nodeSelector, nodeAffinity });
        expect(alternatives.some((one) => satisfies(own, one))).toBe(placed);
      }),
    );
  });

  it('that names its node is nothing that can be launched for', () => {
    const named = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] };
    const wanted = termRequirements(named as NodeSelectorTerm);
    expect(compatible(NO_REQUIREMENTS, wanted)).toBe(false);
    expect(matchesTerm(nodeOf({}), named as NodeSelectorTerm)).toBe(true);
  });
});
