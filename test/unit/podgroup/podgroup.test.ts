import { describe, expect, it } from 'vitest';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { PodGroup, PodGroupStatus } from '../../../shared/api/kinds/scheduling.ts';
import { draftMeta } from '../../../shared/api/meta.ts';
import { groupControl } from '../../../shared/core/podgroup/control.ts';
import { planPodGroup } from '../../../shared/core/podgroup/plan.ts';
import { POD_GROUP_LABEL } from '../../../shared/core/scheduling/gang/membership.ts';
import { send } from '../../world/client.ts';
import { namespace, pod } from '../../world/manifests.ts';
import { World } from '../../world/world.ts';

const NOW_MS = Date.parse('2030-01-01T00:01:00Z');

function group(minMember: number, status: PodGroupStatus = {}): PodGroup {
  return {
    apiVersion: 'scheduling.x-k8s.io/v1alpha1',
    kind: 'PodGroup',
    metadata: draftMeta({ name: 'train', namespace: 'd' }),
    spec: { minMember },
    status,
  };
}

type State = 'waiting' | 'asking' | 'bound' | 'leaving' | Pod['status']['phase'];

function member(state: State, at: number): Pod {
  const isWaiting = state === 'waiting' || state === 'asking';
  const phase = ['waiting', 'asking', 'bound', 'leaving'].includes(state) ? 'Pending' : state;
  return {
    metadata: draftMeta({
      name: `p${at}`,
      namespace: 'd',
      creationTimestamp: `2030-01-01T00:00:0${9 - at}Z`,
      ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: `owner-${at}`, uid: 'u' }],
      ...(state === 'leaving' ? { deletionTimestamp: '2030-01-01T00:00:00Z' } : {}),
    }),
    spec: { schedulerName: 'default-scheduler', ...(state === 'waiting' ? {} : { nodeName: 'n' }) },
    status: { phase },
    ...(isWaiting ? {} : { control: { attempt: 1 } }),
  } as unknown as Pod;
}

const planOf = (one: PodGroup, states: readonly State[]) =>
  planPodGroup({ group: one, pods: states.map(member) }, NOW_MS);

function statusAfter(one: PodGroup, states: readonly State[]): PodGroupStatus {
  const [action] = planOf(one, states).stages.flat();
  return action?.kind === 'update' ? (action.object['status'] as PodGroupStatus) : one.status;
}

describe('a group of at least two', () => {
  it.each<[string, readonly State[], PodGroupStatus]>([
    ['Pending', [], { phase: 'Pending' }],
    ['Pending', ['waiting'], { phase: 'Pending', occupiedBy: 'd/owner-0' }],
    ['PreScheduling', ['waiting', 'asking'], { phase: 'PreScheduling', occupiedBy: 'd/owner-1' }],
    [
      'Scheduling',
      ['waiting', 'bound'],
      { phase: 'Scheduling', scheduled: 1, occupiedBy: 'd/owner-1' },
    ],
    ['Scheduled', ['bound', 'Running'], { phase: 'Scheduled', scheduled: 2, running: 1 }],
    ['Running', ['Running', 'Running'], { phase: 'Running', scheduled: 2, running: 2 }],
    [
      'Running',
      ['Running', 'Succeeded', 'waiting'],
      { phase: 'Running', scheduled: 2, running: 1, succeeded: 1 },
    ],
    ['Failed', ['Running', 'Failed'], { phase: 'Failed', scheduled: 2, running: 1, failed: 1 }],
    ['Finished', ['Succeeded', 'Succeeded'], { phase: 'Finished', scheduled: 2, succeeded: 2 }],
    ['Pending', ['leaving', 'waiting'], { phase: 'Pending', occupiedBy: 'd/owner-1' }],
  ])('is %s with %j', (_phase, states, status) => {
    const { occupiedBy, conditions: _, ...counted } = statusAfter(group(2), states);
    const { occupiedBy: owner = occupiedBy, ...expected } = status;
    expect(counted).toEqual(expected);
    expect(occupiedBy).toBe(owner);
  });
});

describe('a status', () => {
  it('keeps what the scheduler has written, and whose the group is', () => {
    const written: PodGroupStatus = {
      phase: 'Pending',
      occupiedBy: 'd/first',
      scheduleStartTime: '2030-01-01T00:00:00Z',
      conditions: [{ type: 'Scheduled', status: 'False', reason: 'NotEnoughResources' }],
    };
    expect(statusAfter(group(2, written), ['bound'])).toEqual({
      ...{ ...written, phase: 'Scheduling', scheduled: 1 },
    });
  });

  it('says that the group is scheduled, and has been whole; then it is not written', () => {
    const [action] = planOf(group(1), ['Running']).stages.flat();
    const settled = (action?.kind === 'update' ? action.object : {}) as unknown as PodGroup;
    expect(settled.status.conditions).toMatchObject([{ type: 'Scheduled', status: 'True' }]);
    expect(groupControl(settled)).toEqual({ started: true });
    expect(planOf(settled, ['Running'])).toEqual({ stages: [], blocked: [] });
  });

  it('of a group that has finished stays so when its pods are gone; others begin anew', () => {
    expect(statusAfter(group(1, { phase: 'Finished', succeeded: 1 }), []).phase).toBe('Finished');
    expect(statusAfter(group(1, { phase: 'Failed', failed: 1 }), ['waiting']).phase).toBe(
      'PreScheduling',
    );
  });
});

describe('the controller', () => {
  it('follows the pods that name the group, and is quiet otherwise', async () => {
    let looks = 0;
    const world = new World({
      seed: 'group',
      alter: (parts) => ({
        ...parts,
        controllers: parts.controllers.map((controller) => ({
          ...controller,
          snapshot: (key, read) => {
            if (controller.name === 'podgroup') looks++;
            return controller.snapshot(key, read);
          },
        })),
      }),
    });
    const post = (path: string, body: unknown) => send(world.api, { method: 'POST', path, body });
    const pass = () => world.agenda.runUntil(world.agenda.nowMs + 30_000);
    const phase = async () => {
      const key = {
        resource: 'podgroups.scheduling.x-k8s.io',
        namespace: 'default',
        name: 'train',
      };
      return ((await world.store.get(key))?.['status'] as PodGroupStatus).phase;
    };
    await world.start();
    await post('/api/v1/namespaces', namespace('default'));
    await post('/apis/scheduling.x-k8s.io/v1alpha1/namespaces/default/podgroups', {
      ...{ apiVersion: 'scheduling.x-k8s.io/v1alpha1', kind: 'PodGroup' },
      ...{ metadata: { name: 'train' }, spec: { minMember: 2 } },
    });
    const made = (name: string) => {
      const one = pod(name, 'default', {});
      const labels = { ...one.metadata.labels, [POD_GROUP_LABEL]: 'train' };
      return { ...one, metadata: { ...one.metadata, labels } };
    };
    for (const name of ['a', 'b']) await post('/api/v1/namespaces/default/pods', made(name));
    await pass();
    expect(await phase()).toBe('PreScheduling');
    await world.addNode('n1', { cpu: '4', memory: '8Gi' });
    await pass();
    expect(await phase()).toBe('Running');
    looks = 0;
    await post('/api/v1/namespaces/default/pods', pod('stranger', 'default', {}));
    await pass();
    expect(looks).toBe(0);
  });
});
