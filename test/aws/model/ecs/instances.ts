/**
 * Container instances: how they register and go, what they have left, draining, agents that come
 * and go. DRAINING takes no new tasks and does nothing to those that run: they belong to no
 * service. An agent that is away is not a dead machine. Source: aws-semantics.md 3.1, 3.7.
 */
import type {
  Attribute,
  ContainerInstance,
  DeregisterContainerInstanceRequest,
  DescribeContainerInstancesRequest,
  DescribeContainerInstancesResponse,
  ListContainerInstancesRequest,
  ListContainerInstancesResponse,
  PutAttributesRequest,
  UpdateContainerInstancesStateRequest,
  UpdateContainerInstancesStateResponse,
} from '@aws-sdk/client-ecs';
import { clientError, invalid } from '../errors.ts';
import { STOCK_ATTRIBUTES } from './definitions.ts';
import { compile } from './expression.ts';
import { instanceView } from './instance-view.ts';
import type { Lifecycle } from './lifecycle.ts';
import { pageOf } from './paging.ts';
import type { InstanceRecord } from './state.ts';
import type { EcsWorld } from './world.ts';

const MAX_DESCRIBED = 100;
const MAX_UPDATED = 10;
const ATTRIBUTE_NAME = /^[A-Za-z0-9\-_/.\\]{1,128}$/;
const MAX_ATTRIBUTE_VALUE = 128;

export interface NewInstance {
  readonly ec2InstanceId: string;
  readonly cluster?: string;
  /** Units: 1024 are a vCPU. */
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly gpuIds?: readonly string[];
  readonly maxEnis?: number;
  readonly instanceType?: string;
  readonly zone?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** Without those, tasks fail with ATTRIBUTE. */
  readonly withoutCapabilities?: boolean;
}

/** The smallest machines have three interfaces, and one is the machine's own. */
const DEFAULT_MAX_ENIS = 2;

export class Instances {
  readonly #world: EcsWorld;
  readonly #lifecycle: Lifecycle;

  constructor(world: EcsWorld, lifecycle: Lifecycle) {
    this.#world = world;
    this.#lifecycle = lifecycle;
  }

  /** What an agent does when it starts. */
  register(given: NewInstance): InstanceRecord {
    const world = this.#world;
    const cluster = world.cluster(given.cluster ?? world.settings.clusters[0]);
    const stock = given.withoutCapabilities ? [] : STOCK_ATTRIBUTES;
    const instance: InstanceRecord = {
      arn: world.arn(`container-instance/${cluster}/${world.newId()}`),
      cluster,
      ec2InstanceId: given.ec2InstanceId,
      registeredAtMs: world.nowMs,
      cpu: given.cpu,
      memoryMiB: given.memoryMiB,
      gpuIds: given.gpuIds ?? [],
      maxEnis: given.maxEnis ?? DEFAULT_MAX_ENIS,
      attributes: new Map([
        ...stock.map((name) => [name, ''] as const),
        ['ecs.os-type', 'linux'],
        ['ecs.cpu-architecture', 'x86_64'],
        ['ecs.instance-type', given.instanceType ?? 'm5.large'],
        ['ecs.availability-zone', given.zone ?? `${world.settings.region}a`],
        ...Object.entries(given.attributes ?? {}),
      ]),
      tasks: new Set(),
      deferred: [],
      version: 0,
      status: 'ACTIVE',
      agentConnected: true,
      tags: [],
    };
    world.instances.set(instance.arn, instance);
    this.#world.instanceChanged(instance);
    return instance;
  }

