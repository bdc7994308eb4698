/**
 * A gang starts whole or not at all, whatever stops a pass in between; what it holds it gives back.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeAllocation } from '../../../shared/api/kinds/node.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { PodGroup } from '../../../shared/api/kinds/scheduling.ts';
import type { Plan } from '../../../shared/core/plan.ts';
import { LEDGERS } from '../../../shared/core/scheduling/ledger.ts';
import { isPlaced } from '../../../shared/core/scheduling/pending.ts';
import { schedule } from '../../../shared/core/scheduling/schedule.ts';
import { container, ledger, node, NOW_MS, pod, running, snapshot } from './fixtures.ts';
import { namespaces, someNodes, somePods } from './generators.ts';

const LABEL = 'scheduling.x-k8s.io/pod-group';

const group = (name: string, minMember: number, namespace = 'default'): PodGroup => ({
  apiVersion: 'scheduling.x-k8s.io/v1alpha1',
  kind: 'PodGroup',
  metadata: pod(name, { namespace }).metadata,
  spec: { minMember },
  status: {},
});

const member = (name: string, cpu = '3'): Pod =>
  pod(name, { requests: { cpu }, labels: { [LABEL]: 'g' } });

const ledgerWrites = (plan: Plan | undefined) =>
  (plan?.stages.flat() ?? []).flatMap((action) =>
    (action.kind === 'update' || action.kind === 'create') && action.resource === LEDGERS
      ? [action.object as unknown as NodeAllocation]
      : [],
  );

describe('a gang', () => {
  it('is bound by one plan, after the ledgers of all its nodes; others by their own', () => {
    const pods = [member('a'), member('b'), pod('z', { requests: { cpu: '4' } })];
    const nodes = ['n1', 'n2', 'n3'].map((name) => node(name));
    const { plans } = schedule(snapshot({ nodes, pods, groups: [group('g', 2)] }), NOW_MS);
    expect(plans.map((plan) => plan.stages.map(({ length }) => length))).toEqual([
      [2, 2],
      [1, 1],
    ]);
  });

  const cutOff = {
    nodes: [node('n1'), node('n2')],
    ledgers: [ledger('n1', member('a'))],
    groups: [group('g', 2)],
  };

  it('that was cut off between ledger and binding is completed', () => {
    const given = snapshot({ ...cutOff, pods: [member('a'), member('b')] });
    const { placements, plans } = schedule(given, NOW_MS);
    expect(placements.map(({ pod, node }) => `${pod.metadata.name}@${node}`).sort()).toEqual([
      'a@n1',
      'b@n2',
    ]);
    // Also the ledger that knows its pod: whoever gives that room back meanwhile, fails or wins.
    expect(ledgerWrites(plans[0])).toHaveLength(2);
  });

  it('that was cut off and can’t be completed gives back what it holds: pods first', () => {
    const other = running('n2', pod('x', { requests: { cpu: '4' } }));
    const given = snapshot({ ...cutOff, pods: [member('a'), member('b'), other] });
    const { placements, plans, unfinished } = schedule(given, NOW_MS);
    expect(placements).toEqual([]);
    expect(unfinished).toBe(true);
    const [plan] = plans.filter((one) => ledgerWrites(one).length > 0);
    expect(plan?.stages[0]).toMatchObject([{ kind: 'update', resource: 'pods' }]);
    expect(ledgerWrites(plan).map(({ allocations }) => allocations)).toEqual([[]]);
  });

  it('whose pods do not agree on its size is not placed, and says so', () => {
    const of = (name: string, size: string) =>
      pod(name, {
        meta: {
          annotations: {
            'pod-group.scheduling.sigs.k8s.io/name': 'g',
            'pod-group.scheduling.sigs.k8s.io/min-available': size,
          },
        },
      });
    const given = snapshot({ nodes: [node('n')], pods: [of('a', '2'), of('b', '1')] });
    const { placements, plans } = schedule(given, NOW_MS);
    expect(placements).toEqual([]);
    expect(plans.flatMap(({ blocked }) => blocked)[0]).toMatch(/do not agree on .*: 1, 2$/);
  });

  it('that was not whole in time is left alone until its back-off is over', () => {
    const backsOff = { ...group('g', 1), control: { retryAtMs: NOW_MS + 5_000 } } as PodGroup;
    const given = snapshot({ nodes: [node('n')], pods: [member('a')], groups: [backsOff] });
    const { placements, againAfterMs } = schedule(given, NOW_MS);
    expect(placements).toEqual([]);
    expect(againAfterMs).toBe(5_000);
    expect(schedule(given, NOW_MS + 5_000).placements).toHaveLength(1);
  });
});

describe('a pod that was sent back', () => {
  const sent: Pod = { ...member('a'), control: { attempt: 1, taskStopped: true } };

  it('holds nothing by the entry of its attempt of before, and is entered anew', () => {
    const alone = { ...sent, metadata: { ...sent.metadata, labels: {} } };
    const given = snapshot({ nodes: [node('n1')], ledgers: [ledger('n1', alone)], pods: [alone] });
    const [plan] = schedule(given, NOW_MS).plans;
    expect(ledgerWrites(plan).map(({ allocations }) => allocations)).toMatchObject([
      [{ podUid: alone.metadata.uid, attempt: 2 }],
    ]);
    expect(plan?.stages[1]).toMatchObject([{ object: { control: { attempt: 2 } } }]);
  });
});

describe('no part of a gang', () => {
  const cluster = fc.record({
    nodes: someNodes,
    pods: somePods,
    sizes: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
  });

  it('is started while fewer than it needs fit', () => {
    fc.assert(
      fc.property(cluster, ({ nodes, pods, sizes }) => {
        const ganged = pods.map((one, i) => ({
          ...one,
          metadata: { ...one.metadata, labels: { ...one.metadata.labels, [LABEL]: `g${i % 2}` } },
          spec: { ...one.spec, containers: [container({ cpu: '1' })] },
        }));
        const groups = ['x', 'y'].flatMap((ns) => sizes.map((size, i) => group(`g${i}`, size, ns)));
        const { placements } = schedule(
          snapshot({ nodes, pods: ganged, groups, namespaces }),
          NOW_MS,
        );
        const now = placements.map((placement) => placement.pod);
        for (const { metadata, spec } of groups) {
          const isOf = (one: Pod) =>
            one.metadata.namespace === metadata.namespace &&
            one.metadata.labels?.[LABEL] === metadata.name;
          const begins = now.filter(isOf).length;
          const runs = ganged.filter((one) => isOf(one) && isPlaced(one)).length;
          expect(begins === 0 || begins + runs >= spec.minMember).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
