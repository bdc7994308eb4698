/**
 * Which container instance takes a task: what each has left, why one does not take it, which pins
 * GPUs. A task holds its share until it is STOPPED. Source: aws-semantics.md 3.2, 3.6, 3.7;
 * api_failures_messages.
 */
import type {
  ContainerDefinition,
  PlacementConstraint,
  PlacementStrategy,
  TaskDefinition,
  TaskOverride,
} from '@aws-sdk/client-ecs';
import { clientError } from '../errors.ts';
import type { Random } from '../timers.ts';
import { compile, type Predicate } from './expression.ts';
import type { InstanceRecord, Needs, TaskRecord } from './state.ts';

/** Taken on each instance by the system and the agent. */
export const RESERVED_TCP_PORTS: readonly number[] = [22, 2375, 2376, 51678, 51679];

export function needsOf(definition: TaskDefinition, overrides?: TaskOverride): Needs {
  const containers = definition.containerDefinitions ?? [];
  const override = (name: string | undefined) =>
    overrides?.containerOverrides?.find((other) => other.name === name);
  const cpuOf = (one: ContainerDefinition) => override(one.name)?.cpu ?? one.cpu ?? 0;
  const memoryOf = (one: ContainerDefinition) => {
    const own = override(one.name);
    const reserved = own?.memoryReservation ?? own?.memory;
    return reserved ?? one.memoryReservation ?? one.memory ?? 0;
  };
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
  const cpu = overrides?.cpu ?? definition.cpu;
  const memory = overrides?.memory ?? definition.memory;
  return {
    cpu: cpu === undefined ? sum(containers.map(cpuOf)) : Number(cpu),
    memoryMiB: memory === undefined ? sum(containers.map(memoryOf)) : Number(memory),
    gpus: totalGpus(containers.map((one) => gpusOf(one, overrides))),
    enis: definition.networkMode === 'awsvpc' ? 1 : 0,
    ports: containers.flatMap((one) => hostPorts(one, definition.networkMode)),
  };
}

/** The value is a string; `ALL` is one. */
export function gpusOf(container: ContainerDefinition, overrides?: TaskOverride): number | 'ALL' {
  const own = overrides?.containerOverrides?.find(({ name }) => name === container.name);
  const requirements = own?.resourceRequirements ?? container.resourceRequirements ?? [];
  const value = requirements.find(({ type }) => type === 'GPU')?.value ?? '0';
  if (value === 'ALL') return 'ALL';
  if (!/^\d+$/.test(value)) throw clientError(`Invalid number of GPUs: ${value}`);
  return Number(value);
}

function totalGpus(all: readonly (number | 'ALL')[]): number | 'ALL' {
  if (all.includes('ALL')) return 'ALL';
  return (all as readonly number[]).reduce((a, b) => a + b, 0);
}

function hostPorts(container: ContainerDefinition, networkMode = 'bridge'): Needs['ports'] {
  if (networkMode === 'awsvpc' || networkMode === 'none') return [];
  return (container.portMappings ?? []).flatMap(({ containerPort = 0, hostPort, protocol }) => {
    const port = networkMode === 'host' ? containerPort : (hostPort ?? 0);
    return port === 0 ? [] : [{ port, protocol: protocol ?? 'tcp' }];
  });
}

/** The tasks whose share an instance still holds. */
function holding({ tasks }: InstanceRecord): TaskRecord[] {
  return [...tasks].filter(({ lastStatus }) => lastStatus !== 'STOPPED');
}

export interface Remaining {
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly enis: number;
  readonly freeGpuIds: readonly string[];
  readonly usedPorts: Readonly<Record<'tcp' | 'udp', readonly number[]>>;
}

export function remainingOf(instance: InstanceRecord): Remaining {
  const tasks = holding(instance);
  const sum = (of: (needs: Needs) => number) => tasks.reduce((a, task) => a + of(task.needs), 0);
  const taken = new Set(tasks.flatMap((task) => task.containers.flatMap(({ gpuIds }) => gpuIds)));
  const ports = tasks.flatMap(({ needs }) => needs.ports);
  const used = (protocol: string) =>
    ports.filter((one) => one.protocol === protocol).map(({ port }) => port);
  return {
    cpu: instance.cpu - sum(({ cpu }) => cpu),
    memoryMiB: instance.memoryMiB - sum(({ memoryMiB }) => memoryMiB),
    enis: instance.maxEnis - sum(({ enis }) => enis),
    freeGpuIds: instance.gpuIds.filter((id) => !taken.has(id)),
    usedPorts: { tcp: [...RESERVED_TCP_PORTS, ...used('tcp')], udp: used('udp') },
  };
}

