/** What writes do, and what they leave alone. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  configMap,
  CONFIG_MAPS,
  deployment,
  DEPLOYMENTS,
  failure,
  pod,
  PODS,
  service,
  SERVICES,
  TestApi,
} from './api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.withSystemObjects();
});

/** What a request leaves on what it wrote, and nothing else. */
const traced = { auditId: expect.any(String) as string };

describe('create', () => {
  it('fills in what is the server’s and keeps what is the client’s', async () => {
    const made = await api.post(DEPLOYMENTS, deployment('web'));
    expect(made.code).toBe(201);
    expect(made.json.metadata).toMatchObject({ name: 'web', namespace: 'default', generation: 1 });
    expect(made.json.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.json.metadata.resourceVersion).toMatch(/^[1-9][0-9]*$/);
    expect(made.json.spec.strategy.rollingUpdate.maxSurge).toBe('25%');
    expect((await api.get(`${DEPLOYMENTS}/web`)).json).toEqual(made.json);
  });

  it('takes nothing that is the server’s from the client', async () => {
    const forged = {
      uid: 'mine',
      creationTimestamp: '2001-01-01T00:00:00Z',
      generation: 42,
      deletionTimestamp: '2001-01-01T00:00:00Z',
      deletionGracePeriodSeconds: 5,
      selfLink: '/here',
    };
    const body = { ...pod('p', {}, forged), status: { phase: 'Running', podIP: '1.2.3.4' } };
    const { json, code } = await api.post(PODS, body);
    expect(code).toBe(201);
    expect(json.metadata).not.toMatchObject({ uid: 'mine' });
    expect(json.metadata.generation).toBe(1);
    expect(json.metadata.deletionTimestamp).toBeUndefined();
    expect(json.metadata.selfLink).toBeUndefined();
    expect(json.metadata.creationTimestamp).toBe('2030-01-01T00:00:00Z');
    expect(json.status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
  });

  it('leaves a pod that names its node to the scheduler, who knows what is free', async () => {
    const { json } = await api.post(PODS, pod('p', { nodeName: 'n1' }));
    expect([json.spec.nodeName, json.status.conditions]).toEqual(['n1', undefined]);
    const key = { resource: 'pods', namespace: 'default', name: 'p' };
    expect((await api.store.get(key))?.control).toEqual(traced);
  });

  it('never serves or accepts control', async () => {
    const body = { ...pod('p'), control: { attempt: 9 } };
    const { json } = await api.post(PODS, body);
    expect(json.control).toBeUndefined();
    const key = { resource: 'pods', namespace: 'default', name: 'p' };
    expect((await api.store.get(key))?.control).toEqual(traced);
    await api.post(`${PODS}/p/binding`, { target: { kind: 'Node', name: 'n1' } });
    expect((await api.store.get(key))?.control).toEqual({
      ...traced,
      attempt: 1,
      intentAtMs: api.clock.nowMs(),
    });
    const labelled = { metadata: { labels: { b: 'c' } }, control: null };
    expect((await api.patch(`${PODS}/p`, 'merge', labelled)).code).toBe(200);
    expect((await api.store.get(key))?.control).toMatchObject({ attempt: 1 });
  });

  it('generates a name of the prefix', async () => {
    const body = configMap('', {}, { generateName: 'job-' });
    const names = new Set<string>();
    for (let i = 0; i < 5; i++) names.add((await api.post(CONFIG_MAPS, body)).json.metadata.name);
    expect([...names].every((name) => /^job-[a-z0-9]{5}$/.test(name))).toBe(true);
    expect(names.size).toBe(5);
  });

  it.each([
    ['a name that is taken', CONFIG_MAPS, configMap('taken'), 409, 'AlreadyExists'],
    ['no name', CONFIG_MAPS, configMap(''), 422, 'Invalid'],
    ['another kind', CONFIG_MAPS, { ...configMap('a'), kind: 'Secret' }, 400, 'BadRequest'],
    ['another version', CONFIG_MAPS, { ...configMap('a'), apiVersion: 'v2' }, 400, 'BadRequest'],
    ['another namespace', CONFIG_MAPS, configMap('a', {}, { namespace: 'b' }), 400, 'BadRequest'],
    ['a version', CONFIG_MAPS, configMap('a', {}, { resourceVersion: '5' }), 400, 'BadRequest'],
    ['no such namespace', '/api/v1/namespaces/x/configmaps', configMap('a'), 404, 'NotFound'],
    ['no namespace', '/api/v1/configmaps', configMap('a'), 405, 'MethodNotAllowed'],
    ['an object of its name', `${CONFIG_MAPS}/a`, configMap('a'), 405, 'MethodNotAllowed'],
  ])('refuses %s', async (_what, url, body, code, reason) => {
    await api.post(CONFIG_MAPS, configMap('taken'));
    expect(failure(await api.post(url, body))).toMatchObject({ code, reason });
  });

  it('refuses new content in a namespace that is going', async () => {
    await api.post('/api/v1/namespaces', { metadata: { name: 'old' } });
    await api.delete('/api/v1/namespaces/old');
    const answer = await api.post('/api/v1/namespaces/old/configmaps', configMap('a'));
    expect(answer.json).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      details: { causes: [{ reason: 'NamespaceTerminating' }] },
    });
  });

  it('labels and holds namespaces', async () => {
    const { json } = await api.post('/api/v1/namespaces', { metadata: { name: 'team' } });
    expect(json.metadata.labels).toEqual({ 'kubernetes.io/metadata.name': 'team' });
    expect(json.spec.finalizers).toEqual(['kubernetes']);
    expect(json.status.phase).toBe('Active');
  });
});

