/**
 * RunTask: its limits, its idempotency, and what it launches. The answer is 200 with `failures`
 * when some or all tasks found no room; nothing is told of those. Order: throttling, the request
 * itself, the client token, then room. Source: aws-semantics.md 3.2-3.4.
 */
import type {
  CapacityProviderStrategyItem,
  ContainerDefinition,
  Failure,
  NetworkConfiguration,
  RunTaskRequest,
  RunTaskResponse,
  Tag,
  TaskDefinition,
} from '@aws-sdk/client-ecs';
import { AwsError, clientError, invalid } from '../errors.ts';
import { zoneOfSubnet } from '../settings.ts';
import { draw, hex } from '../timers.ts';
import { processOf } from './behaviour.ts';
import type { Definitions } from './definitions.ts';
import { fargateSizeError } from './fargate-sizes.ts';
import type { Lifecycle } from './lifecycle.ts';
import { choose, needsOf, pinGpus } from './placement.ts';
import {
  type ContainerRecord,
  type InstanceRecord,
  type NetworkInterface,
  type TaskRecord,
  taskView,
} from './state.ts';
import type { ClientTokens, Launched } from './tokens.ts';
import { checkRunTask } from './run-task-rules.ts';
import type { EcsWorld } from './world.ts';

export const NO_FARGATE_CAPACITY =
  'Capacity is unavailable at this time. Please try again later or in a different availability ' +
  'zone';
const VCPU_LIMIT = "You've reached the limit on the number of vCPUs you can run concurrently";
const UNITS_PER_VCPU = 1024;

type Target = 'EC2' | 'FARGATE' | 'FARGATE_SPOT';

interface Plan {
  readonly cluster: string;
  readonly input: RunTaskRequest;
  readonly definition: TaskDefinition;
  readonly definitionTags: readonly Tag[];
  readonly needs: ReturnType<typeof needsOf>;
  readonly group: string;
}

export class RunTask {
  readonly #world: EcsWorld;
  readonly #definitions: Definitions;
  readonly #lifecycle: Lifecycle;
  readonly #tokens: ClientTokens;

  constructor(
    world: EcsWorld,
    definitions: Definitions,
    lifecycle: Lifecycle,
    tokens: ClientTokens,
  ) {
    this.#world = world;
    this.#definitions = definitions;
    this.#lifecycle = lifecycle;
    this.#tokens = tokens;
  }

  /** `partial`: the last of the tasks finds no room, whatever there is. */
  run(input: RunTaskRequest, partial = false): RunTaskResponse {
    const world = this.#world;
    world.account.take('taskWrite');
    checkRunTask(input);
    const cluster = world.cluster(input.cluster);
    const { clientToken: token, ...request } = { ...input, cluster };
    const before = token && this.#tokens.find(cluster, token, request, world.nowMs);
    if (before) return answer(before);
    const result = this.#launchAll(this.#plan(cluster, input), partial);
    if (token) this.#tokens.keep(cluster, token, request, result, world.nowMs);
    return answer(result);
  }

