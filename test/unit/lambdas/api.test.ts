/** The api function between API Gateway's events and the API server: buffered and streamed. */
import type { APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import { apiHandler, bufferedHandler, streamingHandler } from '../../../lambdas/api/handler.ts';
import type { ApiHandler, ApiRequest, ApiResponse } from '../../../shared/api/http.ts';
import type { Status } from '../../../shared/api/errors.ts';
import { FakeResponseStream, fakeLambda } from './fake-streams.ts';

const JSON_HEADERS = { 'content-type': 'application/json' };
const OK: ApiResponse = { status: 200, headers: JSON_HEADERS, body: '{}\n' };

let clock: StepClock;
let recorder: MemoryRecorder;
let asked: ApiRequest[];
let order: string[];
let respond: (request: ApiRequest) => ApiResponse;
let flush: () => Promise<void>;

beforeEach(() => {
  clock = new StepClock();
  recorder = new MemoryRecorder();
  asked = [];
  order = [];
  respond = () => OK;
  flush = async () => void order.push('flush');
});

const handle: ApiHandler = async (request) => {
  asked.push(request);
  order.push('handle');
  return respond(request);
};
const options = () => ({ handle, flush: () => flush(), clock, recorder });
const context = (ms: number) => ({ getRemainingTimeInMillis: () => ms });

interface Rest {
  method?: string;
  path?: string;
  sent?: string;
  stage?: string;
  proxy?: string;
  query?: { [name: string]: string[] };
  headers?: { [name: string]: string[] };
  body?: string;
  base64?: boolean;
}

function rest(given: Rest = {}): APIGatewayProxyEvent {
  const { path = '/api/v1/pods', stage = 'prod' } = given;
  return {
    resource: '/{proxy+}',
    path,
    httpMethod: given.method ?? 'GET',
    headers: null,
    multiValueHeaders: given.headers ?? null,
    queryStringParameters: null,
    multiValueQueryStringParameters: given.query ?? null,
    pathParameters: given.proxy === undefined ? null : { proxy: given.proxy },
    stageVariables: null,
    requestContext: { path: given.sent ?? `/${stage}${path}`, stage },
    body: given.body ?? null,
    isBase64Encoded: given.base64 ?? false,
  } as unknown as APIGatewayProxyEvent;
}

function http(rawPath: string, rawQueryString = '', stage = '$default', method = 'GET') {
  return {
    version: '2.0',
    rawPath,
    rawQueryString,
    headers: { Accept: 'a', authorization: 'Bearer x' },
    requestContext: { stage, http: { method, path: rawPath } },
    isBase64Encoded: false,
  } as unknown as APIGatewayProxyEventV2;
}

const only = () => {
  const [request] = asked;
  if (!request || asked.length > 1) throw new Error(`${asked.length} requests`);
  return request;
};
const statusOf = (body: string) => JSON.parse(body) as Status;

/** A stream that tests feed, and that ends when the client is gone. */
class Source implements AsyncIterable<string | Uint8Array> {
  readonly #parts: (string | Uint8Array)[] = [];
  #wake = Promise.withResolvers<void>();
  #isOver = false;
  pulled = 0;
  closed = false;

  push(...parts: (string | Uint8Array)[]): void {
    this.#parts.push(...parts);
    this.#wake.resolve();
  }

  end(): void {
    this.#isOver = true;
    this.#wake.resolve();
  }

  async *[Symbol.asyncIterator]() {
    try {
      for (;;) {
        const part = this.#parts.shift();
        if (part !== undefined) {
          this.pulled++;
          yield part;
        } else if (this.#isOver) return;
        else {
          this.#wake = Promise.withResolvers<void>();
          await this.#wake.promise;
        }
      }
    } finally {
      this.closed = true;
    }
  }
}

const streaming = (body: ApiResponse['body']): ApiResponse => ({
  status: 200,
  headers: JSON_HEADERS,
  body,
});
/** Lets promises run that wait for no time. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

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
    await bufferedHandler(options())(rest(given));
    expect(only().path).toBe(expected);
  });

  it.each([
    ['/api/v1/pods', '$default', '/api/v1/pods'],
    ['/prod/api/v1/pods', 'prod', '/api/v1/pods'],
    ['/api/v1/pods', 'prod', '/api/v1/pods'],
    ['/api/v1/nodes/a b?c', '$default', '/api/v1/nodes/a%20b%3Fc'],
    ['/api/v1/nodes/a%3Ab', '$default', '/api/v1/nodes/a%3Ab'],
  ])('of HTTP APIs: %s at %s is %s', async (raw, stage, expected) => {
    await bufferedHandler(options())(http(raw, '', stage));
    expect(only().path).toBe(expected);
  });
});

describe('a request', () => {
  it('of a REST API arrives whole', async () => {
    await bufferedHandler(options())(
      rest({
        method: 'POST',
        query: { command: ['ls', '-l a&b'], stdin: ['true'] },
        headers: { Authorization: ['Bearer x'], ACCEPT: ['a', 'b'] },
        body: Buffer.from([0, 255, 10]).toString('base64'),
        base64: true,
      }),
    );
    const { method, query, headers, body } = only();
    expect([method, query.getAll('command'), query.get('stdin')]).toEqual([
      'POST',
      ['ls', '-l a&b'],
      'true',
    ]);
    expect(headers).toEqual({ authorization: 'Bearer x', accept: 'a, b' });
    expect([...body]).toEqual([0, 255, 10]);
  });

  it('of an HTTP API arrives whole', async () => {
    await bufferedHandler(options())(
      http('/x', 'command=ls&command=-l%20a%26b&labelSelector=a%3Db'),
    );
    const { query, headers } = only();
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
      const { statusCode, body: answer } = await bufferedHandler(options())(event);
      expect([statusCode, statusOf(answer).reason]).toEqual([413, 'RequestEntityTooLarge']);
      const out = new FakeResponseStream();
      await streamingHandler(options(), fakeLambda)(event, out);
      expect(out.answer).toMatchObject({ statusCode: 413, body: answer });
      expect(asked).toEqual([]);
    },
  );

  it('of the largest size is taken', async () => {
    await bufferedHandler(options())(rest({ method: 'POST', body: 'a'.repeat(3 * 1024 * 1024) }));
    expect(only().body.length).toBe(3 * 1024 * 1024);
  });
});

describe('the wakes of a write', () => {
  it('are sent before it is answered', async () => {
    await bufferedHandler(options())(rest({ method: 'POST' }));
    const out = new FakeResponseStream();
    flush = async () => {
      order.push('flush');
      expect(out.sent.length).toBe(0);
    };
    await streamingHandler(options(), fakeLambda)(rest({ method: 'POST' }), out);
    expect(order).toEqual(['handle', 'flush', 'handle', 'flush']);
  });

  it('that can not be sent are left to the stream of the table', async () => {
    flush = () => Promise.reject(new Error('down'));
    const answer = await bufferedHandler(options())(rest({ method: 'POST' }));
    expect(answer.statusCode).toBe(200);
    expect(recorder.logs).toMatchObject([{ level: 'warn' }]);
  });
});

describe('commands in a pod', () => {
  it.each(['exec', 'attach', 'portforward'])('by %s are told what works instead', async (what) => {
    respond = () => ({ status: 400, headers: {}, body: 'Upgrade request required' });
    for (const method of ['GET', 'POST']) {
      const path = `/api/v1/namespaces/default/pods/p/${what}`;
      const { statusCode, body } = await bufferedHandler(options())(rest({ method, path }));
      expect(statusCode).toBe(501);
      expect(statusOf(body)).toMatchObject({
        kind: 'Status',
        reason: 'NotImplemented',
        message: expect.stringContaining('aws ecs execute-command') as string,
      });
    }
  });

  it.each([401, 403, 404])('are first of all refused: %d', async (status) => {
    respond = () => ({ status, headers: {}, body: 'no' });
    const path = '/api/v1/namespaces/default/pods/p/exec';
    expect(await bufferedHandler(options())(rest({ path }))).toMatchObject({ statusCode: status });
  });

  it('never upgrade', async () => {
    const run = () => Promise.resolve();
    respond = () => ({ status: 101, headers: {}, body: '', upgrade: { protocol: 'v5', run } });
    expect(await bufferedHandler(options())(rest())).toMatchObject({ statusCode: 501 });
  });
});

describe('a buffered answer', () => {
  const answer = (response: ApiResponse, event = rest()) => {
    respond = () => response;
    return bufferedHandler(options())(event);
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

describe('the end of a stream', () => {
  const timeouts = async (
    query: { [name: string]: string[] },
    streams: boolean,
    leftMs?: number,
  ) => {
    const event = rest({ query });
    const deadline = leftMs === undefined ? undefined : context(leftMs);
    if (!streams) await bufferedHandler(options())(event, deadline);
    else await streamingHandler(options(), fakeLambda)(event, new FakeResponseStream(), deadline);
    return only().query.get('timeoutSeconds');
  };
  const watch = ['true'];

  it.each<[string, { [name: string]: string[] }, boolean, number | undefined, string | null]>([
    ['kubectl get -w', { watch }, true, 900_000, '840'],
    ['an informer', { watch, allowWatchBookmarks: watch }, true, 900_000, '600'],
    ['one that asks for long', { watch, timeoutSeconds: ['3600'] }, true, 900_000, '600'],
    ['one that asks for ever', { watch, timeoutSeconds: ['0'] }, true, 900_000, '600'],
    ['one that asks for less', { watch, timeoutSeconds: ['5'] }, true, 900_000, '5'],
    ['one that asks for nonsense', { watch, timeoutSeconds: ['x'] }, true, 900_000, 'x'],
    ['a function with little time', { watch }, true, 60_000, '50'],
    ['a function with no time', { watch }, true, 1_000, '1'],
    ['no context', { watch }, true, undefined, '840'],
    ['buffered', { watch }, false, 900_000, '25'],
    ['buffered, with bookmarks', { watch, allowWatchBookmarks: watch }, false, 900_000, '25'],
    ['buffered, with little time', { watch }, false, 10_000, '8'],
    ['buffered, without context', { watch }, false, undefined, '25'],
    ['a list', { timeoutSeconds: ['3600'] }, true, 900_000, '3600'],
    ['no watch', { watch: ['false'] }, true, 900_000, null],
  ])('%s', async (_what, query, streams, leftMs, expected) => {
    expect(await timeouts(query, streams, leftMs)).toBe(expected);
  });

  it('comes by force where a watch does not end by itself', async () => {
    respond = () => streaming(new Source());
    const out = new FakeResponseStream();
    const run = streamingHandler(options(), fakeLambda)(
      rest({ query: { watch } }),
      out,
      context(60_000),
    );
    await settle();
    await clock.advance(50_000);
    expect(only().signal.aborted).toBe(false);
    await clock.advance(2_000);
    expect(only().signal.aborted).toBe(true);
    await clock.advance(1_000);
    await run;
    expect(out.writableFinished).toBe(true);
  });

  it.each([
    [true, 840_000],
    [false, 25_000],
  ])('of a followed log (streamed: %s) is the time for it', async (streams, ms) => {
    const path = '/api/v1/namespaces/default/pods/p/log';
    const event = rest({ path, query: { follow: ['true'] } });
    const source = new Source();
    respond = ({ signal }) => {
      signal.addEventListener('abort', () => source.end());
      return streaming(source);
    };
    source.push('hello\n');
    const out = new FakeResponseStream();
    const run = streams
      ? streamingHandler(options(), fakeLambda)(event, out, context(900_000))
      : bufferedHandler(options())(event, context(900_000));
    await settle();
    await clock.advance(ms - 1);
    expect(only().signal.aborted).toBe(false);
    await clock.advance(1);
    const answer = (await run) ?? out.answer;
    expect(answer).toMatchObject({ statusCode: 200, body: 'hello\n' });
  });
});

describe('a streamed answer', () => {
  let out: FakeResponseStream;
  beforeEach(() => {
    out = new FakeResponseStream();
  });
  const start = (response: ApiResponse, event = rest({ query: { watch: ['true'] } })) => {
    respond = () => response;
    return streamingHandler(options(), fakeLambda)(event, out, context(900_000));
  };

  it('begins with status and headers, as Lambda has it', async () => {
    const headers = { ...JSON_HEADERS, warning: ['a', 'b'] };
    await start({ status: 201, headers, body: '{"a":"é"}' }, rest());
    expect(out.contentType).toBe('application/vnd.awslambda.http-integration-response');
    expect(out.answer).toMatchObject({
      statusCode: 201,
      headers: JSON_HEADERS,
      multiValueHeaders: { warning: ['a', 'b'] },
      body: '{"a":"é"}',
    });
    expect(out.writableFinished).toBe(true);
  });

  it('of a function URL has one header a name', async () => {
    await start({ status: 200, headers: { warning: ['a', 'b'] }, body: '' }, http('/x') as never);
    expect(out.answer?.headers).toEqual({ warning: 'a, b' });
    expect(out.answer).not.toHaveProperty('multiValueHeaders');
  });

  it.each([204, 304, 401])('has its metadata although it has no body: %d', async (status) => {
    await start({ status, headers: {}, body: '' }, rest());
    expect(out.answer).toMatchObject({ statusCode: status, body: '' });
  });

  it('shows its headers before there is anything to tell', async () => {
    const source = new Source();
    const run = start(streaming(source));
    await settle();
    expect(out.answer).toMatchObject({ statusCode: 200, body: '' });
    source.end();
    await run;
  });

  it('has bytes as they are', async () => {
    const source = new Source();
    source.push(Uint8Array.of(0, 255), 'a', Uint8Array.of(10));
    source.end();
    await start(streaming(source));
    expect([...(out.answer?.bytes ?? [])]).toEqual([0, 255, 97, 10]);
  });

  it('gives signs of life while a watch is quiet', async () => {
    const source = new Source();
    const run = start(streaming(source));
    await settle();
    await clock.advance(19_999);
    await settle();
    expect(out.answer?.body).toBe('');
    await clock.advance(1);
    await settle();
    expect(out.answer?.body).toBe('\n');
    source.push('{}\n');
    await settle();
    await clock.advance(20_000);
    await settle();
    expect(out.answer?.body).toBe('\n{}\n\n');
    source.end();
    await run;
    expect(source.closed).toBe(true);
  });

  it('adds nothing to a log', async () => {
    const source = new Source();
    const path = '/api/v1/namespaces/default/pods/p/log';
    const run = start(streaming(source), rest({ path, query: { follow: ['true'] } }));
    await settle();
    await clock.advance(300_000);
    await settle();
    expect(out.answer?.body).toBe('');
    source.end();
    await run;
  });

  it.each(['close', 'error'])('stops when the client is gone: %s', async (how) => {
    const source = new Source();
    const run = start(streaming(source));
    await settle();
    out.destroy(how === 'error' ? new Error('gone') : undefined);
    await settle();
    expect(only().signal.aborted).toBe(true);
    await clock.advance(1_000);
    await run;
  });

  it('is pulled no faster than it is taken', async () => {
    const source = new Source();
    out.held = Promise.withResolvers<void>();
    source.push(...Array.from({ length: 100 }, () => 'x'.repeat(1024)));
    source.end();
    const run = start(streaming(source));
    await settle();
    expect(source.pulled).toBeLessThanOrEqual(2);
    out.held.resolve();
    out.held = undefined;
    await run;
    expect(source.pulled).toBe(100);
    expect(out.answer?.bytes.length).toBe(100 * 1024);
  });

  it('that fails half way ends, and the log knows', async () => {
    const body = (async function* () {
      yield 'a\n';
      throw new Error('broken');
    })();
    await start(streaming(body));
    expect(out.answer).toMatchObject({ statusCode: 200, body: 'a\n' });
    expect(out.writableFinished).toBe(true);
    expect(recorder.logs).toMatchObject([{ level: 'warn' }]);
  });

  it('leaves no timer behind', async () => {
    const source = new Source();
    source.push(...Array.from({ length: 50 }, () => 'x\n'));
    source.end();
    await start(streaming(source));
    expect(clock.nextTimerMs()).toBeUndefined();
  });
});

describe('the function', () => {
  it('buffers where it is told to', async () => {
    const handler = apiHandler({ ...options(), streaming: false });
    expect(await (handler as ReturnType<typeof bufferedHandler>)(rest())).toMatchObject({
      statusCode: 200,
    });
  });

  it('streams only in Lambda', () => {
    expect(() => apiHandler({ ...options(), streaming: true })).toThrow(/awslambda/);
  });
});