describe('dry run', () => {
  it.each([
    ['POST', CONFIG_MAPS, configMap('b'), 201],
    ['PUT', `${CONFIG_MAPS}/a`, configMap('a', { a: '2' }), 200],
    ['DELETE', `${CONFIG_MAPS}/a`, undefined, 200],
    ['DELETE', CONFIG_MAPS, undefined, 200],
  ])('%s %s answers and writes nothing', async (method, url, body, code) => {
    await api.post(CONFIG_MAPS, configMap('a'));
    const before = (await api.get(CONFIG_MAPS)).text;
    const answer = await api.call(method, `${url}?dryRun=All`, { body });
    expect(answer.code).toBe(code);
    expect((await api.get(CONFIG_MAPS)).text).toBe(before);
  });

  it('gives what would be made no version', async () => {
    const { json } = await api.post(`${CONFIG_MAPS}?dryRun=All`, configMap('b'));
    expect(json.metadata.uid).toBeDefined();
    expect(json.metadata.resourceVersion).toBeUndefined();
  });

  it('is refused when it is not understood, and never taken for a write', async () => {
    const answer = await api.post(`${CONFIG_MAPS}?dryRun=Most`, configMap('b'));
    expect(failure(answer)).toMatchObject({ code: 422, reason: 'Invalid' });
    expect((await api.get(`${CONFIG_MAPS}/b`)).code).toBe(404);
  });
});

