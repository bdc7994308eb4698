/** The record of a decision: what is in it, that it is bounded, and what people are told of it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../../shared/api/kinds/decision.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { KubeObject } from '../../../shared/api/meta.ts';
import { virtualNodes } from '../../../shared/core/node/virtual-nodes.ts';
import { assignedMessage } from '../../../shared/core/pod/assigned.ts';
import { withIntent } from '../../../shared/core/pod/attempt.ts';
import { type Considered, ranked } from '../../../shared/core/scheduling/considered.ts';
import { MAX_DECISION_CHARS } from '../../../shared/core/scheduling/decisions.ts';
import { Engine } from '../../../shared/core/scheduling/engine.ts';
import { PLUGINS } from '../../../shared/core/scheduling/registry.ts';
import {
  type ClusterSnapshot,
  schedule,
  type SchedulingResult,
} from '../../../shared/core/scheduling/schedule.ts';
import { ledger, node, NOW_MS, pod, running, snapshot } from './fixtures.ts';
import { namespaces, preemptingPods, someNodes, somePods } from './generators.ts';

function writtenPods({ plans }: SchedulingResult): readonly Pod[] {
  const actions = plans.flatMap(({ stages }) => stages.flat());
  return actions.flatMap((action) =>
    action.kind === 'update' && action.resource === 'pods'
      ? [action.object as KubeObject as Pod]
      : [],
  );
}

function decided(given: Partial<ClusterSnapshot>, name = 'p'): Pod {
  const written = writtenPods(schedule(snapshot(given), NOW_MS));
  const found = written.find(({ metadata }) => metadata.name === name);
  if (!found) throw new Error(`${name} was not written`);
  return found;
}

const decisionOf = (given: Partial<ClusterSnapshot>, name?: string) =>
  decided(given, name).control?.decision;

const half = { cpu: '2' };

describe('a decision', () => {
  it('counts nodes and refusals by filter, and names the best with their scores', () => {
    const nodes = [
      ...['a', 'b', 'c', 'd'].map((name) => node(name)),
      node('full', { allocatable: { cpu: '1' } }),
      node('closed', { spec: { unschedulable: true } }),
    ];
    const decision = decisionOf({ nodes, pods: [pod('p', { requests: half })] });
    expect(decision).toMatchObject({
      outcome: 'placed',
      atMs: NOW_MS,
      nodes: 6,
      open: 4,
      refused: { NodeUnschedulable: 1, NodeResourcesFit: 1 },
    });
    expect(decision?.candidates?.map((one) => one.node)).toEqual(['a', 'b', 'c']);
    const [best] = decision?.candidates ?? [];
    const parts = Object.values(best?.parts ?? {});
    expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(best?.score ?? 0, 3);
  });

  it('keeps the parts of scores for the first pods of a pass only', () => {
    const pods = Array.from({ length: 12 }, (_, i) => pod(`p${i + 10}`));
    const written = writtenPods(schedule(snapshot({ nodes: [node('a')], pods }), NOW_MS));
    const detailed = written.filter((one) => one.control?.decision?.candidates?.[0]?.parts);
    expect(written).toHaveLength(12);
    expect(detailed).toHaveLength(8);
  });

  it('says what a pod on Fargate costs', () => {
    const place = {
      zone: 'z',
      provider: 'x',
      runtime: { containerRuntimeVersion: '', osImage: '' },
    };
    const nodes = virtualNodes(place, NOW_MS);
    const asked = pod('p', { requests: { cpu: '250m', memory: '512Mi' } });
    const bound = decided({ nodes, pods: [asked] });
    expect(bound.control?.decision?.cost).toEqual({
      ...{ of: '0.25 vCPU and 0.5 GiB', usdPerHour: 0.01234, capacityType: 'on-demand' },
    });
    expect(assignedMessage(bound)).toBe(
      'Successfully assigned default/p to fargate: best of 2 of 2 nodes, ' +
        '0.25 vCPU and 0.5 GiB at $0.0123/h',
    );
  });

  it('says that room was reserved', () => {
    const p = pod('p', { requests: half });
    const bound = decided({ nodes: [node('a')], pods: [p], ledgers: [ledger('a', p)] });
    expect(bound.control?.decision).toMatchObject({ outcome: 'placed', reason: 'reserved' });
    expect(assignedMessage(bound)).toMatch(/ to a: its room was reserved by an earlier pass$/);
  });

  it('names victims, and remembers them when the pod is bound', () => {
    const low = running('a', pod('low', { requests: { cpu: '4' } }));
    const high = pod('p', { requests: half, spec: { priority: 10 } });
    const nominated = decided({ nodes: [node('a')], pods: [low, high] });
    expect(nominated.control?.decision).toMatchObject({
      outcome: 'nominated',
      nominated: 'a',
      victims: { count: 1, names: ['default/low'] },
    });
    const bound = decided({ nodes: [node('a')], pods: [nominated] });
    expect(bound.control?.decision?.victims?.count).toBe(1);
    expect(assignedMessage(bound)).toContain('1 pod of lower priority made room');
  });

  it('counts refusals of a pod that fits nowhere', () => {
    const decision = decisionOf({
      nodes: [node('a'), node('b', { spec: { unschedulable: true } })],
      pods: [pod('p', { requests: { cpu: '5' } })],
    });
    expect(decision).toEqual({
      ...{ outcome: 'unschedulable', atMs: NOW_MS, input: decision?.input },
      ...{ nodes: 2, open: 0, refused: { NodeResourcesFit: 1, NodeUnschedulable: 1 } },
    });
  });

  it('stays with the pod through its attempts', () => {
    const bound = decided({ nodes: [node('a')], pods: [pod('p')] });
    const again = withIntent(bound, 2, NOW_MS + 1);
    expect(again.control?.decision).toEqual(bound.control?.decision);
  });

  it('is not made up for pods that have none', () => {
    const bound = running('a', pod('p'));
    expect(assignedMessage(bound)).toBe('Successfully assigned default/p to a');
  });

  it.each([20, 63, 253])('is bounded, whatever nodes and victims are called: %i', (length) => {
    const long = (i: number) => `${String(i).padStart(3, '0')}${'n'.repeat(length - 3)}`;
    const nodes = Array.from({ length: 5 }, (_, i) => node(long(i)));
    const lows = nodes.map(({ metadata }, i) =>
      running(metadata.name, pod(long(100 + i), { requests: { cpu: '3' } })),
    );
    const high = { requests: { cpu: '4' }, spec: { priority: 10 } };
    const pods = [pod('a', { requests: { cpu: '1' } }), pod('p', high), ...lows];
    const written = writtenPods(schedule(snapshot({ nodes, pods }), NOW_MS));
    expect(written.length).toBeGreaterThan(1);
    for (const { control } of written) {
      if (!control?.decision) continue;
      expect(JSON.stringify(control.decision).length).toBeLessThanOrEqual(MAX_DECISION_CHARS);
      expect(control.decision.outcome).toBeDefined();
    }
  });

  it('adds up, is bounded, and does not depend on the order of the snapshot', () => {
    const pods = fc.oneof(somePods, preemptingPods);
    fc.assert(
      fc.property(someNodes, pods, (nodes, given) => {
        const all = writtenPods(schedule(snapshot({ nodes, pods: given, namespaces }), NOW_MS));
        const turned = { nodes: nodes.toReversed(), pods: given.toReversed(), namespaces };
        const again = writtenPods(schedule(snapshot(turned), NOW_MS));
        const byName = (made: readonly Pod[]) =>
          new Map(made.map(({ metadata, control }) => [metadata.name, control?.decision]));
        expect(byName(again)).toEqual(byName(all));
        for (const { control } of all) if (control?.decision) expectSound(control.decision);
      }),
    );
  });
});

function expectSound(decision: Decision): void {
  const { nodes, open, refused = {}, candidates = [] } = decision;
  expect(JSON.stringify(decision).length).toBeLessThanOrEqual(MAX_DECISION_CHARS);
  if (nodes === undefined || open === undefined) return;
  const sum = Object.values(refused).reduce((total, count) => total + count, 0);
  expect(open + sum).toBe(nodes);
  const scores = candidates.map(({ score }) => score);
  expect(scores).toEqual(scores.toSorted((a, b) => b - a));
}

/** What is at hand is what is found by looking at all nodes, as far as it goes. */
function expectAlike(brief: Considered, full: Considered): void {
  expect(brief.nodes).toBe(full.nodes);
  expect(brief.best[0]?.[0]).toBe(full.best[0]?.[0]);
  expect(brief.best[0]?.[1]).toBeCloseTo(full.best[0]?.[1] ?? 0, 6);
  expect(full.refused).toEqual(expect.arrayContaining([...brief.refused]));
  if (brief.open !== undefined)
    expect(brief).toMatchObject({ open: full.open, refused: full.refused });
}

