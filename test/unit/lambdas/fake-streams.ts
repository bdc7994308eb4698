/**
 * The `awslambda` of Lambda's runtime, as far as its streams go: the metadata goes out before the
 * first write, as JSON, then eight NULs, then the body.
 */
import { Writable } from 'node:stream';
import type { LambdaStreams } from '../../../lambdas/api/streaming.ts';

const DELIMITER = '\u0000'.repeat(8);

export class FakeResponseStream extends Writable {
  contentType = '';
  readonly #chunks: Buffer[] = [];
  /** While set, nothing is taken: what is written waits. */
  held: PromiseWithResolvers<void> | undefined;
  beforeFirstWrite: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 1024, decodeStrings: true });
  }

  override write(chunk: unknown, ...rest: never[]): boolean {
    const before = this.beforeFirstWrite;
    this.beforeFirstWrite = undefined;
    before?.();
    return super.write(chunk, ...rest);
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#chunks.push(chunk);
    if (this.held) void this.held.promise.then(() => done());
    else done();
  }

  get sent(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** What a gateway makes of it; undefined before the metadata is whole. */
  get answer() {
    const at = this.sent.indexOf(DELIMITER);
    if (at < 0) return undefined;
    const metadata = JSON.parse(this.sent.subarray(0, at).toString()) as {
      statusCode: number;
      headers: { [name: string]: string };
      multiValueHeaders?: { [name: string]: string[] };
    };
    const bytes = this.sent.subarray(at + DELIMITER.length);
    return { ...metadata, bytes, body: bytes.toString() };
  }
}

export const fakeLambda: LambdaStreams = {
  HttpResponseStream: {
    from(stream, metadata) {
      const fake = stream as FakeResponseStream;
      fake.contentType = 'application/vnd.awslambda.http-integration-response';
      fake.beforeFirstWrite = () => fake.write(`${JSON.stringify(metadata)}${DELIMITER}`);
      return stream;
    },
  },
  streamifyResponse: (handler) => handler,
};
