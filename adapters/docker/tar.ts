/**
 * Just enough of the tar format to hand files to the engine and to read them back: regular files
 * and folders, owned by root, small enough to be in memory. Long paths use the GNU extension, which
 * the engine reads.
 */
const BLOCK = 512;
const NAME_LENGTH = 100;
const LONG_NAME = '././@LongLink';

export type TarEntry =
  | { readonly type: 'file'; readonly path: string; readonly mode: number; readonly data: Buffer }
  | { readonly type: 'folder'; readonly path: string; readonly mode: number };

export function packTar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap(packEntry);
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/** The regular files of an archive, by path. */
export function unpackTar(archive: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  let longPath: string | undefined;
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0;) {
    const size = parseInt(text(archive, at + 124, 12), 8);
    const type = String.fromCharCode(archive[at + 156] ?? 0);
    const data = archive.subarray(at + BLOCK, at + BLOCK + size);
    if (type === 'L') longPath = text(data, 0, data.length);
    else {
      if (type === '0' || type === '\0')
        files.set(longPath ?? text(archive, at, NAME_LENGTH), data);
      longPath = undefined;
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

function packEntry(entry: TarEntry): Buffer[] {
  const path = Buffer.from(entry.type === 'folder' ? `${entry.path}/` : entry.path);
  const data = entry.type === 'file' ? entry.data : Buffer.alloc(0);
  const flag = entry.type === 'file' ? '0' : '5';
  const short = path.subarray(0, NAME_LENGTH);
  const main = [header(short, entry.mode, data.length, flag), padded(data)];
  if (path.length <= NAME_LENGTH) return main;
  const long = Buffer.concat([path, Buffer.alloc(1)]);
  return [header(Buffer.from(LONG_NAME), 0, long.length, 'L'), padded(long), ...main];
}

function header(path: Buffer, mode: number, size: number, flag: string): Buffer {
  const block = Buffer.alloc(BLOCK);
  path.copy(block, 0);
  block.write(octal(mode & 0o7777, 7), 100);
  block.write(octal(0, 7), 108); // owner
  block.write(octal(0, 7), 116); // group
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136); // modification time
  block.write('        ', 148); // the checksum counts itself as spaces
  block.write(flag, 156);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function padded(data: Buffer): Buffer {
  const size = Math.ceil(data.length / BLOCK) * BLOCK;
  return size === data.length ? data : Buffer.concat([data, Buffer.alloc(size - data.length)]);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function text(buffer: Buffer, start: number, length: number): string {
  const field = buffer.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.subarray(0, end === -1 ? field.length : end).toString();
}
