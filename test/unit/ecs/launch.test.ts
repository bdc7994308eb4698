import { describe, expect, it } from 'vitest';
import { launchOf } from '../../../adapters/aws/ecs/launch.ts';
import { isOfInstallation } from '../../../adapters/aws/ecs/names.ts';
import type { TaskSpec } from '../../../shared/api/task.ts';
import { container } from '../../contract/runtime.contract.ts';
import { app, fargateTask, INSTANCE, POD_UID, SETTINGS } from './tasks.ts';

const launch = (given: Partial<TaskSpec> = {}) => launchOf(fargateTask(given), SETTINGS);

/** A pod of a ReplicaSet whose template mentions its name in several places. */
function replica(podName: string, extra: object = {}): Partial<TaskSpec> {
  const env = [
    { name: 'POD_NAME', value: podName },
    { name: 'PEER', value: `http://${podName}.web` },
    { name: 'LEVEL', value: 'debug' },
  ];
  return { podName, hostname: podName, containers: [app({ env, ...extra })] };
}

describe('a launch', () => {
  it('is the same for the same task, word for word', () => {
    expect(launch()).toEqual(launch());
  });

  it('names the task, its pod and the installation', () => {
    expect(launch().request).toMatchObject({
      cluster: 'nullplane',
      count: 1,
      clientToken: `${POD_UID}-1`,
      startedBy: `${POD_UID}-1`,
      group: 'pod:default/web-1@fargate',
      enableECSManagedTags: true,
    });
    expect(launch().request.tags).toEqual([
      { key: 'nullplane:installation', value: 'nullplane' },
      { key: 'nullplane:namespace', value: 'default' },
      { key: 'nullplane:pod', value: 'web-1' },
      { key: 'nullplane:asked', value: '0.011 vCPU / 0 MiB' },
      { key: 'nullplane:given', value: '0.25 vCPU / 512 MiB' },
    ]);
  });

  it.each([
    ['fargate', 'FARGATE'],
    ['fargate-spot', 'FARGATE_SPOT'],
  ])('to %s says the weight, whose default places nothing', (nodeName, capacityProvider) => {
    const { request } = launch({ nodeName });
    expect(request.capacityProviderStrategy).toEqual([{ capacityProvider, weight: 1 }]);
    expect(request).not.toHaveProperty('launchType');
    expect(request.networkConfiguration?.awsvpcConfiguration).toEqual({
      subnets: ['subnet-1', 'subnet-2'],
      securityGroups: ['sg-1'],
      assignPublicIp: 'ENABLED',
    });
  });

  it('to an instance names that one, and gives no public address', () => {
    const { request } = launch({ nodeName: INSTANCE });
    expect(request).toMatchObject({
      launchType: 'EC2',
      placementConstraints: [{ type: 'memberOf', expression: `ec2InstanceId == ${INSTANCE}` }],
      networkConfiguration: { awsvpcConfiguration: { assignPublicIp: 'DISABLED' } },
    });
    expect(request).not.toHaveProperty('capacityProviderStrategy');
  });

  it('has the roles of the settings, and no others', () => {
    const hostile = fargateTask({
      annotations: { 'nullplane.io/task-role': 'arn:aws:iam::1:role/admin' },
      labels: { taskRoleArn: 'admin' },
    });
    const { definition, request } = launchOf(hostile, SETTINGS);
    expect(definition).not.toHaveProperty('taskRoleArn');
    expect(request).not.toHaveProperty('enableExecuteCommand');
    expect(JSON.stringify([definition, request])).not.toContain('admin');
    const withRole = launchOf(hostile, { ...SETTINGS, taskRoleArn: 'arn:role/pods' });
    expect(withRole.definition.taskRoleArn).toBe('arn:role/pods');
    expect(withRole.request.overrides).toBeUndefined();
  });
});

