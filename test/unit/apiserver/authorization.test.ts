/**
 * The built-in groups, against an oracle that was written apart from them: a sentence a right, in
 * other words than the table's.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { User } from '../../../shared/api/http.ts';
import { RESOURCES } from '../../../shared/api/resources.ts';
import { allowedByGroups } from '../../../shared/control/apiserver/authorization.ts';
import type { Attributes } from '../../../shared/control/apiserver/context.ts';
import { configMap, failure, TestApi } from './api.ts';

const READS = ['get', 'list', 'watch'];
const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection'];
const VERBS = [...READS, ...WRITES, '*', 'impersonate', 'bind', 'escalate'];
const SUBJECTS = [
  'system:anonymous',
  'system:authenticated',
  'nullplane:view:shop',
  'nullplane:edit:shop',
  'nullplane:admin:shop',
  'nullplane:view:kube-system',
  'nullplane:admin:kube-system',
  'nullplane:view',
  'nullplane:edit',
  'nullplane:admin',
];
const SCOPES = ['shop', 'other', 'kube-system', ''];
const TARGETS = RESOURCES.flatMap((type) =>
  ['', ...type.subresources].map((subresource) => ({ type, subresource })),
);

const user = (...groups: string[]): User => ({ name: 'jane', groups });

interface Case {
  readonly target: (typeof TARGETS)[number];
  readonly verb: string;
  readonly scope: string;
  readonly name: string;
}

function attributesOf({ target: { type, subresource }, verb, scope, name }: Case): Attributes {
  const { group, plural: resource, namespaced } = type;
  const namespace = namespaced ? scope : '';
  return { verb, group, resource, subresource, namespace, name, path: '' };
}

/** What docs/access.md promises. */
function promised(group: string, { target, verb, scope, name }: Case): boolean {
  const [prefix, role = '', within] = group.split(':');
  if (prefix !== 'nullplane') return false;
  const { type, subresource } = target;
  const what = type.plural + (subresource && `/${subresource}`);
  const rank = ['view', 'edit', 'admin'].indexOf(role);
  if (!type.namespaced) {
    if (within !== undefined) return what === 'namespaces' && verb === 'get' && name === within;
    if (READS.includes(verb))
      return subresource === '' || (subresource === 'status' && verb === 'get');
    const isBuiltIn =
      what === 'namespaces' && ['default', 'kube-public', 'kube-system'].includes(name);
    return (
      rank === 2 &&
      subresource === '' &&
      type.kind !== 'NodeAllocation' &&
      !(type.kind === 'NodeClaim' && verb === 'create') &&
      WRITES.includes(verb) &&
      !isBuiltIn
    );
  }
  if (within !== undefined && within !== scope) return false;
  const isSystem = scope === 'kube-system' || scope === '';
  if (READS.includes(verb)) {
    if (what === 'secrets') return rank >= 1 && !isSystem;
    if (what === 'pods/exec') return rank >= 1 && !isSystem && verb === 'get';
    if (['pods/binding', 'pods/eviction'].includes(what)) return false;
    return subresource === '' || verb === 'get';
  }
  if (isSystem || !WRITES.includes(verb)) return false;
  if (what === 'pods/exec' || what === 'pods/eviction') return rank >= 1 && verb === 'create';
  if (subresource === 'scale') return rank >= 1 && ['update', 'patch'].includes(verb);
  if (subresource !== '') return false;
  if (what === 'endpointslices') return false;
  if (what === 'events' || what === 'serviceaccounts') return rank === 2;
  return rank >= 1;
}

const CASES: readonly Case[] = TARGETS.flatMap((target) =>
  VERBS.flatMap((verb) =>
    SCOPES.flatMap((scope) =>
      ['', 'x', 'shop', 'default', 'kube-system'].map((name) => ({ target, verb, scope, name })),
    ),
  ),
);

