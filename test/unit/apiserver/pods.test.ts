/** Subresources of pods: logs, eviction, binding. */
import { beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../../../adapters/memory/step-clock.ts';
import { type LogOptions, NoSuchTask, RuntimeUnavailable } from '../../../shared/ports/runtime.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { failure, pod, PODS, TestApi } from './api.ts';

interface Asked extends LogOptions {
  readonly task: string;
  readonly container: string;
}

let api: TestApi;
let asked: Asked[];
let chunks: (string | Error)[];

async function* logs(task: string, container: string, options: LogOptions) {
  asked.push({ task, container, ...options });
  for (const chunk of chunks) {
    if (typeof chunk !== 'string') throw chunk;
    yield new TextEncoder().encode(chunk);
  }
  if (!options.follow) return;
  await new Promise((resolve) => options.signal.addEventListener('abort', resolve));
}

beforeEach(async () => {
  asked = [];
  chunks = ['one\n', 'two\n'];
  const runtime = { logs, exec: () => Promise.reject(new Error('not here')) };
  api = await TestApi.withSystemObjects({ runtime });
});

const running = { running: { startedAt: '2030-01-01T00:00:00Z' } };
const over = { terminated: { exitCode: 1 } };
const waiting = (reason: string) => ({ waiting: { reason } });
const TWO = {
  containers: [
    { name: 'a', image: 'a' },
    { name: 'b', image: 'b' },
  ],
};

interface Given {
  readonly state?: object;
  readonly lastState?: object;
  readonly control?: object;
  readonly spec?: object;
}

/** A pod on a node, whose first container is in this state. */
async function given({ state, lastState, control, spec = {} }: Given): Promise<string> {
  const { json } = await api.post(PODS, pod('p', spec));
  await api.post(`${PODS}/p/binding`, { target: { kind: 'Node', name: 'n1' } });
  const name = json.spec.containers[0].name;
  const status = { name, image: 'a', imageID: '', ready: false, restartCount: 0 };
  const containerStatuses = [
    { ...status, ...(state && { state }), ...(lastState && { lastState }) },
  ];
  const key = { resource: 'pods', namespace: 'default', name: 'p' };
  const stored = (await api.store.get(key)) as AnyObject;
  await api.store.update('pods', {
    ...stored,
    status: { ...(stored['status'] as object), containerStatuses },
    control: { ...(stored.control as object), ...control },
  });
  return json.metadata.uid;
}

describe('log', () => {
  const url = `${PODS}/p/log`;

  it('gives the output of the only container', async () => {
    const uid = await given({ state: running });
    const answer = await api.get(`${url}?tailLines=5&limitBytes=9&timestamps=true&sinceSeconds=60`);
    expect([answer.code, answer.text]).toEqual([200, 'one\ntwo\n']);
    expect(answer.headers['content-type']).toBe('text/plain');
    expect(asked).toMatchObject([
      {
        task: `${uid}-1`,
        container: 'app',
        follow: false,
        tailLines: 5,
        limitBytes: 9,
        timestamps: true,
        sinceMs: api.clock.nowMs() - 60_000,
      },
    ]);
  });

  it.each([
    ['running', { state: running, control: { attempt: 3 } }, '', 3],
    [
      'the one before',
      { state: running, lastState: over, control: { attempt: 3 } },
      'previous=true',
      2,
    ],
    [
      'backing off',
      {
        state: waiting('CrashLoopBackOff'),
        lastState: over,
        control: { attempt: 3, taskStopped: true },
      },
      '',
      3,
    ],
    [
      'the last before a back-off',
      {
        state: waiting('CrashLoopBackOff'),
        lastState: over,
        control: { attempt: 3, taskStopped: true },
      },
      'previous=true',
      3,
    ],
    [
      'starting again',
      { state: waiting('ContainerCreating'), lastState: over, control: { attempt: 3 } },
      '',
      2,
    ],
    ['over', { state: over, control: { attempt: 1, taskStopped: true } }, '', 1],
  ])('reads the attempt that is meant: %s', async (_what, shape, query, attempt) => {
    const uid = await given(shape);
    expect((await api.get(`${url}?${query}`)).code).toBe(200);
    expect(asked[0]?.task).toBe(`${uid}-${attempt}`);
  });

  it.each([
    [
      { state: waiting('ImagePullBackOff') },
      '',
      'container "app" in pod "p" is waiting to start: ImagePullBackOff',
    ],
    [{}, '', 'container "app" in pod "p" is waiting to start: ContainerCreating'],
    [
      { state: running },
      'previous=true',
      'previous terminated container "app" in pod "p" not found',
    ],
    [{ state: running }, 'container=x', 'container x is not valid for pod p'],
    [
      { state: running, spec: TWO },
      '',
      'a container name must be specified for pod p, choose one of: [a b]',
    ],
    [
      { state: running },
      'sinceSeconds=0',
      'sinceSeconds: Invalid value: 0: must be greater than 0',
    ],
    [{ state: running }, 'sinceTime=then', 'sinceTime: "then" is not a time'],
    [
      { state: running },
      'tailLines=-1',
      'tailLines: Invalid value: -1: must be greater than or equal to 0',
    ],
  ])('of %j with %j says why not', async (shape, query, message) => {
    await given(shape);
    const answer = failure(await api.get(`${url}?${query}`));
    expect(answer).toEqual({ code: 400, reason: 'BadRequest', message });
  });

  it('is empty while the pod has no node, and 404 where there is no pod', async () => {
    await api.post(PODS, pod('p'));
    expect(await api.get(url)).toMatchObject({ code: 200, text: '' });
    expect((await api.get(`${PODS}/none/log`)).code).toBe(404);
  });

  it.each([
    [new NoSuchTask('gone'), 404],
    [new RuntimeUnavailable('busy'), 503],
  ])('that the runtime does not have (%s) is a Status', async (error, code) => {
    await given({ state: running });
    chunks = [error];
    expect(await api.get(url)).toMatchObject({ code, json: { kind: 'Status' } });
  });

  it('is followed until the client goes', async () => {
    await given({ state: running });
    const gone = new AbortController();
    const answer = api.call('GET', `${url}?follow=true`, { signal: gone.signal });
    await settle();
    gone.abort();
    expect((await answer).text).toBe('one\ntwo\n');
  });

  it('is followed at once although the container is silent', async () => {
    await given({ state: running });
    chunks = [];
    const gone = new AbortController();
    const answer = api.raw('GET', `${url}?follow=true`, { signal: gone.signal });
    await api.clock.advance(1_000);
    expect((await answer).status).toBe(200);
    gone.abort();
  });
});

describe('eviction', () => {
  it('deletes the pod with its grace', async () => {
    await given({ state: running });
    const body = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'p', namespace: 'default' },
      deleteOptions: { gracePeriodSeconds: 7 },
    };
    const answer = await api.post(`${PODS}/p/eviction`, body);
    expect([answer.code, answer.json.status]).toEqual([201, 'Success']);
    const { json } = await api.get(`${PODS}/p`);
    expect(json.metadata.deletionGracePeriodSeconds).toBe(7);
  });

  it.each([
    [{ kind: 'Pod' }, 400],
    [{ apiVersion: 'policy/v7' }, 400],
    [{ metadata: { name: 'q' } }, 400],
    [[], 400],
    [{ deleteOptions: { preconditions: { uid: 'x' } } }, 409],
  ])('refuses %j', async (body, code) => {
    await api.post(PODS, pod('p'));
    expect((await api.post(`${PODS}/p/eviction`, body)).code).toBe(code);
    expect((await api.get(`${PODS}/p`)).code).toBe(200);
  });
});