describe('the definition of a ReplicaSet', () => {
  it('is one for all of its pods', () => {
    const [a, b] = [launch(replica('web-aaaaa')), launch(replica('web-bbbbb'))];
    expect(a.family).toBe(b.family);
    expect(a.definition).toEqual(b.definition);
    expect(a.request.overrides).toEqual({
      containerOverrides: [
        {
          name: 'app',
          environment: [
            { name: 'POD_NAME', value: 'web-aaaaa' },
            { name: 'PEER', value: 'http://web-aaaaa.web' },
          ],
        },
      ],
    });
    const [own] = a.definition.containerDefinitions;
    expect(own?.environment).toEqual([{ name: 'LEVEL', value: 'debug' }]);
  });

  it('is another for another template, and another installation', () => {
    const { family } = launch();
    expect(launch({ containers: [app({ image: 'app:2' })] }).family).not.toBe(family);
    expect(isOfInstallation(`arn:aws:ecs:r:1:task-definition/${family}:3`, 'nullplane')).toBe(true);
    const other = launchOf(fargateTask(), { ...SETTINGS, installation: 'nullplane-b' }).family;
    expect(isOfInstallation(`arn:aws:ecs:r:1:task-definition/${other}:1`, 'nullplane')).toBe(false);
  });

  it('is one for all instances', () => {
    const [a, b] = [INSTANCE, 'i-00000000000000001'].map((nodeName) => launch({ nodeName }));
    expect(a?.family).toBe(b?.family);
  });

  it('leaves the GPUs of each pod to the launch', () => {
    const visible = (value: string) => [{ name: 'NVIDIA_VISIBLE_DEVICES', value }];
    const task = (devices: string) => ({
      nodeName: INSTANCE,
      containers: [
        app({ gpuDevices: devices.split(','), env: visible(devices) }),
        container('side', { gpuDevices: [], env: visible('void') }),
      ],
    });
    const [a, b] = [launch(task('0')), launch(task('2,3'))];
    expect(a.family).toBe(b.family);
    expect(b.request.overrides).toEqual({
      containerOverrides: [{ name: 'app', environment: visible('2,3') }],
    });
    expect(b.definition.containerDefinitions[1]?.environment).toEqual(visible('void'));
    expect(JSON.stringify(b.definition)).not.toContain('resourceRequirements');
  });

  it('leaves arguments that name the pod to the launch, also those of the command', () => {
    const args = launch(replica('web-aaaaa', { args: ['--name', 'web-aaaaa'] }));
    expect(args.request.overrides?.containerOverrides?.[0]?.command).toEqual([
      '--name',
      'web-aaaaa',
    ]);
    const command = ['sh', '-c', 'echo web-aaaaa'];
    const words = launch(replica('web-aaaaa', { command, args: ['x'] }));
    expect(words.definition.containerDefinitions[0]).toMatchObject({ entryPoint: ['sh'] });
    expect(words.definition.containerDefinitions[0]).not.toHaveProperty('command');
    expect(words.request.overrides?.containerOverrides?.[0]?.command).toEqual([
      ...['-c', 'echo web-aaaaa', 'x'],
    ]);
  });

  it('takes what the overrides have no room for', () => {
    const long = `web-aaaaa ${'x'.repeat(5_000)}`;
    const env = ['A', 'B', 'C'].map((name) => ({ name, value: long }));
    const small = { name: 'S', value: 'web-aaaaa' };
    const { definition, request } = launch(replica('web-aaaaa', { env: [...env, small] }));
    const taken = request.overrides?.containerOverrides?.[0]?.environment ?? [];
    const [own] = definition.containerDefinitions;
    expect(JSON.stringify(request.overrides).length).toBeLessThanOrEqual(8_192);
    expect(taken.map(({ name }) => name)).toEqual(['S', 'A']);
    expect(own?.environment?.map(({ name }) => name)).toEqual(['B', 'C']);
  });

  it('keeps overrides within their limit however many containers there are', () => {
    const env = Array.from({ length: 60 }, (_, i) => ({ name: `V${i}`, value: 'web-aaaaa "\n' }));
    const containers = Array.from({ length: 9 }, (_, i) => container(`c${i}`, { image: 'x', env }));
    const { request } = launch({ podName: 'web-aaaaa', containers });
    expect(JSON.stringify(request.overrides).length).toBeLessThanOrEqual(8_192);
  });
});