/** How many GPUs a task pins on this instance. */
export function gpuCount(needs: Needs, instance: InstanceRecord): number {
  return needs.gpus === 'ALL' ? Math.max(1, instance.gpuIds.length) : needs.gpus;
}

/** Why an instance does not take it; undefined when it does. */
export function refusal(instance: InstanceRecord, needs: Needs): string | undefined {
  if (!instance.agentConnected) return 'AGENT';
  const left = remainingOf(instance);
  if (left.cpu < needs.cpu) return 'RESOURCE:CPU';
  if (left.memoryMiB < needs.memoryMiB) return 'RESOURCE:MEMORY';
  if (left.freeGpuIds.length < gpuCount(needs, instance)) return 'RESOURCE:GPU';
  const taken = needs.ports.some(({ port, protocol }) => left.usedPorts[protocol].includes(port));
  if (taken) return 'RESOURCE:PORTS';
  if (left.enis < needs.enis) return 'RESOURCE:ENI';
  return undefined;
}

export interface Request {
  readonly definition: TaskDefinition;
  readonly needs: Needs;
  readonly group: string;
  readonly constraints: readonly PlacementConstraint[];
  readonly strategies: readonly PlacementStrategy[];
}

export type Choice =
  | { readonly instance: InstanceRecord }
  | { readonly failures: readonly { readonly arn: string; readonly reason: string }[] };

const CONSTRAINT_UNSATISFIED = 'MemberOf placement constraint unsatisfied.';
const NOT_DISTINCT = 'DistinctInstance placement constraint unsatisfied.';

/** One reason of one instance each, when none takes it. */
export function choose(
  instances: readonly InstanceRecord[],
  request: Request,
  random: Random,
): Choice {
  const predicates = request.constraints
    .filter(({ type }) => type === 'memberOf')
    .map(({ expression }) => compile(expression ?? ''));
  const distinct = request.constraints.some(({ type }) => type === 'distinctInstance');
  const fitting: InstanceRecord[] = [];
  const failures: { arn: string; reason: string }[] = [];
  for (const instance of instances) {
    const reason = reasonAgainst(instance, request, predicates, distinct);
    if (reason === undefined) fitting.push(instance);
    else failures.push({ arn: instance.arn, reason });
  }
  const instance = preferred(fitting, request.strategies, random);
  return instance ? { instance } : { failures };
}

function reasonAgainst(
  instance: InstanceRecord,
  { definition, needs, group }: Request,
  predicates: readonly Predicate[],
  distinct: boolean,
): string | undefined {
  if (!predicates.every((matches) => matches(instance))) return CONSTRAINT_UNSATISFIED;
  const missing = (definition.requiresAttributes ?? []).some(
    ({ name }) => !instance.attributes.has(name ?? ''),
  );
  if (missing) return 'ATTRIBUTE';
  if (distinct && holding(instance).some((task) => task.group === group)) return NOT_DISTINCT;
  return refusal(instance, needs);
}

function preferred(
  fitting: readonly InstanceRecord[],
  strategies: readonly PlacementStrategy[],
  random: Random,
): InstanceRecord | undefined {
  const shuffled = fitting
    .map((instance) => ({ instance, rank: random.fraction() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ instance }) => instance);
  const packing = strategies.find(({ type }) => type === 'binpack');
  const spreading = strategies.find(({ type }) => type === 'spread');
  if (packing) {
    const left = (one: InstanceRecord) =>
      remainingOf(one)[packing.field?.toLowerCase() === 'cpu' ? 'cpu' : 'memoryMiB'];
    shuffled.sort((a, b) => left(a) - left(b));
  } else if (spreading) shuffled.sort((a, b) => holding(a).length - holding(b).length);
  return shuffled[0];
}

/** The GPUs of each container, lowest ids first, as the agent pins them. */
export function pinGpus(
  definition: TaskDefinition,
  overrides: TaskOverride | undefined,
  instance: InstanceRecord,
): string[][] {
  const free = [...remainingOf(instance).freeGpuIds];
  return (definition.containerDefinitions ?? []).map((container) => {
    const wanted = gpusOf(container, overrides);
    return free.splice(0, wanted === 'ALL' ? free.length : wanted);
  });
}
