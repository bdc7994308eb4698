/**
 * Task definitions: validation, families, revisions. A deregistered one is INACTIVE and can still
 * be described and, for up to ten minutes, run. Source: aws-semantics.md 3.3-3.6.
 */
import type {
  Compatibility,
  ContainerDefinition,
  DeregisterTaskDefinitionRequest,
  DescribeTaskDefinitionRequest,
  HealthCheck,
  RegisterTaskDefinitionRequest,
  Tag,
  TaskDefinition,
} from '@aws-sdk/client-ecs';
import { clientError } from '../errors.ts';
import { fargateSizeError } from './fargate-sizes.ts';
import type { EcsWorld } from './world.ts';

const MAX_CONTAINERS = 10;
const MAX_BYTES = 64 * 1024;
const MAX_TAGS = 50;
const FAMILY = /^[A-Za-z0-9_-]{1,255}$/;
const CONTAINER_NAME = /^[A-Za-z0-9_-]{1,255}$/;
const MIN_MEMORY_MIB = 6;
/** An INACTIVE definition can still be run for so long. */
const INACTIVE_USABLE_MS = 600_000;
const ENI_ATTRIBUTE = 'ecs.capability.task-eni';
const AWSLOGS_ATTRIBUTE = 'com.amazonaws.ecs.capability.logging-driver.awslogs';
/** What stock instances can do. */
export const STOCK_ATTRIBUTES: readonly string[] = [ENI_ATTRIBUTE, AWSLOGS_ATTRIBUTE];

export class Definitions {
  readonly #world: EcsWorld;
  readonly #families = new Map<string, { definition: TaskDefinition; tags: Tag[] }[]>();

  constructor(world: EcsWorld) {
    this.#world = world;
  }

