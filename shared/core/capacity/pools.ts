/**
 * NodePools as a solve sees them: the kinds of machines that each may launch now. Owns what a pool
 * leaves unsaid and what is wrong with it as things are; what is wrong with a pool by itself is
 * refused when it is written.
 *
 * Invariant Y1: a pool that can launch nothing has a problem that says why, in one sentence.
 */
import type { CapacityType } from '../../api/instance.ts';
import type { NodePool } from '../../api/kinds/karpenter.ts';
import type { Labels } from '../../api/meta.ts';
import { INSTANCE_TYPE_LABEL, WELL_KNOWN_LABELS } from '../../api/node-labels.ts';
import { allows } from '../../api/requirement.ts';
import { withGpuOffer } from '../node/gpus.ts';
import { CAPACITY_TYPE_LABEL } from '../node/virtual-nodes.ts';
import { amountOf, type Requests } from '../pod/requests.ts';
import { ZONE_LABEL } from '../scheduling/cluster.ts';
import type { Kind, Pool } from './fleet.ts';
import type { MachineType } from './machine-type.ts';
import {
  lackingValues,
  poolRequirements,
  requirementOn,
  type Requirements,
} from './requirements.ts';
import { type IsUnavailable, refusalOf } from './shortages.ts';
import { type PricedType, TypeList } from './type-list.ts';

export interface PoolsGiven {
  readonly types: readonly MachineType[];
  /** What each pool has, by its name: nodes, and claims that are not nodes yet. */
  readonly used: ReadonlyMap<string, Requests>;
  readonly isUnavailable: IsUnavailable;
  readonly nowMs: number;
}

export interface Prepared {
  readonly kinds: readonly Kind[];
  /** Why a pool can launch nothing, by its name. */
  readonly problems: ReadonlyMap<string, string>;
}

const ARCH_LABEL = 'kubernetes.io/arch';
/** Images of the one are not of the other: who has both, says so. */
const USUAL_ARCH = 'amd64';
/** Spot machines may be taken away: who puts up with that, says so. */
const USUAL_CAPACITY: CapacityType = 'on-demand';
/** Bare metal takes a quarter of an hour to start: it has to be asked for by one of these. */
const METAL_LABELS = [
  INSTANCE_TYPE_LABEL,
  'karpenter.k8s.aws/instance-size',
  'karpenter.k8s.aws/instance-hypervisor',
];
const SIZE_LABEL = 'karpenter.k8s.aws/instance-size';

/** The most that a pool of no weight has less than others. */
const NO_WEIGHT = 0;

export function preparePools(pools: readonly NodePool[], given: PoolsGiven): Prepared {
  const kinds: Kind[] = [];
  const problems = new Map<string, string>();
  for (const pool of pools) {
    const made = isActive(pool) ? kindsOf(pool, given) : 'is being deleted';
    if (typeof made === 'string') problems.set(pool.metadata.name, made);
    else kinds.push(...made);
  }
  return { kinds, problems };
}

function isActive({ metadata }: NodePool): boolean {
  return metadata.deletionTimestamp === undefined;
}

/** The kinds of the pool, or what is wrong with it. */
export function kindsOf(pool: NodePool, given: PoolsGiven): readonly Kind[] | string {
  const refusal = refusalOf(pool, given.nowMs);
  if (refusal) return `its last launch was refused: ${refusal.message}`;
  const requirements = poolRequirements(pool);
  const types = given.types.filter((type) => isOfPool(type, requirements));
  if (types.length === 0) return 'no instance type meets its requirements';
  const lacking = lackingValues(requirements, (label) => valuesOf(label, types));
  if (lacking.length > 0) return `too few values are left of ${lacking.join(', ')} (minValues)`;
  const offered = offersOf(types, requirements);
  if (offered.size === 0) {
    return `its instance types are not offered in the zones and capacity types that it requires`;
  }
  const prepared = poolOf(pool, requirements, given);
  return [...offered.values()].flatMap(({ zone, capacityType, priced }) => {
    const left = priced.filter(
      ({ type }) => !given.isUnavailable(type.name, zone, capacityType) && isWithin(type, prepared),
    );
    const types = new TypeList(left.map((one) => inPool(one, prepared)));
    return types.length > 0 ? [{ pool: prepared, zone, capacityType, types }] : [];
  });
}

