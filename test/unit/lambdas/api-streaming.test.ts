/** Streams of the api function: when they end, signs of life, back-pressure, clients that go. */
import { beforeEach, describe, expect, it } from 'vitest';
import { bufferedHandler, streamingHandler } from '../../../lambdas/api/handler.ts';
import type { ApiResponse } from '../../../shared/api/http.ts';
import {
  context,
  http,
  JSON_HEADERS,
  rest,
  settle,
  Source,
  streaming,
  World,
} from './api-fixtures.ts';
import { FakeResponseStream, fakeLambda } from './fake-streams.ts';

let world: World;
beforeEach(() => {
  world = new World();
});

describe('the end of a stream', () => {
  const timeouts = async (
    query: { [name: string]: string[] },
    streams: boolean,
    leftMs?: number,
  ) => {
    const event = rest({ query });
    const deadline = leftMs === undefined ? undefined : context(leftMs);
    if (!streams) await bufferedHandler(world.options())(event, deadline);
    else
      await streamingHandler(world.options(), fakeLambda)(
        event,
        new FakeResponseStream(),
        deadline,
      );
    return world.only().query.get('timeoutSeconds');
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
    world.respond = () => streaming(new Source());
    const out = new FakeResponseStream();
    const run = streamingHandler(world.options(), fakeLambda)(
      rest({ query: { watch } }),
      out,
      context(60_000),
    );
    await settle();
    await world.clock.advance(50_000);
    expect(world.only().signal.aborted).toBe(false);
    await world.clock.advance(2_000);
    expect(world.only().signal.aborted).toBe(true);
    await world.clock.advance(1_000);
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
    world.respond = ({ signal }) => {
      signal.addEventListener('abort', () => source.end());
      return streaming(source);
    };
    source.push('hello\n');
    const out = new FakeResponseStream();
    const run = streams
      ? streamingHandler(world.options(), fakeLambda)(event, out, context(900_000))
      : bufferedHandler(world.options())(event, context(900_000));
    await settle();
    await world.clock.advance(ms - 1);
    expect(world.only().signal.aborted).toBe(false);
    await world.clock.advance(1);
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
    world.respond = () => response;
    return streamingHandler(world.options(), fakeLambda)(event, out, context(900_000));
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
    await world.clock.advance(19_999);
    await settle();
    expect(out.answer?.body).toBe('');
    await world.clock.advance(1);
    await settle();
    expect(out.answer?.body).toBe('\n');
    source.push('{}\n');
    await settle();
    await world.clock.advance(20_000);
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
    await world.clock.advance(300_000);
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
    expect(world.only().signal.aborted).toBe(true);
    await world.clock.advance(1_000);
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
    expect(world.recorder.logs).toMatchObject([{ level: 'warn' }]);
  });

  it('leaves no timer behind', async () => {
    const source = new Source();
    source.push(...Array.from({ length: 50 }, () => 'x\n'));
    source.end();
    await start(streaming(source));
    expect(world.clock.nextTimerMs()).toBeUndefined();
  });
});
