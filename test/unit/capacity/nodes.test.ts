/** The node that a type would be, against the node that a machine of the type is. */
import { describe, expect, it } from 'vitest';
import type { Instance, InstanceType } from '../../../shared/api/instance.ts';
import {
  allocatableOf,
  capacityOf,
  expectedOffer,
  labelsOf,
  type NodeSettings,
} from '../../../shared/core/capacity/catalogue/nodes.ts';
import { allInstanceTypes, instanceType } from '../../../shared/core/capacity/catalogue/types.ts';
import { nodeOfInstance } from '../../../shared/core/node/from-instance.ts';
import { INSTANCE, REGISTRATION, T0 } from '../node/fixtures.ts';

const ALL = allInstanceTypes();

function known(name: string): InstanceType {
  const type = instanceType(name);
  if (!type) throw new Error(`no type ${name}`);
  return type;
}

/** A machine of the type whose agent offers what was expected. */
function joined(type: InstanceType, settings: NodeSettings) {
  const attributes = {
    'ecs.os-type': 'linux',
    'ecs.cpu-architecture': type.arch === 'arm64' ? 'arm64' : 'x86_64',
    ...(settings.awsvpcTrunking ? { 'ecs.awsvpc-trunk-id': 'eni-0123456789abcdef0' } : {}),
  };
  const registration = { ...REGISTRATION, ...expectedOffer(type, settings), attributes };
  const instance: Instance = { ...INSTANCE, type: type.name, shape: type, registration };
  const node = nodeOfInstance(instance, T0);
  if (!node) throw new Error('not a node');
  return { node, place: { zone: instance.zone, capacityType: instance.capacityType } };
}

describe('the node that a type would be', () => {
  it.each<[string, NodeSettings]>([
    ['as it comes', {}],
    ['with trunks', { awsvpcTrunking: true }],
    ['with memory set aside', { reservedMemoryMiB: 256 }],
    ['with memory that was seen', { registeredMemoryMiB: () => 12_345 }],
  ])('offers what a machine of the type does, of every type, %s', (_, settings) => {
    const pairs = ALL.map((type) => ({ type, status: joined(type, settings).node.status }));
    const offered = pairs.map(({ status }) => status.allocatable);
    expect(pairs.map(({ type }) => allocatableOf(type, settings))).toEqual(offered);
    const has = pairs.map(({ status }) => status.capacity);
    expect(pairs.map(({ type }) => capacityOf(type, settings))).toEqual(has);
  });

  it('has the labels that a machine of the type has, of every type', () => {
    const labels = ALL.map((type) => {
      const { node, place } = joined(type, {});
      const { 'kubernetes.io/hostname': _, ...rest } = node.metadata.labels ?? {};
      return { rest, expected: labelsOf(type, place) };
    });
    expect(labels.map(({ expected }) => expected)).toEqual(labels.map(({ rest }) => rest));
  });

  it('has labels of what it is made of', () => {
    const place = { zone: 'us-east-1a', capacityType: 'spot' } as const;
    expect(labelsOf(known('g5.12xlarge'), place)).toEqual({
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      'node.kubernetes.io/instance-type': 'g5.12xlarge',
      'topology.kubernetes.io/zone': 'us-east-1a',
      'topology.kubernetes.io/region': 'us-east-1',
      'karpenter.sh/capacity-type': 'spot',
      'karpenter.k8s.aws/instance-category': 'g',
      'karpenter.k8s.aws/instance-generation': '5',
      'karpenter.k8s.aws/instance-family': 'g5',
      'karpenter.k8s.aws/instance-size': '12xlarge',
      'karpenter.k8s.aws/instance-cpu': '48',
      'karpenter.k8s.aws/instance-cpu-manufacturer': 'amd',
      'karpenter.k8s.aws/instance-memory': '196608',
      'karpenter.k8s.aws/instance-hypervisor': 'nitro',
      'karpenter.k8s.aws/instance-local-nvme': '3800',
      'karpenter.k8s.aws/instance-network-bandwidth': '40000',
      'karpenter.k8s.aws/instance-gpu-name': 'a10g',
      'karpenter.k8s.aws/instance-gpu-manufacturer': 'nvidia',
      'karpenter.k8s.aws/instance-gpu-count': '4',
      'karpenter.k8s.aws/instance-gpu-memory': '22888',
      'nullplane.io/compute': 'ec2',
    });
    expect(labelsOf(known('inf2.24xlarge'), place)).toMatchObject({
      'karpenter.k8s.aws/instance-accelerator-name': 'inferentia2',
      'karpenter.k8s.aws/instance-accelerator-manufacturer': 'aws',
      'karpenter.k8s.aws/instance-accelerator-count': '6',
    });
  });

  it.each([
    ['g5.12xlarge', '4'],
    ['g6f.large', '1'],
    ['g4ad.xlarge', undefined],
    ['dl1.24xlarge', undefined],
    ['inf2.24xlarge', undefined],
    ['m7i.xlarge', undefined],
  ])('of %s offers %s GPUs: those of NVIDIA', (name, gpus) => {
    expect(allocatableOf(known(name))['nvidia.com/gpu']).toBe(gpus);
  });

  it.each([
    ['m5.large', '2', '10'],
    ['m7g.medium', '1', '4'],
    ['g5.12xlarge', '14', '120'],
    ['p4d.24xlarge', '59', '120'],
    // Nothing is documented of trunks there.
    ['m7i.xlarge', '3', '3'],
  ])('of %s takes %s pods, and %s with a trunk', (name, without, on) => {
    expect(allocatableOf(known(name))['pods']).toBe(without);
    expect(allocatableOf(known(name), { awsvpcTrunking: true })['pods']).toBe(on);
  });

  /** MiB that were there: Amazon Linux 2 (Karpenter); m4.large is of the ECS Developer Guide. */
  it.each([
    ['m4.large', 7985],
    ['t3.nano', 423],
    ['t3.medium', 3843],
    ['c5.large', 3663],
    ['m5.xlarge', 15_517],
    ['a1.4xlarge', 30_999],
    ['c5.18xlarge', 140_729],
    ['r5.24xlarge', 765_683],
    ['g5.12xlarge', 191_179],
    ['c6a.48xlarge', 378_777],
  ])('of %s is expected to have a little less memory than measured', (name, measuredMiB) => {
    const { memoryMiB } = expectedOffer(known(name));
    expect(memoryMiB).toBeLessThanOrEqual(measuredMiB);
    expect(memoryMiB).toBeGreaterThan(measuredMiB * 0.94);
  });

  it('offers some memory, whatever is set aside', () => {
    expect(expectedOffer(known('t3.nano'), { reservedMemoryMiB: 4096 }).memoryMiB).toBe(0);
    expect(ALL.filter((type) => expectedOffer(type).memoryMiB <= 0)).toEqual([]);
  });
});
