/**
 * A WebSocket on a connection that asked to be upgraded, as the port's messages. `ws` owns
 * handshake, frames and pings; this owns how a conversation starts and how it ends.
 *
 * Invariants:
 *  W1 No more of what the client sends is held than a few messages of bounded size.
 *  W2 A message is given to the client only once the one before it has left.
 */
import { on } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ApiSocket, Upgrade } from '../../shared/api/http.ts';

/** kubectl sends at most 32 KiB of input at a time. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Messages that wait for the command before the client is no longer read. */
const MAX_WAITING = 4;
const NORMAL = 1000;
const FAILED = 1011;

/**
 * Answers the handshake and runs the conversation to its end. A client that asked for something
 * that is no WebSocket is refused, and nothing runs.
 */
export async function runWebSocket(
  incoming: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  { protocol, run }: Upgrade,
): Promise<void> {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_MESSAGE_BYTES,
    // Terminals write little at a time: compressing it costs more than it saves.
    perMessageDeflate: false,
    handleProtocols: () => protocol,
  });
  const ended = Promise.withResolvers<void>();
  socket.once('close', () => ended.resolve());
  server.handleUpgrade(incoming, socket, head, (webSocket) => {
    void converse(webSocket, run).then(ended.resolve);
  });
  await ended.promise;
}

/** Listens before it waits for anything: the first message may be here already. */
async function converse(webSocket: WebSocket, run: Upgrade['run']): Promise<void> {
  // What went wrong is told to whoever reads the messages; ws itself closes the connection.
  webSocket.on('error', () => {});
  try {
    await run({ messages: messagesOf(webSocket), send: (message) => send(webSocket, message) });
    webSocket.close(NORMAL);
  } catch {
    webSocket.close(FAILED);
  }
}

function messagesOf(webSocket: WebSocket): ApiSocket['messages'] {
  const events = on(webSocket, 'message', {
    close: ['close'],
    highWaterMark: MAX_WAITING,
    lowWaterMark: 1,
  }) as AsyncIterable<[Buffer]>;
  return (async function* () {
    for await (const [data] of events) yield data;
  })();
}

/** Fails when the client is gone. */
function send(webSocket: WebSocket, message: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    webSocket.send(message, (error) => (error ? reject(error) : resolve()));
  });
}
