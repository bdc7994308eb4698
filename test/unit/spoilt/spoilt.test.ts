/**
 * B7: one field of one stored object is anything at all, and nobody else's work suffers: passes,
 * the router, the controllers of all other objects, lists of the API. What is broken inside its
 * own work is not acted on.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { indexValues, keyOf } from '../../../shared/api/change.ts';
import type { AnyObject, KubeObject, ObjectKey } from '../../../shared/api/meta.ts';
import { resourceType } from '../../../shared/api/resources.ts';
import { isStandIn, wellFormed } from '../../../shared/api/well-formed.ts';
import { createApiServer } from '../../../shared/control/apiserver/server.ts';
import type { Effects } from '../../../shared/control/effects.ts';
import { reconcile } from '../../../shared/control/reconcile.ts';
import { allControllers } from '../../../shared/control/registry.ts';
import { route, type Routes } from '../../../shared/control/router.ts';
import { schedulePass } from '../../../shared/control/scheduler.ts';
import { wellFormedStore } from '../../../shared/control/well-formed-store.ts';
import type { ListQuery, Page, Store } from '../../../shared/ports/store.ts';
import { pathOf, send } from '../../world/client.ts';
import type { World } from '../../world/world.ts';
import { cluster, type Stored } from './cluster.ts';
import { type Damage, damages, withDamage } from './damage.ts';

const RUNS = { numRuns: 600 };
const TIMEOUT_MS = 60_000;
const CELLS = ['default', 'batch'];
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const controllers = allControllers({ caPem: 'a certificate' });

let world: World;
let stored: Stored;
beforeAll(async () => {
  ({ world, stored } = await cluster());
});

/** What is stored, read as the shipped code reads it; writes come to nothing. */
function storeOf(objects: Stored): Store {
  const written = <T extends KubeObject>(_: string, object: T) => Promise.resolve(object);
  const unused = () => Promise.reject(new Error('nobody asks for changes here'));
  return wellFormedStore({
    get: <T extends KubeObject>({ resource, namespace, name }: ObjectKey) => {
      const isMeant = ({ metadata }: AnyObject) =>
        metadata.name === name && (metadata.namespace ?? '') === namespace;
      return Promise.resolve(objects.get(resource)?.find(isMeant) as T | undefined);
    },
    list: <T extends KubeObject>({ resource, namespace, index }: ListQuery) => {
      const isMeant = (object: AnyObject) =>
        (namespace === undefined || object.metadata.namespace === namespace) &&
        (!index || valuesOf(index.name, resource, object).includes(index.value));
      const items = objects.get(resource)?.filter(isMeant) ?? [];
      return Promise.resolve({ items, resourceVersion: '1' } as Page<KubeObject> as Page<T>);
    },
    ...{ create: written, update: written, remove: unused, changes: unused, waitForChange: unused },
  });
}

/** What a store has indexed, it has indexed before the damage. */
function valuesOf(...[index, resource, object]: Parameters<typeof indexValues>): string[] {
  const { name, namespace } = object.metadata;
  const before = stored
    .get(resource)
    ?.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  return indexValues(index, resource, before ?? object);
}

function effectsOf(store: Store): Effects & { readonly recorder: MemoryRecorder } {
  const { passMemory: _, ...effects } = world.effects(world.process('schedule'));
  return { ...effects, store, recorder: new MemoryRecorder() };
}

const queue = { send: () => Promise.resolve() } as unknown as Routes['reconcileQueue'];
const routes: Routes = { controllers, reconcileQueue: queue, scheduleQueue: queue };

/** Holds for each damage; a failure names it. */
function forEachDamage(holds: (damage: Damage, store: Store) => Promise<void>): Promise<void> {
  const property = fc.asyncProperty(damages(stored), async (damage) => {
    try {
      await holds(damage, storeOf(withDamage(stored, damage)));
    } catch (error) {
      throw new Error(damage.text, { cause: error });
    }
  });
  return fc.assert(property, RUNS);
}

describe('an object of which any field is anything', () => {
  it(
    'stops no pass',
    () =>
      forEachDamage(async (_, store) => {
        for (const cell of CELLS) {
          const effects = effectsOf(store);
          await schedulePass(cell, effects);
          expect(effects.recorder.logs.filter(({ level }) => level === 'error')).toEqual([]);
        }
      }),
    TIMEOUT_MS,
  );

  it(
    'stops no change on its way',
    () =>
      forEachDamage(async ({ resource, good, bad }, store) => {
        await route([{ type: 'put', resource, object: bad, previous: good }], store, routes);
        await route([{ type: 'put', resource, object: good, previous: bad }], store, routes);
        await route([{ type: 'delete', resource, object: bad, previous: good }], store, routes);
        for (const [name, objects] of stored) {
          const changes = objects.map((object) => ({
            type: 'put' as const,
            resource: name,
            object,
          }));
          await route(changes, store, routes);
        }
      }),
    TIMEOUT_MS,
  );

  it(
    'breaks the work on no other',
    () =>
      forEachDamage(async ({ good }, store) => {
        for (const [name, objects] of stored) {
          for (const object of objects.filter((one) => one !== good)) {
            for (const controller of controllers) {
              if (controller.resource !== name && controller.resource !== '*') continue;
              const seen: unknown = await controller.snapshot(keyOf(name, object), store);
              if (seen !== undefined) controller.plan(seen, world.agenda.nowMs);
            }
          }
        }
      }),
    TIMEOUT_MS,
  );

  it(
    'can be listed with the others, and shown',
    () =>
      forEachDamage(async ({ resource, good }, store) => {
        const { handle } = createApiServer({
          ...effectsOf(store),
          authenticate: () => ({ name: 'admin', groups: ['system:masters'] }),
          authorize: () => true,
          version: { gitVersion: 'v0' } as never,
        });
        const path = pathOf(resourceType(resource), {});
        const one = pathOf(resourceType(resource), good.metadata);
        for (const request of [{ path, accept: TABLE }, { path }, { path: one }]) {
          expect((await send(handle, { method: 'GET', ...request })).status).toBe(200);
        }
      }),
    TIMEOUT_MS,
  );

  it(
    'is itself not acted on, where it is not of its form',
    () =>
      forEachDamage(async ({ resource, good, bad }, store) => {
        const isSpoilt = isStandIn(wellFormed(resource, bad));
        if (!isSpoilt || bad.metadata.deletionTimestamp !== undefined) return;
        for (const controller of controllers.filter((one) => one.resource === resource)) {
          const outcome = await reconcile(
            { controller, key: keyOf(resource, good) },
            effectsOf(store),
          );
          expect(outcome).toMatchObject({ type: 'terminal', error: { name: 'Unreadable' } });
        }
      }),
    TIMEOUT_MS,
  );
});

describe('what the control plane itself has written', () => {
  it('is of its form', () => {
    const spoilt = [...stored].flatMap(([resource, objects]) =>
      objects.filter((object) => isStandIn(wellFormed(resource, object))),
    );
    expect(spoilt).toEqual([]);
  });
});
