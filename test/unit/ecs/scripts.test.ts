/** What helper containers run, run by a real shell. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { filesWork } from '../../../adapters/aws/ecs/files.ts';
import { endHelper } from '../../../adapters/aws/ecs/helpers.ts';
import type { TaskFile } from '../../../shared/api/task.ts';

const run = promisify(execFile);

describe('the container that fills volumes', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nullplane-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** As ECS runs it, with the volumes in another place and the vault's values given. */
  async function fill(files: readonly TaskFile[], vault: { [name: string]: string } = {}) {
    const work = filesWork([
      { name: 'empty', type: 'empty', memory: false, sizeBytes: 0 },
      { name: 'config', type: 'files', files },
    ]);
    const values = (work?.secrets ?? []).map((s) => [s.name ?? '', vault[s.valueFrom ?? ''] ?? '']);
    const plain = (work?.environment ?? []).map(({ name = '', value = '' }) => [name, value]);
    const given = Object.fromEntries([...plain, ...values]) as { [name: string]: string };
    const env = { PATH: process.env.PATH, ...given };
    const script = (work?.command?.[0] ?? '').replaceAll('/volumes', folder);
    await run('mkdir', ['-p', join(folder, 'empty'), join(folder, 'config')]);
    await run('sh', ['-c', script], { env });
    return work;
  }

  const read = (path: string) => readFile(join(folder, 'config', path));
  const modeOf = async (path: string) => (await stat(join(folder, path))).mode & 0o7777;

  it('writes files as they are, under any name, with their modes', async () => {
    const binary = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await fill([
      { path: 'a.conf', content: base64('key=value\n\n'), mode: 0o644 },
      { path: "deep/down/it's $(here)", content: base64('x'), mode: 0o400 },
      { path: 'binary', content: binary.toString('base64'), mode: 0o755 },
      { path: 'nothing', content: '', mode: 0o644 },
    ]);
    expect(String(await read('a.conf'))).toBe('key=value\n\n');
    expect(String(await read("deep/down/it's $(here)"))).toBe('x');
    expect(await read('binary')).toEqual(binary);
    expect(await read('nothing')).toHaveLength(0);
    expect(await modeOf("config/deep/down/it's $(here)")).toBe(0o400);
    expect(await modeOf('config/binary')).toBe(0o755);
  });

  it('lets anybody write into empty volumes', async () => {
    await fill([]);
    expect(await modeOf('empty')).toBe(0o777);
  });

  it('writes secrets that the vault holds in parts, and has none in its definition', async () => {
    const parts = ['arn:1', 'arn:2'];
    const work = await fill(
      [
        { path: 'text', content: '', mode: 0o600, secretRef: { parts, encoding: 'text' } },
        { path: 'raw', content: '', mode: 0o600, secretRef: { parts, encoding: 'base64' } },
      ],
      { 'arn:1': 'c2Vj', 'arn:2': 'cmV0' },
    );
    expect(String(await read('text'))).toBe('c2VjcmV0');
    expect(String(await read('raw'))).toBe('secret');
    expect(work?.environment).toEqual([]);
    expect(work?.secrets).toHaveLength(4);
  });
});

describe('the container that ends a task', () => {
  it('ends once all of those it waits for have', async () => {
    const answers = [
      ['RUNNING', 'RUNNING'],
      ['STOPPED', 'RUNNING'],
      ['STOPPED', 'STOPPED'],
    ];
    let asked = 0;
    const server = createServer((_request, response) => {
      const statuses = answers[Math.min(asked++, answers.length - 1)] ?? [];
      response.end(JSON.stringify(metadata(statuses)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const { command = [] } = endHelper(['app_live', 'side']);
      const script = (command[0] ?? '').replace('sleep 2', 'sleep 0.05');
      const uri = `http://127.0.0.1:${port}`;
      await run('sh', ['-c', script], {
        env: { PATH: process.env.PATH, ECS_CONTAINER_METADATA_URI_V4: uri },
      });
      expect(asked).toBe(answers.length);
    } finally {
      server.close();
    }
  });
});

/** As the task metadata endpoint, version 4, answers. */
function metadata([app, side]: readonly (string | undefined)[]) {
  const container = (name: string, status?: string) => ({
    DockerId: 'f00',
    Name: name,
    DockerName: name,
    Labels: { 'com.amazonaws.ecs.container-name': name },
    DesiredStatus: 'RUNNING',
    KnownStatus: status,
  });
  const Containers = [
    container('nullplane_end', 'RUNNING'),
    container('app_live', app),
    container('side', side),
  ];
  return { Cluster: 'c', TaskARN: 'arn', KnownStatus: 'RUNNING', Containers };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
