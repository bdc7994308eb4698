/**
 * The image of the sandbox: the container that holds a task's network while its other containers
 * come and go. Its only program sleeps for ever. It is a few machine instructions, so it is
 * assembled here and imported into the engine: no registry is asked, and nothing has to be trusted
 * or kept up to date.
 */
import { Readable } from 'node:stream';
import { engineCall, ifPresent } from './engine.ts';
import type { Engine } from './engine.ts';
import { packTar } from './tar.ts';
import { TaskRejected } from '../../shared/ports/runtime.ts';

/** The number changes with the content. */
export const SANDBOX_IMAGE = 'nullplane/sandbox:1';

const HEADERS_LENGTH = 64 + 56;
const LOAD_ADDRESS = 0x40_0000n;

interface Program {
  /** ELF's number for the architecture. */
  readonly machine: number;
  readonly code: Buffer;
}

const PROGRAMS: { readonly [architecture: string]: Program } = {
  // again: mov eax, 34 (pause); syscall; jmp again
  amd64: { machine: 62, code: Buffer.from('b8220000000f05ebf7', 'hex') },
  // again: ppoll(0, 0, 0, 0, 0), as there is no pause: x0..x4 = 0; x8 = 73; svc 0; b again
  arm64: {
    machine: 183,
    code: littleEndianWords([
      0xd2800000, 0xd2800001, 0xd2800002, 0xd2800003, 0xd2800004, 0xd2800928, 0xd4000001,
      0x17fffff9,
    ]),
  },
};

export async function ensureSandboxImage(engine: Engine): Promise<void> {
  const image = engine.docker.getImage(SANDBOX_IMAGE);
  if (await ifPresent('inspect sandbox image', () => image.inspect())) return;
  const program = PROGRAMS[engine.architecture];
  if (!program) {
    throw new TaskRejected('UnsupportedArchitecture', `no sandbox for ${engine.architecture}`);
  }
  const archive = packTar([{ type: 'file', path: 'pause', mode: 0o755, data: elf(program) }]);
  await engineCall('import sandbox image', async () => {
    const [repo, tag] = SANDBOX_IMAGE.split(':');
    const changes = ['ENTRYPOINT ["/pause"]'];
    const answer = await engine.docker.importImage(Readable.from([archive]), {
      repo,
      tag,
      changes,
    });
    for await (const _progress of answer) continue;
  });
}

/** A static executable with one segment. */
function elf({ machine, code }: Program): Buffer {
  const size = BigInt(HEADERS_LENGTH + code.length);
  const head = Buffer.alloc(HEADERS_LENGTH);
  head.write('7f454c46020101', 'hex'); // magic, 64 bits, little endian, version
  head.writeUInt16LE(2, 16); // executable
  head.writeUInt16LE(machine, 18);
  head.writeUInt32LE(1, 20); // version
  head.writeBigUInt64LE(LOAD_ADDRESS + BigInt(HEADERS_LENGTH), 24); // entry point
  head.writeBigUInt64LE(64n, 32); // program headers are here
  head.writeUInt16LE(64, 52); // length of this header
  head.writeUInt16LE(56, 54); // length of a program header
  head.writeUInt16LE(1, 56); // number of them
  head.writeUInt32LE(1, 64); // load …
  head.writeUInt32LE(5, 68); // … readable and executable
  head.writeBigUInt64LE(LOAD_ADDRESS, 80);
  head.writeBigUInt64LE(LOAD_ADDRESS, 88);
  head.writeBigUInt64LE(size, 96); // in the file
  head.writeBigUInt64LE(size, 104); // in memory
  head.writeBigUInt64LE(0x1000n, 112); // alignment
  return Buffer.concat([head, code]);
}

function littleEndianWords(words: readonly number[]): Buffer {
  const buffer = Buffer.alloc(words.length * 4);
  words.forEach((word, index) => buffer.writeUInt32LE(word, index * 4));
  return buffer;
}
