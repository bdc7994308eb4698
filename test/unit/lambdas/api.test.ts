/** The api function between API Gateway's events and the API server: requests, whole answers. */
import { beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../../../adapters/memory/step-clock.ts';
import { apiHandler, bufferedHandler, streamingHandler } from '../../../lambdas/api/handler.ts';
import type { ApiRequest, ApiResponse } from '../../../shared/api/http.ts';
import {
  http,
  JSON_HEADERS,
  OK,
  rest,
  type Rest,
  statusOf,
  streaming,
  World,
} from './api-fixtures.ts';
import { FakeResponseStream, fakeLambda } from './fake-streams.ts';

let world: World;
beforeEach(() => {
  world = new World();
});

describe('the path', () => {
  it.each<[string, Rest, string]>([
    ['without its stage', {}, '/api/v1/pods'],
    ['of a stage that is named like a path', { path: '/api/v1', stage: 'api' }, '/api/v1'],
    [
      'of a domain of its own, where no stage is',
      { path: '/api/v1', sent: '/api/v1', stage: 'api' },
      '/api/v1',
    ],
    [
      'of a domain with a base path',
      { path: '/base/api/v1', sent: '/base/api/v1', proxy: 'api/v1' },
      '/api/v1',
    ],
    ['of the root', { path: '/', sent: '/prod/' }, '/'],
    [
      'still encoded, where the event has it decoded',
      { path: '/api/v1/nodes/a:b c', sent: '/prod/api/v1/nodes/a%3Ab%20c' },
      '/api/v1/nodes/a%3Ab%20c',
    ],
    [
      'still encoded, where the event has it encoded',
      {
        path: '/api/v1/nodes/a%2Fb',
        sent: '/prod/api/v1/nodes/a%2Fb',
        proxy: 'api/v1/nodes/a%2Fb',
      },
      '/api/v1/nodes/a%2Fb',
    ],
    [
      'whose slash is part of a name',
      { path: '/api/v1/nodes/a/b', sent: '/prod/api/v1/nodes/a%2Fb' },
      '/api/v1/nodes/a%2Fb',
    ],
    ['with broken encoding', { path: '/api/%', sent: '/prod/api/%' }, '/api/%25'],
    ['with what can not stand in one', { path: '/a b?c#d', sent: '' }, '/a%20b%3Fc%23d'],
    ['beyond ASCII', { path: '/é\u{1f600}\ud800', sent: '' }, '/%C3%A9%F0%9F%98%80%EF%BF%BD'],
  ])('of REST APIs arrives %s', async (_what, given, expected) => {
    await bufferedHandler(world.options())(rest(given));
    expect(world.only().path).toBe(expected);
  });

  it.each([
    ['/api/v1/pods', '$default', '/api/v1/pods'],
    ['/prod/api/v1/pods', 'prod', '/api/v1/pods'],
    ['/api/v1/pods', 'prod', '/api/v1/pods'],
    ['/api/v1/nodes/a b?c', '$default', '/api/v1/nodes/a%20b%3Fc'],
    ['/api/v1/nodes/a%3Ab', '$default', '/api/v1/nodes/a%3Ab'],
  ])('of HTTP APIs: %s at %s is %s', async (raw, stage, expected) => {
    await bufferedHandler(world.options())(http(raw, '', stage));
    expect(world.only().path).toBe(expected);
  });
});

describe('a request', () => {
  it('of a REST API arrives whole', async () => {
    await bufferedHandler(world.options())(
      rest({
        method: 'POST',
        query: { command: ['ls', '-l a&b'], stdin: ['true'] },
        headers: { Authorization: ['Bearer x'], ACCEPT: ['a', 'b'] },
        body: Buffer.from([0, 255, 10]).toString('base64'),
        base64: true,
      }),
    );
    const { method, query, headers, body } = world.only();
    expect([method, query.getAll('command'), query.get('stdin')]).toEqual([
      'POST',
      ['ls', '-l a&b'],
      'true',
    ]);
    expect(headers).toEqual({ authorization: 'Bearer x', accept: 'a, b' });
    expect([...body]).toEqual([0, 255, 10]);
  });

  it('of an HTTP API arrives whole', async () => {
    await bufferedHandler(world.options())(
      http('/x', 'command=ls&command=-l%20a%26b&labelSelector=a%3Db'),
    );
    const { query, headers } = world.only();
    expect(query.getAll('command')).toEqual(['ls', '-l a&b']);
    expect(query.get('labelSelector')).toBe('a=b');
    expect(headers).toEqual({ accept: 'a', authorization: 'Bearer x' });
  });

  it.each([
    ['text', 'a'.repeat(3 * 1024 * 1024 + 1), false],
    ['base64', Buffer.alloc(3 * 1024 * 1024 + 1).toString('base64'), true],
  ])(
    'with too large a body of %s is refused before it is looked at',
    async (_what, body, base64) => {
      const event = rest({ method: 'POST', body, base64 });
      const { statusCode, body: answer } = await bufferedHandler(world.options())(event);
      expect([statusCode, statusOf(answer).reason]).toEqual([413, 'RequestEntityTooLarge']);
      const out = new FakeResponseStream();
      await streamingHandler(world.options(), fakeLambda)(event, out);
      expect(out.answer).toMatchObject({ statusCode: 413, body: answer });
      expect(world.asked).toEqual([]);
    },
  );

  it('of the largest size is taken', async () => {
    await bufferedHandler(world.options())(
      rest({ method: 'POST', body: 'a'.repeat(3 * 1024 * 1024) }),
    );
    expect(world.only().body.length).toBe(3 * 1024 * 1024);
  });
});

describe('the wakes of a write', () => {
  it('are sent before it is answered', async () => {
    await bufferedHandler(world.options())(rest({ method: 'POST' }));
    const out = new FakeResponseStream();
    world.flush = async () => {
      world.order.push('flush');
      expect(out.sent.length).toBe(0);
    };
    await streamingHandler(world.options(), fakeLambda)(rest({ method: 'POST' }), out);
    expect(world.order).toEqual(['handle', 'flush', 'handle', 'flush']);
  });

  it('that can not be sent are left to the stream of the table', async () => {
    world.flush = () => Promise.reject(new Error('down'));
    const answer = await bufferedHandler(world.options())(rest({ method: 'POST' }));
    expect(answer.statusCode).toBe(200);
    expect(world.recorder.logs).toMatchObject([{ level: 'warn' }]);
  });
});

describe('commands in a pod', () => {
  it.each(['exec', 'attach', 'portforward'])('by %s are told what works instead', async (what) => {
    world.respond = () => ({ status: 400, headers: {}, body: 'Upgrade request required' });
    for (const method of ['GET', 'POST']) {
      const path = `/api/v1/namespaces/default/pods/p/${what}`;
      const { statusCode, body } = await bufferedHandler(world.options())(rest({ method, path }));
      expect(statusCode).toBe(501);
      expect(statusOf(body)).toMatchObject({
        kind: 'Status',
        reason: 'NotImplemented',
        message: expect.stringContaining('aws ecs execute-command') as string,
      });
    }
  });

  it.each([401, 403, 404])('are first of all refused: %d', async (status) => {
    world.respond = () => ({ status, headers: {}, body: 'no' });
    const path = '/api/v1/namespaces/default/pods/p/exec';
    expect(await bufferedHandler(world.options())(rest({ path }))).toMatchObject({
      statusCode: status,
    });
  });

  it('never upgrade', async () => {
    const run = () => Promise.resolve();
    world.respond = () => ({
      status: 101,
      headers: {},
      body: '',
      upgrade: { protocol: 'v5', run },
    });
    expect(await bufferedHandler(world.options())(rest())).toMatchObject({ statusCode: 501 });
  });
});

describe('a buffered answer', () => {
  const answer = (response: ApiResponse, event = rest()) => {
    world.respond = () => response;
    return bufferedHandler(world.options())(event);
  };

  it('has its headers, one or many', async () => {
    const headers = { ...JSON_HEADERS, warning: ['299 - "a"', '299 - "b"'] };
    const body = '{}';
    expect(await answer({ status: 201, headers, body })).toEqual({
      statusCode: 201,
      headers: JSON_HEADERS,
      multiValueHeaders: { warning: ['299 - "a"', '299 - "b"'] },
      body,
      isBase64Encoded: false,
    });
    expect(await answer({ status: 201, headers, body }, http('/x') as never)).toMatchObject({
      headers: { ...JSON_HEADERS, warning: '299 - "a", 299 - "b"' },
    });
  });

  it('has no body for HEAD', async () => {
    expect((await answer(OK, rest({ method: 'HEAD' }))).body).toBe('');
  });

  it('is text where it is text, cut characters put together', async () => {
    const bytes = Buffer.from('é€😀');
    const source = [...bytes].map((byte) => Uint8Array.of(byte));
    const given = await answer(
      streaming(
        (async function* () {
          yield* source;
        })(),
      ),
    );
    expect(given).toMatchObject({ body: 'é€😀', isBase64Encoded: false });
  });

  it('is bytes where it is not', async () => {
    const bytes = Uint8Array.of(104, 255, 0, 10);
    const given = await answer(
      streaming(
        (async function* () {
          yield bytes;
        })(),
      ),
    );
    expect(given.isBase64Encoded).toBe(true);
    expect([...Buffer.from(given.body, 'base64')]).toEqual([...bytes]);
  });

  it.each([
    ['in one', (): ApiResponse['body'] => 'x'.repeat(5_000_000)],
    [
      'in parts',
      async function* () {
        for (let part = 0; part < 60; part++) yield 'x'.repeat(100_000);
      },
    ],
  ])('that is too large %s is refused, not cut', async (_what, body) => {
    const { statusCode, body: text } = await answer(streaming(body()));
    expect([statusCode, statusOf(text).reason]).toEqual([413, 'RequestEntityTooLarge']);
    expect(statusOf(text).message).toContain('limit');
  });

  it('fits Lambda whatever it holds', async () => {
    for (const text of ['"', '\u001b', '\n', 'é', '\\']) {
      const given = await answer(streaming(text.repeat(4_600_000 / Buffer.byteLength(text))));
      expect(given.statusCode).toBe(200);
      expect(Buffer.byteLength(JSON.stringify(given))).toBeLessThan(6 * 1024 * 1024);
    }
  });

  it('of a watch that tells much ends at a line', async () => {
    const line = `${'x'.repeat(99_999)}\n`;
    const body = (async function* () {
      for (;;) yield line;
    })();
    const given = await answer(streaming(body), rest({ query: { watch: ['true'] } }));
    expect(given.statusCode).toBe(200);
    expect(given.body.length % line.length).toBe(0);
    expect(given.body.length).toBeGreaterThan(4_000_000);
  });
});

describe('a watch that is answered whole', () => {
  /** One event, and then nothing until it is told to end. */
  async function* oneEvent({ signal }: ApiRequest): AsyncGenerator<string> {
    yield '\n';
    yield '{"type":"ADDED"}\n';
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }

  async function endsBy(ms: number, query: { [name: string]: string[] }): Promise<boolean> {
    world.respond = (request) => ({ ...OK, body: oneEvent(request) });
    let isOver = false;
    const handler = bufferedHandler(world.options());
    void handler(rest({ query: { watch: ['true'], ...query } })).then(() => (isOver = true));
    await settle();
    await world.clock.advance(ms);
    await settle();
    return isOver;
  }

  it('ends soon after its first news where the client comes again', async () => {
    expect(await endsBy(300, { allowWatchBookmarks: ['true'] })).toBe(true);
    expect(await endsBy(300, { timeoutSeconds: ['400'] })).toBe(true);
  });

  it('goes on for a client that does not', async () => {
    expect(await endsBy(300, {})).toBe(false);
  });
});

describe('the function', () => {
  it('buffers where it is told to', async () => {
    const handler = apiHandler({ ...world.options(), streaming: false });
    expect(await (handler as ReturnType<typeof bufferedHandler>)(rest())).toMatchObject({
      statusCode: 200,
    });
  });

  it('streams only in Lambda', () => {
    expect(() => apiHandler({ ...world.options(), streaming: true })).toThrow(/awslambda/);
  });
});
