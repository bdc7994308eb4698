import { describe, expect, it } from 'vitest';
import type { Node } from '../../../shared/api/kinds/node.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { PodDisruptionBudget } from '../../../shared/api/kinds/policy.ts';
import type { ObjectMeta } from '../../../shared/api/meta.ts';
import type { Interruption } from '../../../shared/api/task.ts';
import { parseTime, rfc3339 } from '../../../shared/api/time.ts';
import { NO_EVICTION_ANNOTATION } from '../../../shared/core/node/evict.ts';
import {
  IGNORE_REBALANCE,
  observeInterruption,
  observeNode,
} from '../../../shared/core/node/observe.ts';
import { planNode } from '../../../shared/core/node/plan.ts';
import { hasTaint, isGone, nodeControl } from '../../../shared/core/node/state.ts';
import type { Plan } from '../../../shared/core/plan.ts';
import { budget } from '../disruption/fixtures.ts';
import { ID, machine, podOn, T0 } from './fixtures.ts';

const END = T0 + 120_000;

function news(kind: Interruption['kind'], atMs = T0): Interruption {
  const end = kind === 'spot' ? { endsAtMs: atMs + 120_000 } : {};
  return { type: 'node-interruption', nodeName: ID, kind, atMs, ...end };
}

function interrupted(kind: Interruption['kind'], node = machine()): Node {
  const next = observeInterruption(node, news(kind), T0);
  if (!next) throw new Error('no news');
  return next;
}

function plan(
  node: Node,
  pods: readonly Pod[],
  nowMs = T0,
  budgets: readonly PodDisruptionBudget[] = [],
): Plan {
  return planNode({ name: ID, node, pods, budgets, cluster: { nodes: 9, unreachable: 0 } }, nowMs);
}

const updates = (p: Plan, resource: string) =>
  p.stages
    .flat()
    .flatMap((a) => (a.kind === 'update' && a.resource === resource ? [a.object] : []));
const kinds = (p: Plan) => p.stages.flat().map(({ kind }) => kind);
const leaves = (p: Plan) =>
  updates(p, 'pods').map(({ metadata: { name, deletionGracePeriodSeconds: seconds } }) => [
    name,
    seconds,
  ]);

const owned = (uid: string): Partial<ObjectMeta> => ({
  ownerReferences: [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: uid, uid, controller: true },
  ],
});
const asked = (atMs: number, seconds: number): Partial<ObjectMeta> => ({
  deletionTimestamp: rfc3339(atMs + seconds * 1000),
  deletionGracePeriodSeconds: seconds,
});

describe('news of an interruption', () => {
  it.each(['spot', 'rebalance', 'shutdown'] as const)('cordons the node at once: %s', (kind) => {
    const node = interrupted(kind);
    expect(hasTaint(node, 'karpenter.sh/disrupted')).toBe(true);
    expect(nodeControl(node).interruption?.kind).toBe(kind);
  });

  it('counts once, and the worst of it counts', () => {
    const node = interrupted('spot');
    expect(observeInterruption(node, news('spot'), T0 + 5)).toBeUndefined();
    expect(observeInterruption(node, news('rebalance'), T0 + 5)).toBeUndefined();
    const worse = observeInterruption(interrupted('rebalance'), news('spot'), T0);
    expect(worse && nodeControl(worse).interruption?.endsAtMs).toBe(END);
  });

  it('is of the past when it comes too late, and nothing for a node that is gone', () => {
    expect(observeInterruption(machine(), news('spot'), T0 + 600_001)).toBeUndefined();
    expect(observeInterruption(machine(), news('rebalance'), T0 + 3_600_001)).toBeUndefined();
    const message = { type: 'node', nodeName: ID, status: 'gone', atMs: T0 } as const;
    const gone = observeNode(machine(), message, T0);
    expect(gone && observeInterruption(gone, news('spot'), T0)).toBeUndefined();
  });

  it('is over when a machine that went down runs again, and only then', () => {
    const over = news('over', T0 + 60_000);
    const back = observeInterruption(interrupted('shutdown'), over, T0 + 60_000);
    expect(back && hasTaint(back, 'karpenter.sh/disrupted')).toBe(false);
    expect(back && nodeControl(back).interruption).toBeUndefined();
    expect(observeInterruption(interrupted('spot'), over, T0 + 60_000)).toBeUndefined();
    const early = news('over', T0 - 1);
    expect(observeInterruption(interrupted('shutdown'), early, T0)).toBeUndefined();
  });

  it.each(['labels', 'annotations'] as const)('may be opted out of by %s', (field) => {
    const node = machine({}, { [field]: { [IGNORE_REBALANCE]: 'true' } });
    expect(observeInterruption(node, news('rebalance'), T0)).toBeUndefined();
    expect(observeInterruption(node, news('spot'), T0)).toBeDefined();
  });
});

