/**
 * The class of an error decides what becomes of the work, here and nowhere else (four outcomes:
 * done, after, retry, terminal).
 */
import { InstancesUnavailable, LaunchRejected } from '../ports/instances.ts';
import { MessageRefused, QueueUnavailable } from '../ports/queue.ts';
import { NoCapacity, RuntimeUnavailable, TaskRejected } from '../ports/runtime.ts';
import { AlreadyExists, Conflict, TooLarge, Unavailable } from '../ports/store.ts';
import type { Outcome } from './controller.ts';

/** A rule of ours is broken: a programmer's error, never caused by outside input. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** An object that is not of its kind's form (api/well-formed.ts): nothing is done about it. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
  constructor(keyText: string, field: string) {
    super(`${keyText} is not acted on: its ${field} is not of its form`);
  }
}

/** Throws an `InvariantError`; the message starts with the invariant's name. */
export function invariant(holds: boolean, message: string): asserts holds {
  if (!holds) throw new InvariantError(message);
}

/** Trying again can help: the world may have moved on, or come back. */
function isTransient(error: Error): boolean {
  return (
    error instanceof Conflict ||
    error instanceof AlreadyExists ||
    error instanceof Unavailable ||
    error instanceof RuntimeUnavailable ||
    error instanceof QueueUnavailable ||
    error instanceof InstancesUnavailable ||
    error instanceof NoCapacity
  );
}

/** Trying again as it is can never help. */
function isTerminal(error: Error): boolean {
  return (
    error instanceof InvariantError ||
    error instanceof Unreadable ||
    error instanceof TooLarge ||
    error instanceof MessageRefused ||
    error instanceof LaunchRejected ||
    error instanceof TaskRejected
  );
}

/**
 * An unknown error may be a poisoned object or bad luck: it is retried, and the queue gives up on
 * it in time.
 */
export function outcomeOf(thrown: unknown): Outcome {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return isTerminal(error) ? { type: 'terminal', error } : { type: 'retry', error };
}

/** Whether the error is worth a log line: lost races and busy services are everyday life. */
export function isSurprising(error: Error): boolean {
  return !isTransient(error);
}

const FIRST_RETRY_MS = 50;
const RETRY_FACTOR = 3;
const LONGEST_RETRY_MS = 30_000;

/**
 * How long a failed message waits. A lost race is over after the first waits; eight receives span
 * some fifty seconds, so that a service which throttles for half a minute costs no message its
 * life.
 */
export function retryDelayMs(receives: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * RETRY_FACTOR ** Math.max(0, receives - 1));
}
