import { describe, expect, it } from 'vitest';
import { findCondition } from '../../../shared/api/conditions.ts';
import type { Node, NodeAllocation } from '../../../shared/api/kinds/node.ts';
import type { Pod, PodSpec } from '../../../shared/api/kinds/pod.ts';
import { draftMeta } from '../../../shared/api/meta.ts';
import type { Action, Plan } from '../../../shared/core/plan.ts';
import { EVICTIONS_PER_PASS, NO_EVICTION_ANNOTATION } from '../../../shared/core/node/evict.ts';
import { NEWS_MS, observeNode } from '../../../shared/core/node/observe.ts';
import { NODE_GRACE_MS, type NodeSnapshot, planNode } from '../../../shared/core/node/plan.ts';
import { nodeView } from '../../../shared/core/node/state.ts';
import { observeTask } from '../../../shared/core/pod/observe.ts';
import { podIsReady } from '../../../shared/core/pod/predicates.ts';
import { makePod } from '../pod/pod-life.ts';

const T0 = 1_893_456_000_000;
const LATER = T0 + NODE_GRACE_MS;
const HEALTHY = { nodes: 10, unreachable: 1 };

function makeNode(spec: Node['spec'] = {}): Node {
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady' } as const;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: draftMeta({ name: 'node-1', uid: 'n1' }),
    spec,
    status: { conditions: [ready] },
  };
}

function runningPod(name: string, spec: Partial<PodSpec> = {}): Pod {
  const made = makePod(spec);
  const pod = { ...made, metadata: { ...made.metadata, name, uid: name } };
  const task = {
    ...{ id: `${name}-1`, podUid: name, attempt: 1, namespace: 'default', podName: name },
    ...{ nodeName: 'node-1', version: 1, phase: 'running' as const, initContainers: [] },
    containers: [
      {
        ...{ name: 'app', image: 'a', started: true, ready: true },
        state: { type: 'running' as const, startedAtMs: T0 },
      },
    ],
  };
  return observeTask({ ...pod, control: { attempt: 1 } }, task, T0) ?? pod;
}

function heard(node: Node, status: 'connected' | 'disconnected' | 'gone', atMs: number): Node {
  return observeNode(node, { type: 'node', nodeName: 'node-1', status, atMs }, atMs) ?? node;
}

function plan(node: Node | undefined, pods: readonly Pod[], nowMs: number, given = HEALTHY): Plan {
  const snapshot: NodeSnapshot = { name: 'node-1', pods, cluster: given };
  return planNode(node ? { ...snapshot, node } : snapshot, nowMs);
}

const actions = ({ stages }: Plan) => stages.flat();
const updated = (p: Plan, resource: string) =>
  actions(p).flatMap((a) => (a.kind === 'update' && a.resource === resource ? [a.object] : []));
const kinds = (p: Plan) => actions(p).map(({ kind }: Action) => kind);

function lostNode(): Node {
  const [lost] = updated(plan(heard(makeNode(), 'disconnected', T0), [], LATER), 'nodes');
  return lost as unknown as Node;
}

describe('what is heard of a node', () => {
  it('counts by the time at which it was said', () => {
    const node = heard(makeNode(), 'disconnected', T0 + 10);
    const late = { type: 'node', nodeName: 'node-1', status: 'connected', atMs: T0 } as const;
    expect(observeNode(node, late, T0 + 20)).toBeUndefined();
    const old = { ...late, atMs: T0 + 30 };
    expect(observeNode(node, old, old.atMs + NEWS_MS)).toBeDefined();
    expect(observeNode(node, old, old.atMs + NEWS_MS + 1)).toBeUndefined();
    expect(observeNode(node, { ...late, atMs: T0 + 11 }, T0 + 20)).toBeDefined();
  });

  it('is no news when it is a duplicate', () => {
    const node = heard(makeNode(), 'disconnected', T0);
    const again = { type: 'node', nodeName: 'node-1', status: 'disconnected', atMs: T0 } as const;
    expect(observeNode(node, again, T0 + 5)).toBeUndefined();
  });

  it('is final once the node is gone', () => {
    const node = heard(makeNode(), 'gone', T0);
    expect(nodeView(node)).toBe('gone');
    expect(heard(node, 'connected', T0 + 1000)).toBe(node);
  });
});

