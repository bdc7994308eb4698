/**
 * Every field that people may set in a Deployment, and what they may set it to: least, most, empty,
 * wrong, and absent. Made of the schemas, as Acto (SOSP '23) makes its campaigns of declared state.
 * All of these are reverted at last, and the cluster must recover.
 */
import type { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import { DeploymentSpecSchema } from '../../../shared/api/kinds/workloads.ts';
import type { Schema } from '../../../shared/api/schema.ts';

export interface Transition {
  readonly field: string;
  readonly value: unknown;
  /** The merge patch that sets it. */
  readonly patch: object;
}

/** Nobody has as many machines as the largest number of replicas would take. */
const MOST_REPLICAS = 5;
const LARGEST = 2 ** 31 - 1;
/** Fields of fields of fields: containers' probes are that deep. */
const MAX_DEPTH = 6;

const BASE_CONTAINER = { name: 'main', image: 'app:1' };

export function anyChange(random: SeededRandom): object {
  return random.pick(TRANSITIONS).patch;
}

function* transitionsOf(
  schema: Schema,
  path: readonly string[],
  depth: number,
): Generator<Transition> {
  for (const [name, field] of Object.entries(schema.fields ?? {})) {
    const inner = [...path, name];
    for (const value of valuesOf(name, field)) {
      yield { field: inner.join('.'), value, patch: patchOf(inner, value) };
    }
    if (depth < MAX_DEPTH) yield* transitionsOf(itemsOf(field), inner, depth + 1);
  }
}

function itemsOf(schema: Schema): Schema {
  return schema.type === 'list' && schema.items ? schema.items : schema;
}

function valuesOf(name: string, schema: Schema): readonly unknown[] {
  switch (schema.type) {
    case 'string':
      return schema.enum ? [...schema.enum, 'Wrong', null] : ['', 'x', 'x'.repeat(300), null];
    case 'integer':
    case 'number':
      return [-1, 0, 1, name === 'replicas' ? MOST_REPLICAS : LARGEST, null];
    case 'boolean':
      return [true, false, null];
    case 'quantity':
      return ['0', '1m', '1Ei', 'much', null];
    case 'intOrString':
      return [-1, 0, 1, '0%', '100%', 'much', null];
    case 'time':
    case 'bytes':
    case 'any':
      return ['', null];
    case 'map':
      return [{}, { key: 'value' }, null];
    case 'list':
      return [[], [{}], null];
    case 'object':
      return [{}, null];
  }
}

/** A list in a patch stands for the whole: the one container keeps its name and image. */
function patchOf(path: readonly string[], value: unknown): object {
  let current: unknown = value;
  for (const name of path.toReversed()) {
    const isList = LISTS.has(name) && !(current === null || Array.isArray(current));
    const base = name === 'containers' ? BASE_CONTAINER : {};
    current = { [name]: isList ? [{ ...base, ...(current as object) }] : current };
  }
  return { spec: current };
}

/** Fields that are lists of objects, wherever they are. */
const LISTS: ReadonlySet<string> = new Set(listNames(DeploymentSpecSchema, 0));

function* listNames(schema: Schema, depth: number): Generator<string> {
  for (const [name, field] of Object.entries(schema.fields ?? {})) {
    const { type, items } = field;
    if (type === 'list' && items?.type === 'object') yield name;
    if (depth < MAX_DEPTH) yield* listNames(itemsOf(field), depth + 1);
  }
}

export const TRANSITIONS: readonly Transition[] = [...transitionsOf(DeploymentSpecSchema, [], 0)];
