/** Who may do what, what is written down of it, and what is told to whom. */
import { beforeEach, describe, expect, it } from 'vitest';
import { serviceUnavailable } from '../../../shared/api/errors.ts';
import { TooLarge, Unavailable } from '../../../shared/ports/store.ts';
import type { Attributes } from '../../../shared/control/apiserver/context.ts';
import { configMap, CONFIG_MAPS, failure, PODS, TestApi } from './api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.withSystemObjects();
});

const JANE = { name: 'jane', groups: ['system:authenticated'] };

describe('authentication', () => {
  it('is asked of everything but health', async () => {
    api.user = undefined;
    for (const path of ['/api', '/apis', '/version', '/openapi/v2', PODS, '/', '/nothing']) {
      expect([path, failure(await api.get(path))]).toEqual([
        path,
        { code: 401, reason: 'Unauthorized', message: 'Unauthorized' },
      ]);
    }
    for (const path of ['/healthz', '/livez', '/readyz']) {
      expect(await api.get(path)).toMatchObject({ code: 200, text: 'ok' });
    }
  });
});

describe('impersonation', () => {
  it.each([PODS, '/version', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'])(
    'is refused rather than ignored, on %s',
    async (path) => {
      const headers = { 'impersonate-user': 'bob' };
      const answer = await api.call('POST', path, { headers });
      expect(failure(answer)).toMatchObject({ code: 403, reason: 'Forbidden' });
    },
  );
});

describe('authorization', () => {
  beforeEach(() => {
    api.user = JANE;
  });

  it('denies by default, in the words of Kubernetes', async () => {
    expect(failure(await api.delete(`${CONFIG_MAPS}/a`))).toEqual({
      code: 403,
      reason: 'Forbidden',
      message:
        'configmaps "a" is forbidden: User "jane" cannot delete resource "configmaps" in API ' +
        'group "" in the namespace "default"',
    });
    expect(failure(await api.get('/apis/apps/v1/deployments')).message).toBe(
      'deployments.apps is forbidden: User "jane" cannot list resource "deployments" in API ' +
        'group "apps" at the cluster scope',
    );
    expect(failure(await api.get('/version')).message).toBe(
      'forbidden: User "jane" cannot get path "/version"',
    );
  });

  it.each([
    ['GET', `${PODS}/p/log`, 'get', 'log'],
    ['GET', `${PODS}/p/exec`, 'create', 'exec'],
    ['POST', `${PODS}/p/eviction`, 'create', 'eviction'],
    ['PATCH', `${PODS}/p/status`, 'patch', 'status'],
    ['GET', `${PODS}?watch=true`, 'watch', ''],
    ['GET', `${PODS}/p?watch=1`, 'watch', ''],
    ['GET', `${PODS}?watch=false`, 'list', ''],
    ['DELETE', PODS, 'deletecollection', ''],
    ['HEAD', `${PODS}/p`, 'get', ''],
  ])('%s %s asks for %s of %j', async (method, url, verb, subresource) => {
    const asked: Attributes[] = [];
    api.allows = (_user, attributes) => {
      asked.push(attributes);
      return false;
    };
    expect((await api.call(method, url)).code).toBe(403);
    expect(asked).toMatchObject([{ verb, resource: 'pods', subresource, namespace: 'default' }]);
  });

  it('reviews what is asked about oneself', async () => {
    api.allows = (_user, { verb, resource }) => verb === 'get' && resource === 'pods';
    const url = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const ask = (verb: string) =>
      api.post(url, { spec: { resourceAttributes: { verb, resource: 'pods' } } });
    expect((await ask('get')).json.status).toEqual({ allowed: true });
    expect((await ask('delete')).json.status.allowed).toBe(false);
    expect(failure(await api.post(url, { spec: {} }))).toMatchObject({ code: 400 });
    const rules = await api.post('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
      spec: { namespace: 'default' },
    });
    expect(rules.json.status.resourceRules[0]).toEqual({
      verbs: ['get'],
      apiGroups: [''],
      resources: ['pods'],
    });
    const who = await api.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', {});
    expect(who.json.status.userInfo).toEqual({ username: 'jane', groups: JANE.groups });
  });

  it('shows reviews in no other form', async () => {
    const headers = { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' };
    const url = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const body = { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } };
    const answer = await api.call('POST', url, { body, headers });
    expect(failure(answer)).toMatchObject({ code: 406, reason: 'NotAcceptable' });
  });
});

