/**
 * Requests in protobuf: the same outcome as in JSON, for what kubectl 1.33 sends in place of what
 * 1.31 sent (1.32 sends the same bytes), and a Status for everything else.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOfBase64 } from '../../../shared/api/base64.ts';
import { envelope, field, message, varintField } from '../api/protobuf/wire-writer.ts';
import { type Answer, CONFIG_MAPS, failure, pod, PODS, TestApi } from './api.ts';

const HEADERS = { 'content-type': 'application/vnd.kubernetes.protobuf' };

interface Recorded {
  readonly command: string;
  readonly url: string;
  readonly json: object;
  readonly protobuf: string;
}

const FILE = join(import.meta.dirname, '../api/protobuf/kubectl.json');
const RECORDED = JSON.parse(readFileSync(FILE, 'utf8')) as Recorded[];

const post = (api: TestApi, url: string, body: Uint8Array, headers = {}): Promise<Answer> =>
  api.call('POST', url, { body, headers: { ...HEADERS, ...headers } });

const named = (name: string, ...more: Uint8Array[]) =>
  message(field(1, message(field(1, name))), ...more);

describe('what kubectl sends', () => {
  it.each(RECORDED.map(({ command, ...rest }) => [command, rest] as const))(
    '%s',
    async (_command, { url, json, protobuf }) => {
      const one = await TestApi.withSystemObjects();
      const other = await TestApi.withSystemObjects();
      const wanted = await one.call('POST', url, { body: json });
      const answer = await post(other, url, bytesOfBase64(protobuf));
      expect([answer.code, answer.json]).toEqual([201, wanted.json]);
      expect(answer.headers['warning']).toEqual(wanted.headers['warning']);
      expect(other.recorder.audits).toEqual(one.recorder.audits);
    },
  );
});

describe('bodies in protobuf', () => {
  const cases: readonly (readonly [string, Uint8Array, number, string])[] = [
    ['nothing', new Uint8Array(), 400, 'BadRequest'],
    ['no envelope', message(field(1, 'x')), 400, 'BadRequest'],
    ['an empty envelope', envelope('', '', new Uint8Array()), 400, 'BadRequest'],
    ['no kind', envelope('v1', '', named('a')), 400, 'BadRequest'],
    ['another kind than that of the path', envelope('v1', 'Secret', named('a')), 400, 'BadRequest'],
    ['a kind without a message', envelope('v1', 'Quota', named('a')), 415, 'UnsupportedMediaType'],
    ['a known kind of another version', envelope('v2', 'Pod', named('a')), 415, ''],
    ['a prototype for a version', envelope('__proto__', 'Pod', named('a')), 415, ''],
    ['an internal message', envelope('v1', 'ObjectMeta', named('a')), 415, ''],
    ['compressed content', envelope('v1', 'ConfigMap', named('a'), 'gzip'), 400, 'BadRequest'],
    ['a cut off body', envelope('v1', 'ConfigMap', named('abc').subarray(0, 4)), 400, ''],
    ['a name that is a number', withMeta(varintField(1, 1n)), 400, 'BadRequest'],
    ['a name that is not UTF-8', withMeta(field(1, new Uint8Array([0xff]))), 400, 'BadRequest'],
    ['two names', withMeta(field(1, 'a'), field(1, 'b')), 400, 'BadRequest'],
    ['the label __proto__', withMeta(field(1, 'a'), entry(11, '__proto__', 'b')), 400, ''],
    ['a label twice', withMeta(field(1, 'a'), entry(11, 'k', 'a'), entry(11, 'k', 'b')), 400, ''],
    ['no name', envelope('v1', 'ConfigMap', message()), 422, 'Invalid'],
    ['more than the limit', new Uint8Array(1024 * 1024 + 1), 413, 'RequestEntityTooLarge'],
  ];

  function withMeta(...fields: readonly Uint8Array[]): Uint8Array {
    return envelope('v1', 'ConfigMap', message(field(1, message(...fields))));
  }

  function entry(number: number, key: string, value: string): Uint8Array {
    return field(number, message(field(1, key), field(2, value)));
  }

  it.each(cases)('with %s are refused', async (_what, body, code, reason) => {
    const api = await TestApi.withSystemObjects();
    const answer = await post(api, CONFIG_MAPS, body);
    expect(failure(answer)).toMatchObject({ code, ...(reason && { reason }) });
    expect((await api.get(CONFIG_MAPS)).json.items).toEqual([]);
    expect(api.recorder.logs).toEqual([]);
  });

  it('say what to do where a kind is not read', async () => {
    const api = await TestApi.withSystemObjects();
    const { json } = await post(api, CONFIG_MAPS, envelope('v1', 'Quota', named('a')));
    expect(json.message).toContain('"v1 Quota"');
    expect(json.message).toContain('--dry-run=client -o yaml');
  });

  it('keep keys that look like prototypes as plain data', async () => {
    const api = await TestApi.withSystemObjects();
    const keys = ['constructor', 'toString', 'hasOwnProperty'];
    const data = keys.map((key) => entry(2, key, 'x'));
    const { code, json } = await post(
      api,
      CONFIG_MAPS,
      envelope('v1', 'ConfigMap', named('a', ...data)),
    );
    expect([code, json.data]).toEqual([201, Object.fromEntries(keys.map((key) => [key, 'x']))]);
  });

  it('may hold fields of a later version: warned of, and never refused', async () => {
    const api = await TestApi.withSystemObjects();
    const later = field(1, message(field(1, 'a'), varintField(900, 7n), varintField(901, 0n)));
    const body = envelope('v1', 'ConfigMap', message(later));
    const warned = await post(api, `${CONFIG_MAPS}?fieldValidation=Strict`, body);
    expect([warned.code, warned.headers['warning']]).toEqual([
      201,
      ['299 - "unknown field number 900 in \\"metadata\\""'],
    ]);
    const other = await TestApi.withSystemObjects();
    const ignored = await post(other, `${CONFIG_MAPS}?fieldValidation=Ignore`, body);
    expect([ignored.code, ignored.headers['warning']]).toEqual([201, undefined]);
  });

  it('are as strict as JSON with fields that have a name and are not served', async () => {
    const volume = message(field(1, 'v'), field(2, message(field(9, message(field(1, 'e'))))));
    const container = message(field(1, 'c'), field(2, 'i'));
    const spec = message(field(1, volume), field(2, container));
    const body = envelope('v1', 'Pod', named('a', field(2, spec)));
    const api = await TestApi.withSystemObjects();
    const strict = await post(api, `${PODS}?fieldValidation=Strict`, body);
    expect(failure(strict)).toMatchObject({ code: 400 });
    expect(strict.json.message).toContain('unknown field "spec.volumes[0].glusterfs"');
  });

  it('of evictions, bindings, scales and deletions are read', async () => {
    const api = await TestApi.withSystemObjects();
    await api.post(PODS, pod('p'));
    const target = field(2, message(field(1, 'Node'), field(3, 'n1')));
    const bound = await post(
      api,
      `${PODS}/p/binding`,
      envelope('v1', 'Binding', named('p', target)),
    );
    expect(bound.code).toBe(201);
    const uid = field(2, message(field(1, 'another')));
    const wrong = envelope('policy/v1', 'Eviction', named('p', field(2, message(uid))));
    expect((await post(api, `${PODS}/p/eviction`, wrong)).code).toBe(409);
    const options = envelope('v1', 'DeleteOptions', message(varintField(1, 5n)));
    const deleted = await api.call('DELETE', `${PODS}/p`, { body: options, headers: HEADERS });
    expect([deleted.code, deleted.json.metadata.deletionGracePeriodSeconds]).toEqual([200, 5]);
  });

  it('are answered in JSON, or not at all where nothing but protobuf is accepted', async () => {
    const api = await TestApi.withSystemObjects();
    const body = envelope('v1', 'ConfigMap', named('a'));
    const both = { accept: 'application/vnd.kubernetes.protobuf,application/json' };
    expect((await post(api, CONFIG_MAPS, body, both)).headers['content-type']).toMatch(/json/);
    const only = { accept: 'application/vnd.kubernetes.protobuf' };
    expect(failure(await post(api, CONFIG_MAPS, body, only))).toMatchObject({ code: 406 });
  });

  it('that are damaged anywhere are answered, and never as a defect', async () => {
    const api = await TestApi.withSystemObjects();
    const bodies = RECORDED.map(({ url, protobuf }) => ({ url, bytes: bytesOfBase64(protobuf) }));
    const damage = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...bodies),
        damage,
        async ({ url, bytes }, { at, byte, cut }) => {
          const broken = bytes.slice(0, cut === 0 ? at % bytes.length : bytes.length);
          if (cut !== 0) broken[at % bytes.length] = byte;
          const { code } = await post(
            api,
            `${url}${url.includes('?') ? '&' : '?'}dryRun=All`,
            broken,
          );
          expect([201, 400, 404, 409, 413, 415, 422]).toContain(code);
        },
      ),
      { numRuns: 500, seed: 20_300_101 },
    );
    expect(api.recorder.logs).toEqual([]);
  });
});
