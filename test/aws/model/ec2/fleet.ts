/**
 * CreateFleet, `instant`: what can be had is launched at once, and the rest is in `Errors`, with
 * HTTP 200. Errors are of overrides, not of instances. Pools are tried in the order of the
 * strategy; a pool without room is an error, pools after the last instance are not asked.
 * Source: aws-semantics.md 3.8, 2.1.
 */
import { instanceType } from '../../../../shared/core/capacity/catalogue/types.ts';
import { fingerprintOf } from '../ecs/tokens.ts';
import { AwsError } from '../errors.ts';
import { type Settings, zoneOfSubnet } from '../settings.ts';
import { hex, type Random } from '../timers.ts';
import type { Lifecycle, Machine, Machines } from './machines.ts';
import { priceOf } from './types.ts';

export interface FleetRequest {
  readonly Type?: string;
  readonly ClientToken?: string;
  readonly LaunchTemplateConfigs?: readonly {
    readonly LaunchTemplateSpecification?: {
      readonly LaunchTemplateId?: string;
      readonly LaunchTemplateName?: string;
      readonly Version?: string;
    };
    readonly Overrides?: readonly Override[];
  }[];
  readonly TargetCapacitySpecification?: {
    readonly TotalTargetCapacity?: string;
    readonly OnDemandTargetCapacity?: string;
    readonly SpotTargetCapacity?: string;
    readonly DefaultTargetCapacityType?: string;
  };
  readonly SpotOptions?: { readonly AllocationStrategy?: string };
  readonly OnDemandOptions?: { readonly AllocationStrategy?: string };
  readonly TagSpecification?: readonly {
    readonly ResourceType?: string;
    readonly Tag?: readonly { readonly Key?: string; readonly Value?: string }[];
  }[];
}

interface Override {
  readonly InstanceType?: string;
  readonly SubnetId?: string;
  readonly AvailabilityZone?: string;
  readonly Priority?: string;
  readonly [name: string]: unknown;
}

interface Pool {
  readonly override: Override;
  readonly template: string;
  readonly templateVersion: string;
  readonly type: string;
  readonly zone: string;
}

export interface FleetAnswer {
  readonly fleetId: string;
  readonly errorSet: readonly object[];
  readonly fleetInstanceSet: readonly object[];
}

const MAX_CONFIGS = 50;
const MAX_OVERRIDES = 300;
const SPOT_STRATEGIES = [
  'lowest-price',
  'diversified',
  'capacity-optimized',
  'capacity-optimized-prioritized',
  'price-capacity-optimized',
];
const ON_DEMAND_STRATEGIES = ['lowest-price', 'prioritized'];

export class Fleets {
  readonly #machines: Machines;
  readonly #settings: Settings;
  readonly #random: Random;
  readonly #answers = new Map<string, { fingerprint: string; answer: FleetAnswer }>();
  /** How many more there are, by `type/zone/lifecycle`; `*` stands for any. Absent: no limit. */
  readonly capacity = new Map<string, number>();
  /** How many vCPUs the account may have at a time. */
  readonly vcpuQuota: Record<Lifecycle, number> = { spot: Infinity, 'on-demand': Infinity };

  constructor(machines: Machines, settings: Settings, random: Random) {
    this.#machines = machines;
    this.#settings = settings;
    this.#random = random;
  }

  /** `partial`: one instance fewer than could be had. */
  create(request: FleetRequest, partial = false): FleetAnswer {
    check(request);
    const { ClientToken: token, ...rest } = request;
    const before = token ? this.#answers.get(token) : undefined;
    const fingerprint = fingerprintOf(rest);
    if (before) {
      if (before.fingerprint === fingerprint) return before.answer;
      const message = 'The client token was used with other parameters.';
      throw new AwsError('IdempotentParameterMismatch', message);
    }
    const answer = this.#launch(request, partial);
    if (token) this.#answers.set(token, { fingerprint, answer });
    return answer;
  }

