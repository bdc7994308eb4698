import { describe, expect, it } from 'vitest';
import type { Namespace } from '../../../shared/api/kinds/core.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { ReplicaSet } from '../../../shared/api/kinds/workloads.ts';
import type { Plan } from '../../../shared/core/plan.ts';
import { MAX_PODS_PER_PLAN, planReplicaSet } from '../../../shared/core/replicaset/plan.ts';
import { isRefused } from '../../../shared/core/replicaset/refused.ts';
import { surplusOf } from '../../../shared/core/replicaset/surplus.ts';
import { Cluster, failed, ready, START_MS } from './cluster.ts';
import { pod, replicaSet, template } from './fixtures.ts';

const plan = (set: ReplicaSet, pods: readonly Pod[], namespace?: Namespace) =>
  planReplicaSet({ set, pods, namespace }, START_MS);
const kinds = ({ stages }: Plan) => stages.map((stage) => stage.map((action) => action.kind));
const actions = ({ stages }: Plan) => stages.flat();
const messages = (p: Plan) => actions(p).flatMap((a) => (a.kind === 'event' ? a.message : []));

function made(p: Plan): readonly Pod[] {
  return actions(p).flatMap((a) => (a.kind === 'create' ? (a.object as unknown as Pod) : []));
}

function deleted(p: Plan): readonly string[] {
  return actions(p).flatMap((a) => (a.kind === 'remove' ? a.key.name : []));
}

function status(p: Plan): ReplicaSet['status'] | undefined {
  const found = actions(p).find((a) => a.kind === 'update' && a.resource === 'replicasets.apps');
  return found?.kind === 'update' ? (found.object as unknown as ReplicaSet).status : undefined;
}