/** With what its GPUs offer where the pool's machines share them. */
function inPool({ type, usdPerHour }: PricedType, { labels }: Pool): PricedType {
  const room = withGpuOffer(type.room, { ...type.labels, ...labels });
  return { type: room === type.room ? type : { ...type, room }, usdPerHour };
}

/** By its labels alone. */
function isOfPool({ labels }: MachineType, requirements: Requirements): boolean {
  for (const [key, requirement] of requirements) {
    if (!(key in labels) && !OPEN_LABELS.has(key)) continue; // the pool's own, or its place
    if (!allows(requirement, labels[key])) return false;
  }
  if (!requirements.has(ARCH_LABEL) && (labels[ARCH_LABEL] ?? USUAL_ARCH) !== USUAL_ARCH) {
    return false;
  }
  const isMetal = labels[SIZE_LABEL]?.startsWith('metal') === true;
  return !isMetal || METAL_LABELS.some((label) => requirements.has(label));
}

/** Labels that a machine has by its type, if at all. */
export const OPEN_LABELS: ReadonlySet<string> = new Set(
  [...WELL_KNOWN_LABELS].filter(
    (label) =>
      label.startsWith('karpenter.k8s.aws/') ||
      label === INSTANCE_TYPE_LABEL ||
      label === ARCH_LABEL,
  ),
);

function* valuesOf(label: string, types: readonly MachineType[]): Iterable<string> {
  for (const { labels, offerings } of types) {
    if (label === ZONE_LABEL) yield* offerings.map(({ zone }) => zone);
    else if (label === CAPACITY_TYPE_LABEL) yield* offerings.map((offer) => offer.capacityType);
    else if (labels[label] !== undefined) yield labels[label];
  }
}

interface Offered {
  readonly zone: string;
  readonly capacityType: CapacityType;
  readonly priced: PricedType[];
}

/** What the pool may launch, by place and capacity type. */
function offersOf(
  types: readonly MachineType[],
  requirements: Requirements,
): ReadonlyMap<string, Offered> {
  const offered = new Map<string, Offered>();
  const zones = requirementOn(requirements, ZONE_LABEL);
  const isWanted = requirements.has(CAPACITY_TYPE_LABEL)
    ? (capacityType: string) =>
        allows(requirementOn(requirements, CAPACITY_TYPE_LABEL), capacityType)
    : (capacityType: string) => capacityType === USUAL_CAPACITY;
  for (const type of types) {
    for (const { zone, capacityType, usdPerHour } of type.offerings) {
      if (!allows(zones, zone) || !isWanted(capacityType)) continue;
      const key = `${zone} ${capacityType}`;
      const known = offered.get(key) ?? { zone, capacityType, priced: [] };
      offered.set(key, known);
      known.priced.push({ type, usdPerHour });
    }
  }
  return offered;
}

function poolOf(pool: NodePool, requirements: Requirements, { used }: PoolsGiven): Pool {
  const { metadata, spec } = pool;
  const { taints = [] } = spec.template.spec;
  return {
    name: metadata.name,
    weight: spec.weight ?? NO_WEIGHT,
    labels: labelsOf(pool, requirements),
    taints,
    left: leftOf(pool, used.get(metadata.name) ?? {}),
  };
}

/** Those of the template, and the pool's own requirements that leave one value. */
function labelsOf({ spec }: NodePool, requirements: Requirements): Labels {
  const own = [...requirements].flatMap(([key, { values, complement }]) => {
    const [only] = values;
    const isDecided = !complement && values.size === 1 && only !== undefined;
    return isDecided && !WELL_KNOWN_LABELS.has(key) ? [[key, only] as const] : [];
  });
  return { ...spec.template.metadata?.labels, ...Object.fromEntries(own) };
}

function leftOf({ spec }: NodePool, used: Requests): Requests {
  return Object.fromEntries(
    Object.entries(spec.limits ?? {}).map(([resource, quantity]) => {
      return [resource, amountOf(resource, quantity) - (used[resource] ?? 0)] as const;
    }),
  );
}

function isWithin({ capacity }: MachineType, { left }: Pool): boolean {
  return Object.entries(left).every(([resource, amount]) => (capacity[resource] ?? 0) <= amount);
}
