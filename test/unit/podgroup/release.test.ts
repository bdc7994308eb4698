/** When a gang that has pods on nodes gives their room back, and what becomes of each of them. */
import { describe, expect, it } from 'vitest';
import type { Pod, PodControl } from '../../../shared/api/kinds/pod.ts';
import type { PodGroup } from '../../../shared/api/kinds/scheduling.ts';
import { draftMeta } from '../../../shared/api/meta.ts';
import type { Plan } from '../../../shared/core/plan.ts';
import { type GroupControl, groupControl } from '../../../shared/core/podgroup/control.ts';
import { planPodGroup } from '../../../shared/core/podgroup/plan.ts';
import { releaseBackOffMs } from '../../../shared/core/podgroup/release.ts';
import { pod, running } from '../scheduling/fixtures.ts';

const NOW_MS = Date.parse('2030-01-01T00:10:00Z');

function group(control: GroupControl = {}): PodGroup {
  return {
    apiVersion: 'scheduling.x-k8s.io/v1alpha1',
    kind: 'PodGroup',
    metadata: draftMeta({ name: 'g', namespace: 'default' }),
    spec: { minMember: 3, scheduleTimeoutSeconds: 60 },
    status: {},
    control,
  } as PodGroup;
}

const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'r', controller: true };
const owned = (name: string) => pod(name, { meta: { ownerReferences: [owner] } });
const begun = (one: Pod): Pod => {
  const state = { running: { startedAt: '2030-01-01T00:00:00Z' } };
  const main = { name: 'main', state, restartCount: 0, ready: true, image: '', imageID: '' };
  return { ...one, status: { ...one.status, containerStatuses: [main] } };
};
const refused = (one: Pod, control: PodControl = {}): Pod => ({
  ...running('fargate', one),
  status: { phase: 'Pending' },
  control: { attempt: 1, taskStopped: true, noCapacity: true, ...control },
});
const runs = (name: string) => begun(running('n', owned(name)));

function controlAfter(plan: Plan): GroupControl | undefined {
  const [action] = plan.stages.flat();
  return action?.kind === 'update' ? groupControl(action.object as unknown as PodGroup) : undefined;
}

describe('a gang of three that was never whole', () => {
  const late = NOW_MS - 60_000;
  it.each<[string, GroupControl, readonly Pod[], GroupControl]>([
    ['holds nothing while it waits', {}, [owned('a'), owned('b')], {}],
    ['holds from when a part of it is bound', {}, [runs('a')], { heldSinceMs: NOW_MS }],
    [
      'holds in part where a launch found no capacity',
      {},
      [runs('a'), runs('b'), refused(owned('c'))],
      { heldSinceMs: NOW_MS },
    ],
    ['keeps since when', { heldSinceMs: NOW_MS - 9 }, [runs('a')], { heldSinceMs: NOW_MS - 9 }],
    [
      'gives back when its time is over',
      { heldSinceMs: late },
      [runs('a')],
      { releases: 1, retryAtMs: NOW_MS + 60_000 },
    ],
    [
      'waits longer each time',
      { heldSinceMs: late, releases: 2 },
      [runs('a')],
      { releases: 3, retryAtMs: NOW_MS + 240_000 },
    ],
    [
      'is whole with its third, in time',
      { heldSinceMs: late, releases: 2 },
      [runs('a'), runs('b'), runs('c')],
      { started: true },
    ],
    [
      'has lost a pod after it was whole',
      { started: true },
      [runs('a'), runs('b')],
      { started: true },
    ],
    ['begins anew when all its pods are gone', { started: true }, [], {}],
  ])('%s', (_what, control, pods, expected) => {
    expect(controlAfter(planPodGroup({ group: group(control), pods }, NOW_MS))).toEqual(expected);
  });

  it('is looked at again when its time is over', () => {
    const plan = planPodGroup({ group: group(), pods: [runs('a')] }, NOW_MS);
    expect(plan.againAfterMs).toBe(60_000);
  });

  it('says that it is incomplete, once, when a launch found no capacity', () => {
    const members = [runs('a'), runs('b'), refused(owned('c'))];
    const whole = { type: 'Scheduled', status: 'True', reason: 'Scheduled', message: '' } as const;
    const said = { ...whole, observedGeneration: 1, lastTransitionTime: '2030-01-01T00:00:00Z' };
    const conditionsAfter = (given: PodGroup) => {
      const [write] = planPodGroup({ group: given, pods: members }, NOW_MS).stages.flat();
      return write?.kind === 'update' ? (write.object as PodGroup).status.conditions : undefined;
    };
    const control: GroupControl = { heldSinceMs: NOW_MS };
    const told = conditionsAfter({ ...group(control), status: { conditions: [said] } });
    expect(told).toMatchObject([
      { status: 'False', reason: 'Incomplete', message: '2 of 3 pods have a place' },
    ]);
    const started = { ...group({ started: true }), status: { conditions: [said] } };
    expect(conditionsAfter(started)).toMatchObject([{ status: 'True' }]);
  });

  it('waits up to a quarter of an hour', () => {
    const waits = [1, 2, 3, 4, 5, 99].map(releaseBackOffMs);
    expect(waits.map((ms) => ms / 1000)).toEqual([60, 120, 240, 480, 900, 900]);
  });
});

describe('a pod of a gang that gives back', () => {
  const control = { releases: 1, retryAtMs: NOW_MS + 60_000 };
  const written = (one: Pod) => {
    // The status is what it will be, so that only the release is left to do.
    const [first] = planPodGroup({ group: group(control), pods: [one] }, NOW_MS).stages.flat();
    const settled = (first?.kind === 'update' ? first.object : group(control)) as never;
    const plan = planPodGroup({ group: settled, pods: [one] }, NOW_MS);
    return plan.stages.flat().filter(({ kind }) => kind === 'update')[0];
  };
  it.each<[string, Pod, object | undefined]>([
    [
      'that runs is replaced by its owner',
      runs('a'),
      { deletionTimestamp: '2030-01-01T00:10:30Z' },
    ],
    ['that runs and is nobody’s stays', begun(running('n', pod('a'))), undefined],
    ['that waits stays as it is', owned('a'), undefined],
  ])('%s', (_what, one, metadata) => {
    const action = written(one);
    if (!metadata) expect(action).toBeUndefined();
    else expect(action).toMatchObject({ resource: 'pods', object: { metadata } });
  });

  it('that never began goes back to the scheduler, whoever made it', () => {
    const action = written(refused(pod('a')));
    const back = (action?.kind === 'update' ? action.object : {}) as unknown as Pod;
    expect(back.spec.nodeName).toBeUndefined();
    expect(back.status.phase).toBe('Pending');
    expect(back.control).toMatchObject({ attempt: 1, taskStopped: true });
  });

  it('whose launch may still succeed elsewhere is not sent back', () => {
    expect(written(refused(pod('a'), { refusedAtMs: NOW_MS - 1_000 }))).toBeUndefined();
  });
});
