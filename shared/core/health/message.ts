/**
 * Health messages come from outside. Only what is well-formed in every part that is used goes on;
 * sizes are bounded first, so that no message can make an object grow without bound.
 */
import { isJsonObject, type JsonObject } from '../../api/json.ts';
import {
  type ContainerReport,
  type HealthMessage,
  parseBatchTaskId,
  type TaskState,
} from '../../api/task.ts';
import { isCount, isOptionalText, isText, isTime } from './bounds.ts';
import { parseNodeMessage } from './node-message.ts';

/** As many containers as a task definition may have, twice. */
const MAX_CONTAINERS = 20;

/** The message, or what is wrong with it. */
export function parseHealthMessage(value: unknown): HealthMessage | string {
  if (!isJsonObject(value)) return 'not an object';
  if (value.type !== 'task') return parseNodeMessage(value);
  const problem = taskProblem(value.task);
  return problem ?? { type: 'task', task: value.task as TaskState };
}

const TEXTS = ['id', 'namespace'] as const;
/** Empty in what is told of a task that was started with others. */
const OWNER_TEXTS = ['podUid', 'podName', 'nodeName'] as const;
const OPTIONAL_TEXTS = ['handle', 'ip', 'hostIp', 'reason', 'message'] as const;

function taskProblem(task: unknown): string | undefined {
  if (!isJsonObject(task)) return 'task is not an object';
  const needed = parseBatchTaskId(String(task.id)) ? TEXTS : [...TEXTS, ...OWNER_TEXTS];
  const bad =
    needed.find((field) => !isText(task[field]) || task[field] === '') ??
    OWNER_TEXTS.find((field) => !isText(task[field])) ??
    OPTIONAL_TEXTS.find((field) => !isOptionalText(task[field]));
  if (bad !== undefined) return `task.${bad} is not a text`;
  if (!isCount(task.attempt) || task.attempt < 1) return 'task.attempt is not a count';
  if (!isCount(task.version)) return 'task.version is not a count';
  if (!['pending', 'running', 'stopping', 'stopped'].includes(task.phase as string)) {
    return 'task.phase is none';
  }
  return reportsProblem(task.containers) ?? reportsProblem(task.initContainers);
}

function reportsProblem(reports: unknown): string | undefined {
  if (!Array.isArray(reports) || reports.length > MAX_CONTAINERS) return 'not a list of containers';
  return reports.every(isReport) ? undefined : 'a container is malformed';
}

function isReport(value: unknown): value is ContainerReport {
  if (!isJsonObject(value) || !isJsonObject(value.state)) return false;
  const texts = isText(value.name) && isText(value.image) && isOptionalText(value.imageId);
  const flags = typeof value.started === 'boolean' && typeof value.ready === 'boolean';
  return (
    texts &&
    flags &&
    isOptionalText(value.containerId) &&
    isOptionalText(value.unready) &&
    isOptionalText(value.unhealthy) &&
    (value.healthUnknown === undefined || typeof value.healthUnknown === 'boolean') &&
    isState(value.state)
  );
}

function isState(state: JsonObject): boolean {
  if (!isOptionalText(state.message)) return false;
  switch (state.type) {
    case 'waiting':
      return isText(state.reason);
    case 'running':
      return isTime(state.startedAtMs);
    case 'terminated':
      return (
        Number.isInteger(state.exitCode) &&
        isText(state.reason) &&
        (state.signal === undefined || Number.isInteger(state.signal)) &&
        isTime(state.startedAtMs) &&
        isTime(state.finishedAtMs)
      );
    default:
      return false;
  }
}
