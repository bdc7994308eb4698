/**
 * A task as a definition of ECS: what is in it, in which order it starts. Pure. What differs from
 * pod to pod is taken out by overrides.ts; the definition's name is the hash of what is left.
 */
import type {
  ContainerDefinition,
  ContainerDependency,
  RegisterTaskDefinitionCommandInput,
} from '@aws-sdk/client-ecs';
import type { ContainerSpec, TaskSpec } from '../../../shared/api/task.ts';
import { TaskRejected } from '../../../shared/ports/runtime.ts';
import {
  commonDefinition,
  containerDefinition,
  MIN_MEMORY_MIB,
  type TaskContext,
} from './container-definition.ts';
import { filesWork } from './files.ts';
import { checksOf } from './health-check.ts';
import { askingHelpers, awaitedEnds, endHelper } from './helpers.ts';
import { containerName, OWN, placementOf } from './names.ts';
import type { EcsSettings } from './settings.ts';
import { fargateSize, requestedSize, type Size } from './sizes.ts';
import { TaskVolumes } from './volumes.ts';

export type Definition = Omit<RegisterTaskDefinitionCommandInput, 'family'> & {
  readonly containerDefinitions: ContainerDefinition[];
};

export interface DefinedTask {
  readonly definition: Definition;
  readonly asked: Size;
  /** What Fargate gives for it; undefined on an instance. */
  readonly given?: Size;
}

/** ECS's limits of a definition. */
const MAX_CONTAINERS = 10;
export const MAX_DEFINITION_BYTES = 65_536;

/** What a pod gets that says nothing, as in Kubernetes. */
const DEFAULT_GRACE_SECONDS = 30;

/** Throws `TaskRejected` for what ECS can't do. */
export function defineTask(task: TaskSpec, settings: EcsSettings): DefinedTask {
  checkTask(task);
  const { type } = placementOf(task.nodeName);
  const asked = requestedSize(task);
  const given = type === 'fargate' ? fargateSize(asked) : undefined;
  const volumes = new TaskVolumes(task);
  const graceSeconds = task.graceSeconds ?? DEFAULT_GRACE_SECONDS;
  const context: TaskContext = {
    ...{ settings, volumes, graceSeconds },
    ...(given ? { fargate: given } : {}),
  };
  const containerDefinitions = containersOf(task, context);
  if (containerDefinitions.length > MAX_CONTAINERS) {
    const count = containerDefinitions.length;
    const problem = `it comes to ${count} containers with its helpers; ECS has ${MAX_CONTAINERS}`;
    throw new TaskRejected('TooManyContainers', problem);
  }
  const storageGiB = given && volumes.storageGiB();
  const definition: Definition = {
    networkMode: 'awsvpc',
    requiresCompatibilities: [given ? 'FARGATE' : 'EC2'],
    executionRoleArn: settings.executionRoleArn,
    ...(settings.taskRoleArn === undefined ? {} : { taskRoleArn: settings.taskRoleArn }),
    ...(given ? { cpu: String(given.cpu), memory: String(given.memoryMiB) } : {}),
    ...(storageGiB === undefined ? {} : { ephemeralStorage: { sizeInGiB: storageGiB } }),
    volumes: volumes.definitions(),
    containerDefinitions,
    tags: [{ key: 'nullplane:installation', value: settings.installation }],
  };
  return { definition, asked, ...(given ? { given } : {}) };
}

function checkTask({ hostAliases }: TaskSpec): void {
  if (hostAliases.length === 0) return;
  throw new TaskRejected(
    'HostAliasesUnsupported',
    'ECS has no hostAliases for tasks with an address of their own: use a Service or DNS',
  );
}

/** First those that run one after the other, then the others, each kind with its helpers. */
function containersOf(task: TaskSpec, context: TaskContext): ContainerDefinition[] {
  const first = [...filesContainer(context), ...task.initContainers.map((c) => init(c, context))];
  const chain = first.map((container, i) => ({ ...container, ...after(first[i - 1]) }));
  const waits = after(first.at(-1));
  const isAlone = task.containers.length === 1;
  const waited = awaitedEnds(task.containers);
  const main = task.containers.flatMap((container) =>
    withHelper(container, isAlone || container.essential, context, waits),
  );
  const names = task.containers.map((container) =>
    containerName(container.name, checksOf(container).own?.role),
  );
  const end = waited ? [{ ...helperBase(context), ...endHelper(names), ...waits }] : [];
  return [...chain, ...main, ...end];
}

function filesContainer(context: TaskContext): ContainerDefinition[] {
  const work = filesWork(context.volumes.folders);
  if (!work) return [];
  const name = containerName(OWN, 'files');
  return [{ ...helperBase(context), name, essential: false, ...work }];
}

function init(container: ContainerSpec, context: TaskContext): ContainerDefinition {
  const name = containerName(container.name, 'init');
  return { name, essential: false, ...containerDefinition(container, context, true) };
}

function withHelper(
  container: ContainerSpec,
  essential: boolean,
  context: TaskContext,
  waits: Waits,
): ContainerDefinition[] {
  const checks = checksOf(container);
  const name = containerName(container.name, checks.own?.role);
  const own: ContainerDefinition = {
    name,
    essential,
    ...containerDefinition(container, context, false),
    ...(checks.own ? { healthCheck: checks.own.check } : {}),
    ...waits,
  };
  const helpers = askingHelpers(name, container.name, checks);
  return [own, ...helpers.map((helper) => ({ ...helperBase(context), ...helper }))];
}

function helperBase(context: TaskContext): ContainerDefinition {
  return {
    image: context.settings.filesImage,
    ...(context.fargate ? {} : { memoryReservation: MIN_MEMORY_MIB }),
    ...commonDefinition(context),
  };
}

interface Waits {
  dependsOn?: ContainerDependency[];
}

function after(before: ContainerDefinition | undefined): Waits {
  if (!before) return {};
  return { dependsOn: [{ containerName: before.name, condition: 'SUCCESS' }] };
}