describe('a node without a ledger', () => {
  const planned = (pods: readonly Pod[], node = makeNode()) =>
    planNode({ name: 'node-1', node, lacksLedger: true, pods, cluster: HEALTHY }, T0);
  const elsewhere = runningPod('c', { nodeName: 'node-2' });

  it('is given one of the pods that are bound to it', () => {
    const [write] = actions(planned([runningPod('b'), runningPod('a'), elsewhere]));
    expect(write).toMatchObject({
      kind: 'create',
      resource: 'nodeallocations.nullplane.io',
      object: {
        metadata: { name: 'node-1', ownerReferences: [{ kind: 'Node', uid: 'n1' }] },
        allocations: [{ podUid: 'a' }, { podUid: 'b' }],
      },
    });
  });

  it('is given one in place of one that cannot be read, whoever is on it', () => {
    const spoiltLedger = {
      ...{ apiVersion: 'nullplane.io/v1alpha1', kind: 'NodeAllocation', allocations: [] },
      metadata: { ...makeNode().metadata, resourceVersion: '7' },
    } as NodeAllocation;
    const known = { name: 'node-1', node: makeNode(), lacksLedger: true, cluster: HEALTHY };
    const written = (pods: readonly Pod[]) =>
      actions(planNode({ ...known, spoiltLedger, pods }, T0))[0];
    expect(written([])).toMatchObject({ kind: 'update', object: { allocations: [] } });
    expect(written([runningPod('a')])).toMatchObject({
      object: { metadata: { resourceVersion: '7' }, allocations: [{ podUid: 'a' }] },
    });
  });

  it('is given none for no pods: who binds the first one writes it', () => {
    expect(actions(planned([elsewhere]))).toEqual([]);
  });

  it('is looked after as well', () => {
    const unreachable = planned([runningPod('a')], heard(makeNode(), 'disconnected', T0));
    expect(unreachable.againAfterMs).toBe(NODE_GRACE_MS);
  });
});

describe('a node that loses its connection', () => {
  it('is given a grace, since agents reconnect', () => {
    const node = heard(makeNode(), 'disconnected', T0);
    expect(plan(node, [], T0 + 1000)).toMatchObject({
      stages: [],
      againAfterMs: NODE_GRACE_MS - 1000,
    });
    expect(nodeView(node)).toBe('ready');
  });

  it('is Unknown and tainted after it', () => {
    const node = lostNode();
    expect(findCondition(node.status.conditions, 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
    });
    expect(node.spec.taints?.map(({ key, effect }) => [key, effect])).toEqual([
      ['node.kubernetes.io/unreachable', 'NoSchedule'],
      ['node.kubernetes.io/unreachable', 'NoExecute'],
    ]);
  });

  it('has pods that are not ready, and that leave after five minutes', () => {
    const [unready] = updated(plan(lostNode(), [runningPod('a')], LATER), 'pods');
    const pod = unready as unknown as Pod;
    expect(podIsReady(pod)).toBe(false);
    expect(plan(lostNode(), [pod], LATER + 1000).againAfterMs).toBe(299_000);
    const [deleted] = updated(plan(lostNode(), [pod], LATER + 300_000), 'pods');
    expect(deleted?.metadata.deletionTimestamp).toBeDefined();
  });

  it.each([
    [0, 0],
    [30, 30_000],
    [undefined, undefined],
  ])('is put up with for %s seconds by pods that say so', (tolerationSeconds, leavesAfterMs) => {
    const toleration = {
      key: 'node.kubernetes.io/unreachable',
      operator: 'Exists' as const,
      effect: 'NoExecute' as const,
      ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
    };
    const ready = runningPod('a', { tolerations: [toleration] });
    const [unready] = updated(plan(lostNode(), [ready], LATER), 'pods');
    const next = plan(lostNode(), [unready as unknown as Pod], LATER);
    if (leavesAfterMs === 0) expect(updated(next, 'pods')).toHaveLength(1);
    else expect(next.againAfterMs).toBe(leavesAfterMs);
  });

  it('is ready again when it is back, and so are its pods', () => {
    const [unready] = updated(plan(lostNode(), [runningPod('a')], LATER), 'pods');
    const back = heard(lostNode(), 'connected', LATER + 5000);
    const next = plan(back, [unready as unknown as Pod], LATER + 5000);
    expect(updated(next, 'pods').map((pod) => podIsReady(pod as unknown as Pod))).toEqual([true]);
    const [node] = updated(next, 'nodes') as unknown as Node[];
    expect(node?.spec.taints).toBeUndefined();
    expect(node && nodeView(node)).toBe('ready');
  });

  it('evicts nobody while most nodes are out of sight, or where eviction is switched off', () => {
    const notReady = updated(
      plan(lostNode(), [runningPod('a')], LATER),
      'pods',
    ) as unknown as Pod[];
    const most = plan(lostNode(), notReady, LATER + 600_000, { nodes: 10, unreachable: 6 });
    expect(most.stages).toEqual([]);
    expect(most.blocked).toEqual(['6 of 10 nodes are unreachable: nothing is evicted for it']);
    const node = lostNode();
    const annotations = { [NO_EVICTION_ANNOTATION]: 'incident' };
    const off = { ...node, metadata: { ...node.metadata, annotations } };
    expect(plan(off, notReady, LATER + 600_000).stages).toEqual([]);
  });

  it('is emptied a few pods at a time', () => {
    const pods = Array.from({ length: EVICTIONS_PER_PASS + 5 }, (_, i) => runningPod(`p${i}`));
    const unready = updated(plan(lostNode(), pods, LATER), 'pods') as unknown as Pod[];
    const next = plan(lostNode(), unready, LATER + 300_000);
    expect(updated(next, 'pods')).toHaveLength(EVICTIONS_PER_PASS);
    expect(next.againAfterMs).toBe(1000);
  });
});