  byEc2Id(ec2InstanceId: string): InstanceRecord | undefined {
    return [...this.#world.instances.values()].find((instance) => {
      return instance.ec2InstanceId === ec2InstanceId && instance.status !== 'INACTIVE';
    });
  }

  /** While it is away, its tasks run on, and nothing is heard or begun. */
  setConnected(instance: InstanceRecord, agentConnected: boolean): void {
    if (instance.agentConnected === agentConnected) return;
    instance.agentConnected = agentConnected;
    this.#world.instanceChanged(instance);
    if (!agentConnected) return;
    for (const run of instance.deferred.splice(0)) run();
  }

  /** The machine was stopped or terminated. */
  hostGone(instance: InstanceRecord, verb: 'stopped' | 'terminated'): void {
    const stoppedReason = `Host EC2 (instance ${instance.ec2InstanceId}) ${verb}.`;
    this.#remove(instance, { stopCode: 'TerminationNotice', stoppedReason });
  }

  deregister(input: DeregisterContainerInstanceRequest): { containerInstance: ContainerInstance } {
    this.#world.account.take('taskWrite');
    const instance = this.#get(input.cluster, input.containerInstance);
    if (instance.tasks.size > 0 && !input.force) {
      throw invalid('Found running tasks on the instance.');
    }
    const stoppedReason = 'Container instance deregistration forced by user';
    this.#remove(instance, { stopCode: 'UserInitiated', stoppedReason });
    return { containerInstance: instanceView(instance) };
  }

  describe(
    input: DescribeContainerInstancesRequest,
    partial = false,
  ): DescribeContainerInstancesResponse {
    this.#world.account.take('read');
    const cluster = this.#world.cluster(input.cluster);
    const names = input.containerInstances ?? [];
    if (names.length === 0) throw invalid('Container instances cannot be empty.');
    if (names.length > MAX_DESCRIBED) throw invalid(`At most ${MAX_DESCRIBED} instances.`);
    const found = names.map((name, i) => {
      const lost = partial && i === names.length - 1;
      return { name, instance: lost ? undefined : this.#world.findInstance(cluster, name) };
    });
    return {
      containerInstances: found.flatMap(({ instance }) =>
        instance ? [instanceView(instance)] : [],
      ),
      failures: found
        .filter(({ instance }) => !instance)
        .map(({ name }) => ({ arn: name, reason: 'MISSING' })),
    };
  }

  list(input: ListContainerInstancesRequest): ListContainerInstancesResponse {
    this.#world.account.take('read');
    const cluster = this.#world.cluster(input.cluster);
    const matches = input.filter ? compile(input.filter) : () => true;
    const arns = [...this.#world.instances.values()]
      .filter((instance) => instance.cluster === cluster && matches(instance))
      .filter(({ status }) => (input.status ? status === input.status : status !== 'INACTIVE'))
      .map(({ arn }) => arn);
    const { items, nextToken } = pageOf(arns, input);
    return { containerInstanceArns: items, ...(nextToken !== undefined && { nextToken }) };
  }

  updateState(input: UpdateContainerInstancesStateRequest): UpdateContainerInstancesStateResponse {
    this.#world.account.take('taskWrite');
    const cluster = this.#world.cluster(input.cluster);
    const names = input.containerInstances ?? [];
    if (names.length > MAX_UPDATED) throw invalid(`At most ${MAX_UPDATED} instances.`);
    const { status } = input;
    if (status !== 'ACTIVE' && status !== 'DRAINING') {
      throw invalid('Container instance status should be one of [ACTIVE,DRAINING].');
    }
    const answer = { containerInstances: [] as ContainerInstance[], failures: [] as object[] };
    for (const name of names) {
      const instance = this.#world.findInstance(cluster, name);
      if (instance && instance.status !== 'INACTIVE') {
        if (instance.status !== status) this.#setStatus(instance, status);
        answer.containerInstances.push(instanceView(instance));
      } else answer.failures.push({ arn: name, reason: instance ? 'INACTIVE' : 'MISSING' });
    }
    return answer;
  }

  putAttributes({ cluster, attributes }: PutAttributesRequest): { attributes: Attribute[] } {
    this.#world.account.take('taskWrite');
    for (const { name = '', value = '', targetId } of attributes ?? []) {
      if (!ATTRIBUTE_NAME.test(name) || value.length > MAX_ATTRIBUTE_VALUE) {
        throw invalid(`Invalid attribute: ${name}`);
      }
      const instance = this.#get(cluster, targetId);
      instance.attributes.set(name, value);
      this.#world.instanceChanged(instance);
    }
    return { attributes: attributes ?? [] };
  }

  #get(cluster: string | undefined, name: string | undefined): InstanceRecord {
    const instance = this.#world.findInstance(this.#world.cluster(cluster), name ?? '');
    if (instance && instance.status !== 'INACTIVE') return instance;
    throw clientError('The referenced container instance was not found.');
  }

  #remove(instance: InstanceRecord, cause: Parameters<Lifecycle['hostGone']>[1]): void {
    instance.deferred.length = 0;
    instance.agentConnected = false;
    this.#setStatus(instance, 'INACTIVE');
    for (const task of [...instance.tasks]) this.#lifecycle.hostGone(task, cause);
  }

  #setStatus(instance: InstanceRecord, status: InstanceRecord['status']): void {
    instance.status = status;
    this.#world.instanceChanged(instance);
  }
}
