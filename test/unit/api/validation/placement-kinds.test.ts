/**
 * Priority classes, disruption budgets, pod groups, node pools and claims: defaults and refusals.
 */
import { describe, expect, it } from 'vitest';
import { withDefaults } from '../../../../shared/api/defaults.ts';
import type { AnyObject } from '../../../../shared/api/meta.ts';
import { resourceType } from '../../../../shared/api/resources.ts';
import { faults, type Json, META, updateFaults } from './faults.ts';

const CLASSES = 'priorityclasses.scheduling.k8s.io';
const BUDGETS = 'poddisruptionbudgets.policy';
const GROUPS = 'podgroups.scheduling.x-k8s.io';
const POOLS = 'nodepools.karpenter.sh';
const CLAIMS = 'nodeclaims.karpenter.sh';
const cluster = { name: 'x' };

const defaulted = (resource: string, given: Json): Json =>
  withDefaults(resourceType(resource), given as unknown as AnyObject);

describe('defaults', () => {
  it('of a priority class', () => {
    expect(defaulted(CLASSES, {})).toEqual({ value: 0, preemptionPolicy: 'PreemptLowerPriority' });
  });

  it('of a disruption budget: no status allows nothing', () => {
    const zeros = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
    expect(defaulted(BUDGETS, {})).toEqual({ spec: {}, status: zeros });
  });

  it('of a pod group', () => {
    expect(defaulted(GROUPS, {})).toEqual({ spec: { minMember: 1 }, status: {} });
  });

  it('of a pool are Karpenter’s', () => {
    const template = { spec: { requirements: [] } };
    expect(defaulted(POOLS, { spec: { template } })).toEqual({
      spec: {
        template: { spec: { requirements: [], expireAfter: '720h' } },
        disruption: {
          consolidateAfter: '0s',
          consolidationPolicy: 'WhenEmptyOrUnderutilized',
          budgets: [{ nodes: '10%' }],
        },
      },
      status: { nodes: 0 },
    });
    const disruption = { consolidateAfter: 'Never', budgets: [{}] };
    expect(defaulted(POOLS, { spec: { template, disruption } })['spec']).toMatchObject({
      disruption: {
        consolidateAfter: 'Never',
        consolidationPolicy: 'WhenEmptyOrUnderutilized',
        budgets: [{ nodes: '10%' }],
      },
    });
  });
});

describe('a priority class', () => {
  const of = (fields: Json, name = 'x') => faults(CLASSES, { metadata: { name }, ...fields });

  it.each<[string, string[]]>([
    ['fine', of({ value: 1_000_000_000, globalDefault: true, preemptionPolicy: 'Never' })],
    ['negative', of({ value: -2147483648 })],
    ['the system’s', of({ value: 2_000_000_000 }, 'system-cluster-critical')],
  ])('is taken: %s', (_what, found) => expect(found).toEqual([]));

  it.each<[Json, string, string]>([
    [
      { value: 1_000_000_001 },
      'x',
      'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
    ],
    [{ value: -2147483649 }, 'x', 'value: Invalid value: -2147483649: must be between'],
    [{ preemptionPolicy: 'Maybe' }, 'x', 'preemptionPolicy: Unsupported value: "Maybe"'],
    [
      { value: 5 },
      'system-mine',
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for " +
        'system use only. error: system-mine is not a known system priority class',
    ],
    [{ value: 5 }, 'system-node-critical', 'must be 2000001000'],
    [
      { value: 2_000_001_000, globalDefault: true },
      'system-node-critical',
      'globalDefault of system-node-critical PriorityClass must be false',
    ],
  ])('%j is refused for %s', (fields, name, complaint) => {
    expect(of(fields, name)).toEqual([expect.stringContaining(complaint)]);
  });

  it('keeps its value and its policy', () => {
    const old = { metadata: cluster, value: 5 };
    expect(updateFaults(CLASSES, old, { ...old, description: 'new', globalDefault: true })).toEqual(
      [],
    );
    expect(updateFaults(CLASSES, old, { ...old, value: 6, preemptionPolicy: 'Never' })).toEqual([
      'value: Forbidden: may not be changed in an update.',
      'preemptionPolicy: Invalid value: "Never": field is immutable',
    ]);
  });
});