describe('a ReplicaSet with too few pods', () => {
  it('makes all that are missing in one stage, then says so, and writes no status of that', () => {
    const first = plan(replicaSet(3), []);
    expect(kinds(first)).toEqual([
      ['create', 'create', 'create'],
      ['event', 'event', 'event'],
    ]);
    expect(messages(first)[0]).toBe(`Created pod: ${made(first)[0]?.metadata.name}`);
  });

  it('gives pods what the template and admission say, and the set as their controller', () => {
    const [first] = made(plan(replicaSet(1), []));
    expect(first).toMatchObject({
      metadata: {
        name: expect.stringMatching(/^web-[a-z0-9]{5}$/) as string,
        generateName: 'web-',
        labels: { app: 'web' },
        annotations: { 'nullplane.io/slot': '0/1' },
        ownerReferences: [{ uid: 'rs1', controller: true, blockOwnerDeletion: true }],
      },
      spec: { serviceAccountName: 'default' },
      status: { phase: 'Pending', qosClass: 'BestEffort' },
    });
  });

  it('names the same pods in every plan of the same lack, whatever the generation', () => {
    const names = (generation: number) =>
      made(plan(replicaSet(3, {}, { generation }), [])).map((p) => p.metadata.name);
    expect(names(1)).toEqual(names(2));
  });

  it('fills the slot of a pod that is going under a new name', () => {
    const set = replicaSet(1);
    const [first] = made(plan(set, []));
    const going = { ...first, metadata: { ...first!.metadata, deletionTimestamp: 'soon' } } as Pod;
    const [second] = made(plan(set, [going]));
    expect(second?.metadata.annotations).toEqual({ 'nullplane.io/slot': '0/2' });
    expect(second?.metadata.name).not.toBe(first?.metadata.name);
  });

  it('never gives two of many pods one name', () => {
    const cluster = new Cluster();
    const set = replicaSet(6_000);
    for (let i = 0; i < 20; i++) cluster.apply(plan(set, cluster.pods));
    expect(cluster.pods.length).toBe(6_000);
  });

  it('makes a bounded number at a time and looks again', () => {
    const first = plan(replicaSet(MAX_PODS_PER_PLAN + 1), []);
    expect(made(first).length).toBe(MAX_PODS_PER_PLAN);
    expect(first.againAfterMs).toBeGreaterThan(0);
    expect(messages(first).length).toBe(5);
    expect(messages(first).at(-1)).toMatch(/^\(combined from 496 similar events\): Created pod: /);
  });

  it('replaces failed pods and removes those whose task has ended', () => {
    const set = replicaSet(1);
    const bad = failed(pod('a', set, { control: { attempt: 1, taskStopped: true } }));
    const next = plan(set, [bad]);
    expect([made(next).length, deleted(next)]).toEqual([1, ['a']]);
  });

  it('makes nothing in a namespace that is going, and says why', () => {
    const namespace = { status: { phase: 'Terminating' } } as unknown as Namespace;
    const next = plan(replicaSet(1), [], namespace);
    expect(made(next)).toEqual([]);
    expect(status(next)?.conditions).toMatchObject([
      { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' },
    ]);
    expect(status(next)?.observedGeneration).toBeUndefined();
  });

  it('makes no pods that it would not select, and would make again and again', () => {
    const spoilt = { ...template(), metadata: { labels: {} } };
    const next = plan(replicaSet(1, { template: spoilt }), []);
    expect(made(next)).toEqual([]);
    expect(status(next)?.conditions).toMatchObject([
      { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' },
    ]);
  });

  it('says of which size its pods were refused, once', () => {
    const namespace = { status: { phase: 'Terminating' } } as unknown as Namespace;
    const set = replicaSet(1, {}, { generation: 1 });
    const [written] = plan(set, [], namespace).stages.flat();
    const refused = (written as unknown as { object: typeof set }).object;
    expect([isRefused(set), isRefused(refused)]).toEqual([false, true]);
    expect(plan(refused, [], namespace).stages).toEqual([]);
    const { metadata } = refused;
    const resized = { ...refused, metadata: { ...metadata, generation: 2 } } as typeof set;
    expect(isRefused(resized)).toBe(false);
  });

  it('does nothing once it is being deleted', () => {
    expect(made(plan(replicaSet(2, {}, { deletionTimestamp: 'now' }), []))).toEqual([]);
  });
});

describe('a ReplicaSet and pods that are not, or no longer, its own', () => {
  const set = replicaSet(1);

  it('takes on a matching pod that nothing controls, before anything else', () => {
    const next = plan(set, [pod('a', undefined)]);
    expect(kinds(next)).toEqual([['update']]);
    expect(actions(next)[0]).toMatchObject({
      object: { metadata: { ownerReferences: [{ uid: 'rs1', controller: true }] } },
    });
  });

  it('lets go of a pod whose labels do not match any more', () => {
    const stray = pod('a', set, { metadata: { labels: { app: 'other' } } as never });
    const [action] = actions(plan(set, [stray]));
    expect(action).toMatchObject({ kind: 'update', object: { metadata: { name: 'a' } } });
    expect(action).not.toHaveProperty('object.metadata.ownerReferences');
  });

  it.each([
    ['of another controller', pod('a', replicaSet(1, {}, { uid: 'other' }))],
    ['that has ended', failed(pod('a', undefined))],
    ['that is going', pod('a', undefined, { metadata: { deletionTimestamp: 'now' } as never })],
  ])('leaves alone a pod %s', (_why, stranger) => {
    expect(made(plan(set, [stranger])).length).toBe(1);
  });
});

describe('a ReplicaSet with too many pods', () => {
  const set = replicaSet(1);
  const onNode = (name: string, more: object = {}) => {
    const bound = ready(pod(name, set), START_MS - 60_000, false);
    return { ...bound, ...more };
  };
  const isReady = (name: string, sinceMs: number, more: object = {}) =>
    ({ ...ready(pod(name, set), sinceMs), ...more }) as Pod;
  const cost = (name: string, value: string) => {
    const one = isReady(name, START_MS);
    const annotations = { 'controller.kubernetes.io/pod-deletion-cost': value };
    return { ...one, metadata: { ...one.metadata, annotations } };
  };
  const inSlot = (name: string, slot: string) => {
    const one = isReady(name, START_MS);
    return { ...one, metadata: { ...one.metadata, annotations: { 'nullplane.io/slot': slot } } };
  };
  const restarted = (name: string, restartCount: number) => {
    const one = isReady(name, START_MS);
    return {
      ...one,
      status: { ...one.status, containerStatuses: [{ restartCount }] },
    } as unknown as Pod;
  };

  it.each<[string, Pod, Pod]>([
    ['unscheduled before scheduled', pod('b', set), onNode('a')],
    ['pending before running', onNode('b', { status: { phase: 'Pending' } }), onNode('a')],
    ['not ready before ready', onNode('b'), isReady('a', START_MS)],
    ['a double of a slot before the first', inSlot('b', '0/2'), inSlot('a', '0/1')],
    ['cheap before dear', cost('b', '-5'), cost('a', '5')],
    ['ready for less long before longer', isReady('b', START_MS), isReady('a', START_MS - 9_000)],
    ['more restarts before fewer', restarted('b', 3), restarted('a', 0)],
    ['by name when nothing tells them apart', isReady('a', START_MS), isReady('b', START_MS)],
  ])('deletes %s', (_rule, first, second) => {
    for (const pods of [
      [first, second],
      [second, first],
    ]) {
      expect(surplusOf(pods, 1).map((p) => p.metadata.name)).toEqual([first.metadata.name]);
    }
  });

  it('marks what runs and removes what was never launched', () => {
    const launched = { ...onNode('a'), control: { attempt: 1 } };
    const next = plan(replicaSet(0), [launched, pod('b', set)]);
    expect(kinds(next)[0]?.toSorted()).toEqual(['remove', 'update']);
    expect(messages(next).toSorted()).toEqual(['Deleted pod: a', 'Deleted pod: b']);
  });
});

describe('the status of a ReplicaSet', () => {
  const set = replicaSet(2, { minReadySeconds: 10 });
  const pods = [ready(pod('a', set), START_MS - 60_000), ready(pod('b', set), START_MS - 4_000)];

  it('counts, leaves out zeros, and asks to be woken when the next pod becomes available', () => {
    const next = plan(set, pods);
    expect(status(next)).toEqual({
      replicas: 2,
      fullyLabeledReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 1,
      observedGeneration: 1,
    });
    expect(next.againAfterMs).toBe(6_000);
  });

  it('is not written when it would say the same (L3)', () => {
    const written = { ...set, status: status(plan(set, pods))! };
    expect(plan(written, pods).stages).toEqual([]);
  });

  it('observes a generation only once the pods are as many as it wants', () => {
    const grown = replicaSet(3, {}, { generation: 2 });
    expect(status(plan(grown, pods))?.observedGeneration).toBeUndefined();
  });
});
