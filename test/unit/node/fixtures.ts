/** Machines and pods as the tests of nodes need them. */
import type { Instance, Registration } from '../../../shared/api/instance.ts';
import type { Node } from '../../../shared/api/kinds/node.ts';
import type { Pod, PodSpec } from '../../../shared/api/kinds/pod.ts';
import type { ObjectMeta } from '../../../shared/api/meta.ts';
import { nodeOfInstance } from '../../../shared/core/node/from-instance.ts';
import { makePod } from '../pod/pod-life.ts';

export const T0 = 1_893_456_000_000;
export const ID = 'i-0123456789abcdef0';

export const REGISTRATION: Registration = {
  id: 'c1',
  registeredAtMs: T0,
  version: 3,
  status: 'ACTIVE',
  agentConnected: true,
  cpuUnits: 4096,
  memoryMiB: 15_500,
  gpus: 1,
  attributes: {
    'ecs.instance-type': 'g5.xlarge',
    'ecs.os-type': 'linux',
    'ecs.cpu-architecture': 'x86_64',
    team: 'ml',
    'nullplane.io/taint-0': 'NoSchedule:nvidia.com/gpu:true',
  },
};

export const INSTANCE: Instance = {
  id: ID,
  state: 'running',
  type: 'g5.xlarge',
  zone: 'eu-west-1b',
  capacityType: 'spot',
  launchedAtMs: T0 - 120_000,
  isOurs: true,
  claimUid: 'claim-1',
  privateIp: '10.0.0.7',
  shape: {
    cpus: 4,
    memoryMiB: 16_384,
    arch: 'amd64',
    networkInterfaces: 4,
    gpu: { name: 'a10g', manufacturer: 'nvidia', count: 1, memoryMiB: 22_888 },
  },
  registration: REGISTRATION,
};

export function machine(given: Partial<Instance> = {}, meta: Partial<ObjectMeta> = {}): Node {
  const node = nodeOfInstance({ ...INSTANCE, ...given }, T0);
  if (!node) throw new Error('not a node');
  return { ...node, metadata: { ...node.metadata, uid: `uid-of-${node.metadata.name}`, ...meta } };
}

/** A pod that runs on the machine. */
export function podOn(
  name: string,
  spec: Partial<PodSpec> = {},
  metadata: Partial<ObjectMeta> = {},
): Pod {
  const made = makePod({ nodeName: ID, terminationGracePeriodSeconds: 30, ...spec });
  const control = { attempt: 1, taskId: `${name}-1` };
  return { ...made, metadata: { ...made.metadata, name, uid: name, ...metadata }, control };
}
