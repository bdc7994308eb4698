/**
 * What a Deployment costs, counted and not timed: how often its owners are looked at, and what each
 * pod adds. A cost that grows with the square of the pods shows here long before anybody waits.
 */
import { expect, test } from 'vitest';
import { send } from '../../world/client.ts';
import { deployment, namespace } from '../../world/manifests.ts';
import { type Call } from '../../world/process.ts';
import { World } from '../../world/world.ts';

const FEW = 50;
const MANY = 250;
const PODS_PER_NODE = 5;

/** Long enough that all pods run and everything that follows from it is done. */
const ROLLOUT_MS = 60_000;

/** What is counted, and how much of it a pod may add. What is not here may not grow at all. */
const PER_POD: { readonly [what: string]: number } = {
  // Created; bound; launched, running and ready told in two more.
  'write pods': 4,
  // "Scheduled" and "Started".
  'write events': 2,
  'write nodeallocations.nullplane.io': 1 / PODS_PER_NODE,
  'look pod': 1,
  run: 1,
  // Each look of a pod reads it and its node, each write finds out whom it wakes.
  get: 10.2,
  // Whom an address concerns: when it comes, and when it is ready.
  'list services': 2,
  // Which budgets a pod counts for: when it comes, and when it is ready.
  'list poddisruptionbudgets.policy': 2,
};

const few = await costOf(FEW);
const many = await costOf(MANY);

test.each([...new Set([...few.keys(), ...many.keys()])])('growth of: %s', (what) => {
  const grown = (many.get(what) ?? 0) - (few.get(what) ?? 0);
  expect(grown).toBeLessThanOrEqual((PER_POD[what] ?? 0) * (MANY - FEW) + 1e-6);
});

test('the owners of pods are looked at a few times a rollout, however many pods come up', () => {
  for (const owner of ['deployment', 'replicaset']) {
    expect(many.get(`look ${owner}`)).toBeLessThanOrEqual(8);
  }
  expect(many.get('pass')).toBeLessThanOrEqual(4);
});

/** Brings a Deployment up and counts what that takes. */
async function costOf(replicas: number): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
  const world = new World({
    seed: 'growth',
    network: {
      call(call, effect) {
        const what = nameOf(call);
        if (what) count(what);
        return effect();
      },
    },
    alter: (parts) => ({
      ...parts,
      controllers: parts.controllers.map((controller) => ({
        ...controller,
        snapshot: (key, read) => {
          count(`look ${controller.name}`);
          return controller.snapshot(key, read);
        },
      })),
      schedule: (cell, effects) => {
        count('pass');
        return parts.schedule(cell, effects);
      },
    }),
  });
  await world.start();
  await send(world.api, post('/api/v1/namespaces', namespace('default')));
  for (let i = 0; i < replicas / PODS_PER_NODE; i++) {
    await world.addNode(`node-${i}`, { cpu: '500m', memory: '1Gi' });
  }
  await world.agenda.runUntil(world.agenda.nowMs + ROLLOUT_MS);
  counts.clear();
  const path = '/apis/apps/v1/namespaces/default/deployments';
  await send(world.api, post(path, deployment('many', 'default', { replicas, cpu: '100m' })));
  await world.agenda.runUntil(world.agenda.nowMs + ROLLOUT_MS);
  const key = { resource: 'deployments.apps', namespace: 'default', name: 'many' };
  expect(await world.store.get(key)).toMatchObject({ status: { readyReplicas: replicas } });
  return counts;
}

function nameOf({ service, operation, about, effectful }: Call): string | undefined {
  if (service === 'queue') return undefined;
  if (service === 'runtime' || operation === 'get') return operation;
  const [resource = ''] = about.split('/');
  return effectful ? `write ${resource}` : `${operation} ${resource}`;
}

function post(path: string, body: unknown) {
  return { method: 'POST', path, body };
}
