import { describe, expect, it } from 'vitest';
import { fargateSize } from '../../../adapters/aws/ecs/sizes.ts';
import type { TaskSpec, TaskVolume } from '../../../shared/api/task.ts';
import { container } from '../../contract/runtime.contract.ts';
import { app, definitionOf, INSTANCE, rejectionOf } from './tasks.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const named = (name: string, essential = true) => container(name, { image: 'x', essential });
const empty = (given: object = {}): TaskVolume => ({
  ...{ name: 'v', type: 'empty', memory: false, sizeBytes: 0 },
  ...given,
});
const mounts = [{ volume: 'v', path: '/v', readOnly: false }];

function order(given: Partial<TaskSpec>) {
  return definitionOf(given).containerDefinitions.map(({ name, essential, dependsOn = [] }) => [
    name,
    essential,
    ...dependsOn.map(({ containerName, condition }) => `${containerName} ${condition}`),
  ]);
}

describe('sizes of Fargate', () => {
  it.each([
    [0, 0, 256, 512],
    [256, 512, 256, 512],
    [256, 513, 256, 1024],
    [256, 1025, 256, 2048],
    [256, 2049, 512, 3072],
    [257, 0, 512, 1024],
    [1024, 0, 1024, 2048],
    [1000, 8193, 2048, 9216],
    [4096, 30_720, 4096, 30_720],
    [4096, 30_721, 8192, 32_768],
    [16_384, 120 * 1024, 16_384, 120 * 1024],
  ])('%i units and %i MiB are given %i and %i', (cpu, memoryMiB, givenCpu, givenMiB) => {
    expect(fargateSize({ cpu, memoryMiB })).toEqual({ cpu: givenCpu, memoryMiB: givenMiB });
  });

  it('end', () => {
    expect(() => fargateSize({ cpu: 16_385, memoryMiB: 0 })).toThrow(/largest is 16 vCPU/);
    expect(() => fargateSize({ cpu: 0, memoryMiB: 122_881 })).toThrow(/largest is 16 vCPU/);
  });
});

describe('a task as a definition', () => {
  it('is a task of Fargate of the size that holds what its containers ask for', () => {
    const asking = { cpuMillisRequest: 200, memoryBytesRequest: 400 * MIB };
    const containers = [app(asking), container('b', { image: 'b', ...asking })];
    expect(definitionOf({ containers })).toMatchObject({
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      cpu: '512',
      memory: '1024',
      executionRoleArn: 'arn:aws:iam::123456789012:role/execution',
    });
  });

  it('is as large as its hungriest init container', () => {
    const initContainers = [container('i', { image: 'i', memoryBytesRequest: 900 * MIB })];
    expect(definitionOf({ initContainers })).toMatchObject({ cpu: '256', memory: '1024' });
  });

  it('has no size of its own on an instance', () => {
    const definition = definitionOf({ nodeName: INSTANCE });
    expect(definition).toMatchObject({ requiresCompatibilities: ['EC2'], networkMode: 'awsvpc' });
    expect(definition).not.toHaveProperty('cpu');
  });

  it('runs init containers one after the other, before the others', () => {
    const initContainers = [named('one'), named('two')];
    const containers = [named('app'), named('side', false)];
    expect(order({ initContainers, containers })).toEqual([
      ['one_init', false],
      ['two_init', false, 'one_init SUCCESS'],
      ['app', true, 'two_init SUCCESS'],
      ['side', false, 'two_init SUCCESS'],
    ]);
  });

  it('fills its volumes before anything else', () => {
    const initContainers = [named('one')];
    const containers = [app({ mounts })];
    expect(order({ initContainers, containers, volumes: [empty()] })).toEqual([
      ['nullplane_files', false],
      ['one_init', false, 'nullplane_files SUCCESS'],
      ['app', true, 'one_init SUCCESS'],
    ]);
  });

  it('ends with its only container, essential or not', () => {
    expect(order({ containers: [named('app', false)] })).toEqual([['app', true]]);
  });

  it('ends when all have ended, where none is essential', () => {
    const containers = [named('a', false), named('b', false)];
    expect(order({ containers })).toEqual([
      ['a', false],
      ['b', false],
      ['nullplane_end', true],
    ]);
  });

  it.each<[string, Partial<TaskSpec>, string]>([
    ['another node', { nodeName: 'node-1' }, 'UnknownNode'],
    [
      'hostAliases',
      { hostAliases: [{ ip: '1.2.3.4', hostnames: ['x'] }] },
      'HostAliasesUnsupported',
    ],
    [
      'more than ten containers',
      { containers: Array.from({ length: 11 }, (_, i) => named(`c${i}`)) },
      'TooManyContainers',
    ],
    ['too much CPU', { containers: [app({ cpuMillisRequest: 17_000 })] }, 'TaskTooLarge'],
    [
      'files larger than a definition',
      { containers: [app({ mounts })], volumes: [filesOf(randomText(100_000))] },
      'TaskTooLarge',
    ],
    [
      'more storage than Fargate has',
      { containers: [app({ mounts })], volumes: [empty({ sizeBytes: 201 * GIB })] },
      'TaskTooLarge',
    ],
    [
      'files outside of their volume',
      { containers: [app({ mounts })], volumes: [filesOf('a', '../a')] },
      'InvalidPath',
    ],
  ])('is refused: %s', (_name, given, reason) => {
    const rejection = rejectionOf(given);
    expect(rejection.reason).toBe(reason);
    expect(rejection.message).toMatch(/\w+ \w+/);
  });
});

