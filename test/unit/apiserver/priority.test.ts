/** Priority at the API: classes, what admission makes of pods, and what nobody may change. */
import { beforeEach, describe, expect, it } from 'vitest';
import { failure, pod, PODS, TestApi } from './api.ts';

const CLASSES = '/apis/scheduling.k8s.io/v1/priorityclasses';

let api: TestApi;

beforeEach(async () => {
  api = await TestApi.withSystemObjects();
});

const priorityClass = (name: string, value: number, more: object = {}) => ({
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name },
  value,
  ...more,
});

describe('the system’s classes', () => {
  it('are there from the beginning, and stay', async () => {
    const { json } = await api.get(CLASSES);
    const found = json.items.map((one: { metadata: { name: string }; value: number }) => [
      one.metadata.name,
      one.value,
    ]);
    expect(found).toEqual([
      ['system-cluster-critical', 2_000_000_000],
      ['system-node-critical', 2_000_001_000],
    ]);
    expect(failure(await api.delete(`${CLASSES}/system-node-critical`))).toEqual({
      code: 403,
      reason: 'Forbidden',
      message:
        'priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: ' +
        'this is a system priority class and cannot be deleted',
    });
    const described = await api.patch(`${CLASSES}/system-node-critical`, 'merge', {
      description: 'ours',
    });
    expect(described.code).toBe(200);
  });
});

describe('the default class', () => {
  it('is one at most', async () => {
    const made = await api.post(CLASSES, priorityClass('a', 1, { globalDefault: true }));
    expect(made.code).toBe(201);
    const second = await api.post(CLASSES, priorityClass('b', 2, { globalDefault: true }));
    expect(failure(second)).toEqual({
      code: 403,
      reason: 'Forbidden',
      message:
        'priorityclasses.scheduling.k8s.io "b" is forbidden: ' +
        'PriorityClass a is already marked as default. Only one default can exist',
    });
    await api.post(CLASSES, priorityClass('b', 2));
    const mark = (name: string, globalDefault: boolean) =>
      api.patch(`${CLASSES}/${name}`, 'merge', { globalDefault });
    expect((await mark('b', true)).code).toBe(403);
    expect((await mark('a', true)).code).toBe(200);
    expect((await mark('a', false)).code).toBe(200);
    expect((await mark('b', true)).code).toBe(200);
  });
});

describe('a pod', () => {
  const spec = async (name: string) => (await api.get(`${PODS}/${name}`)).json.spec;

  it('gets the priority of its class, and no warning', async () => {
    await api.post(CLASSES, priorityClass('high', 1000, { preemptionPolicy: 'Never' }));
    const made = await api.post(PODS, pod('p', { priorityClassName: 'high' }));
    expect([made.code, made.headers['warning']]).toEqual([201, undefined]);
    expect(made.json.spec).toMatchObject({ priority: 1000, preemptionPolicy: 'Never' });
  });

  it('without a class has no priority, or that of the default class', async () => {
    await api.post(PODS, pod('p'));
    expect(await spec('p')).toMatchObject({
      priority: 0,
      preemptionPolicy: 'PreemptLowerPriority',
    });
    await api.post(CLASSES, priorityClass('usual', 7, { globalDefault: true }));
    await api.post(PODS, pod('q'));
    expect(await spec('q')).toMatchObject({ priority: 7, priorityClassName: 'usual' });
  });

  it.each([
    [{ priorityClassName: 'none' }, 'no PriorityClass with name none was found'],
    [{ priority: 5 }, 'the integer value of priority (5) must not be provided in pod spec'],
    [{ preemptionPolicy: 'Never' }, 'the string value of PreemptionPolicy (Never) must not be'],
  ])('with %j is refused', async (given, why) => {
    const answer = failure(await api.post(PODS, pod('p', given)));
    expect([answer.code, answer.reason]).toEqual([403, 'Forbidden']);
    expect(answer.message).toContain(`pods "p" is forbidden: ${why}`);
  });

  it('may say what it would be given', async () => {
    expect((await api.post(PODS, pod('p', { priority: 0 }))).code).toBe(201);
  });

  it('keeps its priority when it is replaced without one, and can’t change it', async () => {
    await api.post(CLASSES, priorityClass('high', 1000));
    const given = { priorityClassName: 'high' };
    await api.post(PODS, pod('p', given));
    const labelled = pod('p', given, { labels: { app: 'y' } });
    expect((await api.put(`${PODS}/p`, labelled)).code).toBe(200);
    expect((await spec('p')).priority).toBe(1000);
    const changed = await api.patch(`${PODS}/p`, 'merge', { spec: { priority: 5 } });
    expect(failure(changed)).toMatchObject({ code: 422, reason: 'Invalid' });
  });

  it('keeps the priority that its class had', async () => {
    await api.post(CLASSES, priorityClass('high', 1000));
    await api.post(PODS, pod('p', { priorityClassName: 'high' }));
    await api.delete(`${CLASSES}/high`);
    await api.post(CLASSES, priorityClass('high', 5));
    await api.patch(`${PODS}/p`, 'merge', { metadata: { labels: { a: 'b' } } });
    expect((await spec('p')).priority).toBe(1000);
  });
});
