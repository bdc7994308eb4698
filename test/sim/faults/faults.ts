/**
 * Decides which faults happen. In a swarm, the seed draws the rates themselves, so that some runs
 * have none of a kind and others much of it; in a plan, a list says all. Owns the count of
 * opportunities; does not own what a fault does.
 *
 * Invariants:
 *  F1 Each kind draws from a source of its own: what one does, or a kind that is added, does not
 *     move the others.
 *  F2 A run with the list of the faults that a swarm has drawn is that swarm's run, to the byte.
 */
import { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import type { Log } from '../judges/log.ts';
import { CATALOGUE, FAULT_KINDS, type FaultKind, type Incident } from './catalogue.ts';
import { type Fault, textOf } from './fault.ts';

/** The share of kinds that a seed leaves out. */
const LEFT_OUT = 0.3;

export interface FaultsOptions {
  readonly seed: number;
  readonly log: Log;
  /** All that happens; without it, the seed draws. */
  readonly plan?: readonly Fault[] | undefined;
  /** Begins what lasts, together with a fault. */
  readonly begin: (incident: Incident, random: SeededRandom) => void;
  /** Told of each opportunity, and what it is about. */
  readonly trace?: ((kind: FaultKind, at: number, about: string) => void) | undefined;
}

interface Source {
  readonly random: SeededRandom;
  readonly rate: number;
  readonly planned: ReadonlyMap<number, Fault> | undefined;
  opportunities: number;
}

export class Faults {
  readonly #options: FaultsOptions;
  readonly #sources: ReadonlyMap<FaultKind, Source>;
  /** What has happened, in order. */
  readonly injected: Fault[] = [];
  /** Faults happen while this is set. */
  on = true;

  constructor(options: FaultsOptions) {
    this.#options = options;
    const swarm = new SeededRandom(`${options.seed}/swarm`);
    const plan = options.plan && Map.groupBy(options.plan, ({ kind }) => kind);
    this.#sources = new Map(
      FAULT_KINDS.map((kind) => {
        const scale = swarm.chance(LEFT_OUT) ? 0 : 0.2 + 2.5 * swarm.fraction();
        const rate = CATALOGUE[kind].rate * scale;
        const planned = plan && new Map(plan.get(kind)?.map((fault) => [fault.at, fault]));
        const random = new SeededRandom(`${options.seed}/faults/${kind}`);
        return [kind, { random, rate, planned, opportunities: 0 }];
      }),
    );
  }

  /** Whether anybody wants to know what opportunities are about. */
  get isTraced(): boolean {
    return this.#options.trace !== undefined;
  }

  /** Whether the fault happens now: a source for all that is to be drawn for it, or nothing. */
  hits(kind: FaultKind, about = ''): SeededRandom | undefined {
    if (!this.on) return undefined;
    const source = this.#sourceOf(kind);
    const at = ++source.opportunities;
    this.#options.trace?.(kind, at, about);
    const fault = source.planned ? source.planned.get(at) : drawn(source, kind, at);
    if (!fault) return undefined;
    this.injected.push(fault);
    this.#options.log.write(`fault ${textOf(fault)}`);
    const random = new SeededRandom(`${this.#options.seed}/${kind}@${at}`);
    if (fault.with) this.#options.begin(fault.with, random.fork(fault.with));
    return random;
  }

  counts(): { readonly [kind in FaultKind]?: number } {
    const counts: { [kind in FaultKind]?: number } = {};
    for (const { kind, with: incident } of this.injected) {
      counts[kind] = (counts[kind] ?? 0) + 1;
      if (incident) counts[incident] = (counts[incident] ?? 0) + 1;
    }
    return counts;
  }

  describe(): string {
    if (this.#options.plan) return `plan ${this.#options.plan.map(textOf).join(' ')}`;
    const rates = [...this.#sources].map(([kind, { rate }]) => `${kind}=${rate.toFixed(3)}`);
    return `swarm ${rates.join(' ')}`;
  }

  #sourceOf(kind: FaultKind): Source {
    const source = this.#sources.get(kind);
    if (!source) throw new RangeError(`no such fault: ${kind}`);
    return source;
  }
}

function drawn({ random, rate }: Source, kind: FaultKind, at: number): Fault | undefined {
  return random.chance(rate) ? { kind, at } : undefined;
}

/** A length drawn for a fault, small ones more often than large ones. */
export function shortly(random: SeededRandom, maxMs: number): number {
  return Math.floor(maxMs * random.fraction() ** 2);
}
