/** The eviction subresource under disruption budgets: what drain and Kubernetes' users expect. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { rfc3339 } from '../../../shared/api/time.ts';
import { Conflict, type Store } from '../../../shared/ports/store.ts';
import { type Answer, failure, pod, PODS, TestApi } from './api.ts';

const BUDGETS = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
const BUDGET = { resource: 'poddisruptionbudgets.policy', namespace: 'default', name: 'web' };
const VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget.";

let api: TestApi;

beforeEach(async () => {
  api = await TestApi.withSystemObjects();
});

const budget = (name: string, spec: object = { minAvailable: 1 }) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name },
  spec: { selector: { matchLabels: { app: 'x' } }, ...spec },
});

interface Status {
  readonly disruptionsAllowed?: number;
  readonly currentHealthy?: number;
  readonly desiredHealthy?: number;
  readonly observedGeneration?: number;
  readonly disruptedPods?: object;
}

/** A budget with a status, as its controller would have left it. */
async function guard(status: Status = {}, spec?: object, name = 'web'): Promise<void> {
  await api.post(BUDGETS, budget(name, spec));
  const patch = {
    status: {
      ...{ disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 },
      ...{ observedGeneration: 1, ...status },
    },
  };
  await api.patch(`${BUDGETS}/${name}/status`, 'merge', patch);
}

/** A pod on a node. */
async function running(name: string, { ready = true, phase = 'Running' } = {}): Promise<void> {
  await api.post(PODS, pod(name));
  await api.post(`${PODS}/${name}/binding`, { target: { kind: 'Node', name: 'n1' } });
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
  await api.patch(`${PODS}/${name}/status`, 'merge', { status: { phase, conditions } });
  // Grants are told from those of earlier namesakes by whole seconds.
  await api.clock.advance(2_000);
}

function evict(name: string, more: object = {}): Promise<Answer> {
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name }, ...more };
  return api.post(`${PODS}/${name}/eviction`, body);
}

const statusOf = async () => (await api.get(`${BUDGETS}/web`)).json.status;
const isLeaving = async (name: string) =>
  (await api.get(`${PODS}/${name}`)).json.metadata.deletionTimestamp !== undefined;