  #launch(request: FleetRequest, partial: boolean): FleetAnswer {
    const fleetId = `fleet-${hex(this.#random, 32)}`;
    const errorSet: object[] = [];
    const launched: { machine: Machine; pool: Pool }[] = [];
    for (const [lifecycle, wanted] of targetsOf(request)) {
      let left = wanted;
      for (const pool of this.#poolsInOrder(request, lifecycle)) {
        while (left > 0) {
          const lost = partial && left === 1;
          const error = lost ? NO_CAPACITY : this.#refusal(pool, lifecycle);
          if (error) {
            errorSet.push(errorView(pool, lifecycle, error));
            break;
          }
          launched.push({ machine: this.#one(pool, lifecycle, request, fleetId), pool });
          left--;
        }
        if (left === 0) break;
      }
    }
    return { fleetId, errorSet, fleetInstanceSet: launchedViews(launched) };
  }

  #one(pool: Pool, lifecycle: Lifecycle, request: FleetRequest, fleetId: string): Machine {
    const key = this.#capacityKey(pool, lifecycle);
    if (key) this.capacity.set(key, (this.capacity.get(key) ?? 0) - 1);
    const { type, zone, template, templateVersion, override } = pool;
    const subnet = override.SubnetId ?? '';
    const clientToken = request.ClientToken ?? '';
    const given = {
      type,
      zone,
      subnet,
      lifecycle,
      template,
      templateVersion,
      clientToken,
      fleetId,
    };
    return this.#machines.launch(given, tagsOf(request));
  }

  #refusal(pool: Pool, lifecycle: Lifecycle): Refusal | undefined {
    if (!instanceType(pool.type)) {
      const message = `The instance type '${pool.type}' does not exist`;
      return { code: 'InvalidParameterValue', message };
    }
    const key = this.#capacityKey(pool, lifecycle);
    if (key && (this.capacity.get(key) ?? 0) < 1) {
      const message =
        `We currently do not have sufficient ${pool.type} capacity in the ` +
        `Availability Zone you requested (${pool.zone}).`;
      return { ...NO_CAPACITY, message };
    }
    const vcpus = (type: string) => instanceType(type)?.cpus ?? 0;
    const used = this.#machines.all
      .filter((one) => one.lifecycle === lifecycle && one.state !== 'terminated')
      .reduce((sum, one) => sum + vcpus(one.type), 0);
    if (used + vcpus(pool.type) <= this.vcpuQuota[lifecycle]) return undefined;
    return lifecycle === 'spot'
      ? { code: 'MaxSpotInstanceCountExceeded', message: 'Max spot instance count exceeded' }
      : {
          code: 'VcpuLimitExceeded',
          message: 'You have requested more vCPU capacity than allowed',
        };
  }

  /** The narrowest limit that says something of the pool. */
  #capacityKey({ type, zone }: Pool, lifecycle: Lifecycle): string | undefined {
    const keys = [type, '*'].flatMap((t) =>
      [zone, '*'].flatMap((z) => [lifecycle, '*'].map((l) => `${t}/${z}/${l}`)),
    );
    return keys.find((key) => this.capacity.has(key));
  }

  #poolsInOrder(request: FleetRequest, lifecycle: Lifecycle): Pool[] {
    const pools = this.#poolsOf(request);
    const options = lifecycle === 'spot' ? request.SpotOptions : request.OnDemandOptions;
    const strategy = options?.AllocationStrategy ?? 'lowest-price';
    const price = ({ type: name }: Pool) => {
      const type = instanceType(name);
      return type ? priceOf(type) : Infinity;
    };
    const priority = ({ override }: Pool) => Number(override.Priority ?? Infinity);
    const room = (pool: Pool) => {
      return this.capacity.get(this.#capacityKey(pool, lifecycle) ?? '') ?? Infinity;
    };
    if (strategy.endsWith('prioritized')) pools.sort((a, b) => compare(priority(a), priority(b)));
    else if (strategy.startsWith('capacity')) pools.sort((a, b) => compare(room(b), room(a)));
    else pools.sort((a, b) => compare(price(a), price(b)));
    return pools;
  }

  #poolsOf({ LaunchTemplateConfigs: configs = [] }: FleetRequest): Pool[] {
    return configs.flatMap(({ LaunchTemplateSpecification: spec, Overrides: overrides = [] }) =>
      overrides.map((override) => ({
        override,
        template: spec?.LaunchTemplateId ?? spec?.LaunchTemplateName ?? '',
        templateVersion: spec?.Version ?? '$Default',
        type: override.InstanceType ?? 'm5.large',
        zone: override.AvailabilityZone ?? zoneOfSubnet(this.#settings, override.SubnetId ?? ''),
      })),
    );
  }
}

