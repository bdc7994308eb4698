/** What one write changes, in words short enough to read many of them. */

import { EPOCH_MS } from '../world/agenda.ts';
import type { ContainerStatus } from '../../shared/api/kinds/pod.ts';

/** Fields that change with every write, or say again what others say. */
const NOISE = new Set([
  'metadata.resourceVersion',
  'control.auditId',
  'metadata.managedFields',
  'metadata.generation',
  'lastTransitionTime',
  'lastUpdateTime',
  'lastProbeTime',
  'message',
  'observedGeneration',
  'control.decision',
  'control.intentAtMs',
  'control.answeredAtMs',
  'control.stopAskedAtMs',
  'control.backOffUntilMs',
  'control.taskId',
  'control.taskVersion',
  'control.atMs',
  'control.sinceMs',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
  'status.startTime',
  'status.qosClass',
]);

const KEYS_OF_LISTS = ['type', 'name', 'ip', 'podName', 'uid', 'key'] as const;

/** `path: before → after` of each field that differs. */
export function differences(
  before: unknown,
  after: unknown,
  path = '',
  field = '',
): readonly string[] {
  if (NOISE.has(path) || NOISE.has(field) || Object.is(before, after)) return [];
  if (isCondition(before) || isCondition(after)) return conditionDifference(before, after, field);
  if (isContainer(before) || isContainer(after)) return containerDifference(before, after, field);
  // An item of a list that comes or goes does so as a whole.
  if (path && before === undefined && keyOfItem(after) === field) return [`${path} added`];
  if (path && after === undefined && keyOfItem(before) === field) return [`${path} taken away`];
  const [left, right] = [entriesOf(before), entriesOf(after)];
  if (!left && !right) return [`${path} ${textOf(before)} → ${textOf(after)}`];
  const keys = new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})]);
  return [...keys].flatMap((key) =>
    differences(left?.[key], right?.[key], path ? `${path}.${key}` : key, key),
  );
}

/** Objects by field, lists by the key of their items. */
function entriesOf(value: unknown): { readonly [key: string]: unknown } | undefined {
  if (Array.isArray(value)) {
    return Object.fromEntries(value.map((item, i) => [keyOfItem(item) ?? String(i), item]));
  }
  return typeof value === 'object' && value !== null ? { ...value } : undefined;
}

function keyOfItem(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null) return String(item);
  const fields = item as { readonly [key: string]: unknown };
  const key = KEYS_OF_LISTS.find((k) => typeof fields[k] === 'string');
  return key && (fields[key] as string);
}

interface ConditionLike {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
}

function isCondition(value: unknown): value is ConditionLike {
  const fields = value as Partial<ConditionLike> | null | undefined;
  return typeof fields?.type === 'string' && typeof fields.status === 'string';
}

function conditionDifference(before: unknown, after: unknown, type: string): readonly string[] {
  const text = (value: unknown) =>
    isCondition(value) ? value.status + (value.reason ? ` (${value.reason})` : '') : '-';
  const [was, is] = [text(before), text(after)];
  return was === is ? [] : [`${type} ${was} → ${is}`];
}

function isContainer(value: unknown): value is ContainerStatus {
  const fields = value as Partial<ContainerStatus> | null | undefined;
  return typeof fields?.restartCount === 'number' && typeof fields.name === 'string';
}

function containerDifference(before: unknown, after: unknown, name: string): readonly string[] {
  const text = (value: unknown) => (isContainer(value) ? containerText(value) : '-');
  const [was, is] = [text(before), text(after)];
  return was === is ? [] : [`${name}: ${was} → ${is}`];
}

function containerText({ state, ready, restartCount }: ContainerStatus): string {
  const { waiting, running, terminated } = state ?? {};
  const now = waiting
    ? `waiting (${waiting.reason})`
    : running
      ? `running${ready ? ' and ready' : ''}`
      : `terminated (${terminated?.reason}, exit code ${terminated?.exitCode})`;
  return restartCount > 0 ? `${now}, ${restartCount} restarts` : now;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

function textOf(value: unknown): string {
  if (typeof value === 'string' && TIME.test(value)) {
    return `${(Date.parse(value) - EPOCH_MS) / 1000}s`;
  }
  return value === undefined ? '-' : typeof value === 'string' ? value : JSON.stringify(value);
}
