/**
 * Instances of EC2 that join an ECS cluster. Owns the merge of what the two services say; does not
 * own what a launch is (fleet.ts), or what tags mean (tags.ts).
 *
 * Invariants:
 *  C1 An answer is whole or an error: a page too many is an error, never a shorter list.
 *  C2 A claim launches once: it is looked up by its tag before it is launched, since EC2's tokens
 *     do not last for ever, and launched under its uid as token, since look-ups lag behind.
 *  C3 Only instances with the installation's tag are ever terminated.
 */
import {
  CreateFleetCommand,
  DescribeInstancesCommand,
  type DescribeInstancesCommandInput,
  DescribeInstanceTypesCommand,
  DescribeSubnetsCommand,
  type EC2Client,
  type Instance as Ec2Instance,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { ECSClient } from '@aws-sdk/client-ecs';
import { INSTANCE_ID, type Instance, type InstanceShape } from '../../../shared/api/instance.ts';
import {
  type Described,
  type InstancePool,
  InstancesUnavailable,
  type Launched,
  type LaunchRequest,
  type LaunchResult,
} from '../../../shared/ports/instances.ts';
import { calling, launchError, unknownIds } from './errors.ts';
import { checkRequest, fleetRequest, resultOf } from './fleet.ts';
import { shapeOf } from './instance-types.ts';
import { capacityTypeOf, instanceOf } from './instance-view.ts';
import { Registrations } from './registrations.ts';
import type { Ec2Settings } from './settings.ts';
import { CLAIM_TAG, INSTALLATION_TAG } from './tags.ts';

export interface Ec2InstancesOptions {
  readonly ec2: EC2Client;
  readonly ecs: ECSClient;
  readonly settings: Ec2Settings;
  /** What is known of types before any of them runs: it says which image one needs. */
  readonly shapeOf?: (type: string) => InstanceShape | undefined;
}

/** As many as DescribeInstanceTypes takes, and DescribeContainerInstances. */
const AT_A_TIME = 100;
const PAGE = 1_000;
/** Far above the 5,000 container instances that a cluster may have. */
const MAX_PAGES = 50;
/** Of ids that EC2 does not know, an answer may name one at a time. */
const MAX_LOOK_UPS = 20;

const NOT_TERMINATED = ['pending', 'running', 'shutting-down', 'stopping', 'stopped'];

export class Ec2Instances implements InstancePool {
  readonly #ec2: EC2Client;
  readonly #settings: Ec2Settings;
  readonly #shapeOf: (type: string) => InstanceShape | undefined;
  readonly #registrations: Registrations;
  /** A type's shape never changes; there are some thousand types. */
  readonly #shapes = new Map<string, InstanceShape>();
  /** Types that EC2 was asked for and did not describe. */
  readonly #shapeless = new Set<string>();
  #zoneOf: ReadonlyMap<string, string> | undefined;

  constructor({ ec2, ecs, settings, shapeOf }: Ec2InstancesOptions) {
    this.#ec2 = ec2;
    this.#shapeOf = shapeOf ?? ((type) => this.#shapes.get(type));
    this.#settings = settings;
    this.#registrations = new Registrations(ecs, settings.cluster);
  }

  async launch(request: LaunchRequest): Promise<LaunchResult> {
    checkRequest(request);
    const zoneOf = await this.#subnetZones();
    const fleet = fleetRequest(request, {
      settings: this.#settings,
      zoneOf,
      shapeOf: this.#shapeOf,
    });
    const earlier = await this.#instancesWith({ [CLAIM_TAG]: request.claimUid });
    if (earlier.length > 0) return { instances: earlier.map(launchedOf), failed: [] };
    try {
      const answer = await calling(() => this.#ec2.send(new CreateFleetCommand(fleet)));
      return resultOf(answer, request, zoneOf);
    } catch (thrown) {
      throw launchError(thrown);
    }
  }

  async terminate(instanceIds: readonly string[]): Promise<void> {
    const known = await this.#known(instanceIds.filter((id) => INSTANCE_ID.test(id)));
    const { installation } = this.#settings;
    const own = [...known.values()].flatMap((instance) => {
      const isOurs = instance?.Tags?.some(
        ({ Key, Value }) => Key === INSTALLATION_TAG && Value === installation,
      );
      const hasEnded = instance?.State?.Name === 'terminated';
      return instance?.InstanceId && isOurs && !hasEnded ? [instance.InstanceId] : [];
    });
    for (const InstanceIds of batches(own)) {
      const command = new TerminateInstancesCommand({ InstanceIds });
      await calling(() => this.#ec2.send(command));
    }
  }

  async describe(instanceIds: readonly string[]): Promise<readonly Described[]> {
    const known = await this.#known(instanceIds.filter((id) => INSTANCE_ID.test(id)));
    const found = [...known.values()].flatMap((instance) => instance ?? []);
    const ids = found.flatMap(({ InstanceId }) => InstanceId ?? []);
    const registrations = ids.length > 0 ? await this.#registrations.of(ids) : new Map();
    const instances = await this.#viewed(found, registrations);
    const byId = new Map(instances.map((instance) => [instance.id, instance]));
    return [...known].flatMap(([id, told]): Described[] => {
      const instance = byId.get(id);
      if (instance) return [{ id, instance }];
      return told === undefined ? [{ id }] : [];
    });
  }

  async list(): Promise<readonly Instance[]> {
    const { installation } = this.#settings;
    const registrations = await this.#registrations.all();
    const own = await this.#instancesWith({ [INSTALLATION_TAG]: installation }, NOT_TERMINATED);
    const ids = new Set(own.map(({ InstanceId }) => InstanceId));
    const joined = await this.#known([...registrations.keys()].filter((id) => !ids.has(id)));
    const others = [...joined.values()].flatMap((instance) => instance ?? []);
    const all = await this.#viewed([...own, ...others], registrations);
    return all.filter(({ state }) => state !== 'terminated');
  }

  async zones(): Promise<readonly string[]> {
    return [...new Set((await this.#subnetZones()).values())].sort();
  }

  async #viewed(
    told: readonly Ec2Instance[],
    registrations: Awaited<ReturnType<Registrations['all']>>,
  ): Promise<Instance[]> {
    await this.#learnShapes(told);
    const { installation } = this.#settings;
    const known = { installation, registrations, shapes: this.#shapes };
    return told.flatMap((instance) => instanceOf(instance, known) ?? []);
  }

  /** What EC2 knows of each id; undefined where it says that there is none. */
  async #known(ids: readonly string[]): Promise<Map<string, Ec2Instance | undefined>> {
    const known = new Map<string, Ec2Instance | undefined>();
    for (const batch of batches([...new Set(ids)])) await this.#lookUp(batch, known);
    return known;
  }

  /** One id that EC2 does not know makes it refuse them all; it says which. */
  async #lookUp(
    ids: readonly string[],
    known: Map<string, Ec2Instance | undefined>,
  ): Promise<void> {
    let left = [...ids];
    for (let asked = 0; left.length > 0 && asked < MAX_LOOK_UPS; asked++) {
      try {
        for (const one of await this.#pages({ InstanceIds: left })) {
          if (one.InstanceId !== undefined) known.set(one.InstanceId, one);
        }
        return;
      } catch (error) {
        const unknown = unknownIds(error).filter((id) => left.includes(id));
        if (unknown.length === 0) throw error;
        for (const id of unknown) known.set(id, undefined);
        left = left.filter((id) => !unknown.includes(id));
      }
    }
  }

  #instancesWith(
    tags: { readonly [key: string]: string },
    states: readonly string[] = [],
  ): Promise<Ec2Instance[]> {
    const own = { [INSTALLATION_TAG]: this.#settings.installation, ...tags };
    const filters = Object.entries(own).map(([key, value]) => ({
      Name: `tag:${key}`,
      Values: [value],
    }));
    const state = states.length > 0 ? [{ Name: 'instance-state-name', Values: [...states] }] : [];
    return this.#pages({ Filters: [...filters, ...state], MaxResults: PAGE });
  }

  async #pages(query: DescribeInstancesCommandInput): Promise<Ec2Instance[]> {
    const found: Ec2Instance[] = [];
    let NextToken: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const input = { ...query, ...(NextToken ? { NextToken } : {}) };
      const answer = await calling(() => this.#ec2.send(new DescribeInstancesCommand(input)));
      found.push(...(answer.Reservations ?? []).flatMap(({ Instances }) => Instances ?? []));
      NextToken = answer.NextToken;
      if (!NextToken) return found;
    }
    throw new InstancesUnavailable(`instances fill more than ${MAX_PAGES} pages`);
  }

  async #learnShapes(told: readonly Ec2Instance[]): Promise<void> {
    const types = new Set(told.flatMap(({ InstanceType }) => InstanceType ?? []));
    const unknown = [...types].filter((t) => !this.#shapes.has(t) && !this.#shapeless.has(t));
    for (const InstanceTypes of batches(unknown)) {
      const command = new DescribeInstanceTypesCommand({ InstanceTypes });
      const { InstanceTypes: infos = [] } = await calling(() => this.#ec2.send(command));
      for (const info of infos) {
        const shape = shapeOf(info);
        if (shape && info.InstanceType) this.#shapes.set(info.InstanceType, shape);
      }
      for (const type of InstanceTypes) if (!this.#shapes.has(type)) this.#shapeless.add(type);
    }
  }

  /** A subnet never moves. */
  async #subnetZones(): Promise<ReadonlyMap<string, string>> {
    if (this.#zoneOf) return this.#zoneOf;
    const command = new DescribeSubnetsCommand({ SubnetIds: [...this.#settings.subnets] });
    const { Subnets: subnets = [] } = await calling(() => this.#ec2.send(command));
    const zones = subnets.flatMap(({ SubnetId: id, AvailabilityZone: zone }) =>
      id && zone ? [[id, zone] as const] : [],
    );
    this.#zoneOf = new Map(zones);
    return this.#zoneOf;
  }
}

function launchedOf(told: Ec2Instance): Launched {
  const { InstanceId: id = '', InstanceType: type, Placement: placement } = told;
  const capacityType = capacityTypeOf(told.InstanceLifecycle);
  return { id, type: type ?? '', zone: placement?.AvailabilityZone ?? '', capacityType };
}

function batches<T>(items: readonly T[]): T[][] {
  const count = Math.ceil(items.length / AT_A_TIME);
  return Array.from({ length: count }, (_, i) => items.slice(i * AT_A_TIME, (i + 1) * AT_A_TIME));
}
