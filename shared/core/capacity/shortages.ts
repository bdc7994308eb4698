/**
 * What could not be had lately: combinations of type, zone and capacity type that EC2 had none of,
 * and launches that were refused as they were. Both are remembered with the pool that met them;
 * shortages hold for all pools. Neither is a proof for ever: they are forgotten after minutes.
 */
import type { CapacityType } from '../../api/instance.ts';
import type { NodePool } from '../../api/kinds/karpenter.ts';
import type { KubeObject } from '../../api/meta.ts';

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

/** Which combinations were not to be had lately. */
export type IsUnavailable = (type: string, zone: string, capacityType: CapacityType) => boolean;

/** A launch of the pool's that no repeat could mend: nothing is launched for it for a while. */
export interface Refusal {
  readonly message: string;
  readonly untilMs: number;
}

export interface PoolControl {
  readonly shortages?: readonly Shortage[];
  readonly refusal?: Refusal;
}

export function poolControl(pool: NodePool): PoolControl {
  const { control }: KubeObject = pool;
  return (control as PoolControl | undefined) ?? {};
}

export function shortagesOf(pool: NodePool): readonly Shortage[] {
  return poolControl(pool).shortages ?? [];
}

/** The refusal that still counts. */
export function refusalOf(pool: NodePool, nowMs: number): Refusal | undefined {
  const { refusal } = poolControl(pool);
  return refusal && refusal.untilMs > nowMs ? refusal : undefined;
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

/** The pool with these shortages remembered. */
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
  return withPoolControl(pool, { ...poolControl(pool), shortages });
}

export function withRefusal(pool: NodePool, message: string, nowMs: number): NodePool {
  const refusal = { message, untilMs: nowMs + SHORT_FOR_MS };
  return withPoolControl(pool, { ...poolControl(pool), refusal });
}

function withPoolControl(pool: NodePool, control: PoolControl): NodePool {
  const next: NodePool & { readonly control: PoolControl } = { ...pool, control };
  return next;
}
