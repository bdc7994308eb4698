/**
 * Hostile and broken requests: always a Status with the right code and reason, never a stack trace,
 * a partial write, a changed prototype or a dead server.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Answer,
  configMap,
  CONFIG_MAPS,
  failure,
  pod,
  PODS,
  service,
  TestApi,
} from './api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.withSystemObjects();
});

/** Nothing was written, nothing was logged as a defect, and no prototype has grown. */
afterEach(() => {
  expect(api.recorder.logs).toEqual([]);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

function expectStatus(answer: Answer, code?: number, reason?: string): void {
  const { kind, status, message } = answer.json as Record<string, string>;
  expect({ kind, status }).toEqual({ kind: 'Status', status: 'Failure' });
  expect(answer.json.code).toBe(answer.code);
  if (code !== undefined) expect(failure(answer)).toMatchObject({ code });
  if (reason !== undefined) expect(failure(answer)).toMatchObject({ reason });
  expect(String(message)).not.toMatch(/\bat .*\.ts:\d+|TypeError|RangeError/);
}

/** The same cases each time; change it to look for others. */
const SEED = 20_300_101;

const JSON_TYPE = 'application/json';
const YAML_TYPE = 'application/yaml';
const nested = (depth: number) => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
const meta = (text: string) => `{"apiVersion":"v1","kind":"ConfigMap","metadata":${text}}`;

describe('bodies', () => {
  it.each([
    ['empty', '', JSON_TYPE, 400, 'BadRequest'],
    ['cut off', '{"metadata":{"name":"x"', JSON_TYPE, 400, 'BadRequest'],
    ['no JSON', 'name: x', JSON_TYPE, 400, 'BadRequest'],
    ['a list', '[]', JSON_TYPE, 400, 'BadRequest'],
    ['null', 'null', JSON_TYPE, 400, 'BadRequest'],
    ['a text', '"x"', JSON_TYPE, 400, 'BadRequest'],
    ['NUL', '\u0000', JSON_TYPE, 400, 'BadRequest'],
    ['no YAML', 'a: b: c', YAML_TYPE, 400, 'BadRequest'],
    ['a YAML alias bomb', 'a: &a [x]\nb: [*a,*a]', YAML_TYPE, 400, 'BadRequest'],
    ['of an unknown type', '<x/>', 'text/xml', 415, 'UnsupportedMediaType'],
    ['no protobuf', '{}', 'application/vnd.kubernetes.protobuf', 400, 'BadRequest'],
    ['deep', meta(nested(100)), JSON_TYPE, 400, 'BadRequest'],
    ['very deep', nested(100_000), JSON_TYPE, 400, 'BadRequest'],
    ['deep lists', '['.repeat(100_000), JSON_TYPE, 400, 'BadRequest'],
    ['deep YAML', '['.repeat(5_000), YAML_TYPE, 400, 'BadRequest'],
    [
      'a number beyond numbers',
      meta('{"name":"x","generation":1e999}'),
      JSON_TYPE,
      400,
      'BadRequest',
    ],
    ['a name that is a number', meta('{"name":5}'), JSON_TYPE, 400, 'BadRequest'],
    ['labels that are a list', meta('{"name":"x","labels":["a"]}'), JSON_TYPE, 400, 'BadRequest'],
    ['metadata that is a text', meta('"x"'), JSON_TYPE, 400, 'BadRequest'],
    ['__proto__', meta('{"__proto__":{"polluted":1}}'), JSON_TYPE, 400, 'BadRequest'],
    ['an escaped __proto__', meta('{"\\u005f_proto__":{}}'), JSON_TYPE, 400, 'BadRequest'],
  ])('%s', async (_what, body, type, code, reason) => {
    const headers = { 'content-type': type };
    expectStatus(await api.call('POST', CONFIG_MAPS, { body, headers }), code, reason);
    expect((await api.get(CONFIG_MAPS)).json.items).toEqual([]);
  });

  it.each([
    [900_000, 201],
    [1_500_000, 413],
    [2_000_000, 413],
    [3_500_000, 413],
  ])('of %i bytes answer %i', async (size, code) => {
    const answer = await api.post(CONFIG_MAPS, configMap('big', { a: 'x'.repeat(size) }));
    expect(answer.code).toBe(code);
    if (code !== 201) expectStatus(answer, code, 'RequestEntityTooLarge');
  });

  it('in no valid UTF-8 are refused', async () => {
    const body = new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]);
    expectStatus(await api.call('POST', CONFIG_MAPS, { body }), 400, 'BadRequest');
  });

  it('keep keys that look like prototypes as plain data', async () => {
    const data = { constructor: 'a', toString: 'b', hasOwnProperty: 'c' };
    const { json } = await api.post(CONFIG_MAPS, configMap('keys', data));
    expect(json.data).toEqual(data);
  });
});

