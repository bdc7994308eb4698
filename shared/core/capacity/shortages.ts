/**
 * What could not be had lately: combinations of type, zone and capacity type that EC2 had none of.
 * They are remembered with the pool that met them, and hold for all. A shortage is no proof that
 * nothing is there for ever: it is forgotten after minutes.
 */
import type { CapacityType } from '../../api/instance.ts';
import type { NodePool } from '../../api/kinds/karpenter.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { IsUnavailable } from './pools.ts';

/** As Karpenter: long enough for another choice, short enough to come back. */
export const SHORT_FOR_MS = 180_000;

/** More than these are forgotten, the oldest first: a request names sixty types in some zones. */
const MAX_REMEMBERED = 200;

export interface Shortage {
  readonly type: string;
  readonly zone: string;
  readonly capacityType: CapacityType;
  readonly untilMs: number;
}

interface PoolControl {
  readonly shortages?: readonly Shortage[];
}

export function shortagesOf(pool: NodePool): readonly Shortage[] {
  const { control }: KubeObject = pool;
  return (control as PoolControl | undefined)?.shortages ?? [];
}

export function isShort(pools: readonly NodePool[], nowMs: number): IsUnavailable {
  const short = new Set(
    pools
      .flatMap(shortagesOf)
      .filter(({ untilMs }) => untilMs > nowMs)
      .map(({ type, zone, capacityType }) => `${type} ${zone} ${capacityType}`),
  );
  return (type, zone, capacityType) => short.has(`${type} ${zone} ${capacityType}`);
}

/** The pool with these shortages remembered; itself when they are all known. */
export function withShortages(
  pool: NodePool,
  met: readonly Omit<Shortage, 'untilMs'>[],
  nowMs: number,
): NodePool {
  const known = shortagesOf(pool).filter(({ untilMs }) => untilMs > nowMs);
  const keyOf = ({ type, zone, capacityType }: Omit<Shortage, 'untilMs'>) =>
    `${type} ${zone} ${capacityType}`;
  const keys = new Set(met.map(keyOf));
  const others = known.filter((shortage) => !keys.has(keyOf(shortage)));
  const untilMs = nowMs + SHORT_FOR_MS;
  const added = met.map((one) => ({ ...one, untilMs }));
  const shortages = [...others, ...added].slice(-MAX_REMEMBERED);
  const { control }: KubeObject = pool;
  const next: NodePool & { readonly control: PoolControl } = {
    ...pool,
    control: { ...(control as PoolControl | undefined), shortages },
  };
  return next;
}