  #plan(cluster: string, input: RunTaskRequest): Plan {
    const { definition, tags } = this.#definitions.usable(input.taskDefinition);
    checkNetwork(definition, input.networkConfiguration);
    checkOverrideNames(definition, input);
    const needs = needsOf(definition, input.overrides);
    const group = input.group ?? `family:${definition.family}`;
    return { cluster, input, definition, definitionTags: tags, needs, group };
  }

  #launchAll(plan: Plan, partial: boolean): Launched {
    const targets = targetsOf(plan.input);
    const fargate = targets.filter((target) => target !== 'EC2');
    if (fargate.length > 0) this.#admitToFargate(plan, fargate);
    const tasks: TaskRecord[] = [];
    const failures: Failure[] = [];
    targets.forEach((target, i) => {
      const lost = partial && i === targets.length - 1;
      const one = lost ? { failures: [lostFailure(target)] } : this.#launch(plan, target);
      if ('failures' in one) failures.push(...one.failures);
      else tasks.push(one.task);
    });
    for (const task of tasks) this.#lifecycle.begin(task);
    return { tasks, failures };
  }

  #admitToFargate({ definition, needs, input }: Plan, targets: readonly Target[]): void {
    const { account } = this.#world;
    const { overrides } = input;
    const error = fargateSizeError(
      overrides?.cpu ?? definition.cpu,
      overrides?.memory ?? definition.memory,
    );
    if (error !== undefined) throw clientError(error);
    if (definition.networkMode !== 'awsvpc') {
      throw invalid('Fargate only supports network mode awsvpc.');
    }
    if (needs.gpus !== 0) throw clientError('GPU is not supported on Fargate.');
    this.#checkQuota(needs.cpu * targets.length);
    account.take('fargateRunTask');
    const onSpot = targets.filter((target) => target === 'FARGATE_SPOT').length;
    if (onSpot > 0) account.take('fargateSpotLaunch', onSpot);
    if (onSpot < targets.length) account.take('fargateLaunch', targets.length - onSpot);
  }

  #checkQuota(wantedCpu: number): void {
    const { settings, tasks } = this.#world;
    if (settings.fargateVcpus === Infinity) return;
    const used = [...tasks.values()]
      .filter(({ launchType, lastStatus }) => launchType === 'FARGATE' && lastStatus !== 'STOPPED')
      .reduce((sum, { needs }) => sum + needs.cpu, 0);
    if (used + wantedCpu > settings.fargateVcpus * UNITS_PER_VCPU) {
      throw new AwsError('ThrottlingException', VCPU_LIMIT);
    }
  }

  #launch(plan: Plan, target: Target): { task: TaskRecord } | { failures: readonly Failure[] } {
    if (target === 'EC2') return this.#launchOnInstance(plan);
    const { fargateCapacity } = this.#world;
    const left = fargateCapacity.get(target) ?? Infinity;
    if (left < 1) return { failures: [{ reason: NO_FARGATE_CAPACITY }] };
    if (left < Infinity) fargateCapacity.set(target, left - 1);
    return { task: this.#newTask(plan, target) };
  }

  #launchOnInstance(plan: Plan): { task: TaskRecord } | { failures: readonly Failure[] } {
    const { instances, random } = this.#world;
    const active = [...instances.values()].filter(({ cluster, status }) => {
      return cluster === plan.cluster && status === 'ACTIVE';
    });
    if (active.length === 0) throw invalid('No Container Instances were found in your cluster.');
    const { definition, needs, group, input } = plan;
    const constraints = [
      ...(definition.placementConstraints ?? []),
      ...(input.placementConstraints ?? []),
    ];
    const strategies = input.placementStrategy ?? [];
    const request = { definition, needs, group, constraints, strategies };
    const choice = choose(active, request, random);
    if ('failures' in choice) return choice;
    return { task: this.#newTask(plan, 'EC2', choice.instance) };
  }

  #newTask(plan: Plan, target: Target, instance?: InstanceRecord): TaskRecord {
    const world = this.#world;
    const { input, definition, cluster } = plan;
    const id = world.newId();
    const arn = world.arn(`task/${cluster}/${id}`);
    const eni = definition.networkMode === 'awsvpc' ? this.#newInterface(input) : undefined;
    const zone = instance?.attributes.get('ecs.availability-zone');
    const task: TaskRecord = {
      arn,
      id,
      cluster,
      definition,
      launchType: target === 'EC2' ? 'EC2' : 'FARGATE',
      // A launch type names no provider; only a strategy does.
      ...(target !== 'EC2' && input.capacityProviderStrategy && { capacityProvider: target }),
      overrides: input.overrides,
      group: plan.group,
      ...(input.startedBy !== undefined && { startedBy: input.startedBy }),
      needs: plan.needs,
      zone: zone ?? zoneOfSubnet(world.settings, eni?.subnet ?? ''),
      ...(instance && { instance }),
      ...(eni && { eni }),
      containers: this.#newContainers(plan, id, instance),
      createdAtMs: world.nowMs,
      listedAtMs: world.nowMs + draw(world.settings.latencies.listLagMs, world.random),
      enableExecuteCommand: input.enableExecuteCommand ?? false,
      tags: tagsOf(plan),
      version: 1,
      lastStatus: eni ? 'PROVISIONING' : 'PENDING',
      desiredStatus: 'RUNNING',
    };
    world.addTask(task);
    return task;
  }

  #newContainers(
    { definition, input, cluster }: Plan,
    taskId: string,
    instance: InstanceRecord | undefined,
  ): ContainerRecord[] {
    const gpus = instance ? pinGpus(definition, input.overrides, instance) : [];
    const containers = definition.containerDefinitions ?? [];
    return containers.map((container: ContainerDefinition, i) => ({
      arn: this.#world.arn(`container/${cluster}/${taskId}/${this.#world.newId()}`),
      definition: container,
      process: processOf(container, input.overrides),
      gpuIds: gpus[i] ?? [],
      lastStatus: 'PENDING',
      healthStatus: 'UNKNOWN',
      bindings: [],
    }));
  }

  #newInterface({ networkConfiguration }: RunTaskRequest): NetworkInterface {
    const { random } = this.#world;
    const subnets = networkConfiguration?.awsvpcConfiguration?.subnets ?? [];
    const byte = () => random.integer(254) + 1;
    return {
      attachmentId: this.#world.newId(),
      id: `eni-0${hex(random, 16)}`,
      subnet: subnets[random.integer(subnets.length)] ?? '',
      mac: `02:${Array.from({ length: 5 }, () => hex(random, 2)).join(':')}`,
      ip: `10.${byte()}.${byte()}.${byte()}`,
      status: 'PRECREATED',
    };
  }
}

