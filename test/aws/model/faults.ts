/**
 * Failures by order. Each is decided by the seeded source, so that a run with the same seed fails
 * in the same places. Owns whether a call fails; `model.ts` carries it out.
 */
import type { Random, Span } from './timers.ts';

export type FaultKind =
  /** ThrottlingException; nothing happened. */
  | 'throttle'
  /** HTTP 500; nothing happened. */
  | 'error-before'
  /** HTTP 500, but it happened. */
  | 'error-after'
  /** No answer; nothing happened. */
  | 'timeout-before'
  /** No answer, but it happened. */
  | 'timeout-after'
  /** Answered late, by `ms`; it happens at the end of that time. */
  | 'delay'
  /** HTTP 200, but part of what was asked for is in `failures` or `Errors`. */
  | 'partial';

export interface Fault {
  readonly kind: FaultKind;
  /** Such as `RunTask`; every operation when absent. */
  readonly operation?: string;
  /** 1 when absent. */
  readonly probability?: number;
  /** How often at most; no limit when absent. */
  readonly times?: number;
  /** Of a delay, or of the time until a caller gives up. */
  readonly ms?: Span;
}

export class Faults {
  readonly #random: Random;
  #active: { fault: Fault; left: number }[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** Answers with what takes it away again. */
  add(fault: Fault): () => void {
    const entry = { fault, left: fault.times ?? Infinity };
    this.#active.push(entry);
    return () => {
      this.#active = this.#active.filter((other) => other !== entry);
    };
  }

  clear(): void {
    this.#active = [];
  }

  /** What befalls this call: one fault of a kind at most. */
  draw(operation: string): ReadonlyMap<FaultKind, Fault> {
    const drawn = new Map<FaultKind, Fault>();
    for (const entry of this.#active) {
      const { fault } = entry;
      if (fault.operation !== undefined && fault.operation !== operation) continue;
      if (entry.left <= 0 || drawn.has(fault.kind)) continue;
      if (this.#random.fraction() >= (fault.probability ?? 1)) continue;
      entry.left--;
      drawn.set(fault.kind, fault);
    }
    return drawn;
  }
}
