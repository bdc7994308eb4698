/** What becomes of a sealed Secret in a task: references, or a rejection that says what to do. */
import { describe, expect, it } from 'vitest';
import { toBase64 } from '../../../shared/api/base64.ts';
import type { Container } from '../../../shared/api/kinds/container.ts';
import type { Secret } from '../../../shared/api/kinds/core.ts';
import type { PodSpec } from '../../../shared/api/kinds/pod.ts';
import { PodConfig } from '../../../shared/control/pod-config.ts';
import { resolveTaskSpec, taskSpecOf } from '../../../shared/control/task-spec.ts';
import { TaskRejected } from '../../../shared/ports/runtime.ts';
import { secret, SECRETS, World } from '../vault/world.ts';
import { container, makePod } from './pod-life.ts';

const VALUES = {
  password: 'canary',
  USER: 'canary-user',
  empty: '',
  'not a name': 'canary',
  long: 'canary'.repeat(1_000),
  template: 'canary {{x}}',
};

async function sealedSecret(world: World, texts = VALUES): Promise<Secret> {
  await world.revealing().create(SECRETS, secret('token', texts));
  const { items } = await world.table.list({ resource: SECRETS });
  return items[0] as unknown as Secret;
}

async function specOf(given: Partial<Container>, pod: Partial<PodSpec> = {}) {
  const object = await sealedSecret(new World());
  const config = new PodConfig(new Map([['secrets/token', object]]));
  const spec = taskSpecOf(makePod({ containers: [container('app', given)], ...pod }), config);
  expect(JSON.stringify(spec)).not.toMatch(/canary|Y2FuYXJ5/);
  return spec;
}

const from = (name: string, key: string) => ({
  name,
  valueFrom: { secretKeyRef: { name: 'token', key } },
});

async function envOf(given: Partial<Container>) {
  return (await specOf(given)).containers[0]?.env;
}

async function rejection(given: Partial<Container>): Promise<string> {
  const error: unknown = await specOf(given).catch((thrown: unknown) => thrown);
  if (!(error instanceof TaskRejected)) throw new Error(`not rejected: ${String(error)}`);
  expect(error.reason).toBe('CreateContainerConfigError');
  expect(error.message).not.toContain('canary');
  return error.message;
}

describe('variables of a sealed Secret', () => {
  it('name where the value is, and are empty here', async () => {
    expect(await envOf({ env: [from('P', 'password'), from('E', 'empty')] })).toEqual([
      { name: 'P', value: '', secretRef: expect.stringMatching(/\/k\/password$/) as string },
      { name: 'E', value: '' },
    ]);
  });

  it('come from whole objects, under a prefix, unless they are set later', async () => {
    const envFrom = [{ secretRef: { name: 'token' }, prefix: 'S_' }];
    const env = [
      { name: 'S_long', value: 'set' },
      { name: 'S_template', value: 'set' },
    ];
    const variables = await envOf({ envFrom, env });
    expect(variables?.map(({ name, secretRef }) => [name, secretRef !== undefined])).toEqual([
      ['S_password', true],
      ['S_USER', true],
      ['S_empty', false],
      ['S_long', false],
      ['S_template', false],
    ]);
  });

  it('are rejected when they can be no variable, whole objects and all', async () => {
    const why = 'key long of secrets/token is longer than 4 KiB: mount it as a file';
    const tooLong = await rejection({ env: [from('L', 'long')] });
    expect(tooLong).toBe(`container app: variable L: ${why}`);
    expect(await rejection({ env: [from('T', 'template')] })).toContain('mount it as a file');
    const envFrom = [{ secretRef: { name: 'token' } }];
    expect(await rejection({ envFrom })).toContain('variable long');
  });

  it('can’t be expanded, in values or in commands', async () => {
    const env = [from('P', 'password'), { name: 'URL', value: 'pg://u:$(P)@db' }];
    expect(await rejection({ env })).toContain("$(P) can't be expanded");
    expect(await rejection({ env: [from('P', 'password')], args: ['$(P)'] })).toContain('$(P)');
    const escaped = await specOf({ env: [from('P', 'password')], args: ['$$(P)', '$(E)'] });
    expect(escaped.containers[0]?.args).toEqual(['$(P)', '$(E)']);
  });
});

describe('files of a sealed Secret', () => {
  it('name their parts and how to read them', async () => {
    const volumes = [{ name: 'v', secret: { secretName: 'token', defaultMode: 0o400 } }];
    const { volumes: [volume] = [] } = await specOf({}, { volumes });
    if (volume?.type !== 'files') throw new Error('no files');
    const shown = volume.files.map(({ path, content, mode, secretRef }) => {
      expect([content, mode]).toEqual(['', 0o400]);
      return [path, secretRef?.encoding, secretRef?.parts.length];
    });
    expect(shown).toEqual([
      ['password', 'text', 1],
      ['USER', 'text', 1],
      ['empty', undefined, undefined],
      ['not a name', 'text', 1],
      ['long', 'text', 2],
      ['template', 'base64', 1],
    ]);
  });
});

describe('a task', () => {
  it('has references out of the store below, and values out of the one that reveals', async () => {
    const world = new World();
    await sealedSecret(world, { ...VALUES, long: 'short' });
    const pod = makePod({ containers: [container('app', { env: [from('P', 'password')] })] });
    const [below] = (await resolveTaskSpec(pod, world.sealed)).containers;
    expect(below?.env[0]?.secretRef).toBeDefined();
    const [above] = (await resolveTaskSpec(pod, world.revealing())).containers;
    expect(above?.env).toEqual([{ name: 'P', value: 'canary' }]);
    expect(toBase64('canary')).toBe('Y2FuYXJ5');
  });
});
