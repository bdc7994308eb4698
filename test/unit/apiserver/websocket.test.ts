/** WebSockets through the HTTPS adapter, on a real socket of this machine. */
import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type RunningServer, startHttpsServer } from '../../../adapters/node/https-server.ts';
import { createTlsIdentity } from '../../../adapters/node/tls.ts';
import type { ApiSocket, Upgrade } from '../../../shared/api/http.ts';

const MEBIBYTE = 1024 * 1024;
const identity = await createTlsIdentity({ nowMs: () => Date.now(), delay: async () => {} });

let server: RunningServer;
let run: Upgrade['run'];
let signal: AbortSignal;

beforeEach(async () => {
  server = await startHttpsServer({
    ...identity,
    port: 0,
    handle: async (request) => {
      ({ signal } = request);
      const upgrade = { protocol: 'v5', run: (socket: ApiSocket) => run(socket) };
      return { status: 101, headers: {}, body: '', upgrade };
    },
  });
});
afterEach(() => server.close());

function dial(): WebSocket {
  const url = `wss://127.0.0.1:${server.port}/exec`;
  return new WebSocket(url, ['v4', 'v5'], { ca: identity.caPem });
}

/** What the server says until it closes, and the code it closes with. */
async function listen(client: WebSocket) {
  const got: Buffer[] = [];
  client.on('message', (data: Buffer) => got.push(data));
  const [code] = (await once(client, 'close')) as [number];
  return { got, code };
}

const echo = (messages: number) => async (socket: ApiSocket) => {
  let left = messages;
  for await (const message of socket.messages) {
    await socket.send(message);
    left -= 1;
    if (left === 0) return;
  }
};

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a WebSocket', () => {
  it('carries messages both ways, whole and in order, and then closes', async () => {
    const given = [0, 1, 125, 126, 65_535, 65_536, MEBIBYTE].map((n, i) => Buffer.alloc(n, i));
    run = echo(given.length);
    const client = dial();
    const heard = listen(client);
    await once(client, 'open');
    expect([client.protocol, client.extensions]).toEqual(['v5', '']);
    for (const message of given) client.send(message);
    const { got, code } = await heard;
    expect(code).toBe(1000);
    expect(got.map((message, i) => message.equals(given[i] ?? message))).toEqual(
      given.map(() => true),
    );
  });

  it('loses nothing that comes together with the handshake', async () => {
    const first = Promise.withResolvers<Uint8Array>();
    run = async ({ messages }) => {
      await turn();
      for await (const message of messages) return first.resolve(message);
    };
    const socket = connect({ port: server.port, host: '127.0.0.1', ca: identity.caPem });
    const maskedFrame = Buffer.from([0x82, 0x81, 0, 0, 0, 0, 42]);
    const handshake =
      'GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
    socket.write(Buffer.concat([Buffer.from(handshake), maskedFrame]));
    expect([...(await first.promise)]).toEqual([42]);
    socket.destroy();
  });

  it('is refused where the handshake is broken, and nothing runs', async () => {
    let hasRun = false;
    run = async () => void (hasRun = true);
    const socket = connect({ port: server.port, host: '127.0.0.1', ca: identity.caPem });
    socket.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1.1 400 /);
    expect(hasRun).toBe(false);
  });

  it('ends with a client that sends too much at once', async () => {
    const failed = Promise.withResolvers<unknown>();
    run = async ({ messages }) => {
      const first = messages[Symbol.asyncIterator]().next();
      await first.catch(failed.resolve);
    };
    const client = dial();
    const heard = listen(client);
    await once(client, 'open');
    client.send(Buffer.alloc(MEBIBYTE + 1));
    expect((await heard).code).toBe(1009);
    expect(await failed.promise).toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
  });

  it('says that it failed when what it ran did', async () => {
    run = async () => {
      throw new Error('broken');
    };
    expect((await listen(dial())).code).toBe(1011);
  });

  it('reads no faster than its messages are taken', async () => {
    const [go, done] = [Promise.withResolvers<void>(), Promise.withResolvers<number>()];
    run = async ({ messages }) => {
      await go.promise;
      let count = 0;
      for await (const _message of messages) count += 1;
      done.resolve(count);
    };
    const client = dial();
    await once(client, 'open');
    const sent = 24;
    for (let i = 0; i < sent; i++) client.send(Buffer.alloc(MEBIBYTE));
    let [held, quietTurns] = [0, 0];
    while (quietTurns < 50) {
      quietTurns = client.bufferedAmount === held ? quietTurns + 1 : 0;
      held = client.bufferedAmount;
      await turn();
    }
    expect(held).toBeGreaterThan((sent / 2) * MEBIBYTE);
    go.resolve();
    client.close();
    expect(await done.promise).toBe(sent);
  });

  it('ends its messages and fails its sends when the client is gone', async () => {
    const failed = Promise.withResolvers<unknown>();
    run = async (socket) => {
      for await (const _message of socket.messages);
      await socket.send(Buffer.from('x')).catch(failed.resolve);
    };
    const client = dial();
    await once(client, 'open');
    client.terminate();
    expect(await failed.promise).toBeInstanceOf(Error);
    expect(signal.aborted).toBe(true);
  });
});
