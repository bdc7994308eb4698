/**
 * The faults that may happen, and how likely each is in this run. The seed draws the probabilities
 * themselves, so that some runs have none of a kind and others much of it (swarm testing).
 */
import type { SeededRandom } from '../../adapters/memory/seeded-random.ts';
import type { Log } from './log.ts';

/** Probabilities a draw, before the seed scales them. */
const COMMON = {
  /** The call never arrives; its caller is told that the service is unavailable. */
  lostRequest: 0.02,
  /** The call takes effect; its caller is told that the service is unavailable. */
  lostAnswer: 0.02,
  /** As `lostAnswer`, for launches: RunTask is the call that is ambiguous most often. */
  lostLaunch: 0.2,
  /** The caller dies as it calls; the call never arrives. */
  crashBefore: 0.006,
  /** The caller dies while the call takes effect. */
  crashAfter: 0.006,
  /** The caller dies, and its call takes effect up to a minute later. */
  zombie: 0.004,
  /** A call is on its way for seconds. */
  slowCall: 0.02,
  /** Somebody else writes the object just before. */
  conflict: 0.03,
  /** An index does not yet show the writes of the last seconds. */
  staleIndex: 0.2,
  streamDuplicate: 0.05,
  streamDelay: 0.1,
  streamLoss: 0.02,
  queueDuplicate: 0.05,
  /**
   * A message is handed out twice at the same time: two work on one key, or two schedulers on one
   * cell.
   */
  queueTwin: 0.05,
  queueDelay: 0.1,
  scheduleTwin: 0.2,
  healthDuplicate: 0.1,
  healthDelay: 0.2,
  healthLoss: 0.05,
  /** A container ends by itself; drawn for each one that starts. */
  taskCrash: 0.1,
  /** A sweep does not take place. */
  sweepLoss: 0.3,
} as const;

export type FaultKind = keyof typeof COMMON;
export type FaultRates = { readonly [kind in FaultKind]?: number };

const KINDS = Object.keys(COMMON) as FaultKind[];

/** The share of kinds that a seed leaves out. */
const LEFT_OUT = 0.3;

export class Faults {
  readonly #random: SeededRandom;
  readonly #rates: ReadonlyMap<FaultKind, number>;
  readonly #log: Log;
  readonly counts = new Map<FaultKind, number>();
  /** Faults happen while this is set. */
  on = true;

  /** `rates` are fixed by the caller, whatever the seed says. */
  constructor(random: SeededRandom, log: Log, rates: FaultRates = {}) {
    this.#log = log;
    const swarm = random.fork('swarm');
    this.#random = random.fork('faults');
    this.#rates = new Map(
      KINDS.map((kind) => {
        const scale = swarm.chance(LEFT_OUT) ? 0 : 0.2 + 2.5 * swarm.fraction();
        return [kind, rates[kind] ?? COMMON[kind] * scale];
      }),
    );
  }

  /** Whether the fault happens now. */
  hits(kind: FaultKind): boolean {
    if (!this.on || !this.#random.chance(this.#rates.get(kind) ?? 0)) return false;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#log.write(`fault ${kind}`);
    return true;
  }

  /** A length drawn for a fault, small ones more often than large ones. */
  lengthMs(maxMs: number): number {
    return Math.floor(maxMs * this.#random.fraction() ** 2);
  }

  describe(): string {
    return [...this.#rates].map(([kind, rate]) => `${kind}=${rate.toFixed(3)}`).join(' ');
  }
}