describe('volumes of a task', () => {
  it('are folders of the task', () => {
    const definition = definitionOf({ containers: [app({ mounts })], volumes: [empty()] });
    expect(definition.volumes).toEqual([{ name: 'v', host: {} }]);
    expect(definition.containerDefinitions.at(-1)?.mountPoints).toEqual([
      { sourceVolume: 'v', containerPath: '/v', readOnly: false },
    ]);
  });

  it('are left out when nobody mounts them', () => {
    expect(definitionOf({ volumes: [empty()] })).toMatchObject({ volumes: [] });
    expect(order({ volumes: [empty()] })).toEqual([['app', true]]);
  });

  it('hold files that are read-only', () => {
    const definition = definitionOf({ containers: [app({ mounts })], volumes: [filesOf('x')] });
    expect(definition.containerDefinitions.at(-1)?.mountPoints).toMatchObject([{ readOnly: true }]);
  });

  it('are in memory for one container, and folders for several', () => {
    const volumes = [empty({ memory: true, sizeBytes: 64 * MIB })];
    const [alone] = definitionOf({ containers: [app({ mounts })], volumes }).containerDefinitions;
    expect(alone?.linuxParameters?.tmpfs).toEqual([{ containerPath: '/v', size: 64 }]);
    const two = [app({ mounts }), container('b', { image: 'b', mounts })];
    expect(definitionOf({ containers: two, volumes }).volumes).toEqual([{ name: 'v', host: {} }]);
  });

  it.each([
    [0, undefined],
    [20 * GIB, undefined],
    [20 * GIB + 1, { sizeInGiB: 21 }],
    [100 * GIB, { sizeInGiB: 100 }],
  ])('of %i bytes ask Fargate for %j', (sizeBytes, storage) => {
    const volumes = [empty({ sizeBytes })];
    const definition = definitionOf({ containers: [app({ mounts })], volumes });
    expect(definition.ephemeralStorage).toEqual(storage);
  });
});

function filesOf(text: string, path = 'a'): TaskVolume {
  const content = Buffer.from(text).toString('base64');
  return { name: 'v', type: 'files', files: [{ path, content, mode: 0o644 }] };
}

/** Not to be compressed. */
function randomText(length: number): string {
  let state = 1;
  const next = () => (state = (state * 48_271) % 2_147_483_647);
  return Array.from({ length }, () => String.fromCharCode(33 + (next() % 90))).join('');
}