  register(input: RegisterTaskDefinitionRequest): { taskDefinition: TaskDefinition; tags: Tag[] } {
    this.#world.account.take('registerTaskDefinition');
    validate(input);
    const { tags = [], family = '', ...rest } = input;
    const revisions = this.#families.get(family) ?? [];
    const revision = revisions.length + 1;
    const definition: TaskDefinition = {
      ...rest,
      family,
      networkMode: rest.networkMode ?? 'bridge',
      containerDefinitions: (rest.containerDefinitions ?? []).map(withDefaults),
      volumes: rest.volumes ?? [],
      placementConstraints: rest.placementConstraints ?? [],
      taskDefinitionArn: this.#world.arn(`task-definition/${family}:${revision}`),
      revision,
      status: 'ACTIVE',
      registeredAt: new Date(this.#world.nowMs),
      compatibilities: compatibilitiesOf(input),
      requiresAttributes: requiredAttributes(input),
    };
    revisions.push({ definition, tags });
    this.#families.set(family, revisions);
    return { taskDefinition: definition, tags };
  }

  describe(input: DescribeTaskDefinitionRequest): { taskDefinition: TaskDefinition; tags: Tag[] } {
    this.#world.account.take('describeTaskDefinition');
    const found = this.#find(input.taskDefinition);
    if (!found) throw clientError('Unable to describe task definition.');
    const withTags = input.include?.includes('TAGS');
    return { taskDefinition: found.definition, tags: withTags ? found.tags : [] };
  }

  deregister({ taskDefinition }: DeregisterTaskDefinitionRequest): {
    taskDefinition: TaskDefinition;
  } {
    this.#world.account.take('registerTaskDefinition');
    const found = /:\d+$/.test(taskDefinition ?? '') ? this.#find(taskDefinition) : undefined;
    if (!found) {
      throw clientError('The specified task definition does not exist. Revision is needed.');
    }
    const { definition } = found;
    if (definition.status === 'ACTIVE') {
      definition.status = 'INACTIVE';
      definition.deregisteredAt = new Date(this.#world.nowMs);
    }
    return { taskDefinition: definition };
  }

  /** For a launch. Throws ClientException. */
  usable(given: string | undefined): { definition: TaskDefinition; tags: Tag[] } {
    const found = this.#find(given);
    if (!found) throw clientError('TaskDefinition not found.');
    const { status, deregisteredAt } = found.definition;
    const inactiveMs = this.#world.nowMs - (deregisteredAt?.getTime() ?? Infinity);
    if (status !== 'ACTIVE' && inactiveMs >= INACTIVE_USABLE_MS) {
      throw clientError('TaskDefinition is inactive');
    }
    return found;
  }

  /** By ARN, `family:revision`, or `family`, which is the latest ACTIVE one. */
  #find(given = ''): { definition: TaskDefinition; tags: Tag[] } | undefined {
    const name = given.replace(/^arn:aws:ecs:[^:]*:[^:]*:task-definition\//, '');
    const [family = '', revision] = name.split(':');
    const revisions = this.#families.get(family) ?? [];
    if (revision !== undefined) return revisions[Number(revision) - 1];
    return revisions.findLast(({ definition }) => definition.status === 'ACTIVE');
  }
}

function withDefaults(container: ContainerDefinition): ContainerDefinition {
  const { essential, healthCheck } = container;
  return {
    ...container,
    cpu: container.cpu ?? 0,
    essential: essential ?? true,
    environment: container.environment ?? [],
    mountPoints: container.mountPoints ?? [],
    portMappings: container.portMappings ?? [],
    volumesFrom: container.volumesFrom ?? [],
    ...(healthCheck && { healthCheck: { interval: 30, timeout: 5, retries: 3, ...healthCheck } }),
  };
}

function compatibilitiesOf(input: RegisterTaskDefinitionRequest): Compatibility[] {
  const fargate =
    input.networkMode === 'awsvpc' && fargateSizeError(input.cpu, input.memory) === undefined;
  return fargate ? ['EC2', 'FARGATE'] : ['EC2'];
}

function requiredAttributes(input: RegisterTaskDefinitionRequest): { name: string }[] {
  const names: string[] = [];
  if (input.networkMode === 'awsvpc') names.push(ENI_ATTRIBUTE);
  const logs = input.containerDefinitions?.some(
    ({ logConfiguration }) => logConfiguration?.logDriver === 'awslogs',
  );
  if (logs) names.push(AWSLOGS_ATTRIBUTE);
  return names.map((name) => ({ name }));
}

function validate(input: RegisterTaskDefinitionRequest): void {
  const error = definitionError(input);
  if (error !== undefined) throw clientError(error);
}

function definitionError(input: RegisterTaskDefinitionRequest): string | undefined {
  const containers = input.containerDefinitions ?? [];
  if (!FAMILY.test(input.family ?? '')) return 'Family contains invalid characters.';
  if (containers.length === 0) return 'Container list cannot be empty.';
  if (containers.length > MAX_CONTAINERS) return 'Too many containers: the maximum is 10.';
  const bytes = Buffer.byteLength(JSON.stringify(input));
  if (bytes > MAX_BYTES) return `Task definition is too large: ${bytes} of ${MAX_BYTES} bytes.`;
  if ((input.tags ?? []).length > MAX_TAGS) return 'Too many tags: the maximum is 50.';
  const names = containers.map(({ name = '' }) => name);
  if (new Set(names).size < names.length) return 'Container names must be unique.';
  if (!containers.some(({ essential }) => essential !== false)) {
    return 'Task definition does not have any essential containers.';
  }
  const wrong = containers.map((one) => containerError(one, input)).find(Boolean);
  return wrong ?? dependencyError(containers) ?? compatibilityError(input);
}

function containerError(
  container: ContainerDefinition,
  input: RegisterTaskDefinitionRequest,
): string | undefined {
  const { name = '', image = '', memory, memoryReservation, healthCheck, stopTimeout } = container;
  const fargate = input.requiresCompatibilities?.includes('FARGATE') ?? false;
  if (!CONTAINER_NAME.test(name)) return `Container name is invalid: ${name}`;
  if (image === '') return `Container.image should not be null or empty: ${name}`;
  if (memory === undefined && memoryReservation === undefined && input.memory === undefined) {
    return `Invalid setting for container '${name}': it needs 'memory' or 'memoryReservation'.`;
  }
  if (memory !== undefined && memory < MIN_MEMORY_MIB) {
    return `Container '${name}': memory must be at least ${MIN_MEMORY_MIB}.`;
  }
  if (container.restartPolicy?.enabled) return 'The model has no restartPolicy.';
  if (fargate && (stopTimeout ?? 0) > 120) return `Container '${name}': stopTimeout exceeds 120.`;
  if (fargate && container.privileged) return 'Privileged is not supported on Fargate.';
  if (fargate && container.resourceRequirements?.some(({ type }) => type === 'GPU')) {
    return 'GPU is not supported on Fargate.';
  }
  return healthCheck && healthCheckError(name, healthCheck);
}

function healthCheckError(name: string, check: HealthCheck): string | undefined {
  const within = (value: number | undefined, least: number, most: number) =>
    value === undefined || (value >= least && value <= most);
  const [kind] = check.command ?? [];
  if (kind !== 'CMD' && kind !== 'CMD-SHELL' && kind !== 'NONE') {
    return `Container '${name}': a health check begins with CMD or CMD-SHELL.`;
  }
  if (!within(check.interval, 5, 300)) return `Container '${name}': interval is 5 to 300.`;
  if (!within(check.timeout, 2, 60)) return `Container '${name}': timeout is 2 to 60.`;
  if (!within(check.retries, 1, 10)) return `Container '${name}': retries is 1 to 10.`;
  if (!within(check.startPeriod, 0, 300)) return `Container '${name}': startPeriod is 0 to 300.`;
  return undefined;
}

function dependencyError(containers: readonly ContainerDefinition[]): string | undefined {
  const byName = new Map(containers.map((container) => [container.name, container]));
  for (const { name, dependsOn = [] } of containers) {
    for (const { containerName, condition } of dependsOn) {
      const other = byName.get(containerName);
      if (!other || containerName === name) {
        return `Container '${name}' depends on unknown container '${containerName}'.`;
      }
      if (condition === 'HEALTHY' && !other.healthCheck) {
        return `Container '${containerName}' has no health check, which HEALTHY needs.`;
      }
      if ((condition === 'SUCCESS' || condition === 'COMPLETE') && other.essential !== false) {
        return `Container '${containerName}' is essential: ${condition} can't be waited for.`;
      }
    }
  }
  return hasCycle(containers) ? 'Container dependencies have a cycle.' : undefined;
}

/** Takes away what depends on nothing left, until nothing can be taken. */
function hasCycle(containers: readonly ContainerDefinition[]): boolean {
  let left = [...containers];
  for (;;) {
    const names = new Set(left.map(({ name }) => name));
    const next = left.filter(({ dependsOn = [] }) =>
      dependsOn.some(({ containerName }) => names.has(containerName)),
    );
    if (next.length === left.length) return left.length > 0;
    left = next;
  }
}

function compatibilityError(input: RegisterTaskDefinitionRequest): string | undefined {
  if (!input.requiresCompatibilities?.includes('FARGATE')) return undefined;
  if (input.networkMode !== 'awsvpc') {
    return 'Fargate only supports network mode ‘awsvpc’.';
  }
  if ((input.placementConstraints ?? []).length > 0) {
    return 'Placement constraints are not supported on Fargate.';
  }
  if (input.volumes?.some(({ host }) => host?.sourcePath !== undefined)) {
    return 'host.sourcePath is not supported on Fargate.';
  }
  return fargateSizeError(input.cpu, input.memory);
}
