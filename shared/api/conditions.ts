/**
 * Conditions: the public state machine of an object. A transition time moves only when the status
 * does.
 */
import { rfc3339 } from './time.ts';

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export function findCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/**
 * The list with this condition in place of the one of its type; order and unchanged times are kept.
 */
export function withCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  next: C,
  nowMs: number,
): readonly C[] {
  const list = conditions ?? [];
  const old = findCondition(list, next.type);
  const time = old?.status === next.status ? old.lastTransitionTime : undefined;
  const timed = { ...next, lastTransitionTime: time ?? rfc3339(nowMs) };
  return old ? list.map((c) => (c === old ? timed : c)) : [...list, timed];
}

export function withoutCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  type: string,
): readonly C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}
