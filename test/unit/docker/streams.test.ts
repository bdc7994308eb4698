import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demultiplex, limited } from '../../../adapters/docker/streams.ts';
import { packTar, unpackTar } from '../../../adapters/docker/tar.ts';

async function* chunksOf(data: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

describe("the engine's framed output", () => {
  it('is the same however it is cut into chunks', async () => {
    const frame = fc.record({ isError: fc.boolean(), text: fc.string({ minLength: 1 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(frame), fc.integer({ min: 1, max: 40 }), async (frames, size) => {
        const packed = frames.map(({ isError, text }) => {
          const data = Buffer.from(text);
          const header = Buffer.from([isError ? 2 : 1, 0, 0, 0, 0, 0, 0, 0]);
          header.writeUInt32BE(data.length, 4);
          return Buffer.concat([header, data]);
        });
        const seen = [];
        for await (const { stream, data } of demultiplex(chunksOf(Buffer.concat(packed), size))) {
          seen.push({ isError: stream === 'stderr', text: Buffer.from(data).toString() });
        }
        expect(seen).toEqual(frames.map((f) => ({ ...f, text: Buffer.from(f.text).toString() })));
      }),
    );
  });

  it.each([
    [0, ''],
    [5, 'abcde'],
    [100, 'abcdefghij'],
  ])('is cut after %i bytes', async (limit, expected) => {
    let seen = '';
    for await (const chunk of limited(chunksOf(Buffer.from('abcdefghij'), 3), limit)) {
      seen += Buffer.from(chunk).toString();
    }
    expect(seen).toBe(expected);
  });
});

describe('an archive', () => {
  it('gives back the files that were put in, long paths included', () => {
    const path = fc.stringMatching(/^[a-z]{1,150}$/);
    const files = fc.dictionary(path, fc.uint8Array({ maxLength: 1_500 }), { maxKeys: 5 });
    fc.assert(
      fc.property(files, (given) => {
        const entries = Object.entries(given).map(([name, data]) => {
          return { type: 'file', path: name, mode: 0o644, data: Buffer.from(data) } as const;
        });
        const unpacked = unpackTar(
          packTar([{ type: 'folder', path: 'x', mode: 0o755 }, ...entries]),
        );
        expect([...unpacked.keys()]).toEqual(entries.map((entry) => entry.path));
        for (const { path: name, data } of entries) expect(unpacked.get(name)).toEqual(data);
      }),
    );
  });
});
