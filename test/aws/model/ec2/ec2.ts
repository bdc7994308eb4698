/**
 * EC2 as its operations by name. Requests are as the form has them (numbers are text), answers have
 * the element names of the wire. DescribeInstances does not see an instance of this very moment.
 */
import {
  allInstanceTypes,
  instanceType,
} from '../../../../shared/core/capacity/catalogue/types.ts';
import type { Account } from '../ecs/buckets.ts';
import { AwsError } from '../errors.ts';
import { zoneOfSubnet } from '../settings.ts';
import { type FleetRequest, Fleets } from './fleet.ts';
import { type Machine, Machines, type MachinesOptions, STATE_CODES } from './machines.ts';
import { instanceTypeView } from './types.ts';

interface Filter {
  readonly Name?: string;
  readonly Value?: readonly string[];
}

interface Describing {
  readonly InstanceId?: readonly string[];
  readonly Filter?: readonly Filter[];
  readonly MaxResults?: string;
  readonly NextToken?: string;
}

const DEFAULT_PAGE = 1000;

export class Ec2 {
  readonly machines: Machines;
  readonly fleets: Fleets;
  readonly #account: Account;
  readonly #options: MachinesOptions;

  constructor(options: MachinesOptions & { readonly account: Account }) {
    this.#options = options;
    this.#account = options.account;
    this.machines = new Machines(options);
    this.fleets = new Fleets(this.machines, options.settings, options.random);
  }

  createFleet(request: FleetRequest, partial = false): object {
    this.#take('fleet');
    return this.fleets.create(request, partial);
  }

  /** One unknown id fails the whole call. */
  describeInstances(input: Describing): object {
    this.#take('ec2Read');
    const { InstanceId: ids, Filter: filters = [], MaxResults: size } = input;
    const nowMs = this.#options.timers.nowMs();
    if (ids && size !== undefined) {
      throw new AwsError('InvalidParameterCombination', 'InstanceIds and MaxResults exclude');
    }
    const asked = ids?.map((id) => this.machines.seen(id));
    const seen = asked ?? this.machines.all.filter(({ seenMs }) => seenMs <= nowMs);
    const matching = seen.filter((machine) => filters.every((filter) => matches(machine, filter)));
    const start = Number(input.NextToken ?? 0);
    const end = start + Number(size ?? DEFAULT_PAGE);
    return {
      reservationSet: matching.slice(start, end).map((machine) => this.#reservation(machine)),
      ...(end < matching.length && { nextToken: String(end) }),
    };
  }

  terminateInstances({ InstanceId: ids = [] }: { InstanceId?: readonly string[] }): object {
    this.#take('ec2Write');
    const machines = ids.map((id) => this.machines.seen(id));
    return {
      instancesSet: machines.map((machine) => {
        const previousState = stateView(machine);
        this.machines.terminate(machine);
        return { instanceId: machine.id, currentState: stateView(machine), previousState };
      }),
    };
  }

  describeInstanceTypes(input: {
    InstanceType?: readonly string[];
    Filter?: readonly Filter[];
  }): object {
    this.#take('ec2Read');
    const unknown = input.InstanceType?.filter((name) => !instanceType(name)) ?? [];
    if (unknown.length > 0) {
      const message = `The following supplied instance types do not exist: [${unknown.join()}]`;
      throw new AwsError('InvalidInstanceType', message);
    }
    const patterns = input.Filter?.find(({ Name }) => Name === 'instance-type')?.Value ?? ['*'];
    const others = input.Filter?.find(({ Name }) => Name !== 'instance-type');
    if (others) throw unknownFilter(others);
    const types = allInstanceTypes().filter(({ name }) => {
      return input.InstanceType?.includes(name) ?? patterns.some((one) => like(name, one));
    });
    return { instanceTypeSet: types.map(instanceTypeView) };
  }

  /** Those of the settings; where these name none, any that is asked for by its id. */
  describeSubnets({ SubnetId: ids }: { SubnetId?: readonly string[] }): object {
    this.#take('ec2Read');
    const { settings } = this.#options;
    const known = Object.keys(settings.subnetZones);
    const isThere = (id: string) =>
      known.length === 0 ? id.startsWith('subnet-') : known.includes(id);
    const wrong = ids?.find((id) => !isThere(id));
    if (wrong !== undefined) {
      const message = `The subnet ID '${wrong}' does not exist`;
      throw new AwsError('InvalidSubnetID.NotFound', message);
    }
    return {
      subnetSet: (ids ?? known).map((subnetId) => ({
        subnetId,
        state: 'available',
        vpcId: 'vpc-0123456789abcdef0',
        cidrBlock: '10.0.0.0/16',
        availableIpAddressCount: 65_531,
        availabilityZone: zoneOfSubnet(settings, subnetId),
      })),
    };
  }

  createTags(input: {
    ResourceId?: readonly string[];
    Tag?: readonly { Key?: string; Value?: string }[];
  }): object {
    this.#take('ec2Write');
    for (const id of input.ResourceId ?? []) {
      const { tags } = this.machines.seen(id);
      for (const { Key = '', Value = '' } of input.Tag ?? []) tags.set(Key, Value);
    }
    return { return: true };
  }

  /** EC2 has another word for it. */
  #take(name: 'fleet' | 'ec2Read' | 'ec2Write'): void {
    try {
      this.#account.take(name);
    } catch {
      throw new AwsError('RequestLimitExceeded', 'Request limit exceeded.', {}, 503);
    }
  }