describe('a Spot interruption', () => {
  const node = interrupted('spot');

  it('evicts all pods at once, each with its own grace or what time is left', () => {
    const long = podOn('long', { terminationGracePeriodSeconds: 600 });
    const [first, second] = [podOn('a', {}, owned('web')), podOn('b', {}, owned('web'))];
    const stay = podOn('stay', {}, { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } });
    expect(leaves(plan(node, [first, second, long, stay]))).toEqual([
      ['a', 30],
      ['b', 30],
      ['long', 115],
      ['stay', 30],
    ]);
  });

  it('hurries pods that are leaving too slowly, and writes nothing more after that', () => {
    const slow = podOn('slow', {}, asked(T0 - 10_000, 600));
    const [hurried] = updates(plan(node, [slow]), 'pods') as unknown as Pod[];
    expect(parseTime(hurried?.metadata.deletionTimestamp)).toBe(END - 5_000);
    const next = plan(node, [hurried!, podOn('b', {}, asked(T0, 30))], T0 + 1_000);
    expect(next).toEqual({ stages: [], blocked: [], againAfterMs: 15_000 });
  });

  it('gives a second when there is no time left, and never kills by force', () => {
    expect(leaves(plan(node, [podOn('a')], END + 60_000))).toEqual([['a', 1]]);
    const leaving = podOn('a', {}, asked(END + 60_000, 1));
    expect(plan(node, [leaving], END + 61_000).stages).toEqual([]);
  });

  it('is held up by nothing but the off switch', () => {
    const annotations = { [NO_EVICTION_ANNOTATION]: 'incident' };
    const off = { ...node, metadata: { ...node.metadata, annotations } };
    expect(plan(off, [podOn('a')]).stages).toEqual([]);
  });

  it('leaves the machine to EC2 when the node is empty', () => {
    expect(plan(node, [])).toEqual({ stages: [], blocked: [] });
  });

  it('gives a machine that goes down half a minute', () => {
    const slow = podOn('slow', { terminationGracePeriodSeconds: 600 });
    expect(leaves(plan(interrupted('shutdown'), [slow]))).toEqual([['slow', 25]]);
  });
});

describe('a recommendation to rebalance', () => {
  const node = interrupted('rebalance');

  it('takes of each owner one pod at a time', () => {
    const pods = ['a', 'b'].map((name) => podOn(name, {}, owned('web')));
    const other = podOn('c', {}, owned('api'));
    expect(leaves(plan(node, [...pods, other])).map(([name]) => name)).toEqual(['a', 'c']);
    const leaving = podOn('a', {}, { ...owned('web'), ...asked(T0, 30) });
    const waits = plan(node, [leaving, pods[1]!], T0 + 5_000);
    expect(waits).toMatchObject({ stages: [], againAfterMs: 15_000 });
  });

  it('leaves pods that ask to stay, says so, and does not poll for them', () => {
    const stay = podOn('a', {}, { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } });
    expect(plan(node, [stay])).toEqual({
      stages: [],
      blocked: ['1 pods ask not to be disrupted'],
    });
  });

  it('has a machine of ours deleted once it is empty, and others left alone', () => {
    expect(updates(plan(node, []), 'nodes')[0]?.metadata.deletionTimestamp).toBeDefined();
    const theirs = interrupted('rebalance', machine({ isOurs: false }));
    expect(plan(theirs, []).stages).toEqual([]);
  });
});

