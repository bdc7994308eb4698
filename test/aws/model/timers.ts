/** Time and chance, as arguments of the model: virtual in tests and simulation, real in main.ts. */
import type { Clock } from '../../../shared/ports/clock.ts';

export interface Timers {
  nowMs(): number;
  /** Runs it once, then; never before this call has returned. Can't be taken back. */
  in(delayMs: number, run: () => void): void;
}

/** What `SeededRandom` gives. */
export interface Random {
  /** In [0, 1). */
  fraction(): number;
  /** A whole number in [0, below). */
  integer(below: number): number;
  uint32(): number;
}

/** On a clock port, such as `StepClock`. */
export function timersOnClock(clock: Clock): Timers {
  return {
    nowMs: () => clock.nowMs(),
    in: (delayMs, run) => void clock.delay(delayMs).then(run),
  };
}

/** On the agenda of `test/world`, or whatever has its shape. */
export function timersOnAgenda(agenda: {
  readonly nowMs: number;
  in(delayMs: number, run: () => void): unknown;
}): Timers {
  return {
    nowMs: () => agenda.nowMs,
    in: (delayMs, run) => void agenda.in(delayMs, run),
  };
}

/** On the wall clock. What is still to happen keeps no process alive. */
export function realTimers(): Timers {
  return {
    nowMs: () => Date.now(),
    in: (delayMs, run) => void setTimeout(run, delayMs).unref(),
  };
}

/** So many milliseconds, or some number between two bounds. */
export type Span = number | readonly [number, number];

export function draw(span: Span, random: Random): number {
  if (typeof span === 'number') return span;
  return Math.round(span[0] + random.fraction() * (span[1] - span[0]));
}

export function hex(random: Random, digits: number): string {
  let text = '';
  while (text.length < digits) text += random.uint32().toString(16).padStart(8, '0');
  return text.slice(0, digits);
}
