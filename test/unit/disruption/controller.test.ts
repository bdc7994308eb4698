/** What wakes the disruption controller, and that it is quiet otherwise. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { PodDisruptionBudgetStatus } from '../../../shared/api/kinds/policy.ts';
import { send } from '../../world/client.ts';
import { deployment, namespace, pod } from '../../world/manifests.ts';
import { World } from '../../world/world.ts';

const NS = '/api/v1/namespaces/default';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const BUDGETS = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
const MERGE = 'application/merge-patch+json';

let world: World;
/** Looks of the controller so far, and its writes. */
let looks: number;
let writes: string[];

const post = (path: string, body: unknown) => send(world.api, { method: 'POST', path, body });
const patch = (path: string, body: unknown) =>
  send(world.api, { method: 'PATCH', path, body, contentType: MERGE });
const remove = (path: string) => send(world.api, { method: 'DELETE', path });
const pass = (seconds = 30) => world.agenda.runUntil(world.agenda.nowMs + seconds * 1000);

async function statusOf(name = 'web'): Promise<PodDisruptionBudgetStatus> {
  const key = { resource: 'poddisruptionbudgets.policy', namespace: 'default', name };
  return (await world.store.get(key))?.['status'] as PodDisruptionBudgetStatus;
}

const budget = (name: string, spec: object) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name },
  spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
});

beforeEach(async () => {
  looks = 0;
  writes = [];
  world = new World({
    seed: 'disruption',
    onChange: ({ resource, object }) => void writes.push(`${resource}/${object.metadata.name}`),
    alter: (parts) => ({
      ...parts,
      controllers: parts.controllers.map((controller) => ({
        ...controller,
        snapshot: (key, read) => {
          if (controller.name === 'disruption') looks++;
          return controller.snapshot(key, read);
        },
      })),
    }),
  });
  await world.start();
  await post('/api/v1/namespaces', namespace('default'));
  for (const name of ['n1', 'n2']) await world.addNode(name, { cpu: '4', memory: '8Gi' });
  await post(DEPLOYMENTS, deployment('web', 'default', { replicas: 3 }));
  await post(BUDGETS, budget('web', { maxUnavailable: 1 }));
  await pass();
});

describe('a budget', () => {
  it('follows its pods', async () => {
    expect(await statusOf()).toMatchObject({ disruptionsAllowed: 1, currentHealthy: 3 });
    const { items } = await world.store.list({ resource: 'pods' });
    await remove(`${NS}/pods/${items[0]?.metadata.name}`);
    await pass(0.5);
    expect(await statusOf()).toMatchObject({ disruptionsAllowed: 0, currentHealthy: 2 });
    await pass();
    expect(await statusOf()).toMatchObject({ disruptionsAllowed: 1, currentHealthy: 3 });
  });

  it('follows the scale of those who own them', async () => {
    await patch(`${DEPLOYMENTS}/web`, { spec: { replicas: 5 } });
    await pass(0.5);
    expect(await statusOf()).toMatchObject({ expectedPods: 5, desiredHealthy: 4 });
  });

  it('follows its own spec', async () => {
    await patch(`${BUDGETS}/web`, { spec: { maxUnavailable: '100%' } });
    await pass();
    expect(await statusOf()).toMatchObject({ disruptionsAllowed: 3, observedGeneration: 2 });
  });

  it('follows pods that come and go by their labels', async () => {
    await post(
      BUDGETS,
      budget('solo', { minAvailable: 1, selector: { matchLabels: { app: 's' } } }),
    );
    await post(`${NS}/pods`, pod('s', 'default', {}));
    await pass();
    expect(await statusOf('solo')).toMatchObject({ expectedPods: 1, currentHealthy: 1 });
    await patch(`${NS}/pods/s`, { metadata: { labels: { app: 'other' } } });
    await pass();
    expect(await statusOf('solo')).toMatchObject({ expectedPods: 0, currentHealthy: 0 });
  });

  it('goes on by the ReplicaSet that a Deployment has let go of', async () => {
    const orphan = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Orphan' };
    await send(world.api, { method: 'DELETE', path: `${DEPLOYMENTS}/web`, body: orphan });
    await pass();
    // As many as before are asked for, by another.
    expect(await statusOf()).toMatchObject({ expectedPods: 3, disruptionsAllowed: 1 });
  });
});

describe('where nothing happens', () => {
  it('nobody looks and nothing is written, and a sweep finds all well', async () => {
    [looks, writes] = [0, []];
    await pass(1_800);
    expect([looks, writes]).toEqual([0, []]);
    world.sweep();
    await pass(60);
    expect(looks).toBeGreaterThan(0);
    expect(writes).toEqual([]);
  });

  it('a grant that nobody uses lapses by itself', async () => {
    const { items } = await world.store.list({ resource: 'pods' });
    const name = items[0]?.metadata.name ?? '';
    const now = new Date(world.agenda.nowMs).toISOString();
    const status = { disruptedPods: { [name]: now }, disruptionsAllowed: 0 };
    await patch(`${BUDGETS}/web/status`, { status });
    await pass(100);
    expect(await statusOf()).toMatchObject({ disruptionsAllowed: 0, currentHealthy: 2 });
    await pass(30);
    const lapsed = await statusOf();
    expect(lapsed).toMatchObject({ disruptionsAllowed: 1, currentHealthy: 3 });
    expect(lapsed.disruptedPods).toBeUndefined();
  });
});
