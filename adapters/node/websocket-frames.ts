/**
 * WebSocket frames (RFC 6455, §5) of a server: reads masked frames, writes unmasked ones. No
 * sockets here.
 */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Frame {
  readonly opcode: number;
  readonly final: boolean;
  readonly payload: Buffer;
}

/** What breaks the protocol; the code goes into the closing frame. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const MALFORMED = 1002;
const TOO_BIG = 1009;
/** kubectl sends at most 32 KiB of input at a time. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;

/** Takes bytes as they come and gives the frames that are complete. */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0);

  push(bytes: Buffer): readonly Frame[] {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame | undefined {
    const held = this.#held;
    if (held.length < 2) return undefined;
    const first = held.readUInt8(0);
    const second = held.readUInt8(1);
    if ((first & 0x70) !== 0) throw new ProtocolError(MALFORMED, 'no extension was agreed on');
    if ((second & 0x80) === 0) throw new ProtocolError(MALFORMED, 'a client masks its frames');
    const extended = { 126: 2, 127: 8 }[second & 0x7f] ?? 0;
    const maskAt = 2 + extended;
    if (held.length < maskAt + 4) return undefined;
    const length = payloadLength(held, second & 0x7f);
    if (length > MAX_MESSAGE_BYTES) throw new ProtocolError(TOO_BIG, 'the message is too big');
    const start = maskAt + 4;
    if (held.length < start + length) return undefined;
    const payload = unmasked(held, maskAt, start, length);
    this.#held = held.subarray(start + length);
    return { opcode: first & 0x0f, final: (first & 0x80) !== 0, payload };
  }
}

function payloadLength(held: Buffer, short: number): number {
  if (short === 126) return held.readUInt16BE(2);
  return short === 127 ? Number(held.readBigUInt64BE(2)) : short;
}

function unmasked(held: Buffer, maskAt: number, start: number, length: number): Buffer {
  const payload = Buffer.alloc(length);
  for (let i = 0; i < length; i++) {
    payload[i] = held.readUInt8(start + i) ^ held.readUInt8(maskAt + (i % 4));
  }
  return payload;
}

/** A whole message in one frame. */
export function frame(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head.writeUInt8(0x80 | opcode, 0);
  if (length < 126) head.writeUInt8(length, 1);
  else if (length < 65_536) {
    head.writeUInt8(126, 1);
    head.writeUInt16BE(length, 2);
  } else {
    head.writeUInt8(127, 1);
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

export function closeFrame(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return frame(OPCODE.close, payload);
}
