/** EC2's instances as ours. Source: Amazon EC2 API reference. */
import type { Instance as Ec2Instance } from '@aws-sdk/client-ec2';
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
