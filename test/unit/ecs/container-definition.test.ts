import { describe, expect, it } from 'vitest';
import type { ContainerSpec } from '../../../shared/api/task.ts';
import { app, containerOf, definitionOf, INSTANCE, rejectionOf } from './tasks.ts';

const MIB = 2 ** 20;

describe('a container of a pod on ECS', () => {
  it.each<[string, Partial<ContainerSpec>, object]>([
    ['image', {}, { name: 'app', image: 'app:1', essential: true }],
    ['command', { command: ['a', 'b'] }, { entryPoint: ['a', 'b'] }],
    ['args', { args: ['c'] }, { command: ['c'] }],
    ['workingDir', { workingDir: '/srv' }, { workingDirectory: '/srv' }],
    ['user', { user: '1000:2000' }, { user: '1000:2000' }],
    ['read-only root', { readOnlyRootFilesystem: true }, { readonlyRootFilesystem: true }],
    ['tty', { tty: true, stdin: true }, { pseudoTerminal: true, interactive: true }],
    ['env', { env: [{ name: 'A', value: '1' }] }, { environment: [{ name: 'A', value: '1' }] }],
    [
      'env out of the vault',
      { env: [{ name: 'A', value: '', secretRef: 'arn:aws:ssm:::parameter/x' }] },
      { environment: [], secrets: [{ name: 'A', valueFrom: 'arn:aws:ssm:::parameter/x' }] },
    ],
    [
      'ports, each once',
      {
        ports: [
          { containerPort: 80, protocol: 'TCP' },
          { containerPort: 80, protocol: 'TCP' },
          { containerPort: 53, protocol: 'UDP' },
        ],
      },
      {
        portMappings: [
          { containerPort: 80, protocol: 'tcp' },
          { containerPort: 53, protocol: 'udp' },
        ],
      },
    ],
    [
      'capabilities',
      { capabilitiesAdd: ['CAP_SYS_PTRACE'], capabilitiesDrop: ['ALL'] },
      { linuxParameters: { capabilities: { add: ['SYS_PTRACE'], drop: ['ALL'] } } },
    ],
    ['non-root', { runAsNonRoot: true, user: '1000' }, { user: '1000' }],
  ])('has its %s', (_name, given, expected) => {
    expect(containerOf(given)).toMatchObject(expected);
  });

  it('writes to the log group, under names that can be derived', () => {
    expect(containerOf({})?.logConfiguration).toEqual({
      logDriver: 'awslogs',
      options: {
        'awslogs-group': '/nullplane/tasks',
        'awslogs-region': 'us-east-1',
        'awslogs-stream-prefix': 'nullplane',
      },
    });
  });

  it.each([
    ['fargate', 30, 30],
    ['fargate', 600, 120],
    ['fargate', 0, 2],
    [INSTANCE, 600, 600],
  ])('on %s gets %i s of grace as %i s', (nodeName, graceSeconds, stopTimeout) => {
    const [one] = definitionOf({ nodeName, graceSeconds }).containerDefinitions;
    expect(one?.stopTimeout).toBe(stopTimeout);
  });

  it.each<[string, Partial<ContainerSpec>, object]>([
    ['nothing asked', { cpuMillisRequest: 0 }, { memoryReservation: 6 }],
    [
      'requests',
      { cpuMillisRequest: 500, memoryBytesRequest: 100 * MIB },
      { cpu: 512, memoryReservation: 100 },
    ],
    [
      'a limit above the request',
      { memoryBytesRequest: 100 * MIB, memoryBytesLimit: 200 * MIB },
      { memory: 200, memoryReservation: 100 },
    ],
    [
      'a limit that is the request',
      { memoryBytesRequest: 100 * MIB, memoryBytesLimit: 100 * MIB },
      { memory: 100 },
    ],
    ['GPUs', { gpus: 2 }, { resourceRequirements: [{ type: 'GPU', value: '2' }] }],
    [
      'a part of a GPU that MPS keeps apart',
      { gpuShare: { milli: 255, memoryMiB: 4096 } },
      {
        resourceRequirements: [
          { type: 'GPU', sharingStrategy: { nvidiaMps: { memory: 4096, maxComputePercent: 25 } } },
        ],
      },
    ],
    [
      'the least part of a GPU',
      { gpuShare: { milli: 1, memoryMiB: 1 } },
      {
        resourceRequirements: [
          { type: 'GPU', sharingStrategy: { nvidiaMps: { memory: 1, maxComputePercent: 1 } } },
        ],
      },
    ],
    [
      'no new privileges',
      { noNewPrivileges: true },
      { dockerSecurityOptions: ['no-new-privileges'] },
    ],
  ])('is counted on an instance: %s', (_name, given, expected) => {
    expect(containerOf(given, INSTANCE)).toMatchObject(expected);
  });

  it('holds a limit below the size of its task on Fargate, and no reservation', () => {
    const given = { memoryBytesRequest: 100 * MIB, memoryBytesLimit: 200 * MIB };
    expect(containerOf(given)).toMatchObject({ memory: 200 });
    expect(containerOf(given)).not.toHaveProperty('memoryReservation');
    expect(containerOf({ memoryBytesLimit: 4096 * MIB })).not.toHaveProperty('memory');
  });

  it('leaves GPUs that we chose out of what ECS counts, and to the environment', () => {
    const env = [{ name: 'NVIDIA_VISIBLE_DEVICES', value: 'void' }];
    const made = containerOf({ gpuDevices: [], env }, INSTANCE);
    expect(made).not.toHaveProperty('resourceRequirements');
    expect(made?.environment).toEqual(env);
  });

  it.each<[string, Partial<ContainerSpec>, string]>([
    ['GPUs on Fargate', { gpus: 1 }, 'GpuUnavailable'],
    ['GPUs that we chose on Fargate', { gpuDevices: ['0'] }, 'GpuUnavailable'],
    ['a part of one', { gpuShare: { milli: 1, memoryMiB: 1 } }, 'GpuUnavailable'],
    [
      'a capability that Fargate lacks',
      { capabilitiesAdd: ['NET_ADMIN'] },
      'CapabilityUnsupported',
    ],
    ['SCTP', { ports: [{ containerPort: 1, protocol: 'SCTP' }] }, 'ProtocolUnsupported'],
    ['non-root without a user', { runAsNonRoot: true }, 'CreateContainerConfigError'],
    ['non-root as root', { runAsNonRoot: true, user: '0' }, 'CreateContainerConfigError'],
    [
      'a part of a volume',
      { mounts: [{ volume: 'v', path: '/v', readOnly: true, subPath: 'a' }] },
      'SubPathUnsupported',
    ],
  ])('is refused: %s', (_name, given, reason) => {
    expect(rejectionOf({ containers: [app(given)] }).reason).toBe(reason);
  });
});