describe('names', () => {
  const BAD = [
    'Upper',
    '-a',
    'a-',
    'a b',
    'a/b',
    'a#b',
    '..',
    'a..b',
    'ä',
    'a\u0000',
    'a\n',
    'x'.repeat(254),
    '{{name}}',
    "a';--",
  ];
  it.each(BAD.map((name) => [JSON.stringify(name), name]))('%s is refused', async (_text, name) => {
    expectStatus(await api.post(CONFIG_MAPS, configMap(name)), 422, 'Invalid');
    const labels = { [`${name}/${name}/x`]: 'y' };
    expectStatus(await api.post(CONFIG_MAPS, configMap('ok', {}, { labels })), 422, 'Invalid');
  });

  it('of 253 characters are taken', async () => {
    expect((await api.post(CONFIG_MAPS, configMap('x'.repeat(253)))).code).toBe(201);
  });
});

describe('unknown fields', () => {
  const typo = { ...pod('p'), spec: { ...pod('p').spec, restartpolicy: 'Never' } };
  it.each([
    ['Strict', 400, undefined],
    ['Warn', 201, 'unknown field'],
    ['Ignore', 201, undefined],
    ['', 201, 'unknown field'],
    ['Loose', 422, undefined],
  ])('under %j answer %i', async (mode, code, warning) => {
    const answer = await api.post(`${PODS}?fieldValidation=${mode}`, typo);
    expect(answer.code).toBe(code);
    if (code >= 400) expectStatus(answer);
    const told = String(answer.headers['warning'] ?? '');
    if (warning === undefined) expect(told).not.toContain('unknown');
    else expect(told).toMatch(/^299 - "unknown field \\"spec.restartpolicy\\""/);
  });

  it('and duplicates are refused when strict', async () => {
    const body = '{"metadata":{"name":"d"},"data":{"a":"1","a":"2"}}';
    expectStatus(await api.call('POST', `${CONFIG_MAPS}?fieldValidation=Strict`, { body }), 400);
    expect((await api.call('POST', CONFIG_MAPS, { body })).json.data).toEqual({ a: '2' });
  });
});