describe('a disruption budget', () => {
  it.each<[Json]>([
    [{ minAvailable: 0 }],
    [{ maxUnavailable: '100%', selector: {} }],
    [{ selector: { matchLabels: { a: 'b' } } }],
    [{ minAvailable: '0%', unhealthyPodEvictionPolicy: 'AlwaysAllow' }],
  ])('%j is taken', (spec) => expect(faults(BUDGETS, { metadata: META, spec })).toEqual([]));

  it.each<[Json, string]>([
    [
      { minAvailable: 1, maxUnavailable: 1 },
      'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: ' +
        'minAvailable and maxUnavailable cannot be both set',
    ],
    [{ minAvailable: -1 }, 'spec.minAvailable: Invalid value: -1: must be greater than or equal'],
    [{ minAvailable: '101%' }, 'must not be greater than 100%'],
    [{ maxUnavailable: '1.5%' }, 'spec.maxUnavailable: Invalid value: "1.5%": a valid percent'],
    [{ maxUnavailable: 'half' }, 'a valid percent string'],
    [{ selector: { matchLabels: { a: '!' } } }, 'spec.selector.matchLabels'],
    [{ unhealthyPodEvictionPolicy: 'Never' }, 'supported values: "IfHealthyBudget", "AlwaysAllow"'],
  ])('%j is refused', (spec, complaint) => {
    const found = faults(BUDGETS, { metadata: META, spec });
    expect(found).toEqual([expect.stringContaining(complaint)]);
  });

  it('has no negative counts', () => {
    const status = { disruptionsAllowed: -1, currentHealthy: -1 };
    expect(faults(BUDGETS, { metadata: META, status })).toHaveLength(2);
  });
});

describe('a pod group', () => {
  it.each<[Json, string[]]>([
    [{ minMember: 4, scheduleTimeoutSeconds: 60, minResources: { cpu: '4' } }, []],
    [{ minMember: 0 }, ['spec.minMember: Invalid value: 0: must be between']],
    [{ scheduleTimeoutSeconds: 0 }, ['spec.scheduleTimeoutSeconds: Invalid value: 0']],
    [{ minResources: { cpu: '-1' } }, ['spec.minResources[cpu]: Invalid value: "-1"']],
  ])('%j', (spec, complaints) => {
    const found = faults(GROUPS, { metadata: META, spec });
    const expected: unknown[] = complaints.map((one) => expect.stringContaining(one) as unknown);
    expect(found).toEqual(expected);
  });
});

const requirement = (fields: Json) => ({ key: 'team', operator: 'In', values: ['a'], ...fields });

function pool(template: Json, spec: Json = {}, metadata: Json = {}): Json {
  return {
    metadata: cluster,
    spec: { template: { metadata, spec: { requirements: [], ...template } }, ...spec },
  };
}
const poolFaults = (...given: Parameters<typeof pool>) => faults(POOLS, pool(...given));
const FIELD = 'spec.template.spec.requirements';

