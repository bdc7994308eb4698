/**
 * Plays a script on an implementation and writes down what it answers. The same for emulators and
 * for our models, so that nothing but the implementation makes a difference.
 */
import { Canon } from './canonical.ts';
import type { Answers, Json, JsonObject, Request, Script, Step, Subject } from './script.ts';
import { ordered, shownOf } from './shown.ts';

export interface Target {
  /** A fresh world. The answer names what requests mention: `{ table }` stands for `$table`. */
  begin(): Promise<{ readonly [name: string]: string }>;
  /** Throws what the service answers; `name` is its code. */
  call(operation: string, input: JsonObject): Promise<unknown>;
  /** Lets so many seconds pass. */
  pass(seconds: number): Promise<void>;
  /** Lets all come to rest that was begun. */
  settle(): Promise<void>;
}

/** What of an error is compared beside its name. */
const ERROR_PARTS = ['Item', 'resourceIds', 'current'];

export async function play(subject: Subject, script: Script, target: Target): Promise<Answers> {
  const answers: Record<string, Json> = {};
  for (const [scenario, steps] of Object.entries(script.scenarios)) {
    const world = await World.begun(subject, script, target);
    for (const step of steps) {
      const answer = await world.step(step);
      if (answer === undefined || !('step' in step)) continue;
      const where = `${scenario} / ${step.step}`;
      if (where in answers) throw new Error(`two steps are called ${where}`);
      answers[where] = answer;
    }
  }
  return answers;
}

class World {
  readonly #subject: Subject;
  readonly #script: Script;
  readonly #target: Target;
  readonly #canon: Canon;
  readonly #kept: Map<string, Json>;

  private constructor(subject: Subject, script: Script, target: Target, names: JsonObject) {
    this.#subject = subject;
    this.#script = script;
    this.#target = target;
    this.#canon = new Canon(names as { readonly [name: string]: string });
    this.#kept = new Map(Object.entries(names));
  }

  static async begun(subject: Subject, script: Script, target: Target): Promise<World> {
    return new World(subject, script, target, await target.begin());
  }

  async step(step: Step): Promise<Json | undefined> {
    if ('pass' in step) return void (await this.#target.pass(step.pass));
    if ('settle' in step) return void (await this.#target.settle());
    const missing = [...namesIn(this.#inputOf(step))].find((name) => !this.#kept.has(name));
    if (missing !== undefined) return { 'not asked': `there is no $${missing}` };
    return this.#ask(step);
  }

  async #ask(step: Request): Promise<Json> {
    const { call, keep = {} } = step;
    try {
      const input = this.#filled(this.#inputOf(step)) as JsonObject;
      const answer = plain(await this.#target.call(call, input));
      for (const [name, path] of Object.entries(keep)) {
        const part = at(answer, path);
        if (part !== undefined) this.#kept.set(name, part);
      }
      return this.#told(call, shownOf(this.#subject, call, answer));
    } catch (thrown) {
      return this.#told(call, errorOf(thrown));
    }
  }

  #told(call: string, answer: Json): Json {
    return ordered(call, this.#canon.of(answer));
  }

  #inputOf({ step, like, input = {} }: Request): JsonObject {
    if (like === undefined) return input;
    const template = this.#script.templates?.[like];
    if (!template) throw new Error(`${step} is like ${like}, which there is not`);
    const all = Object.entries({ ...template, ...input });
    return Object.fromEntries(all.filter(([, value]) => value !== null));
  }

  #filled(value: Json): Json {
    if (typeof value === 'string') {
      if (isName(value)) return this.#kept.get(value.slice(1)) ?? value;
      return value.replaceAll(INNER_NAME, (_, name: string) => textOf(this.#kept.get(name)));
    }
    if (Array.isArray(value)) return value.map((item) => this.#filled(item as Json));
    if (typeof value !== 'object' || value === null) return value;
    const made = generated(value as JsonObject);
    if (made !== undefined) return made;
    const entries = Object.entries(value as JsonObject).map(([name, inner]) => {
      return [textOf(this.#filled(name)), this.#filled(inner)] as const;
    });
    return Object.fromEntries(entries);
  }
}

/**
 * What would be long to write: `{ "$repeat": ["x", 9] }` is a text, `{ "$times": [9, …] }` a list
 * of equals but for their number, which stands for `#`.
 */
function generated({ $repeat: repeat, $times: times }: JsonObject): Json | undefined {
  if (Array.isArray(repeat)) return String(repeat[0]).repeat(Number(repeat[1]));
  if (!Array.isArray(times)) return undefined;
  const text = JSON.stringify(times[1]);
  const numbers = Array.from({ length: Number(times[0]) }, (_, i) => String(i));
  return numbers.map((number) => JSON.parse(text.replaceAll('#', number)) as Json);
}

/** `$Default` is a word of EC2's own. */
const NAME = /^\$(?!repeat$|times$)[a-z][A-Za-z0-9]*$/;
const isName = (text: string) => NAME.test(text);
/** Within a text. */
const INNER_NAME = /\$\{([A-Za-z0-9]+)\}/g;

function namesIn(value: Json): Set<string> {
  const names = new Set<string>();
  const walk = (inner: Json): void => {
    if (typeof inner === 'string') {
      if (isName(inner)) names.add(inner.slice(1));
      for (const [, name = ''] of inner.matchAll(INNER_NAME)) names.add(name);
    } else if (Array.isArray(inner)) inner.forEach((item) => walk(item as Json));
    else if (typeof inner === 'object' && inner !== null) {
      for (const [name, one] of Object.entries(inner as JsonObject)) {
        walk(name);
        walk(one);
      }
    }
  };
  walk(value);
  return names;
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function at(value: Json, path: string): Json | undefined {
  let part: Json | undefined = value;
  for (const name of path.split('.')) {
    if (typeof part !== 'object' || part === null) return undefined;
    part = (part as JsonObject)[name];
  }
  return part;
}

function errorOf(thrown: unknown): Json {
  if (!(thrown instanceof Error)) throw thrown;
  const parts = ERROR_PARTS.flatMap((name) => {
    const part = (thrown as unknown as { readonly [name: string]: unknown })[name];
    return part === undefined ? [] : [[name, plain(part)] as const];
  });
  return { error: thrown.name, ...Object.fromEntries(parts) };
}

/** As JSON: bytes are texts of ours, times are nothing that is compared. */
function plain(value: unknown): Json {
  if (value === undefined || value instanceof Date) return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value as Json;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}