describe('a gentle drain under a disruption budget', () => {
  const node = interrupted('rebalance');
  const BUDGETS = 'poddisruptionbudgets.policy';
  const guarded = (name: string, owner = name, ready = true): Pod => {
    const made = podOn(name, {}, { ...owned(owner), namespace: 'd', labels: { app: 'web' } });
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' } as const];
    return { ...made, status: { ...made.status, phase: 'Running', conditions } };
  };
  const [a, b] = [guarded('a'), guarded('b')];

  it('writes the budget before any pod that it lets go', () => {
    const drained = plan(node, [a, b], T0, [budget({}, { disruptionsAllowed: 2 })]);
    const [first, second] = drained.stages;
    expect(first).toMatchObject([
      { kind: 'update', resource: BUDGETS, object: { status: { disruptionsAllowed: 0 } } },
    ]);
    expect(second?.map((action) => action.kind === 'update' && action.resource)).toEqual([
      'pods',
      'pods',
    ]);
  });

  it('takes no more pods than are allowed, and says which wait for what', () => {
    const drained = plan(node, [a, b], T0, [budget()]);
    expect(leaves(drained).map(([name]) => name)).toEqual(['a']);
    expect(drained.blocked).toEqual([
      'b: its disruption budget web needs 1 healthy pods and has 2',
    ]);
  });

  it('waits without polling while nothing is allowed', () => {
    const drained = plan(node, [a], T0, [budget({}, { disruptionsAllowed: 0 })]);
    expect(drained).toMatchObject({ stages: [], blocked: [expect.stringContaining('a: its')] });
    expect(drained.againAfterMs).toBeUndefined();
  });

  it('goes on with a pod that it was granted before, without spending again', () => {
    const disruptedPods = { a: rfc3339(T0 - 5_000) };
    const granted = { ...a, metadata: { ...a.metadata, creationTimestamp: rfc3339(T0 - 60_000) } };
    const left = budget({}, { disruptionsAllowed: 0, disruptedPods });
    const drained = plan(node, [granted], T0, [left]);
    expect(leaves(drained)).toEqual([['a', 30]]);
    expect(updates(drained, BUDGETS)).toEqual([]);
  });

  it('takes pods that are not ready first: the budget need not be asked', () => {
    const pods = [guarded('a', 'web'), guarded('b', 'web', false)];
    const drained = plan(node, pods, T0, [budget({}, { disruptionsAllowed: 0 })]);
    expect(leaves(drained).map(([name]) => name)).toEqual(['b']);
  });

  it('is no matter of what presses: Spot takes the machine anyhow', () => {
    const drained = plan(interrupted('spot'), [a, b], T0, [budget({}, { disruptionsAllowed: 0 })]);
    expect(leaves(drained)).toHaveLength(2);
    expect(updates(drained, BUDGETS)).toEqual([]);
  });
});

describe('the deletion of a node', () => {
  const deleted = machine({}, { deletionTimestamp: rfc3339(T0) });
  const [cordoned] = updates(plan(deleted, []), 'nodes') as unknown as Node[];

  it('cordons, drains, and then ends the machine', () => {
    expect(cordoned && hasTaint(cordoned, 'karpenter.sh/disrupted')).toBe(true);
    expect(leaves(plan(cordoned!, [podOn('a')]))).toEqual([['a', 30]]);
    const end = plan(cordoned!, []);
    expect(end.stages[0]).toEqual([{ kind: 'terminateInstance', instanceId: ID }]);
    expect(end.againAfterMs).toBe(60_000);
  });

  it('takes pods that would stay when the deadline leaves them no more than their grace', () => {
    const annotations = { 'karpenter.sh/nodeclaim-termination-timestamp': rfc3339(T0 + 60_000) };
    const bounded = { ...cordoned!, metadata: { ...cordoned!.metadata, annotations } };
    const stays = podOn('a', {}, { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } });
    const waits = plan(bounded, [stays], T0);
    expect([leaves(waits), waits.againAfterMs]).toEqual([[], 30_000]);
    expect(leaves(plan(bounded, [stays], T0 + 30_000))).toEqual([['a', 30]]);
    expect(leaves(plan(bounded, [stays], T0 + 50_000))).toEqual([['a', 10]]);
    expect(leaves(plan(cordoned!, [stays], T0 + 50_000))).toEqual([]);
  });

  it('waits for tasks that may be alive although their pods are done with', () => {
    const done = podOn('a');
    const failed: Pod = { ...done, status: { ...done.status, phase: 'Failed' } };
    expect(kinds(plan(cordoned!, [failed]))).not.toContain('terminateInstance');
  });

  it('does not wait for pods that nobody can tell to stop', () => {
    const unknown = { type: 'Ready', status: 'Unknown' } as const;
    const lost = { ...cordoned!, status: { ...cordoned!.status, conditions: [unknown] } };
    expect(kinds(plan(lost, [podOn('a')]))).toContain('terminateInstance');
  });

  it('ends when EC2 says that the machine has: its pods go, then the node', () => {
    const message = { type: 'node', nodeName: ID, status: 'gone', atMs: T0 } as const;
    const gone = observeNode(cordoned!, message, T0)!;
    expect(isGone(gone)).toBe(true);
    expect(kinds(plan(gone, [podOn('a')]))).toEqual(['remove']);
    expect(plan(gone, []).stages).toMatchObject([
      [{ kind: 'remove', key: { resource: 'nodes', name: ID } }],
    ]);
  });
});