describe('the requirements of a pool', () => {
  it.each<[Json]>([
    [requirement({})],
    [requirement({ operator: 'NotIn' })],
    [{ key: 'team', operator: 'Exists' }],
    [{ key: 'team', operator: 'DoesNotExist' }],
    [requirement({ operator: 'Gt', values: ['0'] })],
    [requirement({ key: 'karpenter.sh/capacity-type', values: ['spot'] })],
    [requirement({ key: 'node.kubernetes.io/instance-type', values: ['a', 'b'], minValues: 2 })],
    [requirement({ key: 'beta.kubernetes.io/arch', values: ['amd64'] })],
    [requirement({ key: 'karpenter.k8s.aws/instance-gpu-count', operator: 'Lt', values: ['9'] })],
    [requirement({ key: 'kops.k8s.io/instancegroup' })],
    [requirement({ key: 'node-restriction.kubernetes.io/x' })],
    [requirement({ key: 'mykubernetes.io/x' })],
  ])('%j is taken', (one) => expect(poolFaults({ requirements: [one] })).toEqual([]));

  it.each<[Json, string]>([
    [requirement({ operator: 'Near' }), '.operator: Unsupported value: "Near"'],
    [requirement({ values: [] }), '.values: Required value: must be specified when `operator`'],
    [{ key: 'team', operator: 'Exists', values: ['a'] }, '.values: Forbidden'],
    [requirement({ values: ['!'] }), '.values[0]: Invalid value: "!"'],
    [requirement({ key: 'a b' }), '.key: Invalid value: "a b"'],
    [requirement({ operator: 'Gt', values: ['1', '2'] }), 'single value'],
    [
      requirement({ operator: 'Gt', values: ['x'] }),
      'key team with operator Gt must have a single positive integer value',
    ],
    [requirement({ operator: 'Lt', values: ['1.5'] }), 'single positive integer value'],
    [requirement({ minValues: 0 }), '.minValues: Invalid value: 0: must be between 1 and 50'],
    [requirement({ values: ['a', 'a'], minValues: 2 }), "requirements with 'minValues' must have"],
    [requirement({ key: 'karpenter.sh/nodepool' }), 'label "karpenter.sh/nodepool" is restricted'],
    [
      requirement({ key: 'kubernetes.io/hostname' }),
      'label "kubernetes.io/hostname" is restricted',
    ],
    [requirement({ key: 'x.kubernetes.io/y' }), 'label domain "kubernetes.io" is restricted'],
    [requirement({ key: 'k8s.io/x' }), 'label domain "k8s.io" is restricted'],
    [requirement({ key: 'karpenter.sh/x' }), 'label domain "karpenter.sh" is restricted'],
    [requirement({ key: 'karpenter.k8s.aws/x' }), 'label domain "karpenter.k8s.aws" is restricted'],
    [requirement({ key: 'nullplane.io/compute' }), 'label domain "nullplane.io" is restricted'],
  ])('%j is refused', (one, complaint) => {
    const found = poolFaults({ requirements: [one] });
    expect(found).toEqual([expect.stringMatching(/^spec\.template\.spec\.requirements\[0\]/)]);
    expect(found[0]).toContain(complaint);
  });

  it.each<[string, Json[], Json, string]>([
    [
      'lists with nothing in common',
      [requirement({}), requirement({ values: ['b'] })],
      {},
      'team In [b], which contradicts team In [a]',
    ],
    [
      'bounds that cross',
      [
        requirement({ operator: 'Gt', values: ['5'] }),
        requirement({ operator: 'Lt', values: ['5'] }),
      ],
      {},
      'team Lt 5, which contradicts team Gt 5',
    ],
    [
      'there and not there',
      [
        { key: 'team', operator: 'DoesNotExist' },
        { key: 'team', operator: 'Exists' },
      ],
      {},
      'team Exists, which contradicts team DoesNotExist',
    ],
    ['a label of the nodes', [requirement({})], { team: 'b' }, 'contradicts team In [b]'],
    [
      'one label under two names',
      [
        requirement({ key: 'beta.kubernetes.io/arch', values: ['amd64'] }),
        requirement({ key: 'kubernetes.io/arch', values: ['arm64'] }),
      ],
      {},
      'kubernetes.io/arch In [arm64], which contradicts kubernetes.io/arch In [amd64]',
    ],
    [
      'too few values left',
      [requirement({ values: ['a', 'b'], minValues: 2 }), requirement({ operator: 'NotIn' })],
      {},
      'team NotIn [a] together with team In [a b] leaves 1 values, and minValues is 2',
    ],
  ])('that contradict each other are refused: %s', (_what, requirements, labels, complaint) => {
    const found = poolFaults({ requirements }, {}, { labels });
    expect(found).toEqual([expect.stringContaining(complaint)]);
    expect(found[0]).toContain(FIELD);
  });

  it('may say the same thing twice, or narrow it down', () => {
    const narrowing = [
      requirement({ values: ['1', '2', '7'] }),
      requirement({ values: ['2', '7'] }),
      requirement({ operator: 'Gt', values: ['3'] }),
    ];
    expect(poolFaults({ requirements: narrowing })).toEqual([]);
  });

  it('are at most a hundred', () => {
    const requirements = Array.from({ length: 101 }, (_, i) => requirement({ key: `k${i}` }));
    expect(poolFaults({ requirements })).toEqual([
      `${FIELD}: Too many: 101: must have at most 100 items`,
    ]);
  });
});

