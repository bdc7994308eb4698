/** What people can do about an object that was spoilt past the API. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { ensureSystemObjects } from '../../../shared/control/apiserver/system-objects.ts';
import { wellFormedStore } from '../../../shared/control/well-formed-store.ts';
import { deployment, DEPLOYMENTS, failure, TestApi } from './api.ts';

const WEB = `${DEPLOYMENTS}/web`;
const KEY = { resource: 'deployments.apps', namespace: 'default', name: 'web' };
const SPOILT =
  'Deployment.apps "web" is invalid: spec.replicas: Invalid value: what is stored is not of its ' +
  'form, so that it cannot be changed in part: replace the whole object (kubectl replace), or ' +
  'delete it';

let table: MemoryStore;
let api: TestApi;

async function spoil(fields: (stored: AnyObject) => object): Promise<void> {
  const stored = await table.get(KEY);
  if (stored) await table.update(KEY.resource, { ...stored, ...fields(stored) });
}

beforeEach(async () => {
  table = new MemoryStore({ clock: new StepClock() });
  const store = wellFormedStore(table);
  api = new TestApi({ store });
  await ensureSystemObjects({ ...api, store });
  await api.post(DEPLOYMENTS, deployment('web', { replicas: 5 }));
  await spoil(({ spec }) => ({ spec: { ...(spec as object), replicas: 'many' }, status: 7 }));
});

describe('an object that is not of its form', () => {
  it('is shown as far as it can be read', async () => {
    const shown = await api.get(WEB);
    expect(shown.json).toMatchObject({ spec: { replicas: 1 }, metadata: { name: 'web' } });
  });

  it('is not changed in part: what stands in for the rest is what nobody wants', async () => {
    const labelled = await api.patch(WEB, 'merge', { metadata: { labels: { a: 'b' } } });
    expect(failure(labelled)).toEqual({ code: 422, reason: 'Invalid', message: SPOILT });
    const scaled = await api.patch(`${WEB}/scale`, 'merge', { spec: { replicas: 3 } });
    expect(scaled.json.message).toBe(SPOILT);
  });

  it('is made good by whoever replaces it', async () => {
    const replaced = await api.put(WEB, deployment('web', { replicas: 4 }));
    expect([replaced.code, replaced.json.spec.replicas]).toEqual([200, 4]);
    expect(await table.get(KEY)).toMatchObject({ spec: { replicas: 4 }, status: {} });
    const scaled = await api.patch(`${WEB}/scale`, 'merge', { spec: { replicas: 3 } });
    expect(scaled.json.spec).toEqual({ replicas: 3 });
  });

  it('can be deleted', async () => {
    expect((await api.delete(WEB)).code).toBe(200);
    expect(await table.get(KEY)).toBeUndefined();
  });
});