function answer({ tasks, failures }: Launched): RunTaskResponse {
  return { tasks: tasks.map((task) => taskView(task, { tags: true })), failures: [...failures] };
}

function lostFailure(target: Target): Failure {
  return { reason: target === 'EC2' ? 'RESOURCE:MEMORY' : NO_FARGATE_CAPACITY };
}

/** Where each of the tasks is to run. */
function targetsOf(input: RunTaskRequest): Target[] {
  const count = input.count ?? 1;
  const strategy = input.capacityProviderStrategy ?? [];
  if (strategy.length > 0) return shared(strategy, count);
  const target = input.launchType === 'FARGATE' ? 'FARGATE' : 'EC2';
  return Array.from({ length: count }, () => target);
}

/** The bases first; then each task to the provider that is furthest behind its weight. */
function shared(strategy: readonly CapacityProviderStrategyItem[], count: number): Target[] {
  const providers = strategy.map(({ capacityProvider, weight = 0, base = 0 }) => {
    if (capacityProvider !== 'FARGATE' && capacityProvider !== 'FARGATE_SPOT') {
      throw invalid(`The specified capacity provider '${capacityProvider}' was not found.`);
    }
    const target: Target = capacityProvider;
    return { target, weight, base, given: 0 };
  });
  if (providers.every(({ weight }) => weight === 0)) {
    throw invalid('Some capacity provider of the strategy must have a weight above 0.');
  }
  const targets: Target[] = [];
  for (const { target, base } of providers) {
    for (let i = 0; i < base && targets.length < count; i++) targets.push(target);
  }
  while (targets.length < count) {
    const behind = providers
      .filter(({ weight }) => weight > 0)
      .sort((a, b) => (a.given + 1) / a.weight - (b.given + 1) / b.weight)[0];
    if (!behind) break;
    behind.given++;
    targets.push(behind.target);
  }
  return targets;
}

function checkNetwork({ networkMode }: TaskDefinition, network?: NetworkConfiguration): void {
  const given = network?.awsvpcConfiguration;
  if (networkMode === 'awsvpc' && !given) {
    const needed = 'Network Configuration must be provided when networkMode';
    throw invalid(`${needed} 'awsvpc' is specified.`);
  }
  if (networkMode !== 'awsvpc' && given) {
    throw invalid('Network Configuration is not valid for the given networkMode of this task.');
  }
}

function checkOverrideNames(definition: TaskDefinition, { overrides }: RunTaskRequest): void {
  const names = new Set(definition.containerDefinitions?.map(({ name }) => name));
  for (const { name } of overrides?.containerOverrides ?? []) {
    if (!names.has(name)) {
      throw invalid(`Override for container named ${name} is not a container in the definition.`);
    }
  }
}

function tagsOf({ input, definitionTags }: Plan): Tag[] {
  const own = input.tags ?? [];
  if (input.propagateTags !== 'TASK_DEFINITION') return [...own];
  const named = new Set(own.map(({ key }) => key));
  return [...own, ...definitionTags.filter(({ key }) => !named.has(key))];
}
