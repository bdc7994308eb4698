/** Pods that controllers make get the priority that clients' pods get, or are not made. */
import { expect, test } from 'vitest';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { send } from '../../world/client.ts';
import { deployment, namespace } from '../../world/manifests.ts';
import { World } from '../../world/world.ts';

const CLASSES = '/apis/scheduling.k8s.io/v1/priorityclasses';
const MINUTE_MS = 60_000;

async function worldWith(spec: object): Promise<World> {
  const world = new World({ seed: 'priority' });
  await world.start();
  await post(world, '/api/v1/namespaces', namespace('default'));
  const made = deployment('web', 'default', { replicas: 2 }) as AnyObject & {
    readonly spec: { readonly template: { readonly spec: object } };
  };
  Object.assign(made.spec.template.spec, spec);
  await post(world, '/apis/apps/v1/namespaces/default/deployments', made);
  await pass(world);
  return world;
}

const post = (world: World, path: string, body: unknown) =>
  send(world.api, { method: 'POST', path, body });
const pass = (world: World) => world.agenda.runUntil(world.agenda.nowMs + MINUTE_MS);

const priorityClass = (name: string, value: number, more: object = {}) => ({
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name },
  value,
  ...more,
});

async function all(world: World, resource: string): Promise<readonly AnyObject[]> {
  return (await world.store.list({ resource })).items;
}

const priorities = async (world: World) =>
  (await all(world, 'pods')).map(({ spec }) => {
    const { priority, preemptionPolicy, priorityClassName } = spec as { [field: string]: unknown };
    return [priority, preemptionPolicy, priorityClassName];
  });

test('a pod without a class has none, until there is a default one', async () => {
  const world = await worldWith({});
  expect(await priorities(world)).toEqual(Array(2).fill([0, 'PreemptLowerPriority', undefined]));
  const given = { globalDefault: true, preemptionPolicy: 'Never' };
  await post(world, CLASSES, priorityClass('batch', -5, given));
  const [old] = await all(world, 'pods');
  await send(world.api, {
    method: 'DELETE',
    path: `/api/v1/namespaces/default/pods/${old?.metadata.name}`,
  });
  await pass(world);
  expect(await priorities(world)).toEqual(
    expect.arrayContaining([
      [0, 'PreemptLowerPriority', undefined],
      [-5, 'Never', 'batch'],
    ]),
  );
});

test('a missing class keeps pods from being made, and says so, until it is there', async () => {
  const world = await worldWith({ priorityClassName: 'high' });
  expect(await all(world, 'pods')).toEqual([]);
  const [set] = await all(world, 'replicasets.apps');
  const pods = `pods "${set?.metadata.name}-"`;
  expect((set?.['status'] as { conditions: unknown }).conditions).toMatchObject([
    {
      type: 'ReplicaFailure',
      status: 'True',
      reason: 'FailedCreate',
      message: `${pods} is forbidden: no PriorityClass with name high was found`,
    },
  ]);
  await post(world, CLASSES, priorityClass('high', 1000));
  await pass(world);
  expect(await priorities(world)).toEqual(Array(2).fill([1000, 'PreemptLowerPriority', 'high']));
  const [mended] = await all(world, 'replicasets.apps');
  expect((mended?.['status'] as { conditions?: unknown }).conditions).toBeUndefined();
});

test('a priority of the template’s own choice is refused as well', async () => {
  const world = await worldWith({ priority: 7 });
  expect(await all(world, 'pods')).toEqual([]);
  const [set] = await all(world, 'replicasets.apps');
  expect(JSON.stringify(set?.['status'])).toContain('the integer value of priority (7)');
});