describe('binding', () => {
  const bind = (target: unknown) => api.post(`${PODS}/p/binding`, { target });

  it('binds once, with the intent to launch', async () => {
    await api.post(PODS, pod('p'));
    expect((await bind({ kind: 'Node', name: 'n1' })).code).toBe(201);
    const { json } = await api.get(`${PODS}/p`);
    expect(json.spec.nodeName).toBe('n1');
    expect(json.status.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }]);
    const stored = await api.store.get({ resource: 'pods', namespace: 'default', name: 'p' });
    expect(stored?.control).toMatchObject({ attempt: 1 });
    const again = failure(await bind({ name: 'n2' }));
    expect(again).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(again.message).toContain('already assigned to node "n1"');
  });

  it('leaves pods with GPUs to who hands these out', async () => {
    const made = pod('p');
    const containers = [
      { name: 'a', image: 'b', resources: { limits: { 'nvidia.com/gpu': '1' } } },
    ];
    await api.post(PODS, { ...made, spec: { ...(made['spec'] as object), containers } });
    const refused = failure(await bind({ kind: 'Node', name: 'n1' }));
    expect(refused).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(refused.message).toContain('pod p asks for GPUs');
  });

  it.each([
    [undefined],
    [{}],
    [{ name: 'Not A Node' }],
    [{ name: 5 }],
    [{ kind: 'Pod', name: 'a' }],
  ])('refuses %j', async (target) => {
    await api.post(PODS, pod('p'));
    expect(failure(await bind(target))).toMatchObject({ code: 422, reason: 'Invalid' });
  });
});
