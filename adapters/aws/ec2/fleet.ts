/**
 * A launch as a fleet of the type `instant`: one synchronous answer, and nothing that goes on. The
 * default type would replace what ends. Source: Amazon EC2 API reference, CreateFleet.
 */
import type {
  CreateFleetCommandInput,
  CreateFleetCommandOutput,
  FleetLaunchTemplateOverridesRequest,
} from '@aws-sdk/client-ec2';
import type { InstanceShape } from '../../../shared/api/instance.ts';
import {
  type Launched,
  type LaunchFailure,
  LaunchRejected,
  type LaunchRequest,
  type LaunchResult,
} from '../../../shared/ports/instances.ts';
import { kindOf } from './errors.ts';
import { imageFor, imageParameter } from '../../../shared/api/node-images.ts';
import { capacityTypeOf } from './instance-view.ts';
import type { Ec2Settings } from './settings.ts';
import { tagsOf } from './tags.ts';

/** As many as a fleet takes. */
const MAX_OVERRIDES = 300;
/** One launch of ours is a batch of pods, not a data centre. */
const MAX_COUNT = 100;

const CLAIM = /^[A-Za-z0-9-]{1,64}$/;

/** Throws `LaunchRejected` for what no repeat could mend. */
export function checkRequest({ claimUid, count, types, zones }: LaunchRequest): void {
  if (!CLAIM.test(claimUid)) throw new LaunchRejected(`"${claimUid}" is no uid of a claim`);
  if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT) {
    throw new LaunchRejected(`a launch is of 1 to ${MAX_COUNT} instances, not of ${count}`);
  }
  if (types.length === 0 || zones.length === 0) {
    throw new LaunchRejected('a launch needs a type and a zone');
  }
}

export interface Known {
  readonly settings: Ec2Settings;
  /** The zone of each of the installation's subnets. */
  readonly zoneOf: ReadonlyMap<string, string>;
  /** What a type has, as far as it is known. */
  readonly shapeOf: (type: string) => InstanceShape | undefined;
}

export function fleetRequest(request: LaunchRequest, known: Known): CreateFleetCommandInput {
  const { settings } = known;
  const { installation, launchTemplateId, launchTemplateVersion = '$Default' } = settings;
  const isSpot = request.capacityType === 'spot';
  return {
    Type: 'instant',
    ClientToken: request.claimUid,
    LaunchTemplateConfigs: [
      {
        LaunchTemplateSpecification: {
          LaunchTemplateId: launchTemplateId,
          Version: launchTemplateVersion,
        },
        Overrides: overridesOf(request, known),
      },
    ],
    TargetCapacitySpecification: {
      TotalTargetCapacity: request.count,
      DefaultTargetCapacityType: request.capacityType,
    },
    ...(isSpot
      ? { SpotOptions: { AllocationStrategy: 'price-capacity-optimized' } }
      : { OnDemandOptions: { AllocationStrategy: 'lowest-price' } }),
    TagSpecifications: [{ ResourceType: 'instance', Tags: tagsOf(installation, request) }],
  };
}

function overridesOf(
  { types, zones }: LaunchRequest,
  { zoneOf, settings, shapeOf }: Known,
): FleetLaunchTemplateOverridesRequest[] {
  const subnets = [...zoneOf].filter(([, zone]) => zones.includes(zone));
  if (subnets.length === 0) {
    throw new LaunchRejected(`the installation has no subnet in ${zones.join(', ')}`);
  }
  const overrides = types.flatMap((type) =>
    subnets.map(([SubnetId]) => ({
      ...{ SubnetId, InstanceType: type as 'm5.large' },
      ...imageOf(shapeOf(type), settings),
    })),
  );
  if (overrides.length > MAX_OVERRIDES) {
    throw new LaunchRejected(`${overrides.length} combinations are more than ${MAX_OVERRIDES}`);
  }
  return overrides;
}

/** Only where it is another one than the template's. */
function imageOf(
  shape: InstanceShape | undefined,
  { nodeImage }: Ec2Settings,
): { readonly ImageId?: string } {
  if (!shape || nodeImage === undefined || imageFor(shape) === nodeImage) return {};
  return { ImageId: `resolve:ssm:${imageParameter(imageFor(shape))}` };
}

/** What the fleet's answer says; its errors describe combinations and never count instances. */
export function resultOf(
  { Instances: groups = [], Errors: errors = [] }: CreateFleetCommandOutput,
  request: LaunchRequest,
  zoneOf: ReadonlyMap<string, string>,
): LaunchResult {
  const place = (of: Parts | undefined) => {
    const { SubnetId: subnet = '', AvailabilityZone: zone } = of?.Overrides ?? {};
    return zone ?? zoneOf.get(subnet) ?? '';
  };
  const instances = groups.flatMap(
    ({ InstanceIds: ids = [], InstanceType: type = '', Lifecycle, LaunchTemplateAndOverrides }) =>
      ids.map((id): Launched => {
        const zone = place(LaunchTemplateAndOverrides);
        return { id, type, zone, capacityType: capacityTypeOf(Lifecycle) };
      }),
  );
  const failed = errors.map(
    ({ ErrorCode: code = '', ErrorMessage: message = '', LaunchTemplateAndOverrides: of }) => {
      const type = of?.Overrides?.InstanceType ?? '';
      const { capacityType } = request;
      const kind: LaunchFailure['kind'] = kindOf(code);
      return { type, zone: place(of), capacityType, kind, code, message };
    },
  );
  return { instances, failed };
}

interface Parts {
  readonly Overrides?:
    | {
        readonly SubnetId?: string | undefined;
        readonly AvailabilityZone?: string | undefined;
        readonly InstanceType?: string | undefined;
      }
    | undefined;
}
