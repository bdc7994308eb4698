/**
 * Which nodes go by choice, and what is launched in their place: nodes that are empty, nodes that
 * are no longer what their pool makes, and nodes whose pods others could take for less. The order
 * and the methods are Karpenter's: empty, drifted, several together, one alone. Pure.
 *
 * Owns the choice. Does not own: who may be chosen (candidates.ts), what it would take
 * (what-if.ts), what becomes of a chosen one (claim/disrupted.ts).
 *
 * Invariants:
 *  K1 No more nodes of a pool go at a time than its disruption budgets allow.
 *  K2 Nodes that are not empty go one choice a pass: the next choice sees what the last one left.
 *  K3 What replaces costs less than what it replaces, so that a cluster at rest comes to rest.
 *  K4 A pass asks a bounded number of questions; passes at other times begin elsewhere.
 */
import type { NodePool } from '../../../api/kinds/karpenter.ts';
import { NODE_POOL_LABEL } from '../../../api/node-labels.ts';
import { nodeView } from '../../node/state.ts';
import type { Plan } from '../../plan.ts';
import type { ClusterSnapshot } from '../../scheduling/schedule.ts';
import type { PlannedMachine } from '../claim/draft.ts';
import { CLAIM_LABEL, claimControl, type DisruptionReason, isEnding } from '../claim/state.ts';
import type { MachineType } from '../machine-type.ts';
import { type Candidate, candidatesOf } from './candidates.ts';
import { disruptionPlan, seenPlan } from './plans.ts';
import { disruptionsAllowed, type PoolNodes } from './pool-budgets.ts';
import { inTurn } from './turns.ts';
import { type Needed, WhatIf } from './what-if.ts';

export interface Consolidation {
  readonly plans: readonly Plan[];
  /** Time alone may change the answer after so long. */
  readonly againAfterMs?: number;
}

/** As many nodes are replaced by one at most. */
const MAX_TOGETHER = 32;
/** Nodes that are asked about alone in a pass, each question some milliseconds. */
const MAX_ALONE = 16;
/** As Karpenter: with fewer types to choose from, the next Spot machine would not last longer. */
const SPOT_CHOICES = 15;

export function consolidate(
  snapshot: Required<ClusterSnapshot>,
  types: readonly MachineType[],
  nowMs: number,
): Consolidation {
  if (snapshot.claims.length === 0 || snapshot.pools.length === 0) return { plans: [] };
  const candidates = candidatesOf({ ...snapshot, types }, nowMs);
  const chosen = new Choice(snapshot, types, candidates, nowMs).plans();
  const waiting = candidates.map(({ dueAtMs }) => dueAtMs - nowMs).filter((ms) => ms > 0);
  const nextMs = Math.min(...waiting);
  return {
    plans: [
      ...candidates.flatMap((one) => seenPlan(one, chosen.candidates) ?? []),
      ...chosen.plans,
    ],
    ...(nextMs < Infinity ? { againAfterMs: nextMs } : {}),
  };
}

interface Chosen {
  readonly candidates: ReadonlySet<Candidate>;
  readonly plans: readonly Plan[];
}

const NONE: Chosen = { candidates: new Set(), plans: [] };

class Choice {
  readonly #snapshot: Required<ClusterSnapshot>;
  readonly #types: readonly MachineType[];
  readonly #candidates: readonly Candidate[];
  readonly #nowMs: number;
  readonly #counts: ReadonlyMap<string, PoolNodes>;
  #whatIf: WhatIf | undefined;

  constructor(
    snapshot: Required<ClusterSnapshot>,
    types: readonly MachineType[],
    candidates: readonly Candidate[],
    nowMs: number,
  ) {
    this.#snapshot = snapshot;
    this.#types = types;
    this.#candidates = candidates;
    this.#nowMs = nowMs;
    this.#counts = countNodes(snapshot);
  }

  plans(): Chosen {
    const due = this.#candidates.filter(({ dueAtMs }) => dueAtMs <= this.#nowMs);
    const empty = this.#within('Empty', due.filter(isEmpty));
    if (empty.length > 0) return this.#end(empty, 'Empty', []);
    const drifted = this.#within('Drifted', this.#candidates.filter(isDrifted));
    const replaced = this.#firstOf(inTurn(drifted, MAX_ALONE, this.#nowMs), 'Drifted');
    if (replaced) return replaced;
    const under = this.#within('Underutilized', due.filter(mayBeReplaced));
    return this.#together(under.slice(0, MAX_TOGETHER)) ?? this.#alone(under) ?? NONE;
  }

