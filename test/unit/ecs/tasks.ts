/** Tasks and settings for the tests of the ECS adapter. */
import { launchOf } from '../../../adapters/aws/ecs/launch.ts';
import type { EcsSettings } from '../../../adapters/aws/ecs/settings.ts';
import type { ContainerSpec, TaskSpec } from '../../../shared/api/task.ts';
import { TaskRejected } from '../../../shared/ports/runtime.ts';
import { container, taskSpec } from '../../contract/runtime.contract.ts';

export const SETTINGS: EcsSettings = {
  installation: 'nullplane',
  cluster: 'nullplane',
  region: 'us-east-1',
  subnets: ['subnet-1', 'subnet-2'],
  securityGroups: ['sg-1'],
  assignPublicIp: true,
  executionRoleArn: 'arn:aws:iam::123456789012:role/execution',
  logGroup: '/nullplane/tasks',
  filesImage: 'busybox:1.36',
};

export const INSTANCE = 'i-0123456789abcdef0';
export const POD_UID = '0f8fad5b-d9cb-469f-a165-70867728950e';

export function fargateTask(given: Partial<TaskSpec> = {}): TaskSpec {
  const containers = [app()];
  return taskSpec({ podUid: POD_UID, nodeName: 'fargate', containers, ...given });
}

export function app(given: Partial<ContainerSpec> = {}): ContainerSpec {
  return container('app', { image: 'app:1', ...given });
}

export function definitionOf(given: Partial<TaskSpec> = {}) {
  return launchOf(fargateTask(given), SETTINGS).definition;
}

/** The definition of the pod's only container. */
export function containerOf(given: Partial<ContainerSpec>, nodeName = 'fargate') {
  const { containerDefinitions } = definitionOf({ containers: [app(given)], nodeName });
  return containerDefinitions[0];
}

export function rejectionOf(given: Partial<TaskSpec>): { reason: string; message: string } {
  try {
    definitionOf(given);
  } catch (error) {
    if (error instanceof TaskRejected) return { reason: error.reason, message: error.message };
    throw error;
  }
  throw new Error('it was not rejected');
}
