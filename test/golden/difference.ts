/** What one write changes, in words short enough to read many of them. */

/** Fields that change with every write, or say again what others say. */
const NOISE = new Set([
  'metadata.resourceVersion',
  'metadata.managedFields',
  'metadata.generation',
  'lastTransitionTime',
  'lastUpdateTime',
  'lastProbeTime',
  'message',
  'observedGeneration',
]);

const KEYS_OF_LISTS = ['type', 'name', 'ip', 'podUid', 'uid', 'key'] as const;

/** `path: before → after` of each field that differs. */
export function differences(before: unknown, after: unknown, path = ''): readonly string[] {
  const field = path.split('.').at(-1) ?? '';
  if (NOISE.has(path) || NOISE.has(field) || Object.is(before, after)) return [];
  if (isCondition(before) || isCondition(after)) return conditionDifference(before, after, path);
  const [left, right] = [entriesOf(before), entriesOf(after)];
  if (!left && !right) return [`${path} ${textOf(before)} → ${textOf(after)}`];
  const keys = new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})]);
  return [...keys].flatMap((key) =>
    differences(left?.[key], right?.[key], path ? `${path}.${key}` : key),
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

function conditionDifference(before: unknown, after: unknown, path: string): readonly string[] {
  const text = (value: unknown) =>
    isCondition(value) ? value.status + (value.reason ? ` (${value.reason})` : '') : '-';
  const [was, is] = [text(before), text(after)];
  const type = path.split('.').at(-1) ?? '';
  return was === is ? [] : [`${type} ${was} → ${is}`];
}

function textOf(value: unknown): string {
  return value === undefined ? '-' : typeof value === 'string' ? value : JSON.stringify(value);
}
