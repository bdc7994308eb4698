/** EC2's instances and instance types as ours. Source: Amazon EC2 API reference. */
import type { Instance as Ec2Instance, InstanceTypeInfo } from '@aws-sdk/client-ec2';
import type {
  CapacityType,
  Instance,
  InstanceShape,
  InstanceState,
  Registration,
} from '../../../shared/api/instance.ts';
import { CLAIM_TAG, INSTALLATION_TAG, tagOf } from './tags.ts';

export interface Known {
  readonly installation: string;
  readonly shapes: ReadonlyMap<string, InstanceShape>;
  readonly registrations: ReadonlyMap<string, Registration>;
}

/** Undefined for an answer without an id or a state: nothing could be said about it. */
export function instanceOf(told: Ec2Instance, known: Known): Instance | undefined {
  const { InstanceId: id, InstanceType: type = '', Placement: placement } = told;
  const state = stateOf(told.State?.Name);
  if (id === undefined || state === undefined) return undefined;
  const shape = known.shapes.get(type);
  const registration = known.registrations.get(id);
  const claimUid = tagOf(told, CLAIM_TAG);
  return {
    id,
    state,
    type,
    zone: placement?.AvailabilityZone ?? '',
    capacityType: capacityTypeOf(told.InstanceLifecycle),
    launchedAtMs: told.LaunchTime?.getTime() ?? 0,
    isOurs: tagOf(told, INSTALLATION_TAG) === known.installation,
    ...(claimUid === undefined ? {} : { claimUid }),
    ...(told.PrivateIpAddress ? { privateIp: told.PrivateIpAddress } : {}),
    ...(told.PrivateDnsName ? { privateDnsName: told.PrivateDnsName } : {}),
    ...(shape ? { shape } : {}),
    ...(registration ? { registration } : {}),
  };
}

export function capacityTypeOf(lifecycle: string | undefined): CapacityType {
  return lifecycle === 'spot' ? 'spot' : 'on-demand';
}

function stateOf(name: string | undefined): InstanceState | undefined {
  switch (name) {
    case 'shutting-down':
    case 'stopping':
      return 'stopping';
    case 'pending':
    case 'running':
    case 'stopped':
    case 'terminated':
      return name;
    default:
      return undefined;
  }
}

/** Undefined where the answer lacks what a shape is. */
export function shapeOf(info: InstanceTypeInfo): InstanceShape | undefined {
  const cpus = info.VCpuInfo?.DefaultVCpus;
  const memoryMiB = info.MemoryInfo?.SizeInMiB;
  if (cpus === undefined || memoryMiB === undefined) return undefined;
  const isArm = info.ProcessorInfo?.SupportedArchitectures?.includes('arm64') ?? false;
  const networkInterfaces = info.NetworkInfo?.MaximumNetworkInterfaces;
  const [gpu] = info.GpuInfo?.Gpus ?? [];
  return {
    cpus,
    memoryMiB,
    arch: isArm ? 'arm64' : 'amd64',
    ...(networkInterfaces === undefined ? {} : { networkInterfaces }),
    ...(gpu
      ? {
          gpu: {
            name: labelText(gpu.Name),
            manufacturer: labelText(gpu.Manufacturer),
            count: gpu.Count ?? 0,
            memoryMiB: gpu.MemoryInfo?.SizeInMiB ?? 0,
          },
        }
      : {}),
  };
}

/** As Karpenter writes them: `A10G` becomes `a10g`. */
function labelText(name = ''): string {
  return name.toLowerCase().replace(/[^a-z0-9.-]+/g, '-');
}
