/** The HTTPS adapter on a real socket of this machine: identity, bounds, streams and their ends. */
import { once } from 'node:events';
import { X509Certificate } from 'node:crypto';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import { type RunningServer, startHttpsServer } from '../../../adapters/node/https-server.ts';
import { kubeconfig } from '../../../adapters/node/kubeconfig.ts';
import { createTlsIdentity, isCurrent } from '../../../adapters/node/tls.ts';
import { tokenAuthenticator } from '../../../adapters/node/token.ts';
import type { ApiHandler, ApiRequest } from '../../../shared/api/http.ts';

const clock = { nowMs: () => Date.now(), delay: async () => {} };
const identity = await createTlsIdentity(clock);

let server: RunningServer;
let seen: ApiRequest[];
let handle: ApiHandler;

beforeEach(async () => {
  seen = [];
  handle = async () => ({ status: 200, headers: { 'x-a': ['1', '2'] }, body: 'ok' });
  const dispatch: ApiHandler = (request) => {
    seen.push(request);
    return handle(request);
  };
  server = await startHttpsServer({ handle: dispatch, ...identity, port: 0 });
});
afterEach(() => server.close());

interface Got {
  readonly status: number | undefined;
  readonly text: string;
}

async function send(options: RequestOptions, body: string | Buffer = ''): Promise<Got> {
  const outgoing = httpsRequest({
    host: '127.0.0.1',
    port: server.port,
    ca: identity.caPem,
    agent: false,
    ...options,
  });
  const answered = once(outgoing, 'response');
  outgoing.on('error', () => {});
  outgoing.end(body);
  const [incoming] = (await answered) as [AsyncIterable<Buffer> & { statusCode?: number }];
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return { status: incoming.statusCode, text: Buffer.concat(chunks).toString() };
}

describe('identity', () => {
  it('is trusted for loopback names by its own authority alone', async () => {
    const certificate = new X509Certificate(identity.certPem);
    const authority = new X509Certificate(identity.caPem);
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect(certificate.checkIssued(authority)).toBe(true);
    expect([certificate.ca, authority.ca]).toEqual([false, true]);
    for (const name of ['localhost', '127.0.0.1', '::1']) {
      const check = name === 'localhost' ? certificate.checkHost(name) : certificate.checkIP(name);
      expect([name, check]).not.toEqual([name, undefined]);
    }
    expect((await send({ path: '/a' })).text).toBe('ok');
    expect((await send({ path: '/a', host: 'localhost' })).text).toBe('ok');
    const stranger = (await createTlsIdentity(clock)).caPem;
    await expect(send({ path: '/a', ca: stranger })).rejects.toThrow('unable to verify');
  });

  it('is renewed before it ends', () => {
    const day = 24 * 60 * 60 * 1000;
    const at = (ms: number) => new StepClock(Date.now() + ms);
    expect(isCurrent(identity, at(0))).toBe(true);
    expect(isCurrent(identity, at(366 * day))).toBe(true);
    expect(isCurrent(identity, at(368 * day))).toBe(false);
    expect(isCurrent(identity, at(-3 * day))).toBe(false);
  });

  it('goes into a kubeconfig', () => {
    const { caPem } = identity;
    const text = kubeconfig({ server: 'https://h:1', caPem, token: 't', name: 'n' });
    expect(parse(text)).toMatchObject({
      kind: 'Config',
      'current-context': 'n',
      clusters: [{ cluster: { server: 'https://h:1' } }],
      users: [{ user: { token: 't' } }],
    });
  });
});

describe('tokens', () => {
  const user = { name: 'u', groups: [] };
  const authenticate = tokenAuthenticator('secret', user);
  it.each([
    ['Bearer secret', user],
    ['bearer  secret', user],
    ['Bearer secre', undefined],
    ['Bearer secrett', undefined],
    ['Bearer ', undefined],
    ['Basic secret', undefined],
    ['secret', undefined],
    [`Bearer ${'x'.repeat(5000)}`, undefined],
  ])('%s', (authorization, expected) => {
    expect(authenticate({ headers: { authorization } })).toBe(expected);
  });

  it('are never empty', () => {
    const open = tokenAuthenticator('', user);
    expect(open({ headers: { authorization: 'Bearer ' } })).toBeUndefined();
    expect(open({ headers: {} })).toBeUndefined();
  });
});

