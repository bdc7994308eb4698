/** The launch template's script, run by a shell against instance metadata as EC2 serves it. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { tagsOf } from '../../../adapters/aws/ec2/tags.ts';
import { LaunchRejected, type LaunchRequest } from '../../../shared/ports/instances.ts';
import { attributesOfTags } from './harness.ts';

const SCRIPT = join(import.meta.dirname, '../../../adapters/aws/ec2/node-user-data.sh');
const folder = mkdtempSync(join(tmpdir(), 'nullplane-user-data-'));
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

const REQUEST: LaunchRequest = {
  claimUid: 'claim-1',
  count: 1,
  types: ['g5.xlarge'],
  zones: ['us-east-1a'],
  capacityType: 'spot',
  labels: { 'example.com/team': 'ml', rack: 'r7' },
  taints: [{ key: 'nvidia.com/gpu', value: 'true', effect: 'NoSchedule' }],
  tags: { owner: 'ml' },
};

/** Metadata of version 2: nothing without a token. */
async function metadata(tags: ReadonlyMap<string, string>): Promise<string> {
  const server = createServer(({ method, url = '', headers }, response) => {
    if (method === 'PUT' && url === '/latest/api/token') return void response.end('secret');
    const isAllowed = headers['x-aws-ec2-metadata-token'] === 'secret';
    const value = tags.get(url.replace('/latest/meta-data/tags/instance/', ''));
    response.statusCode = !isAllowed ? 401 : value === undefined ? 404 : 200;
    response.end(value);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

/** The agent's settings after the script. */
async function settingsAfter(
  tags: ReadonlyMap<string, string>,
  more: { readonly [name: string]: string } = {},
): Promise<string> {
  const config = join(folder, 'ecs.config');
  writeFileSync(config, 'ECS_CLUSTER=nullplane\n');
  const env = { ...process.env, IMDS: await metadata(tags), ECS_CONFIG: config, ...more };
  await promisify(execFile)('sh', ['-eu', SCRIPT], { env });
  return readFileSync(config, 'utf8');
}

const asMap = (tags: ReturnType<typeof tagsOf>) =>
  new Map(tags.map(({ Key = '', Value = '' }) => [Key, Value]));

describe('the user data of a node', () => {
  it('hands labels and taints from the tags to the agent', async () => {
    const tags = asMap(tagsOf('nullplane', REQUEST));
    const settings = await settingsAfter(tags);
    const [, json = ''] = /^ECS_INSTANCE_ATTRIBUTES=(.*)$/m.exec(settings) ?? [];
    const attributes: unknown = JSON.parse(json);
    expect(attributes).toEqual({
      'example.com/team': 'ml',
      rack: 'r7',
      'karpenter.sh/capacity-type': 'spot',
      'nullplane.io/taint-0': 'NoSchedule:nvidia.com/gpu:true',
    });
    expect(attributes).toEqual(attributesOfTags(tags));
    expect(settings).toContain('ECS_CLUSTER=nullplane\n');
  });

  it('makes the runtime that gives out GPUs the default, where we hand them out', async () => {
    const bin = mkdtempSync(join(folder, 'bin-'));
    for (const name of ['nvidia-ctk', 'systemctl']) {
      const script = `#!/bin/sh\necho ${name} "$@" >> "$(dirname "$0")/calls"\n`;
      writeFileSync(join(bin, name), script, { mode: 0o755 });
    }
    const PATH = `${bin}:${process.env['PATH'] ?? ''}`;
    const sharing = (value: string) =>
      asMap(tagsOf('nullplane', { ...REQUEST, labels: { 'nullplane.io/gpu-sharing': value } }));
    await settingsAfter(sharing('mps'), { PATH });
    expect(existsSync(join(bin, 'calls'))).toBe(false);
    await settingsAfter(sharing('assigned'), { PATH });
    expect(readFileSync(join(bin, 'calls'), 'utf8').split('\n')).toEqual([
      'nvidia-ctk runtime configure --runtime=docker --set-as-default',
      'systemctl try-restart docker',
      '',
    ]);
  });

  it('adds nothing where there are no such tags', async () => {
    expect(await settingsAfter(new Map([['Name', 'x']]))).toBe('ECS_CLUSTER=nullplane\n');
  });
});

describe('the tags of an instance', () => {
  it('say whose it is, and may be read from metadata', () => {
    const tags = asMap(tagsOf('nullplane', REQUEST));
    expect(tags.get('nullplane:installation')).toBe('nullplane');
    expect(tags.get('nullplane:claim')).toBe('claim-1');
    expect(tags.get('owner')).toBe('ml');
    expect([...tags.keys()].filter((key) => key.includes('/'))).toEqual([]);
  });

  it('that somebody asks for never take the place of ours', () => {
    const tags = { 'nullplane:installation': 'other', 'nullplane:claim': 'x' };
    const made = asMap(tagsOf('nullplane', { ...REQUEST, tags }));
    expect(made.get('nullplane:installation')).toBe('nullplane');
    expect(made.get('nullplane:claim')).toBe('claim-1');
  });

  it.each<[string, Partial<LaunchRequest>]>([
    ['a key that metadata does not take', { tags: { 'a/b': 'x' } }],
    ['a value that is too long', { tags: { a: 'x'.repeat(257) } }],
    ['a label that ends a quote', { labels: { a: 'x"y' } }],
    ['a label that runs a command', { labels: { a: '$(reboot)' } }],
    ['too many of them', { tags: Object.fromEntries(many(50)) }],
  ])('are refused with %s', (_, given) => {
    expect(() => tagsOf('nullplane', { ...REQUEST, ...given })).toThrow(LaunchRejected);
  });
});

function many(count: number): [string, string][] {
  return Array.from({ length: count }, (_, i) => [`t${i}`, 'x']);
}
