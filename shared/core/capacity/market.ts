/**
 * What can be launched in a pass: the pools as they stand, less what was not to be had lately, and
 * why they do nothing for a pod. Owns what is remembered of shortages.
 */
import { GPU_SHARING_LABEL, gpuSharingOf, isOfSharedGpus } from '../../api/gpus.ts';
import type { NodePool } from '../../api/kinds/karpenter.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { repelling } from '../scheduling/tolerations.ts';
import { amountOf, podRequests, type Requests } from '../pod/requests.ts';
import { fitting } from '../scheduling/gang/room.ts';
import { Fleet, type Kind } from './fleet.ts';
import type { MachineType } from './machine-type.ts';
import { OPEN_LABELS, preparePools, type Prepared } from './pools.ts';
import { isShort, poolControl, shortagesOf } from './shortages.ts';
import { conflictOf, impossibleLabel, podAlternatives, poolRequirements } from './requirements.ts';
import { type Machines, usedByPool } from './used.ts';

/**
 * A machine counts for so much more than it costs: it takes a minute to come, pulls its images
 * anew, and is one more that may fail. At a cent an hour, four small ones have to save the price of
 * a small one to be preferred to one of their size together.
 */
export const MACHINE_USD_PER_HOUR = 0.01;

/** More pools than this are not told of in a pod's message. */
const TOLD_POOLS = 3;

const UNSHARED = `: its template has no label ${GPU_SHARING_LABEL}`;

interface MarketGiven extends Machines {
  readonly pools?: readonly NodePool[];
}

export class Market {
  readonly fleet: Fleet;
  readonly machineUsdPerHour = MACHINE_USD_PER_HOUR;
  readonly openLabels = OPEN_LABELS;
  readonly #pools: readonly NodePool[];
  readonly #prepared: Prepared;
  readonly #hasTypes: boolean;
  readonly nowMs: number;

  constructor(given: MarketGiven, types: readonly MachineType[], nowMs: number) {
    const { pools = [] } = given;
    this.#pools = pools;
    this.#hasTypes = types.length > 0;
    this.nowMs = nowMs;
    const used = pools.length > 0 ? usedByPool(given) : new Map<string, Requests>();
    this.#prepared =
      types.length > 0
        ? preparePools(pools, { types, used, isUnavailable: isShort(pools, nowMs), nowMs })
        : { kinds: [], problems: new Map() };
    const machineUsdPerHour = MACHINE_USD_PER_HOUR;
    this.fleet = new Fleet(this.#prepared.kinds, { machineUsdPerHour });
  }

  /** There is something that could be launched. */
  get isOpen(): boolean {
    return this.#prepared.kinds.length > 0;
  }

  /**
   * An upper bound of how often the amounts fit into what the pools may ever launch: their limits,
   * whatever of them is used. 0 where there is nothing to launch.
   */
  mostPlaces(amounts: Requests): number {
    const able = this.#pools.filter(({ metadata }) => {
      return this.#hasTypes && !this.#prepared.problems.has(metadata.name);
    });
    return able.reduce((sum, { spec }) => {
      const { limits = {} } = spec;
      const within = Object.entries(amounts).filter(([name]) => limits[name] !== undefined);
      const has = (name: string) => amountOf(name, limits[name] ?? '0');
      return sum + fitting(Object.fromEntries(within), has);
    }, 0);
  }

  /** Why no machine is launched for the pod, a sentence a pool; or what no pool could ever meet. */
  whyNot(pod: Pod): readonly string[] {
    const contradiction = contradictionOf(pod.spec);
    if (contradiction) return [contradiction];
    const told = this.#pools.slice(0, TOLD_POOLS).map((pool) => {
      return `nodepool ${pool.metadata.name}: ${this.#whyNotOf(pool, pod)}.`;
    });
    const more = this.#pools.length - told.length;
    return more > 0 ? [...told, `${more} more nodepools do not fit.`] : told;
  }

  /** When the end of a shortage may help those that wait. */
  againAfter(someWait: boolean): { readonly againAfterMs?: number } {
    const refusals = this.#pools.flatMap((pool) => poolControl(pool).refusal ?? []);
    const until = [...this.#pools.flatMap(shortagesOf), ...refusals];
    const ends = until.map(({ untilMs }) => untilMs - this.nowMs);
    const next = Math.min(...ends.filter((ms) => ms > 0));
    return someWait && next < Infinity ? { againAfterMs: next } : {};
  }

  #whyNotOf(pool: NodePool, pod: Pod): string {
    const problem = this.#prepared.problems.get(pool.metadata.name);
    if (problem !== undefined) return problem;
    const kinds = this.#prepared.kinds.filter((kind) => kind.pool.name === pool.metadata.name);
    const [kind] = kinds;
    if (!kind) return 'all that it may launch is out of its limits, or was not to be had lately';
    const taint = repelling(
      { spec: { taints: kind.pool.taints } } as Node,
      pod.spec.tolerations ?? [],
    );
    if (taint) return `the pod does not tolerate its taint ${taint.key}`;
    const own = poolRequirements(pool);
    const wishes = podAlternatives(pod.spec).filter((wish) => impossibleLabel(wish) === undefined);
    const conflicts = wishes.map((wish) => conflictOf(own, wish));
    const isPossible = conflicts.includes(undefined);
    return isPossible
      ? lackOf(kinds, pod)
      : (conflicts[0] ?? 'the node affinity of the pod selects nothing');
  }
}

/** Of what the pod asks for, what no machine has; or that none has room for all of it. */
function lackOf(kinds: readonly Kind[], pod: Pod): string {
  for (const [resource, amount] of Object.entries(podRequests(pod.spec))) {
    const most = Math.max(...kinds.map(({ types }) => types.most(resource)));
    if (amount <= most) continue;
    if (most > 0)
      return `no type that it may launch now has as much ${resource} as the pod asks for`;
    const isSharing = kinds.every(({ pool }) => gpuSharingOf(pool.labels) !== undefined);
    const hint = isSharing || !isOfSharedGpus(resource) ? '' : UNSHARED;
    return `no type that it may launch now offers ${resource}${hint}`;
  }
  return 'none of its instance types has room for the pod';
}

/** The pod can go to no node at all by what it requires of one itself. */
function contradictionOf(spec: Pod['spec']): string | undefined {
  const labels = podAlternatives(spec).map(impossibleLabel);
  const [first] = labels;
  if (first === undefined || labels.includes(undefined)) return undefined;
  return `what the pod requires of ${first} contradicts itself.`;
}