describe('patches', () => {
  const url = `${CONFIG_MAPS}/a`;
  beforeEach(async () => {
    await api.post(CONFIG_MAPS, configMap('a'));
  });

  it.each([
    ['json', { op: 'add' }, 400],
    ['json', [{ op: 'explode', path: '/data/a' }], 400],
    ['json', [{ op: 'test', path: '/data/a', value: 'no' }], 422],
    ['json', [{ op: 'remove', path: '/data/none' }], 422],
    ['json', [{ op: 'add', path: '/__proto__/polluted', value: '1' }], undefined],
    ['json', [{ op: 'add', path: '/constructor/prototype/polluted', value: '1' }], undefined],
    ['json', [{ op: 'replace', path: '/metadata/name', value: 'b' }], 400],
    ['json', [{ op: 'replace', path: '/kind', value: 'Secret' }], 400],
    ['json', Array.from({ length: 5000 }, () => ({ op: 'test', path: '/kind', value: '' })), 413],
    ['json', [{ op: 'replace', path: '/metadata', value: 5 }], 400],
    ['merge', [], 400],
    ['merge', 'null', 400],
    ['merge', '{"__proto__":{"polluted":1}}', 400],
    ['merge', { metadata: { name: 'b' } }, 400],
    ['merge', { data: { a: 5 } }, 400],
    ['merge', { metadata: { uid: 'forged' } }, 409],
    ['merge', { metadata: { labels: { 'not a key': 'x' } } }, 422],
    ['strategic', { $patch: 'explode' }, 400],
    ['strategic', { data: 'text' }, 400],
    ['apply', 'a: &a b\nc: *a', 400],
    ['apply', { data: { a: '2' } }, 400],
    ['apply', { ...configMap('b') }, 400],
    ['strange', {}, 415],
  ] as const)('%s %j', async (kind, body, code) => {
    const before = (await api.get(url)).text;
    const query = kind === 'apply' ? '?fieldManager=me' : '';
    expectStatus(await api.patch(url + query, kind, body), code);
    expect((await api.get(url)).text).toBe(before);
  });

  it('that double their document twenty times are stopped', async () => {
    const copies = Array.from({ length: 20 }, (_, i) => ({
      op: 'copy',
      from: '/data',
      path: `/data/x${i}`,
    }));
    expectStatus(await api.patch(url, 'json', copies));
  });

  it('need a manager to be applied', async () => {
    expectStatus(await api.patch(url, 'apply', configMap('a')), 400, 'BadRequest');
    const long = `${url}?fieldManager=${'x'.repeat(200)}`;
    expectStatus(await api.patch(long, 'apply', configMap('a')), 422, 'Invalid');
  });
});

describe('server-side apply', () => {
  const url = `${CONFIG_MAPS}/shared`;
  const apply = (manager: string, data: object, more = '') =>
    api.patch(`${url}?fieldManager=${manager}${more}`, 'apply', configMap('shared', data));

  it('creates, changes, prunes and refuses what others own', async () => {
    expect((await apply('one', { a: '1', b: '1' })).code).toBe(201);
    expect((await apply('one', { a: '1', b: '1' })).code).toBe(200);
    const refused = await apply('two', { a: '2' });
    expectStatus(refused, 409, 'Conflict');
    expect(refused.json.details.causes).toEqual([
      { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' },
    ]);
    expect((await apply('two', { a: '2' }, '&force=true')).json.data).toEqual({ a: '2', b: '1' });
    expect((await apply('one', {})).json.data).toEqual({ a: '2' });
  });

  it('writes nothing when nothing changes', async () => {
    const first = await apply('one', { a: '1' });
    await api.clock.advance(5_000);
    const again = await apply('one', { a: '1' });
    expect(again.json).toEqual(first.json);
  });

  it('honours dry runs', async () => {
    expect((await apply('one', { a: '1' }, '&dryRun=All')).code).toBe(201);
    expect((await api.get(url)).code).toBe(404);
  });
});

const ODD_PATHS = [
  '',
  '/..',
  '//',
  '/api/',
  '/api//v1',
  '/api/v1/',
  '/api/v2',
  '/api/v1/nothing',
  '/api/v1/pods/p',
  '/api/v1/namespaces/default/pods/p/q',
  '/api/v1/namespaces/default/pods/p/status/x',
  '/api/v1/namespaces/default/nodes',
  '/api/v1/namespaces/default/namespaces',
  '/api/v1/namespaces//pods',
  '/api/v1/namespaces/default/pods/..',
  '/api/v1/namespaces/default/pods/%2e%2e',
  '/api/v1/namespaces/default/pods/%2e%2e%2fsecrets',
  '/api/v1/namespaces/default%2fpods/x',
  '/api/v1/namespaces/default/pods/a%00b',
  '/api/v1/namespaces/default/pods/%',
  '/api/v1/namespaces/default/pods/%c3%28',
  '/api/v1/namespaces/default/pods/a%5cb',
  '/apis/apps',
  '/apis/apps/v2',
  '/apis/apps/v1/pods',
  '/apis/apps/v1beta1/deployments',
  '/apis/../api/v1/pods',
  '/openapi/v3/../v2',
  '/openapi/v4',
  '/metrics',
  '/debug/pprof',
  '/.env',
  '/healthz/../api/v1/secrets',
  `/api/v1/${'x'.repeat(5_000)}`,
];
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'BREW'];