describe('an eviction that the budget allows', () => {
  it('takes one from what is allowed, writes the pod down, and deletes it', async () => {
    await guard();
    await running('p');
    expect((await evict('p')).code).toBe(201);
    expect(await isLeaving('p')).toBe(true);
    const { conditions, ...status } = await statusOf();
    expect(status).toEqual({
      ...{ disruptionsAllowed: 0, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 },
      ...{ observedGeneration: 1, disruptedPods: { p: rfc3339(api.clock.nowMs()) } },
    });
    expect(conditions).toMatchObject([
      { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' },
    ]);
    const { json } = await api.get(`${PODS}/p`);
    expect(json.status.conditions).toContainEqual(
      expect.objectContaining({ type: 'DisruptionTarget', reason: 'EvictionByEvictionAPI' }),
    );
  });

  it('is refused to the next pod, with the numbers', async () => {
    await guard();
    await running('p');
    await running('q');
    await evict('p');
    const answer = await evict('q');
    expect(failure(answer)).toEqual({ code: 429, reason: 'TooManyRequests', message: VIOLATES });
    expect(answer.json.details).toEqual({
      causes: [
        {
          reason: 'DisruptionBudget',
          message: 'The disruption budget web needs 2 healthy pods and has 3 currently',
        },
      ],
    });
    // Clients repeat by themselves what has this header; drain has a pace of its own.
    expect(answer.headers['retry-after']).toBeUndefined();
    expect(await isLeaving('q')).toBe(false);
  });

  it('costs one disruption, however often it is asked for', async () => {
    await guard({ disruptionsAllowed: 2 });
    await running('p');
    await evict('p');
    await evict('p');
    expect((await statusOf()).disruptionsAllowed).toBe(1);
  });

  it('is carried on where the one before was cut off between grant and deletion', async () => {
    await running('p');
    await guard({
      disruptionsAllowed: 0,
      disruptedPods: { p: rfc3339(api.clock.nowMs() - 1_000) },
    });
    expect((await evict('p')).code).toBe(201);
    expect((await statusOf()).disruptionsAllowed).toBe(0);
  });

  it('does not use a grant that is old, nor that of a namesake', async () => {
    await running('p');
    const { creationTimestamp } = (await api.get(`${PODS}/p`)).json.metadata;
    await guard({ disruptionsAllowed: 0, disruptedPods: { p: creationTimestamp } });
    expect((await evict('p')).code).toBe(429);
    const granted = { p: rfc3339(api.clock.nowMs()) };
    await api.patch(`${BUDGETS}/web/status`, 'merge', { status: { disruptedPods: granted } });
    await api.clock.advance(31_000);
    expect((await evict('p')).code).toBe(429);
  });

  it('may be tried without effect', async () => {
    await guard();
    await running('p');
    const tried = await api.post(`${PODS}/p/eviction?dryRun=All`, { metadata: { name: 'p' } });
    expect(tried.code).toBe(201);
    expect(await isLeaving('p')).toBe(false);
    expect((await statusOf()).disruptionsAllowed).toBe(1);
  });
});

describe('pods that are no loss', () => {
  it.each([
    ['pending', { phase: 'Pending', ready: false }],
    ['succeeded', { phase: 'Succeeded', ready: false }],
    ['failed', { phase: 'Failed', ready: false }],
  ])('go freely: %s', async (_what, state) => {
    await guard({ disruptionsAllowed: 0 });
    await running('p', state);
    expect((await evict('p')).code).toBe(201);
    expect((await statusOf()).disruptedPods).toBeUndefined();
  });

  it.each([
    ['while the others suffice', {}, 2, 201],
    ['not while they do not', {}, 1, 429],
    ['always, where the budget says so', { unhealthyPodEvictionPolicy: 'AlwaysAllow' }, 1, 201],
    ['not, where it says otherwise', { unhealthyPodEvictionPolicy: 'IfHealthyBudget' }, 1, 429],
  ])('go when they are not ready: %s', async (_what, spec, currentHealthy, code) => {
    await guard({ disruptionsAllowed: 0, currentHealthy }, { minAvailable: 2, ...spec });
    await running('p', { ready: false });
    expect((await evict('p')).code).toBe(code);
  });
});

describe('an eviction that nothing can be said about', () => {
  it('is refused while the budget has no status of its spec, with a time to wait', async () => {
    await guard({ observedGeneration: 0 });
    await running('p');
    const answer = await evict('p');
    expect(failure(answer)).toEqual({ code: 429, reason: 'TooManyRequests', message: VIOLATES });
    expect(answer.headers['retry-after']).toBe('10');
    expect(answer.json.details.causes[0].message).toBe(
      'The disruption budget web is still being processed by the server.',
    );
  });

  it('is refused where a pod has several budgets, in the words that are known', async () => {
    await guard();
    await guard({}, { minAvailable: 1 }, 'other');
    await running('p');
    const answer = await evict('p');
    expect(answer.json).toMatchObject({
      code: 500,
      message:
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does ' +
        'not support.',
    });
    expect(answer.json).not.toHaveProperty('reason');
  });

  it('is refused when nobody seems to keep the budget', async () => {
    const names = Array.from({ length: 2_001 }, (_, i) => [`p${i}`, rfc3339(api.clock.nowMs())]);
    await guard({ disruptedPods: Object.fromEntries(names) as object });
    await running('p');
    expect(failure(await evict('p'))).toMatchObject({ code: 403, reason: 'Forbidden' });
  });

  it('is nobody else’s business: other labels, other namespaces, no selector', async () => {
    await api.post(BUDGETS, { ...budget('web'), spec: { minAvailable: 1 } });
    await api.post(BUDGETS, budget('else', { selector: { matchLabels: { app: 'y' } } }));
    await running('p');
    expect((await evict('p')).code).toBe(201);
  });

  it('of a whole namespace is the empty selector’s', async () => {
    await guard({ disruptionsAllowed: 0 }, { minAvailable: 1, selector: {} });
    await running('p');
    expect((await evict('p')).code).toBe(429);
  });
});

describe('evictors that race', () => {
  /** A store that lets something happen before the next update of the resource, so many times. */
  function meddling(resource: string, times: number, meddle: (store: Store) => Promise<void>) {
    const { store } = api;
    let left = times;
    const update: Store['update'] = async (which, object) => {
      if (which === resource && left-- > 0) await meddle(store);
      return store.update(which, object);
    };
    return new Proxy(store, {
      get: (target, field) => {
        const value: unknown = field === 'update' ? update : Reflect.get(target, field);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  const touched = (key: typeof BUDGET) => async (store: Store) => {
    const object = (await store.get(key)) as AnyObject;
    const annotations = {
      n: String(Math.abs(Number(object.metadata.annotations?.['n'] ?? 0)) + 1),
    };
    await store.update(key.resource, {
      ...object,
      metadata: { ...object.metadata, annotations },
    });
  };

  const through = (store: Store) => {
    const other = new TestApi({ store, clock: api.clock });
    return other.post(`${PODS}/p/eviction`, { metadata: { name: 'p' } });
  };

  it('judge again when somebody else has written the budget', async () => {
    await guard();
    await running('p');
    expect((await through(meddling(BUDGET.resource, 3, touched(BUDGET)))).code).toBe(201);
    expect((await statusOf()).disruptionsAllowed).toBe(0);
  });

  it('are refused when the other one has spent the last disruption', async () => {
    await guard();
    await running('p');
    const spent = async (store: Store) => {
      const object = (await store.get(BUDGET)) as AnyObject;
      const status = { ...(object['status'] as object), disruptionsAllowed: 0 };
      await store.update(BUDGET.resource, { ...object, status });
    };
    expect((await through(meddling(BUDGET.resource, 1, spent))).code).toBe(429);
    expect(await isLeaving('p')).toBe(false);
  });

  it('judge a pod again that has changed, and spend no second disruption on it', async () => {
    await guard({ disruptionsAllowed: 2 });
    await running('p');
    const key = { resource: 'pods', namespace: 'default', name: 'p' };
    expect((await through(meddling('pods', 2, touched(key)))).code).toBe(201);
    expect((await statusOf()).disruptionsAllowed).toBe(1);
  });

  it('give up in the end, and say when to come again', async () => {
    await guard();
    await running('p');
    const always = async () => {
      throw new Conflict(undefined);
    };
    const answer = await through(meddling(BUDGET.resource, 1_000, always));
    expect([answer.code, answer.headers['retry-after']]).toEqual([504, '10']);
  });

  it('keep to the version that a client names', async () => {
    await running('p');
    const { resourceVersion } = (await api.get(`${PODS}/p`)).json.metadata;
    const key = { resource: 'pods', namespace: 'default', name: 'p' };
    await touched(key)(api.store);
    const deleteOptions = { preconditions: { resourceVersion } };
    expect((await evict('p', { deleteOptions })).code).toBe(409);
  });
});
