/** Task definitions, Fargate's sizes, and health checks worked out ahead. */
import {
  type ContainerDefinition,
  DeregisterTaskDefinitionCommand,
  DescribeTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
} from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { fargateSizeError } from '../../aws/model/ecs/fargate-sizes.ts';
import { healthChanges } from '../../aws/model/ecs/health.ts';
import { Bench, container } from './support.ts';

const app = container('app');
const after = (containerName: string, condition: 'SUCCESS' | 'HEALTHY' | 'START') => ({
  dependsOn: [{ containerName, condition }],
});
const check = (given: object) => {
  return container('app', undefined, { healthCheck: { command: ['CMD', 'true'], ...given } });
};

describe('registering', () => {
  type Case = [string, ContainerDefinition[], Partial<RegisterTaskDefinitionCommandInput>, RegExp];
  const cases: Case[] = [
    ['no containers', [], {}, /empty/],
    ['eleven', Array.from({ length: 11 }, (_, i) => container(`c${i}`)), {}, /Too many containers/],
    ['over 64 KiB', [{ ...app, command: ['x'.repeat(66_000)] }], {}, /too large/],
    ['a family with a dot', [app], { family: 'a.b' }, /Family/],
    ['two of a name', [app, app], {}, /unique/],
    ['none essential', [{ ...app, essential: false }], {}, /essential/],
    ['no image', [{ ...app, image: '' }], {}, /image/],
    ['an unknown dependency', [{ ...app, ...after('x', 'START') }], {}, /unknown container/],
    [
      'SUCCESS of an essential one',
      [container('init'), { ...app, ...after('init', 'SUCCESS') }],
      {},
      /essential/,
    ],
    [
      'HEALTHY without a check',
      [container('db'), { ...app, ...after('db', 'HEALTHY') }],
      {},
      /health check/,
    ],
    [
      'a cycle',
      [
        { ...container('a'), ...after('b', 'START') },
        { ...container('b'), ...after('a', 'START') },
      ],
      {},
      /cycle/,
    ],
    ['a check every 4 s', [check({ interval: 4 })], {}, /interval/],
    ['11 retries', [check({ retries: 11 })], {}, /retries/],
    ['a check without CMD', [check({ command: ['true'] })], {}, /CMD/],
    ['a stop time of 121 s on Fargate', [{ ...app, stopTimeout: 121 }], {}, /stopTimeout/],
    ['Fargate on the host network', [app], { networkMode: 'host' }, /awsvpc/],
    ['a size that Fargate has not', [app], { memory: '3072' }, /No Fargate configuration/],
    ['no memory at all on EC2', [app], { cpu: undefined, memory: undefined }, /memory/],
  ];
  it.each(cases)('refuses %s', async (_name, containers, given, message) => {
    const call = new Bench().define(containers, given);
    await expect(call).rejects.toMatchObject({ name: 'ClientException' });
    await expect(call).rejects.toThrow(message);
  });

  it('counts revisions, also of those that are deregistered', async () => {
    const bench = new Bench();
    const first = await bench.define();
    await bench.ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition: first }));
    expect(await bench.define()).toMatch(/task-definition\/shape:2$/);
    const describe = new DescribeTaskDefinitionCommand({ taskDefinition: 'shape' });
    expect((await bench.ecs.send(describe)).taskDefinition?.revision).toBe(2);
  });

  it('lets an INACTIVE one be described for ever and run for ten minutes', async () => {
    const bench = new Bench();
    const arn = await bench.define();
    await bench.ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition: arn }));
    expect((await bench.run(arn)).tasks).toHaveLength(1);
    await bench.pass(600_000);
    await expect(bench.run(arn)).rejects.toThrow('inactive');
    const { taskDefinition } = await bench.ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: arn }),
    );
    expect(taskDefinition?.status).toBe('INACTIVE');
  });
});

describe("Fargate's sizes", () => {
  it.each([
    ['256', '512', true],
    ['256', '4096', false],
    ['512', '4096', true],
    ['1024', '1024', false],
    ['4096', '30720', true],
    ['8192', '18432', false],
    ['8192', '20480', true],
    ['16384', '122880', true],
    ['.25 vCPU', '1 GB', true],
    ['300', '512', false],
    [undefined, '512', false],
  ])('%s and %s: %s', (cpu, memory, known) => {
    expect(fargateSizeError(cpu, memory) === undefined).toBe(known);
  });
});

describe('health checks', () => {
  const tenS = { command: [], interval: 10, retries: 3 };
  it.each([
    ['pass at the first check', tenS, {}, [[10_000, 'HEALTHY']]],
    [
      'pass at the first check after it is ready',
      tenS,
      { readyAfterMs: 12_000 },
      [[20_000, 'HEALTHY']],
    ],
    [
      'fail in between when it takes longer than the retries',
      tenS,
      { readyAfterMs: 35_000 },
      [
        [30_000, 'UNHEALTHY'],
        [40_000, 'HEALTHY'],
      ],
    ],
    [
      'do not count failures in the start period',
      { ...tenS, startPeriod: 60 },
      { readyAfterMs: 35_000 },
      [[40_000, 'HEALTHY']],
    ],
    [
      'fail after so many in a row',
      tenS,
      { unhealthyAfterMs: 45_000 },
      [
        [10_000, 'HEALTHY'],
        [70_000, 'UNHEALTHY'],
      ],
    ],
    ['never pass', tenS, { unhealthyAfterMs: 0 }, [[30_000, 'UNHEALTHY']]],
  ])('%s', (_name, healthCheck, behaviour, expected) => {
    const changes = healthChanges(healthCheck, behaviour);
    expect(changes.map(({ afterMs, status }) => [afterMs, status])).toEqual(expected);
  });
});
