/**
 * What a simulated task does, as a person or a test asks for it in the annotation
 * `nullplane.io/simulate`: JSON with the fields of `Rules`, and `containers` with rules by the name
 * of a container that go before them. Everything is optional; a task without rules starts at once
 * and runs until it is stopped.
 */
import { isJsonObject, type JsonObject } from '../../shared/api/json.ts';
import type { TaskSpec } from '../../shared/api/task.ts';
import { TaskRejected } from '../../shared/ports/runtime.ts';

export const SIMULATE_ANNOTATION = 'nullplane.io/simulate';

export interface Rules {
  /** From the launch until the first container runs. */
  readonly startDelayMs?: number;
  /** How long the image takes to pull, before that. */
  readonly pullDelayMs?: number;
  /**
   * The image can't be pulled. Images named `…/does-not-exist` or tagged `missing` can't either.
   */
  readonly failPull?: boolean;
  /** From the start until the readiness probe passes. */
  readonly readyDelayMs?: number;
  /** From the start until the startup probe passes. */
  readonly startupDelayMs?: number;
  /** The readiness probe fails from then on. */
  readonly unreadyAfterMs?: number;
  /** The container ends with this code; at once, or `exitAfterMs` after its start. */
  readonly exitCode?: number;
  readonly exitAfterMs?: number;
  /** The container runs out of memory. */
  readonly oomAfterMs?: number;
  /** The liveness probe fails for good: the container is killed. */
  readonly livenessFailsAfterMs?: number;
  /** How long it takes to end after SIGTERM. */
  readonly stopDelayMs?: number;
  /** Only SIGKILL ends it. */
  readonly ignoresTerm?: boolean;
  /** What it prints at its start, a line each. */
  readonly lines?: readonly string[];
  /** Variables that it prints after that, as `NAME=value`. */
  readonly printEnv?: readonly string[];
  /** The rules hold for attempts up to this one: "crashes twice, then runs". */
  readonly untilAttempt?: number;
  /** The launch is refused for want of room. */
  readonly noCapacity?: boolean;
  /** The launch is refused for good, with this message. */
  readonly reject?: string;
}

export interface TaskRules extends Rules {
  readonly containers?: { readonly [name: string]: Rules };
}

type FieldType = 'ms' | 'code' | 'boolean' | 'string' | 'strings';

const FIELDS: { readonly [field in keyof Required<Rules>]: FieldType } = {
  startDelayMs: 'ms',
  pullDelayMs: 'ms',
  failPull: 'boolean',
  readyDelayMs: 'ms',
  startupDelayMs: 'ms',
  unreadyAfterMs: 'ms',
  exitCode: 'code',
  exitAfterMs: 'ms',
  oomAfterMs: 'ms',
  livenessFailsAfterMs: 'ms',
  stopDelayMs: 'ms',
  ignoresTerm: 'boolean',
  lines: 'strings',
  printEnv: 'strings',
  untilAttempt: 'ms',
  noCapacity: 'boolean',
  reject: 'string',
};

const FITS: { readonly [type in FieldType]: (value: unknown) => boolean } = {
  ms: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  code: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255,
  boolean: (value) => typeof value === 'boolean',
  string: (value) => typeof value === 'string',
  strings: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
};

const WORDS: { readonly [type in FieldType]: string } = {
  ms: 'a whole number that is not negative',
  code: 'a number from 0 to 255',
  boolean: 'true or false',
  string: 'a string',
  strings: 'a list of strings',
};

/** The rules in the task's annotation. Throws `TaskRejected` with the first mistake in them. */
export function rulesOf(task: TaskSpec): TaskRules {
  const text = task.annotations[SIMULATE_ANNOTATION];
  if (text === undefined) return {};
  const rules = parseRules(text);
  return rules.untilAttempt !== undefined && task.attempt > rules.untilAttempt ? {} : rules;
}

/**
 * The rules of one container: its own go before those of the task, and those before the defaults.
 */
export function rulesFor(container: string, rules: TaskRules, defaults: Rules): Rules {
  const { containers, ...common } = rules;
  const own = containers && Object.hasOwn(containers, container) ? containers[container] : {};
  return { ...defaults, ...common, ...own };
}

function parseRules(text: string): TaskRules {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw mistake('is not JSON');
  }
  const { containers, ...common } = asObject(value, 'the rules');
  checkRules(common, '');
  for (const [name, rules] of Object.entries(asObject(containers ?? {}, 'containers'))) {
    checkRules(asObject(rules, `containers.${name}`), `containers.${name}.`);
  }
  return value as TaskRules;
}

function checkRules(rules: JsonObject, path: string): void {
  for (const [field, value] of Object.entries(rules)) {
    if (!Object.hasOwn(FIELDS, field)) throw mistake(`has no rule ${path}${field}`);
    const type = FIELDS[field as keyof Rules];
    if (!FITS[type](value)) throw mistake(`${path}${field} must be ${WORDS[type]}`);
  }
}

function asObject(value: unknown, what: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw mistake(`${what} must be an object`);
}

function mistake(what: string): TaskRejected {
  return new TaskRejected('CreateContainerError', `annotation ${SIMULATE_ANNOTATION}: ${what}`);
}