describe('what a choice was made from', () => {
  it('is what the plugins say of each node, as pods are placed', () => {
    fc.assert(
      fc.property(someNodes, somePods, (nodes, pods) => {
        const labels = namespaces.map(
          (ns) => [ns.metadata.name, ns.metadata.labels ?? {}] as const,
        );
        const engine = new Engine(nodes, new Map(labels), PLUGINS);
        for (const one of pods) {
          const shape = engine.shapeOf(one);
          const best = engine.best(shape);
          const considered = engine.consideredAll(shape);
          if (best !== undefined) expectAlike(engine.considered(shape, best), considered);
          const scores = [...engine.scores(shape)];
          const first = scores.sort(([a, x], [b, y]) => y.total - x.total || a - b).slice(0, 3);
          expect(considered.open).toBe(engine.allowed(shape).length);
          expect(considered.best.map(([at]) => at)).toEqual(first.map(([at]) => at));
          expect(considered.best[0]?.[0]).toBe(best);
          if (best !== undefined) engine.place(shape, best);
        }
      }),
    );
  });

  it('ranks open nodes, of equals the first', () => {
    const totals = Float64Array.from([1, 5, 5, 9, 2, 5]);
    const best = ranked(totals, Uint8Array.from([0, 0, 0, 1, 0, 0]));
    expect(best).toEqual([
      [1, 5],
      [2, 5],
      [5, 5],
    ]);
  });
});
