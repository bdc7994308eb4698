/**
 * From a task to what ECS is asked: a definition under the name of its content, and a RunTask whose
 * token is the task's identity. Pure.
 *
 * Invariants:
 *  L1 The same task under the same settings is the same request, word for word: ECS answers a
 *     repeat of it with the task that it made the first time (S1).
 *  S4 Roles come from the settings, and nothing that a user can write reaches a field of a role,
 *     a network or a placement, but for the node that the scheduler chose.
 */
import { createHash } from 'node:crypto';
import type { RunTaskCommandInput } from '@aws-sdk/client-ecs';
import { canonicalJson } from '../../../shared/api/hash.ts';
import type { TaskSpec } from '../../../shared/api/task.ts';
import { type BatchPlace, TaskRejected } from '../../../shared/ports/runtime.ts';
import {
  batchGroupOf,
  familyOf,
  groupOf,
  HASH_LENGTH,
  type Placement,
  placementOf,
} from './names.ts';
import { splitOff } from './overrides.ts';
import type { EcsSettings } from './settings.ts';
import { sizeText } from './sizes.ts';
import {
  type Definition,
  type DefinedTask,
  defineTask,
  MAX_DEFINITION_BYTES,
} from './task-definition.ts';

export interface Launch {
  readonly family: string;
  readonly definition: Definition;
  readonly placement: Placement;
  readonly request: RunTaskCommandInput;
}

/** Throws `TaskRejected`. */
export function launchOf(task: TaskSpec, settings: EcsSettings): Launch {
  const defined = defineTask(task, settings);
  const { definition, overrides } = splitOff(task, defined.definition);
  const placement = placementOf(task.nodeName);
  const request: Request = {
    count: 1,
    clientToken: task.id,
    startedBy: task.id,
    group: groupOf(task),
    ...placementFields(placement, settings),
    ...(overrides ? { overrides } : {}),
    tags: tagsOf(task, settings, defined),
  };
  return launching(definition, placement, request, settings);
}

/**
 * One question for a task on each of these instances (core/pod/batch.ts). Nothing in it is one
 * pod's alone, so that there is nothing to override. Throws `TaskRejected`.
 */
export function alikeLaunchOf(
  task: TaskSpec,
  token: string,
  places: readonly BatchPlace[],
  settings: EcsSettings,
): Launch {
  const defined = defineTask(task, settings);
  const instanceIds = places.map(({ nodeName }) => instanceIdOf(nodeName)).sort();
  const request: Request = {
    count: instanceIds.length,
    clientToken: token,
    startedBy: token,
    group: batchGroupOf(task.namespace, token),
    ...instanceFields(`ec2InstanceId in [${instanceIds.join(', ')}]`, settings),
    tags: tagsOf({ ...task, podName: '' }, settings, defined),
  };
  const { placementConstraints = [] } = request;
  const distinct = [...placementConstraints, { type: 'distinctInstance' as const }];
  const placed = { ...request, placementConstraints: distinct };
  return launching(defined.definition, placementOf(task.nodeName), placed, settings);
}

function instanceIdOf(nodeName: string): string {
  const placement = placementOf(nodeName);
  if (placement.type === 'instance') return placement.instanceId;
  throw new TaskRejected('UnknownNode', `node ${nodeName} is not an EC2 instance`);
}

/** What differs from launch to launch. */
type Request = Omit<RunTaskCommandInput, 'taskDefinition' | 'cluster'>;

function launching(
  definition: Definition,
  placement: Placement,
  request: Request,
  settings: EcsSettings,
): Launch {
  const content = canonicalJson(definition);
  const bytes = Buffer.byteLength(content);
  if (bytes > MAX_DEFINITION_BYTES) {
    const limit = `a task definition holds ${MAX_DEFINITION_BYTES / 1024} KiB`;
    const problem = `its definition has ${Math.ceil(bytes / 1024)} KiB with its files; ${limit}`;
    throw new TaskRejected('TaskTooLarge', problem);
  }
  const hash = createHash('sha256').update(content).digest('hex').slice(0, HASH_LENGTH);
  const family = familyOf(settings.installation, hash);
  const common = {
    cluster: settings.cluster,
    // Without a revision: all revisions of a family are of one content.
    taskDefinition: family,
    enableECSManagedTags: true,
    ...(settings.taskRoleArn === undefined ? {} : { enableExecuteCommand: true }),
  };
  return { family, definition, placement, request: { ...common, ...request } };
}

function placementFields(placement: Placement, settings: EcsSettings): Partial<Request> {
  if (placement.type === 'instance') {
    return instanceFields(`ec2InstanceId == ${placement.instanceId}`, settings);
  }
  // The default weight is 0, and a strategy of zeroes places nothing.
  const provider = { capacityProvider: placement.provider, weight: 1 };
  const network = networkOf(settings, settings.assignPublicIp);
  return { ...network, capacityProviderStrategy: [provider] };
}

/** On instances of which the expression is true. */
function instanceFields(expression: string, settings: EcsSettings): Partial<Request> {
  return {
    ...networkOf(settings, false),
    launchType: 'EC2',
    placementConstraints: [{ type: 'memberOf', expression }],
  };
}

function networkOf({ subnets, securityGroups }: EcsSettings, isPublic: boolean): Partial<Request> {
  const awsvpcConfiguration = {
    subnets: [...subnets],
    securityGroups: [...securityGroups],
    assignPublicIp: isPublic ? ('ENABLED' as const) : ('DISABLED' as const),
  };
  return { networkConfiguration: { awsvpcConfiguration } };
}

/** For people and bills. What was rounded up is beside what was asked for. */
function tagsOf(task: TaskSpec, { installation }: EcsSettings, { asked, given }: DefinedTask) {
  const tags = {
    installation,
    namespace: task.namespace,
    ...(task.podName === '' ? {} : { pod: task.podName }),
    asked: sizeText(asked),
    ...(given ? { given: sizeText(given) } : {}),
  };
  return Object.entries(tags).map(([key, value]) => ({ key: `nullplane:${key}`, value }));
}