describe('update', () => {
  it('counts generations for the spec only', async () => {
    const { json } = await api.post(DEPLOYMENTS, deployment('web'));
    const url = `${DEPLOYMENTS}/web`;
    const labelled = { ...json, metadata: { ...json.metadata, labels: { a: 'b' } } };
    const first = await api.put(url, labelled);
    expect(first.json.metadata.generation).toBe(1);
    const scaled = { ...first.json, spec: { ...json.spec, replicas: 3 } };
    const second = await api.put(url, scaled);
    expect(second.json.metadata.generation).toBe(2);
    expect(second.json.metadata.creationTimestamp).toBe(json.metadata.creationTimestamp);
  });

  it('leaves the status to /status, and /status leaves the rest', async () => {
    const { json } = await api.post(DEPLOYMENTS, deployment('web'));
    const url = `${DEPLOYMENTS}/web`;
    const both = { ...json, status: { replicas: 9 }, spec: { ...json.spec, replicas: 7 } };
    delete both.metadata.resourceVersion;
    const status = await api.put(`${url}/status`, both);
    expect(status.json.status).toEqual({ replicas: 9 });
    expect(status.json.spec.replicas).toBe(2);
    expect(status.json.metadata.generation).toBe(1);
    const main = await api.put(url, { ...both, status: { replicas: 1 } });
    expect(main.json.spec.replicas).toBe(7);
    expect(main.json.status).toEqual({ replicas: 9 });
  });

  it('writes nothing when nothing changes', async () => {
    const { json } = await api.post(DEPLOYMENTS, deployment('web'));
    const again = await api.put(`${DEPLOYMENTS}/web`, deployment('web'));
    expect(again.json.metadata.resourceVersion).toBe(json.metadata.resourceVersion);
    const patched = await api.patch(`${DEPLOYMENTS}/web`, 'merge', { spec: { replicas: 2 } });
    expect(patched.json.metadata.resourceVersion).toBe(json.metadata.resourceVersion);
  });

  it('refuses stale versions and other uids, and takes none for the latest', async () => {
    const { json } = await api.post(CONFIG_MAPS, configMap('a'));
    const url = `${CONFIG_MAPS}/a`;
    const { resourceVersion, uid } = json.metadata;
    expect((await api.put(url, configMap('a', { a: '2' }))).code).toBe(200);
    const stale = await api.put(url, configMap('a', { a: '3' }, { resourceVersion }));
    expect(failure(stale)).toEqual({
      code: 409,
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; ' +
        'please apply your changes to the latest version and try again',
    });
    const other = await api.put(url, configMap('a', {}, { uid: `${uid.slice(0, -1)}x` }));
    expect(failure(other)).toMatchObject({ code: 409, reason: 'Conflict' });
    const patch = { metadata: { resourceVersion }, data: { a: '4' } };
    expect((await api.patch(url, 'merge', patch)).code).toBe(409);
    expect((await api.get(url)).json.data).toEqual({ a: '2' });
  });

  it('answers 404 for what is not there', async () => {
    const answer = await api.put(`${CONFIG_MAPS}/none`, configMap('none'));
    expect(failure(answer)).toEqual({
      code: 404,
      reason: 'NotFound',
      message: 'configmaps "none" not found',
    });
  });

  it('loses no update of writers that race', async () => {
    await api.post(CONFIG_MAPS, configMap('a', {}));
    const keys = Array.from({ length: 6 }, (_, i) => `k${i}`);
    const answers = await Promise.all(
      keys.map((key) => api.patch(`${CONFIG_MAPS}/a`, 'merge', { data: { [key]: 'x' } })),
    );
    expect(answers.map(({ code }) => code)).toEqual(keys.map(() => 200));
    expect(Object.keys((await api.get(`${CONFIG_MAPS}/a`)).json.data).sort()).toEqual(keys);
  });
});