describe('audit', () => {
  it('has one record a write, accepted or denied, and none for reads', async () => {
    const { json } = await api.post(CONFIG_MAPS, configMap('a'));
    await api.get(CONFIG_MAPS);
    await api.put(`${CONFIG_MAPS}/a`, configMap('b'));
    await api.patch(`${CONFIG_MAPS}/a`, 'merge', { data: { b: 'c' } });
    api.user = JANE;
    await api.delete(`${CONFIG_MAPS}/a`);
    api.user = undefined;
    await api.delete(CONFIG_MAPS);
    await api.post(`${PODS}/p/eviction`, {});
    const { resourceVersion } = json.metadata;
    expect(api.recorder.audits.map(({ atMs: _at, ...record }) => record)).toMatchObject([
      { user: 'admin', verb: 'create', name: 'a', code: 201, resourceVersion },
      { user: 'admin', verb: 'update', name: 'a', code: 400 },
      { user: 'admin', verb: 'patch', name: 'a', code: 200 },
      { user: 'jane', verb: 'delete', name: 'a', code: 403 },
      { user: 'system:anonymous', verb: 'deletecollection', name: '', code: 401 },
      { user: 'system:anonymous', verb: 'create', resource: 'pods/eviction', code: 401 },
    ]);
  });

  it('has a record of a write by somebody who could not be told', async () => {
    const authenticate = () => Promise.reject(serviceUnavailable('no answer from the other side'));
    const blind = await TestApi.withSystemObjects({ authenticate });
    const posted = await blind.post(CONFIG_MAPS, configMap('a'));
    const read = await blind.get(CONFIG_MAPS);
    const review = await blind.post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {});
    expect([posted.code, read.code, review.code]).toEqual([503, 503, 503]);
    expect(blind.recorder.audits).toMatchObject([
      {
        user: 'system:anonymous',
        verb: 'create',
        resource: 'configmaps',
        code: 503,
        auditId: posted.headers['audit-id'],
      },
    ]);
  });

  it('names what a generated name became', async () => {
    const { json } = await api.post(CONFIG_MAPS, configMap('', {}, { generateName: 'g-' }));
    expect(api.recorder.audits[0]?.name).toBe(json.metadata.name);
  });

  it('does not count what was only tried', async () => {
    await api.post(`${CONFIG_MAPS}?dryRun=All`, configMap('a'));
    expect(api.recorder.audits).toEqual([]);
  });
});

describe('failures', () => {
  const failing = async (error: Error) => {
    const { store } = api;
    store.get = () => Promise.reject(error);
    return api.get(`${CONFIG_MAPS}/a`);
  };

  it('that nobody foresaw are logged and not told', async () => {
    const answer = await failing(new TypeError('secret detail'));
    expect(answer.json).toMatchObject({ kind: 'Status', code: 500, reason: 'InternalError' });
    expect(answer.text).not.toContain('secret');
    expect(api.recorder.logs).toMatchObject([
      { level: 'error', fields: { error: expect.stringContaining('secret detail') } },
    ]);
  });

  it('of what is too large are told in the words of who refused it', async () => {
    const answer = await failing(new TooLarge('vault: a value is larger than 30 parts'));
    expect(failure(answer)).toEqual({
      code: 413,
      reason: 'RequestEntityTooLarge',
      message: 'Request entity too large: vault: a value is larger than 30 parts',
    });
  });

  it('of a store that is down are to be tried again', async () => {
    const answer = await failing(new Unavailable('throttled'));
    expect([answer.code, answer.headers['retry-after']]).toEqual([503, '1']);
    const write = await api.delete(`${CONFIG_MAPS}/a`);
    expect([write.code, write.headers['retry-after']]).toEqual([503, undefined]);
    expect(api.recorder.logs).toEqual([]);
  });
});

describe('discovery', () => {
  const aggregated = (version: string) =>
    `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;

  it.each(['v2', 'v2beta1'])('is told at once in %s', async (version) => {
    const { json, headers } = await api.get('/apis', `${aggregated(version)},application/json`);
    expect(headers['content-type']).toBe(aggregated(version));
    const apps = json.items.find((g: { metadata: { name: string } }) => g.metadata.name === 'apps');
    const deployments = apps.versions[0].resources[0];
    expect(deployments).toMatchObject({
      resource: 'deployments',
      scope: 'Namespaced',
      shortNames: ['deploy'],
      responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
    });
    expect(deployments.subresources).toContainEqual({
      subresource: 'scale',
      responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      verbs: ['get', 'patch', 'update'],
    });
  });

  it('is told by group to those who ask so', async () => {
    expect((await api.get('/api')).json.versions).toEqual(['v1']);
    const { groups } = (await api.get('/apis')).json;
    expect(groups.map(({ name }: { name: string }) => name)).toContain('policy');
    const { resources } = (await api.get('/api/v1')).json;
    expect(resources).toContainEqual(
      expect.objectContaining({ name: 'pods/eviction', kind: 'Eviction', group: 'policy' }),
    );
    expect((await api.get('/apis/apps')).json.preferredVersion.version).toBe('v1');
  });

  it('is not sent again to those who have it', async () => {
    for (const path of ['/api', '/apis', '/openapi/v3', '/openapi/v3/apis/apps/v1']) {
      const { headers } = await api.get(path);
      const etag = String(headers['etag']);
      const again = await api.call('GET', path, { headers: { 'if-none-match': etag } });
      expect([path, again.code, again.text]).toEqual([path, 304, '']);
    }
  });

  it('comes with OpenAPI, empty in version 2 and real in version 3', async () => {
    expect(await api.get('/openapi/v2')).toMatchObject({
      code: 200,
      text: '',
      headers: { 'content-type': 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' },
    });
    const { paths } = (await api.get('/openapi/v3')).json;
    const url = String(paths['apis/apps/v1'].serverRelativeURL);
    expect((await api.get(url)).json.components.schemas).toHaveProperty(
      ['io.k8s.api.apps.v1.Deployment', 'x-kubernetes-group-version-kind', 0, 'kind'],
      'Deployment',
    );
  });
});

describe('the objects of every cluster', () => {
  it('are there, once', async () => {
    const before = (await api.get('/api/v1/namespaces')).text;
    const other = await TestApi.withSystemObjects({ store: api.store });
    expect(other).toBeDefined();
    expect((await api.get('/api/v1/namespaces')).text).toBe(before);
    const { json } = await api.get('/api/v1/namespaces/default/services/kubernetes');
    expect(json.spec.clusterIP).toBe('10.96.0.1');
  });
});