describe('a pool', () => {
  const taint = { key: 'gpu', value: 'true', effect: 'NoSchedule' };

  it('is taken with all that Karpenter knows', () => {
    const template = {
      requirements: [requirement({})],
      taints: [taint],
      startupTaints: [{ key: 'setup', effect: 'NoExecute' }],
      expireAfter: 'Never',
      terminationGracePeriod: '1h30m',
    };
    const spec = {
      limits: { cpu: '1000', memory: '1Ti', 'nvidia.com/gpu': 8, nodes: 10 },
      weight: 100,
      disruption: {
        consolidateAfter: '1h30m',
        consolidationPolicy: 'WhenEmpty',
        budgets: [
          { nodes: 5 },
          { nodes: '0', schedule: '0 9 * * mon-fri', duration: '8h', reasons: ['Drifted'] },
          { nodes: '100%', schedule: '@daily', duration: '1h30m0s' },
        ],
      },
    };
    const metadata = { labels: { team: 'a' }, annotations: { note: 'x' } };
    expect(poolFaults(template, spec, metadata)).toEqual([]);
  });

  it.each<[string, Json, Json, Json, string]>([
    ['a negative limit', {}, { limits: { cpu: '-1' } }, {}, 'spec.limits[cpu]'],
    ['too much weight', {}, { weight: 101 }, {}, 'spec.weight: Invalid value: 101'],
    ['no weight', {}, { weight: 0 }, {}, 'spec.weight: Invalid value: 0'],
    ['an age', { expireAfter: '30d' }, {}, {}, 'spec.template.spec.expireAfter'],
    ['a grace', { terminationGracePeriod: 'Never' }, {}, {}, 'terminationGracePeriod'],
    ['a taint twice', { taints: [taint, taint] }, {}, {}, 'taints[1]: Duplicate value'],
    ['a taint', { startupTaints: [{ ...taint, key: '' }] }, {}, {}, 'startupTaints[0].key'],
    ['a label', {}, {}, { labels: { 'karpenter.sh/x': 'y' } }, 'spec.template.metadata.labels'],
    ['a label value', {}, {}, { labels: { a: '!' } }, 'spec.template.metadata.labels'],
    [
      'disruption without a time',
      {},
      { disruption: {} },
      {},
      'spec.disruption.consolidateAfter: Required value',
    ],
    [
      'a time',
      {},
      { disruption: { consolidateAfter: '5' } },
      {},
      'must be a duration such as 30s, 1h30m or 720h, or Never',
    ],
    [
      'a policy',
      {},
      { disruption: { consolidateAfter: '0s', consolidationPolicy: 'WhenUnderutilized' } },
      {},
      'supported values: "WhenEmpty", "WhenEmptyOrUnderutilized"',
    ],
  ])('is refused for %s', (_what, template, spec, metadata, complaint) => {
    const found = poolFaults(template, spec, metadata);
    expect(found).toEqual([expect.stringContaining(complaint)]);
  });

  it.each<[Json, string]>([
    [{ nodes: '101%' }, 'budgets[0].nodes: Invalid value: "101%"'],
    [{ nodes: 'all' }, 'must be a number of nodes, or 0% to 100%'],
    [{ nodes: -1 }, 'budgets[0].nodes: Invalid value: -1'],
    [{ reasons: ['Bored'] }, 'supported values: "Underutilized", "Empty", "Drifted"'],
    [{ reasons: ['Empty', 'Empty'] }, 'budgets[0].reasons[1]: Duplicate value: "Empty"'],
    [{ schedule: '@daily' }, "'schedule' must be set with 'duration'"],
    [{ duration: '1h' }, "'schedule' must be set with 'duration'"],
    [
      { schedule: '* * *', duration: '1h' },
      'budgets[0].schedule: Invalid value: "* * *": must have',
    ],
    [{ schedule: '@every 5m', duration: '1h' }, 'budgets[0].schedule'],
    [{ schedule: '@daily', duration: '30s' }, 'must be whole hours and minutes'],
    [{ schedule: '@daily', duration: '0s' }, 'must be whole hours and minutes'],
    [{ schedule: '@daily', duration: 'Never' }, 'must be whole hours and minutes'],
  ])('is refused for the budget %j', (budget, complaint) => {
    const found = poolFaults({}, { disruption: { consolidateAfter: '0s', budgets: [budget] } });
    expect(found).toEqual([expect.stringContaining(complaint)]);
  });
});

describe('the cell of a pool', () => {
  const label = 'nullplane.io/cell';
  const of = (cell?: string) =>
    pool({}, {}, { labels: cell === undefined ? {} : { [label]: cell } });

  it('is a label of its template, and no requirement', () => {
    expect(faults(POOLS, of('batch'))).toEqual([]);
    const restricted = 'label domain "nullplane.io" is restricted';
    const found = poolFaults({ requirements: [requirement({ key: label })] });
    expect(found).toEqual([expect.stringContaining(restricted)]);
  });

  it.each<[string | undefined, string | undefined]>([
    ['batch', 'other'],
    ['batch', undefined],
    [undefined, 'batch'],
  ])('stays: %s is not made %s', (old, next) => {
    expect(updateFaults(POOLS, of(old), of(next))).toEqual([
      expect.stringMatching(/labels\[nullplane.io\/cell\]: .*field is immutable$/),
    ]);
    expect(updateFaults(POOLS, of(old), of(old))).toEqual([]);
  });
});

describe('a claim', () => {
  const claim = (spec: Json = {}) => ({
    metadata: cluster,
    spec: { requirements: [requirement({})], ...spec },
  });

  it('is held to the rules of pools', () => {
    expect(faults(CLAIMS, claim({ resources: { requests: { cpu: '2' } } }))).toEqual([]);
    expect(
      faults(CLAIMS, claim({ expireAfter: 'x', taints: [{ key: '', effect: 'NoSchedule' }] })),
    ).toHaveLength(2);
    expect(faults(CLAIMS, claim({ resources: { requests: { cpu: '-2' } } }))).toHaveLength(1);
  });

  it('stays as it was asked for', () => {
    expect(updateFaults(CLAIMS, claim(), claim({ expireAfter: '1h' }))).toEqual([
      expect.stringMatching(/^spec: Invalid value: .*: field is immutable$/),
    ]);
  });
});