describe('delete', () => {
  it('answers with a Status once the object is gone', async () => {
    const { json } = await api.post(CONFIG_MAPS, configMap('a'));
    const answer = await api.delete(`${CONFIG_MAPS}/a`);
    expect(answer.json).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'a', kind: 'configmaps', uid: json.metadata.uid },
    });
    expect((await api.get(`${CONFIG_MAPS}/a`)).code).toBe(404);
  });

  it('waits for finalizers, and goes with the last of them', async () => {
    await api.post(CONFIG_MAPS, configMap('a', {}, { finalizers: ['example.com/hold'] }));
    const marked = await api.delete(`${CONFIG_MAPS}/a`);
    expect(marked.json.metadata.deletionTimestamp).toBeDefined();
    const released = { metadata: { finalizers: null } };
    expect((await api.patch(`${CONFIG_MAPS}/a`, 'merge', released)).code).toBe(200);
    expect((await api.get(`${CONFIG_MAPS}/a`)).code).toBe(404);
  });

  it('gives a running pod its grace, from the body before the query', async () => {
    await api.post(PODS, pod('p'));
    await api.post(`${PODS}/p/binding`, { target: { kind: 'Node', name: 'n1' } });
    const { json } = await api.delete(`${PODS}/p?gracePeriodSeconds=9`, { gracePeriodSeconds: 5 });
    expect(json.metadata.deletionGracePeriodSeconds).toBe(5);
    expect((await api.get(`${PODS}/p`)).code).toBe(200);
  });

  it.each([
    [{ preconditions: { uid: 'other' } }, 409, 'Conflict'],
    [{ preconditions: { resourceVersion: '1' } }, 409, 'Conflict'],
    [{ propagationPolicy: 'Sideways' }, 422, 'Invalid'],
    [{ gracePeriodSeconds: 'soon' }, 400, 'BadRequest'],
    [[], 400, 'BadRequest'],
  ])('refuses %j', async (body, code, reason) => {
    await api.post(CONFIG_MAPS, configMap('a'));
    expect(failure(await api.delete(`${CONFIG_MAPS}/a`, body))).toMatchObject({ code, reason });
    expect((await api.get(`${CONFIG_MAPS}/a`)).code).toBe(200);
  });

  it('keeps the namespaces that everything needs', async () => {
    const answer = await api.delete('/api/v1/namespaces/kube-system');
    expect(failure(answer)).toMatchObject({ code: 403, reason: 'Forbidden' });
  });

  it('deletes a selection', async () => {
    for (const name of ['a', 'b', 'c']) {
      await api.post(CONFIG_MAPS, configMap(name, {}, { labels: { keep: String(name === 'b') } }));
    }
    const { json } = await api.delete(`${CONFIG_MAPS}?labelSelector=keep=false`);
    expect(json.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual([
      'a',
      'c',
    ]);
    expect((await api.get(CONFIG_MAPS)).json.items).toHaveLength(1);
  });

  it('holds a namespace until it is finalized', async () => {
    await api.post('/api/v1/namespaces', { metadata: { name: 'team' } });
    const { json } = await api.delete('/api/v1/namespaces/team');
    expect(json.status.phase).toBe('Terminating');
    const patched = await api.patch('/api/v1/namespaces/team', 'merge', {
      spec: { finalizers: [] },
    });
    expect(patched.json.spec.finalizers).toEqual(['kubernetes']);
    const finalized = { ...json, spec: {} };
    expect((await api.put('/api/v1/namespaces/team/finalize', finalized)).code).toBe(200);
    expect((await api.get('/api/v1/namespaces/team')).code).toBe(404);
  });
});

describe('services', () => {
  it('get an address of their own and keep it', async () => {
    const made = await api.post(SERVICES, service('a'));
    const { clusterIP } = made.json.spec;
    expect(clusterIP).toMatch(/^10\.(9[6-9]|10[0-9]|11[01])\.\d+\.\d+$/);
    expect(made.json.spec.clusterIPs).toEqual([clusterIP]);
    expect(String(made.headers['warning'])).toContain('not routed yet');
    const updated = await api.put(`${SERVICES}/a`, service('a', { ports: [{ port: 81 }] }));
    expect(updated.json.spec.clusterIP).toBe(clusterIP);
    const stolen = await api.post(SERVICES, service('b', { clusterIP }));
    expect(failure(stolen)).toMatchObject({ code: 422, reason: 'Invalid' });
  });

  it('have none when headless, and node ports when asked for', async () => {
    const headless = await api.post(SERVICES, service('h', { clusterIP: 'None' }));
    expect(headless.json.spec).toMatchObject({ clusterIP: 'None', clusterIPs: ['None'] });
    const { json } = await api.post(SERVICES, service('n', { type: 'NodePort' }));
    const [{ nodePort }] = json.spec.ports;
    expect(nodePort).toBeGreaterThanOrEqual(30_000);
    expect(nodePort).toBeLessThan(32_768);
    const ports = [{ port: 80, nodePort }];
    const taken = await api.post(SERVICES, service('m', { type: 'NodePort', ports }));
    expect(failure(taken)).toMatchObject({ code: 422, reason: 'Invalid' });
    const inner = await api.patch(`${SERVICES}/n`, 'merge', { spec: { type: 'ClusterIP' } });
    expect(inner.json.spec.ports[0].nodePort).toBeUndefined();
  });
});
