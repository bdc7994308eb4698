/**
 * The names that carry meaning on ECS: nodes, families, groups, containers. Everything that is said
 * of a task later (events, descriptions) holds names and no definitions, so that what must be known
 * then is in them.
 *
 * Invariant N1: names of containers in pods have no underscore, so that what follows one is ours.
 */
import { batchTaskIdOf } from '../../../shared/api/task.ts';
import { TaskRejected } from '../../../shared/ports/runtime.ts';

export type Placement =
  | { readonly type: 'fargate'; readonly provider: 'FARGATE' | 'FARGATE_SPOT' }
  | { readonly type: 'instance'; readonly instanceId: string };

const INSTANCE_ID = /^i-[0-9a-f]{8,17}$/;

/** Where a node's tasks go. Throws `TaskRejected` for a name that no node of AWS has. */
export function placementOf(nodeName: string): Placement {
  if (nodeName === 'fargate') return { type: 'fargate', provider: 'FARGATE' };
  if (nodeName === 'fargate-spot') return { type: 'fargate', provider: 'FARGATE_SPOT' };
  if (INSTANCE_ID.test(nodeName)) return { type: 'instance', instanceId: nodeName };
  throw new TaskRejected(
    'UnknownNode',
    `node ${nodeName} is neither fargate, fargate-spot nor an EC2 instance id`,
  );
}

/**
 * What a container is for, or what its health check decides:
 *  - `init`: runs before the others, to exit code 0;
 *  - `live`: unhealthy means that the task must end;
 *  - `ready`: healthy means that it is ready; `live_ready`: both;
 *  - `liveness`, `readiness`, `probes` (both): a helper whose check asks the container so named;
 *  - `files`, `end`: helpers of the task as a whole.
 * Without a role it is a container of the pod whose health nobody asks for.
 */
export type ContainerRole =
  'init' | Verdict | 'liveness' | 'readiness' | 'probes' | 'files' | 'end';

type Verdict = 'live' | 'ready' | 'live_ready';

const ROLES: readonly string[] = [
  ...['init', 'live', 'ready', 'live_ready'],
  ...['liveness', 'readiness', 'probes', 'files', 'end'],
];

/** The container is ours, beside the pod's. */
export function isHelper({ role }: { readonly role?: ContainerRole }): boolean {
  return /^(liveness|readiness|probes|files|end)$/.test(role ?? '');
}

/** The first part of the names of containers that belong to no container of the pod. */
export const OWN = 'nullplane';

export function containerName(name: string, role?: ContainerRole): string {
  return role === undefined ? name : `${name}_${role}`;
}

/** The inverse; undefined for a name that we would not give. */
export function parseContainerName(
  given: string,
): { readonly name: string; readonly role?: ContainerRole } | undefined {
  const at = given.indexOf('_');
  if (at === -1) return { name: given };
  const role = given.slice(at + 1);
  return ROLES.includes(role)
    ? { name: given.slice(0, at), role: role as ContainerRole }
    : undefined;
}

/** Characters of a definition's hash: 128 bits, so that nobody finds a second shape to a hash. */
export const HASH_LENGTH = 32;

export function familyOf(installation: string, hash: string): string {
  return `${installation}-${hash}`;
}

/** Whether a task of this definition belongs to the installation. */
export function isOfInstallation(taskDefinitionArn: string, installation: string): boolean {
  const family = taskDefinitionArn.slice(taskDefinitionArn.indexOf('/') + 1).split(':')[0] ?? '';
  const hash = family.slice(installation.length + 1);
  return family === familyOf(installation, hash) && /^[0-9a-f]{32}$/.test(hash);
}

interface TaskNames {
  readonly namespace: string;
  readonly podName: string;
  readonly nodeName: string;
}

export function groupOf({ namespace, podName, nodeName }: TaskNames): string {
  return `pod:${namespace}/${podName}@${nodeName}`;
}

/** `startedBy` of our tasks: `taskIdOf(podUid, attempt)`. */
const STARTED_BY = /^([0-9a-f-]{36})-(\d{1,9})$/;
/** `group` of our tasks. Namespace and pod are DNS names, at most 63 and 253 characters. */
const GROUP = /^pod:([a-z0-9-]{1,63})\/([a-z0-9.-]{1,253})@(.{1,253})$/;

export interface TaskIdentity extends TaskNames {
  readonly id: string;
  readonly podUid: string;
  readonly attempt: number;
}

/** A group of its own, so that `distinctInstance` looks at the tasks of this batch alone. */
export function batchGroupOf(namespace: string, token: string): string {
  return `batch:${namespace}/${token}`;
}

/** `group` of tasks that were started together; the token is their `startedBy`. */
const BATCH_GROUP = /^batch:([a-z0-9-]{1,63})\/(b-[0-9a-f]{32})$/;

/** What the names of a task on ECS say of it. */
export interface NamedTask {
  readonly startedBy?: string | undefined;
  readonly group?: string | undefined;
  readonly containerInstanceArn?: string | undefined;
}

/** The id of the container instance that the task is on, as our nodes know it. */
export function placeOf({ containerInstanceArn = '' }: NamedTask): string {
  return shortTaskId(containerInstanceArn);
}

/** Whose task it is; undefined when it is none of ours. */
export function identityOf(task: NamedTask): TaskIdentity | undefined {
  return batchIdentity(task) ?? ownIdentity(task);
}

/** Of a task that was started with others the names hold no pod: see `TaskState`. */
function batchIdentity(task: NamedTask): TaskIdentity | undefined {
  const [, namespace = '', token = ''] = BATCH_GROUP.exec(task.group ?? '') ?? [];
  const at = placeOf(task);
  if (token === '' || token !== task.startedBy || at === '') return undefined;
  const names = { namespace, podName: '', nodeName: '', podUid: '' };
  return { ...names, id: batchTaskIdOf(token, at), attempt: 1 };
}

function ownIdentity(task: NamedTask): TaskIdentity | undefined {
  const started = STARTED_BY.exec(task.startedBy ?? '');
  const group = GROUP.exec(task.group ?? '');
  if (!started || !group) return undefined;
  const [id, podUid = '', attempt = ''] = started;
  const [, namespace = '', podName = '', nodeName = ''] = group;
  return { id, podUid, attempt: Number(attempt), namespace, podName, nodeName };
}

/** The last part of an ARN: what log streams and people call a task, and nodes an instance. */
export function shortTaskId(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}