describe('paths', () => {
  it.each(METHODS)('that are odd answer a Status to %s', async (method) => {
    for (const path of ODD_PATHS) {
      const answer = await api.call(method, path, method === 'GET' ? {} : { body: {} });
      const served = method === 'GET' && answer.code === 200;
      if (!served) {
        expectStatus(answer);
        expect([path, answer.code]).toEqual([path, expect.toSatisfy((c) => c >= 400 && c < 500)]);
      }
    }
  });

  it('and methods that are not served answer 405', async () => {
    for (const [method, path] of [
      ['PUT', CONFIG_MAPS],
      ['PATCH', CONFIG_MAPS],
      ['BREW', CONFIG_MAPS],
      ['POST', '/version'],
      ['POST', `${PODS}/p/log`],
      ['DELETE', '/api/v1/namespaces'],
      ['POST', '/apis/nullplane.io/v1alpha1/nodeallocations'],
      ['OPTIONS', '/api'],
    ] as const) {
      expectStatus(await api.call(method, path, { body: {} }), 405, 'MethodNotAllowed');
    }
  });

  it('ignores who overrides the method', async () => {
    await api.post(CONFIG_MAPS, configMap('a'));
    const headers = { 'x-http-method-override': 'DELETE' };
    await api.call('GET', `${CONFIG_MAPS}/a`, { headers });
    expect((await api.get(`${CONFIG_MAPS}/a`)).code).toBe(200);
  });

  it('of any text never break the server', async () => {
    const segment = fc.oneof(
      fc.string(),
      fc.constantFrom('api', 'apis', 'v1', 'pods', 'namespaces'),
    );
    const paths = fc.array(segment, { maxLength: 7 }).map((parts) => `/${parts.join('/')}`);
    await fc.assert(
      fc.asyncProperty(paths, fc.constantFrom(...METHODS), async (path, method) => {
        const { status } = await api.raw(method, path);
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 300, seed: SEED },
    );
  });
});

describe('objects of any shape', () => {
  it('are stored as they should be or refused', async () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    const fields = fc.dictionary(
      fc.constantFrom('metadata', 'spec', 'status', 'containers', 'kind', 'name', 'labels'),
      fc.oneof(value, fc.dictionary(fc.constantFrom('name', 'containers', 'labels'), value)),
    );
    await fc.assert(
      fc.asyncProperty(fields, fc.constantFrom(PODS, CONFIG_MAPS), async (body, url) => {
        const answer = await api.post(url, body);
        if (answer.code !== 201) expectStatus(answer);
        expect(answer.code).toBeLessThan(500);
      }),
      { numRuns: 300, seed: SEED },
    );
  });

  it.each(['services', 'pods', 'configmaps'])(
    '%s keep their shape when they are changed',
    async (plural) => {
      const url = `/api/v1/namespaces/default/${plural}`;
      const objects = { services: service('x'), pods: pod('x'), configmaps: configMap('x') };
      await api.post(url, objects[plural as keyof typeof objects]);
      const value = fc.jsonValue({ maxDepth: 3 });
      const part = fc.dictionary(fc.constantFrom('ports', 'containers', 'selector', 'type'), value);
      const patches = fc.record({ spec: fc.oneof(value, part), metadata: fc.oneof(part, value) });
      await fc.assert(
        fc.asyncProperty(patches, fc.constantFrom('merge', 'strategic'), async (body, kind) => {
          const answer = await api.patch(`${url}/x`, kind, body);
          if (answer.code !== 200) expectStatus(answer);
          expect(answer.code).toBeLessThan(500);
        }),
        { numRuns: 200, seed: SEED },
      );
    },
  );
});