describe('requests', () => {
  it('arrive as they were sent', async () => {
    const headers = { 'content-type': 'application/json', 'X-Upper': 'Y' };
    const path = '/api/v1/a%2Fb?x=1&x=2&y=%20';
    await send({ path, method: 'PUT', headers }, '{"a":1}');
    const [request] = seen as [ApiRequest];
    expect(request).toMatchObject({ method: 'PUT', path: '/api/v1/a%2Fb' });
    expect(request.query.getAll('x')).toEqual(['1', '2']);
    expect(request.query.get('y')).toBe(' ');
    expect(request.headers['x-upper']).toBe('Y');
    expect(Buffer.from(request.body).toString()).toBe('{"a":1}');
  });

  it('that are too large are refused, however they are sent', async () => {
    const body = Buffer.alloc(3_500_000, 'x');
    const chunked = { 'transfer-encoding': 'chunked' };
    for (const headers of [{ 'content-length': body.length }, chunked]) {
      const { status, text } = await send({ path: '/', method: 'POST', headers }, body);
      expect([status, JSON.parse(text).reason]).toEqual([413, 'RequestEntityTooLarge']);
    }
    expect(seen).toEqual([]);
    expect((await send({ path: '/' })).status).toBe(200);
  });

  it('that are no HTTP get a Status', async () => {
    const socket = connect({ port: server.port, host: '127.0.0.1', ca: identity.caPem });
    await once(socket, 'secureConnect');
    socket.write('GARBAGE\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1.1 400 /);
    expect(JSON.parse(text.slice(text.indexOf('{')))).toMatchObject({ kind: 'Status', code: 400 });
  });

  it('of HEAD get no body', async () => {
    expect(await send({ path: '/', method: 'HEAD' })).toEqual({ status: 200, text: '' });
  });
});

describe('streams', () => {
  const streaming = (body: AsyncIterable<string>): ApiHandler => {
    return async () => ({ status: 200, headers: {}, body });
  };

  it('are sent as they come', async () => {
    async function* parts() {
      yield 'a\n';
      yield 'b\n';
    }
    handle = streaming(parts());
    expect((await send({ path: '/' })).text).toBe('a\nb\n');
  });

  it('are not produced faster than they are read, and end when the client goes', async () => {
    let produced = 0;
    const ended = Promise.withResolvers<void>();
    async function* endless() {
      try {
        for (;;) {
          produced += 1;
          yield 'x'.repeat(64 * 1024);
        }
      } finally {
        ended.resolve();
      }
    }
    handle = streaming(endless());
    const outgoing = httpsRequest({ port: server.port, ca: identity.caPem, agent: false });
    outgoing.end();
    const [incoming] = await once(outgoing, 'response');
    incoming.pause();
    incoming.on('error', () => {});
    const held = async () => {
      const before = produced;
      await new Promise((resolve) => setImmediate(resolve));
      return produced === before;
    };
    let quietTurns = 0;
    while (quietTurns < 50) quietTurns = (await held()) ? quietTurns + 1 : 0;
    expect(produced * 64 * 1024).toBeLessThan(64 * 1024 * 1024);
    outgoing.destroy();
    await ended.promise;
    expect(seen[0]?.signal.aborted).toBe(true);
  });

  it('end when the server does', async () => {
    const aborted = Promise.withResolvers<void>();
    handle = async ({ signal }) => {
      async function* waiting() {
        yield 'a\n';
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        aborted.resolve();
      }
      return { status: 200, headers: {}, body: waiting() };
    };
    const answer = send({ path: '/' }).catch(() => undefined);
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await server.close();
    await aborted.promise;
    await answer;
    server = await startHttpsServer({ handle, ...identity, port: 0 });
  });
});
