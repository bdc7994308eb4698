/**
 * The two halves of server-side apply on values: laying a configuration over the live object, and
 * taking away what its manager no longer states. Owns values; who owns which field is apply.ts'
 * business.
 */
import { sameJson } from '../../../api/hash.ts';
import { isJsonObject, type JsonObject } from '../../../api/json.ts';
import type { Schema } from '../../../api/schema.ts';
import { EMPTY, type FieldSet, isEmpty, isMember } from './field-set.ts';
import { interleave } from './list-order.ts';
import { type Part, type Parts, partsOf } from './typed.ts';

/**
 * The live value with the configuration laid over it; the live value itself when that changes
 * nothing.
 */
export function mergeTyped(schema: Schema, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  const left = partsOf(schema, live);
  const right = partsOf(schema, config);
  if (!left || !right) return sameJson(live, config) ? live : config;
  return Array.isArray(live)
    ? mergeItems(live, left, right)
    : mergeFields(live as JsonObject, right);
}

function mergeFields(live: JsonObject, config: Parts): JsonObject {
  let out: { [field: string]: unknown } | undefined;
  for (const { at, schema, value } of config.values()) {
    const old = Object.hasOwn(live, at) ? live[at] : undefined;
    const next = mergeTyped(schema, old, value);
    if (next === old) continue;
    out ??= { ...live };
    out[at] = next;
  }
  return out ?? live;
}

function mergeItems(live: readonly unknown[], left: Parts, right: Parts): readonly unknown[] {
  const kept = [...left.keys()].filter((element) => !right.has(element));
  const places = new Map([...left.keys()].map((element, index) => [element, index]));
  const merged = interleave(kept, [...right.keys()], places).map((element) => {
    const old = left.get(element);
    const given = right.get(element);
    if (!old || !given) return (old ?? given)?.value;
    return mergeTyped(given.schema, old.value, given.value);
  });
  const same = merged.length === live.length && merged.every((item, i) => item === live[i]);
  return same ? live : merged;
}

/**
 * The value without what `last` has and `kept` has not. A struct, list item or leaf goes with
 * everything in it, defaults included, when nobody keeps any of it. Entries of maps and lists that
 * were never in `last` stay.
 */
export function pruneTyped(
  schema: Schema,
  value: unknown,
  last: FieldSet,
  kept: FieldSet = EMPTY,
): unknown {
  const parts = partsOf(schema, value);
  if (!parts || isEmpty(last)) return value;
  const left = new Map<string, unknown>();
  for (const [element, part] of parts) {
    const next = prunePart(part, last[element], kept[element]);
    if (next !== GONE) left.set(element, next);
  }
  return rebuild(value, parts, left);
}

const GONE = Symbol('gone');

function prunePart(part: Part, last: FieldSet | undefined, kept: FieldSet | undefined): unknown {
  if (!last) return part.value;
  const open = part.schema.type === 'map' || part.schema.type === 'list';
  const parts = partsOf(part.schema, part.value);
  if (!kept && (!parts || !open)) {
    const whole = !parts || isMember(last) || typeof part.at === 'string';
    if (whole) return GONE;
  }
  if (kept && (!parts || isKeptWhole(last, kept))) return part.value;
  const next = pruneTyped(part.schema, part.value, last, kept);
  return open && !kept && isHollow(next) ? GONE : next;
}

/** Both state the whole and nothing in it: there is nothing to take away. */
function isKeptWhole(last: FieldSet, kept: FieldSet): boolean {
  return isEmpty(last) && isMember(kept);
}

function isHollow(value: unknown): boolean {
  return Array.isArray(value)
    ? value.length === 0
    : isJsonObject(value) && isEmpty(value as FieldSet);
}

function rebuild(value: unknown, parts: Parts, left: ReadonlyMap<string, unknown>): unknown {
  const same = [...parts].every(([element, part]) => left.get(element) === part.value);
  if (same && left.size === parts.size) return value;
  if (Array.isArray(value)) return [...left.values()];
  const out: { [field: string]: unknown } = { ...(value as JsonObject) };
  for (const [element, { at }] of parts) {
    if (left.has(element)) out[at] = left.get(element);
    else delete out[at];
  }
  return out;
}
