/**
 * What containers say: the engine's framed stream, taken apart. A container with a terminal has one
 * raw stream instead.
 */
export interface OutputFrame {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}

/** Type (1 byte), nothing (3), length (4). */
const HEADER_LENGTH = 8;
const STDERR = 2;

export async function* demultiplex(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<OutputFrame> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER_LENGTH) {
      const end = HEADER_LENGTH + rest.readUInt32BE(4);
      if (rest.length < end) break;
      const data = rest.subarray(HEADER_LENGTH, end);
      yield { stream: rest[0] === STDERR ? 'stderr' : 'stdout', data };
      rest = rest.subarray(end);
    }
  }
}

export async function* asStdout(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<OutputFrame> {
  for await (const data of chunks) yield { stream: 'stdout', data };
}

export async function* limited(
  chunks: AsyncIterable<Uint8Array>,
  limitBytes: number | undefined,
): AsyncGenerator<Uint8Array> {
  let left = limitBytes ?? Infinity;
  for await (const chunk of chunks) {
    if (left <= 0) return;
    const part = chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= part.length;
    if (part.length > 0) yield part;
    if (left <= 0) return;
  }
}