  /** Those that the budgets of their pools let go together, earlier ones first. */
  #within(reason: DisruptionReason, candidates: readonly Candidate[]): readonly Candidate[] {
    const left = new Map<NodePool, number>();
    return candidates.filter(({ pool }) => {
      const known = left.get(pool) ?? this.#allowed(pool, reason);
      left.set(pool, known - 1);
      return known > 0;
    });
  }

  #allowed(pool: NodePool, reason: DisruptionReason): number {
    const counts = this.#counts.get(pool.metadata.name) ?? { nodes: 0, missing: 0 };
    return disruptionsAllowed(pool, reason, counts, this.#nowMs);
  }

  /** The longest run of candidates that one machine or none can stand in for. */
  #together(candidates: readonly Candidate[]): Chosen | undefined {
    let found: { readonly run: readonly Candidate[]; readonly needed: Needed } | undefined;
    let [least, most] = [2, candidates.length];
    while (least <= most) {
      const count = Math.floor((least + most) / 2);
      const run = candidates.slice(0, count);
      const needed = this.#saving(run);
      if (needed) found = { run, needed };
      if (needed) least = count + 1;
      else most = count - 1;
    }
    return found && this.#end(found.run, 'Underutilized', found.needed.machines);
  }

  #alone(candidates: readonly Candidate[]): Chosen | undefined {
    return this.#firstOf(inTurn(candidates, MAX_ALONE, this.#nowMs), 'Underutilized');
  }

  #firstOf(candidates: readonly Candidate[], reason: DisruptionReason): Chosen | undefined {
    for (const candidate of candidates) {
      const needed = reason === 'Drifted' ? this.#needed([candidate]) : this.#saving([candidate]);
      if (needed) return this.#end([candidate], reason, needed.machines);
    }
    return undefined;
  }

  #needed(candidates: readonly Candidate[]): Needed | undefined {
    this.#whatIf ??= new WhatIf(this.#snapshot, this.#types, this.#nowMs);
    return this.#whatIf.without(candidates);
  }

  /** What it takes, where that is one machine at most and costs less. */
  #saving(candidates: readonly Candidate[]): Needed | undefined {
    const needed = this.#needed(candidates);
    const [machine, ...more] = needed?.machines ?? [];
    if (!needed || more.length > 0) return undefined;
    if (!machine) return needed;
    const priceUsd = sumUsd(candidates);
    if (needed.usdPerHour >= priceUsd || isOneOfThem(machine, candidates)) return undefined;
    return candidates.every(({ isSpot }) => isSpot) && !lastsLonger(machine, priceUsd)
      ? undefined
      : needed;
  }

  #end(
    candidates: readonly Candidate[],
    reason: DisruptionReason,
    machines: readonly PlannedMachine[],
  ): Chosen {
    const usdPerHour = reason === 'Drifted' ? Infinity : sumUsd(candidates);
    const plan = disruptionPlan({ candidates, reason, machines, usdPerHour }, this.#nowMs);
    return { candidates: new Set(candidates), plans: [plan] };
  }
}

function isEmpty({ pods }: Candidate): boolean {
  return pods.length === 0;
}

function isDrifted(candidate: Candidate): boolean {
  return candidate.isDrifted;
}

function mayBeReplaced({ pool, pods }: Candidate): boolean {
  const { consolidationPolicy } = pool.spec.disruption;
  return consolidationPolicy === 'WhenEmptyOrUnderutilized' && pods.length > 0;
}

function sumUsd(candidates: readonly Candidate[]): number {
  return candidates.reduce((sum, { usdPerHour }) => sum + usdPerHour, 0);
}

/** One of the candidates could as well stay and take the pods of the others. */
function isOneOfThem(
  { machine: { kind, cheapest } }: PlannedMachine,
  candidates: readonly Candidate[],
): boolean {
  const planned = kind.types.types[cheapest]?.name;
  return candidates.some(({ claim }) => claimControl(claim)?.launchedType === planned);
}

/** A Spot machine in place of a Spot machine: only where EC2 gets a choice of the less wanted. */
function lastsLonger({ machine }: PlannedMachine, belowUsd: number): boolean {
  const { kind } = machine;
  if (kind.capacityType !== 'spot') return true;
  const cheaper = kind.types.prices.filter((usd, index) => {
    return usd < belowUsd && index >= machine.cheapest && machine.mask?.[index] !== 0;
  });
  return cheaper.length >= SPOT_CHOICES;
}

function countNodes({ nodes, claims }: Required<ClusterSnapshot>): ReadonlyMap<string, PoolNodes> {
  const ending = new Set(claims.filter(isEnding).map(({ metadata }) => metadata.name));
  const isMissing = (node: (typeof nodes)[number]) =>
    node.metadata.deletionTimestamp !== undefined ||
    nodeView(node) !== 'ready' ||
    ending.has(node.metadata.labels?.[CLAIM_LABEL] ?? '');
  const byPool = Map.groupBy(nodes, ({ metadata }) => metadata.labels?.[NODE_POOL_LABEL] ?? '');
  const counts = [...byPool].map(([pool, own]) => {
    return [pool, { nodes: own.length, missing: own.filter(isMissing).length }] as const;
  });
  return new Map(counts);
}
