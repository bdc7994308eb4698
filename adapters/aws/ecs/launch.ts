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
import { TaskRejected } from '../../../shared/ports/runtime.ts';
import { familyOf, groupOf, HASH_LENGTH, type Placement, placementOf } from './names.ts';
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
  const placement = placementOf(task.nodeName);
  const defined = defineTask(task, settings);
  const { definition, overrides } = splitOff(task, defined.definition);
  const content = canonicalJson(definition);
  const bytes = Buffer.byteLength(content);
  if (bytes > MAX_DEFINITION_BYTES) {
    const limit = `a task definition holds ${MAX_DEFINITION_BYTES / 1024} KiB`;
    const problem = `its definition has ${Math.ceil(bytes / 1024)} KiB with its files; ${limit}`;
    throw new TaskRejected('TaskTooLarge', problem);
  }
  const hash = createHash('sha256').update(content).digest('hex').slice(0, HASH_LENGTH);
  const family = familyOf(settings.installation, hash);
  const request: RunTaskCommandInput = {
    cluster: settings.cluster,
    // Without a revision: all revisions of a family are of one content.
    taskDefinition: family,
    count: 1,
    clientToken: task.id,
    startedBy: task.id,
    group: groupOf(task),
    ...placementFields(placement, settings),
    ...(overrides ? { overrides } : {}),
    enableECSManagedTags: true,
    ...(settings.taskRoleArn === undefined ? {} : { enableExecuteCommand: true }),
    tags: tagsOf(task, settings, defined),
  };
  return { family, definition, placement, request };
}

function placementFields(
  placement: Placement,
  { subnets, securityGroups, assignPublicIp }: EcsSettings,
): Partial<RunTaskCommandInput> {
  const isPublic = placement.type === 'fargate' && assignPublicIp;
  const networkConfiguration = {
    awsvpcConfiguration: {
      subnets: [...subnets],
      securityGroups: [...securityGroups],
      assignPublicIp: isPublic ? ('ENABLED' as const) : ('DISABLED' as const),
    },
  };
  if (placement.type === 'fargate') {
    // The default weight is 0, and a strategy of zeroes places nothing.
    const provider = { capacityProvider: placement.provider, weight: 1 };
    return { networkConfiguration, capacityProviderStrategy: [provider] };
  }
  const expression = `ec2InstanceId == ${placement.instanceId}`;
  return {
    networkConfiguration,
    launchType: 'EC2',
    placementConstraints: [{ type: 'memberOf', expression }],
  };
}

/** For people and bills. What was rounded up is beside what was asked for. */
function tagsOf(task: TaskSpec, { installation }: EcsSettings, { asked, given }: DefinedTask) {
  const tags = {
    installation,
    namespace: task.namespace,
    pod: task.podName,
    asked: sizeText(asked),
    ...(given ? { given: sizeText(given) } : {}),
  };
  return Object.entries(tags).map(([key, value]) => ({ key: `nullplane:${key}`, value }));
}