  #reservation(machine: Machine): object {
    const { region, accountId } = this.#options.settings;
    const dashed = machine.ip.replaceAll('.', '-');
    return {
      reservationId: machine.id.replace('i-', 'r-'),
      ownerId: accountId,
      instancesSet: [
        {
          instanceId: machine.id,
          imageId: 'ami-0123456789abcdef0',
          instanceState: stateView(machine),
          privateDnsName: `ip-${dashed}.${region}.compute.internal`,
          privateIpAddress: machine.ip,
          clientToken: machine.clientToken,
          instanceType: machine.type,
          launchTime: new Date(machine.launchedMs),
          placement: { availabilityZone: machine.zone, tenancy: 'default' },
          subnetId: machine.subnet,
          architecture: instanceType(machine.type)?.arch === 'arm64' ? 'arm64' : 'x86_64',
          ...(machine.lifecycle === 'spot' && { instanceLifecycle: 'spot' }),
          ...(machine.stateReason && { stateReason: machine.stateReason }),
          tagSet: [
            ...[...machine.tags].map(([key, value]) => ({ key, value })),
            { key: 'aws:ec2:fleet-id', value: machine.fleetId },
          ],
        },
      ],
    };
  }
}

function stateView({ state }: Machine): object {
  return { code: STATE_CODES[state], name: state };
}

function matches(machine: Machine, filter: Filter): boolean {
  const values = valuesOf(machine, filter);
  return values.some((value) => (filter.Value ?? []).some((pattern) => like(value, pattern)));
}

function valuesOf(machine: Machine, filter: Filter): string[] {
  const { Name: name = '' } = filter;
  if (name.startsWith('tag:')) {
    const value = machine.tags.get(name.slice('tag:'.length));
    return value === undefined ? [] : [value];
  }
  switch (name) {
    case 'tag-key':
      return [...machine.tags.keys()];
    case 'instance-state-name':
      return [machine.state];
    case 'instance-id':
      return [machine.id];
    case 'instance-type':
      return [machine.type];
    case 'instance-lifecycle':
      return machine.lifecycle === 'spot' ? ['spot'] : [];
    case 'availability-zone':
      return [machine.zone];
    case 'subnet-id':
      return [machine.subnet];
    case 'client-token':
      return [machine.clientToken];
    default:
      throw unknownFilter(filter);
  }
}

function unknownFilter({ Name: name }: Filter): AwsError {
  return new AwsError('InvalidParameterValue', `The filter '${name}' is invalid`);
}

/** `*` is any text, `?` any character. */
function like(value: string, pattern: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(value);
}