interface Refusal {
  readonly code: string;
  readonly message: string;
}

const NO_CAPACITY: Refusal = {
  code: 'InsufficientInstanceCapacity',
  message: 'There is no capacity available that matches your request.',
};

function check(request: FleetRequest): void {
  const { Type: type, LaunchTemplateConfigs: configs = [] } = request;
  if (type !== 'instant') {
    // `maintain` is the service's default: it would replace instances for ever.
    throw new AwsError('InvalidParameterValue', `The model has instant fleets only, not ${type}`);
  }
  if (configs.length === 0) {
    throw new AwsError('MissingParameter', 'LaunchTemplateConfigs must be given');
  }
  if (configs.length > MAX_CONFIGS) {
    throw new AwsError('InvalidParameterValue', `At most ${MAX_CONFIGS} LaunchTemplateConfigs`);
  }
  const overrides = configs.reduce((sum, { Overrides = [] }) => sum + Overrides.length, 0);
  if (overrides > MAX_OVERRIDES) {
    throw new AwsError('InvalidParameterValue', `At most ${MAX_OVERRIDES} overrides`);
  }
  if (!(Number(request.TargetCapacitySpecification?.TotalTargetCapacity) > 0)) {
    throw new AwsError('InvalidParameterValue', 'TotalTargetCapacity must be greater than 0');
  }
  checkStrategy(request.SpotOptions?.AllocationStrategy, SPOT_STRATEGIES);
  checkStrategy(request.OnDemandOptions?.AllocationStrategy, ON_DEMAND_STRATEGIES);
}

function checkStrategy(given: string | undefined, known: readonly string[]): void {
  if (given === undefined || known.includes(given)) return;
  throw new AwsError('InvalidParameterValue', `Invalid allocation strategy: ${given}`);
}

function targetsOf({
  TargetCapacitySpecification: target = {},
}: FleetRequest): [Lifecycle, number][] {
  const total = Number(target.TotalTargetCapacity);
  const onDemand = Number(target.OnDemandTargetCapacity ?? 0);
  const spot = Number(target.SpotTargetCapacity ?? 0);
  const rest = Math.max(0, total - onDemand - spot);
  const restIsSpot = target.DefaultTargetCapacityType === 'spot';
  return [
    ['on-demand', onDemand + (restIsSpot ? 0 : rest)],
    ['spot', spot + (restIsSpot ? rest : 0)],
  ];
}

function tagsOf({ TagSpecification: specs = [] }: FleetRequest): Map<string, string> {
  const tags = specs
    .filter(({ ResourceType: type }) => type === 'instance')
    .flatMap(({ Tag: list = [] }) => list);
  return new Map(tags.map(({ Key = '', Value = '' }) => [Key, Value]));
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function overridesView({ override, template, templateVersion }: Pool): object {
  return {
    launchTemplateSpecification: { launchTemplateId: template, version: templateVersion },
    overrides: {
      instanceType: override.InstanceType,
      subnetId: override.SubnetId,
      availabilityZone: override.AvailabilityZone,
      priority: override.Priority,
    },
  };
}

function errorView(pool: Pool, lifecycle: Lifecycle, { code, message }: Refusal): object {
  return {
    launchTemplateAndOverrides: overridesView(pool),
    lifecycle,
    errorCode: code,
    errorMessage: message,
  };
}

/** What was launched of a pool is one entry. */
function launchedViews(launched: readonly { machine: Machine; pool: Pool }[]): object[] {
  const byPool = Map.groupBy(launched, ({ pool, machine }) => {
    return `${machine.lifecycle} ${JSON.stringify(pool)}`;
  });
  return [...byPool.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    return {
      launchTemplateAndOverrides: overridesView(first.pool),
      lifecycle: first.machine.lifecycle,
      instanceIds: group.map(({ machine }) => machine.id),
      instanceType: first.machine.type,
    };
  });
}