describe('each group', () => {
  it.each(SUBJECTS)('%s may do what is promised, and nothing else', (group) => {
    const wrong = CASES.filter(
      (one) => allowedByGroups(user(group), attributesOf(one)) !== promised(group, one),
    ).map(({ target, ...one }) => ({ ...one, type: target.type.name, sub: target.subresource }));
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(CASES.length).toBeGreaterThan(5_000);
  });

  it.each([
    'nullplane:',
    'nullplane:view:',
    'nullplane::shop',
    'nullplane:edit:shop:other',
    'nullplane:edit:*',
    'nullplane:*',
    'nullplane:root',
    'nullplane:constructor',
    'nullplane:__proto__',
    'Nullplane:edit',
    'nullplane:Edit',
    ' nullplane:edit',
    'nullplane:edit ',
    'nullplane:edit: shop',
    'xnullplane:edit',
    'edit',
    'system:masters:',
    'cluster-admin',
    'system:nodes',
  ])('of another name allows nothing: %j', (group) => {
    expect(CASES.filter((one) => allowedByGroups(user(group), attributesOf(one)))).toEqual([]);
  });

  it('says nothing of kinds and names that are not served', () => {
    for (const resource of [
      '*',
      'constructor',
      '__proto__',
      'roles',
      'pods/exec',
      'deployments.apps',
      'toString',
    ]) {
      for (const verb of [...VERBS, 'constructor', '0', 'length']) {
        const asked = { verb, group: '', resource, subresource: '', name: '', path: '' };
        const one = { ...asked, namespace: 'shop' };
        expect([resource, allowedByGroups(user('nullplane:admin'), one)]).toEqual([
          resource,
          false,
        ]);
      }
    }
    const foreign = { verb: 'get', group: 'evil', resource: 'pods', subresource: '', name: '' };
    const attributes = { ...foreign, namespace: 'shop', path: '' };
    expect(allowedByGroups(user('nullplane:admin'), attributes)).toBe(false);
  });
});

describe('several groups', () => {
  const group = fc.oneof(
    fc.constantFrom(...SUBJECTS, 'nullplane:edit:other', 'system:nodes', 'nullplane:edit:'),
    fc.string(),
  );
  const one = fc.constantFrom(...CASES);

  it('never allow less than one of them', () => {
    const property = fc.property(fc.array(group), group, one, (groups, more, asked) => {
      const attributes = attributesOf(asked);
      const before = allowedByGroups(user(...groups), attributes);
      return !before || allowedByGroups(user(...groups, more), attributes);
    });
    fc.assert(property, { numRuns: 3_000 });
  });

  it('of one namespace each reach neither another one nor the cluster', () => {
    const role = fc.constantFrom('view', 'edit', 'admin');
    const property = fc.property(fc.array(role), one, (roles, asked) => {
      const groups = roles.map((name) => `nullplane:${name}:shop`);
      const attributes = attributesOf(asked);
      if (!allowedByGroups(user(...groups), attributes)) return true;
      const isItself = attributes.resource === 'namespaces' && attributes.name === 'shop';
      return attributes.namespace === 'shop' || isItself;
    });
    fc.assert(property, { numRuns: 3_000 });
  });

  it('never reach who is who', () => {
    const groups = user(...SUBJECTS);
    for (const verb of WRITES) {
      for (const namespace of ['kube-system', '']) {
        const aws = { verb, group: '', resource: 'configmaps', subresource: '', name: 'aws-auth' };
        expect(allowedByGroups(groups, { ...aws, namespace, path: '' })).toBe(false);
      }
    }
  });
});

describe('paths that are no resources', () => {
  const ask = (path: string, verb = 'get', ...groups: string[]) =>
    allowedByGroups(user(...groups), {
      ...{ verb, path, group: '', resource: '', subresource: '', namespace: '', name: '' },
    });

  it.each([
    '/',
    '/api',
    '/api/',
    '/apis',
    '/api/v1',
    '/apis/apps/v1',
    '/openapi/v2',
    '/openapi/v3/apis/apps/v1',
    '/version',
    '/version/',
  ])('%s is open to all who are known, to read', (path) => {
    expect(ask(path, 'get', 'system:authenticated')).toBe(true);
    expect(ask(path, 'head', 'system:authenticated')).toBe(true);
    expect(ask(path, 'post', 'system:authenticated')).toBe(false);
    expect(ask(path, 'get', 'system:unauthenticated')).toBe(false);
    expect(ask(path, 'get', 'nullplane:admin')).toBe(false);
  });

  it.each([
    '',
    '*',
    '/*',
    '/metrics',
    '/logs',
    '/debug/pprof',
    '/apisx',
    '/API',
    '/%61pi',
    '/api/\n',
    '/version/x',
    '/..',
    'api',
  ])('%j is not', (path) => {
    expect(ask(path, 'get', 'system:authenticated', 'nullplane:admin')).toBe(false);
  });
});

