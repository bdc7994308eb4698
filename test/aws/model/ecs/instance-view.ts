/** A container instance as answers and events have it. */
import type { ContainerInstance, Resource } from '@aws-sdk/client-ecs';
import { remainingOf, RESERVED_TCP_PORTS } from './placement.ts';
import { attributeViews, type InstanceRecord } from './state.ts';

/** For PORTS, `remainingResources` is what is *used*. */
export function instanceView(instance: InstanceRecord): ContainerInstance {
  const left = remainingOf(instance);
  const tasks = [...instance.tasks];
  const running = tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING').length;
  const { tcp, udp } = left.usedPorts;
  const resources = (cpu: number, memoryMiB: number, tcpPorts: readonly number[]) => [
    integer('CPU', cpu),
    integer('MEMORY', memoryMiB),
    strings('PORTS', tcpPorts.map(String)),
  ];
  const gpus = (ids: readonly string[]) => {
    return instance.gpuIds.length > 0 ? [strings('GPU', ids)] : [];
  };
  return {
    containerInstanceArn: instance.arn,
    ec2InstanceId: instance.ec2InstanceId,
    version: instance.version,
    versionInfo: { agentVersion: '1.90.0', dockerVersion: 'DockerVersion: 25.0.6' },
    status: instance.status,
    agentConnected: instance.agentConnected,
    runningTasksCount: running,
    pendingTasksCount: tasks.filter(({ desiredStatus, lastStatus }) => {
      return desiredStatus === 'RUNNING' && lastStatus !== 'RUNNING';
    }).length,
    registeredAt: new Date(instance.registeredAtMs),
    attributes: attributeViews(instance.attributes),
    attachments: [],
    tags: [...instance.tags],
    registeredResources: [
      ...resources(instance.cpu, instance.memoryMiB, RESERVED_TCP_PORTS),
      strings('PORTS_UDP', []),
      ...gpus(instance.gpuIds),
    ],
    remainingResources: [
      ...resources(left.cpu, left.memoryMiB, tcp),
      strings('PORTS_UDP', udp.map(String)),
      ...gpus(left.freeGpuIds),
    ],
  };
}

function integer(name: string, value: number): Resource {
  return { name, type: 'INTEGER', integerValue: value, longValue: 0, doubleValue: 0 };
}

function strings(name: string, values: readonly string[]): Resource {
  const zero = { integerValue: 0, longValue: 0, doubleValue: 0 };
  return { name, type: 'STRINGSET', ...zero, stringSetValue: [...values] };
}