describe('a node that is gone', () => {
  it('takes its pods with it, and then its object', () => {
    const node = heard(makeNode(), 'gone', T0);
    expect(kinds(plan(node, [runningPod('a'), runningPod('b')], T0))).toEqual(['remove', 'remove']);
    expect(actions(plan(node, [], T0))).toMatchObject([
      { kind: 'remove', key: { resource: 'nodes', name: 'node-1' } },
    ]);
  });

  it('has its tasks stopped when only its object was deleted', () => {
    const next = plan(undefined, [runningPod('a')], T0);
    expect(kinds(next)).toEqual(['stopTask', 'update']);
    // The pod goes when its task has ended, which is its own controller's business.
    expect(kinds(plan(undefined, updated(next, 'pods') as unknown as Pod[], T0))).toEqual([]);
  });

  it('leaves a pod alone that asks for it by name and was never on it', () => {
    const asking = makePod({ nodeName: 'node-1', schedulerName: 'default-scheduler' });
    expect(kinds(plan(undefined, [asking], T0))).toEqual([]);
  });

  it('means nothing when no node is known at all', () => {
    const empty = { nodes: 0, unreachable: 0 };
    expect(plan(undefined, [runningPod('a')], T0, empty).stages).toEqual([]);
  });
});

describe('taints and cordons', () => {
  it('leaves pods alone on a cordoned node', () => {
    const taints = [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' as const }];
    const cordoned = makeNode({ unschedulable: true, taints });
    expect(plan(cordoned, [runningPod('a')], T0)).toEqual({ stages: [], blocked: [] });
  });

  it('evicts at once what does not tolerate a NoExecute taint, and nothing else', () => {
    const taint = { key: 'maintenance', effect: 'NoExecute' as const };
    const unstamped = makeNode({ taints: [taint] });
    const [stamped] = updated(plan(unstamped, [], T0), 'nodes') as unknown as Node[];
    const tolerant = runningPod('b', { tolerations: [{ operator: 'Exists' }] });
    const next = plan(stamped, [runningPod('a'), tolerant], T0);
    expect(updated(next, 'pods').map(({ metadata }) => metadata.name)).toEqual(['a']);
  });
});