describe('over the API', () => {
  const start = async (...groups: string[]) => {
    const api = await TestApi.withSystemObjects({ authorize: allowedByGroups });
    await api.post('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop' },
    });
    await api.post('/api/v1/namespaces/shop/configmaps', configMap('there'));
    await api.post('/api/v1/namespaces/default/configmaps', configMap('there'));
    await api.post('/api/v1/namespaces/kube-system/configmaps', configMap('aws-auth'));
    api.user = user(...groups, 'system:authenticated');
    return api;
  };

  it('what is there and what is not are refused alike', async () => {
    const api = await start('nullplane:edit:shop');
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      const ask = async (name: string) => {
        const answer = await api.call(method, `/api/v1/namespaces/default/configmaps/${name}`);
        const { 'audit-id': _id, ...headers } = answer.headers;
        return JSON.stringify([answer.code, headers, answer.text]).replaceAll(name, 'NAME');
      };
      expect(await ask('there')).toBe(await ask('missing'));
      const other = await api.call(method, '/api/v1/namespaces/missing/configmaps/there');
      expect(failure(other)).toMatchObject({ code: 403, reason: 'Forbidden' });
    }
  });

  it('a group of one namespace works there', async () => {
    const api = await start('nullplane:edit:shop');
    expect((await api.post('/api/v1/namespaces/shop/configmaps', configMap('p'))).code).toBe(201);
    expect((await api.get('/api/v1/namespaces/shop')).code).toBe(200);
    expect((await api.get('/api/v1/namespaces/default')).code).toBe(403);
    expect((await api.get('/api/v1/pods')).code).toBe(403);
    const watch = (url: string) => api.raw('GET', `${url}?watch=true`);
    expect((await watch('/api/v1/namespaces/shop/pods')).status).toBe(200);
    expect((await watch('/api/v1/namespaces/default/pods')).status).toBe(403);
  });

  it.each(['nullplane:admin', 'nullplane:admin:kube-system'])(
    '%s changes nothing in kube-system',
    async (group) => {
      const api = await start(group);
      const url = '/api/v1/namespaces/kube-system/configmaps';
      expect((await api.patch(`${url}/aws-auth`, 'merge', { data: { a: 'b' } })).code).toBe(403);
      expect((await api.patch(`${url}/aws-auth`, 'apply', {})).code).toBe(403);
      expect((await api.delete(`${url}/aws-auth`)).code).toBe(403);
      expect((await api.delete(url)).code).toBe(403);
      expect((await api.delete('/api/v1/configmaps')).code).toBe(403);
      expect((await api.delete('/api/v1/namespaces/kube-system')).code).toBe(403);
      expect((await api.post(url, configMap('new'))).code).toBe(403);
      expect((await api.get('/api/v1/namespaces/kube-system/secrets')).code).toBe(403);
      expect((await api.get('/api/v1/secrets')).code).toBe(403);
    },
  );

  it('auth can-i answers from the same table', async () => {
    const api = await start('nullplane:edit:shop');
    const url = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const can = async (resourceAttributes: object) =>
      (await api.post(url, { spec: { resourceAttributes } })).json.status.allowed as boolean;
    const pods = { verb: 'create', resource: 'pods', namespace: 'shop' };
    expect(await can(pods)).toBe(true);
    expect(await can({ ...pods, subresource: 'exec' })).toBe(true);
    expect(await can({ ...pods, subresource: 'binding' })).toBe(false);
    expect(await can({ ...pods, namespace: 'default' })).toBe(false);
    expect(await can({ ...pods, namespace: '' })).toBe(false);
    expect(await can({ verb: '*', resource: '*', group: '*', namespace: 'shop' })).toBe(false);
    const rules = await api.post('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
      spec: { namespace: 'shop' },
    });
    expect(rules.json.status.resourceRules).toContainEqual({
      verbs: ['create', 'get'],
      apiGroups: [''],
      resources: ['pods/exec'],
    });
  });
});
