/**
 * A WebSocket on a connection that asked to be upgraded: handshake, messages, pings and the end.
 * Frames are websocket-frames.ts's.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { ApiRequest, ApiSocket, Upgrade } from '../../shared/api/http.ts';
import {
  closeFrame,
  type Frame,
  frame,
  FrameReader,
  MAX_MESSAGE_BYTES,
  OPCODE,
  ProtocolError,
} from './websocket-frames.ts';

/**
 * Appended to the client's key, so that nobody but a WebSocket server answers by accident (RFC
 * 6455, §1.3).
 */
const HANDSHAKE_ID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const NORMAL = 1000;
const FAILED = 1011;

/** Answers the handshake and runs the conversation to its end. */
export async function runWebSocket(
  socket: Duplex,
  head: Buffer,
  { headers }: ApiRequest,
  { protocol, run }: Upgrade,
): Promise<void> {
  const key = headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1')
    .update(key + HANDSHAKE_ID)
    .digest('base64');
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n' +
      `sec-websocket-accept: ${accept}\r\nsec-websocket-protocol: ${protocol}\r\n\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
  let code = NORMAL;
  try {
    await run(apiSocket(socket));
  } catch (error) {
    code = error instanceof ProtocolError ? error.code : FAILED;
  }
  if (!socket.destroyed) socket.end(closeFrame(code));
}

function apiSocket(socket: Duplex): ApiSocket {
  return {
    messages: messagesOf(socket),
    send: async (message) => {
      if (socket.destroyed) throw new Error('the client is gone');
      const hasRoom = socket.write(frame(OPCODE.binary, message));
      if (!hasRoom) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    },
  };
}

/**
 * The messages of the client, put together from their frames; control frames are dealt with on the
 * way.
 */
async function* messagesOf(socket: Duplex): AsyncGenerator<Uint8Array> {
  const reader = new FrameReader();
  let parts: Buffer[] = [];
  for await (const bytes of socket as AsyncIterable<Buffer>) {
    for (const next of reader.push(bytes)) {
      if (next.opcode === OPCODE.close) return;
      if (isControl(next)) {
        if (next.opcode === OPCODE.ping) socket.write(frame(OPCODE.pong, next.payload));
        continue;
      }
      parts.push(next.payload);
      if (parts.reduce((sum, part) => sum + part.length, 0) > MAX_MESSAGE_BYTES) {
        throw new ProtocolError(1009, 'the message is too big');
      }
      if (!next.final) continue;
      yield Buffer.concat(parts);
      parts = [];
    }
  }
}

const isControl = ({ opcode }: Frame) => opcode >= OPCODE.close;
