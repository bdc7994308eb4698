/**
 * Strategic merge patch: a merge patch that knows from the schema which lists are merged item by
 * item. This is what `kubectl apply`, `edit`, `set`, `scale` and `rollout` send.
 *
 * Directives: `$patch: replace|delete|merge` on an object or as a list item, `$retainKeys`,
 * `$setElementOrder/x` and `$deleteFromPrimitiveList/x` next to a list `x`.
 */
import { badRequest } from '../../../api/errors.ts';
import { refuseKey } from '../../../api/json.ts';
import type { Schema } from '../../../api/schema.ts';
import { interleave } from './list-order.ts';
import { isJsonObject, type JsonObject } from '../../../api/json.ts';

const PATCH = '$patch';
const RETAIN_KEYS = '$retainKeys';
const SET_ORDER = '$setElementOrder/';
const DELETE_ITEMS = '$deleteFromPrimitiveList/';

/**
 * The document with the patch applied; neither is changed. Throws BadRequest for a patch that makes
 * no sense.
 */
export function applyStrategicMerge(schema: Schema, document: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) throw badRequest('a strategic merge patch is an object');
  return mergeFields(schema, isJsonObject(document) ? document : {}, patch);
}

type MaybeSchema = Schema | undefined;

function mergeFields(schema: MaybeSchema, document: JsonObject, patch: JsonObject): JsonObject {
  const directive = patch[PATCH];
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'replace' && directive !== 'merge') {
    throw badRequest(`Unknown patch type found: ${JSON.stringify(directive)}`);
  }
  const base = directive === 'replace' ? {} : document;
  const out: { [field: string]: unknown } = { ...retained(base, patch[RETAIN_KEYS]) };
  for (const field of patchedFields(patch)) {
    const value = patch[field];
    if (value === null) {
      delete out[field];
      continue;
    }
    const old = Object.hasOwn(out, field) ? out[field] : undefined;
    const next = mergeField(fieldSchema(schema, field), old, value, listDirectives(patch, field));
    if (next !== undefined) out[field] = next;
  }
  return out;
}

/** The fields that a patch speaks of, be it only by a directive for the list of that name. */
function patchedFields(patch: JsonObject): Set<string> {
  const fields = new Set<string>();
  for (const key of Object.keys(patch)) {
    refuseKey(key);
    if (key === PATCH || key === RETAIN_KEYS) continue;
    if (key.startsWith(SET_ORDER)) fields.add(key.slice(SET_ORDER.length));
    else if (key.startsWith(DELETE_ITEMS)) fields.add(key.slice(DELETE_ITEMS.length));
    else fields.add(key);
  }
  fields.forEach(refuseKey);
  return fields;
}

/** `$retainKeys` names the fields that may stay: a union's other members go. */
function retained(document: JsonObject, keys: unknown): JsonObject {
  if (keys === undefined) return document;
  if (!Array.isArray(keys)) throw badRequest(`${RETAIN_KEYS} is not a list`);
  return Object.fromEntries(Object.entries(document).filter(([key]) => keys.includes(key)));
}

function fieldSchema(schema: MaybeSchema, field: string): MaybeSchema {
  if (schema?.type === 'map') return schema.items;
  const fields = schema?.fields;
  return fields && Object.hasOwn(fields, field) ? fields[field] : undefined;
}

interface ListDirectives {
  readonly order: readonly unknown[] | undefined;
  readonly deleted: readonly unknown[];
}

function listDirectives(patch: JsonObject, field: string): ListDirectives {
  const order = patch[SET_ORDER + field];
  const deleted = patch[DELETE_ITEMS + field] ?? [];
  if (order !== undefined && !Array.isArray(order)) throw badRequest(`${SET_ORDER} is not a list`);
  if (!Array.isArray(deleted)) throw badRequest(`${DELETE_ITEMS} is not a list`);
  return { order, deleted };
}

function mergeField(
  schema: MaybeSchema,
  document: unknown,
  patch: unknown,
  directives: ListDirectives,
): unknown {
  if (isJsonObject(patch))
    return mergeFields(schema, isJsonObject(document) ? document : {}, patch);
  const list = patch ?? (directives.order || directives.deleted.length > 0 ? [] : patch);
  if (!Array.isArray(list)) return patch;
  const live: readonly unknown[] = Array.isArray(document) ? document : [];
  if (schema?.type === 'list' && schema.listKind === 'set') return mergeSet(live, list, directives);
  const mergeKey = schema?.listKind === 'map' ? schema.mergeKey : undefined;
  if (!schema || !mergeKey) return patch === undefined ? document : list;
  return mergeItems(schema.items, mergeKey, live, list, directives.order);
}

/** An item of a list and where it stood in the live one; `place` is Infinity for a new one. */
interface Item {
  readonly key: unknown;
  readonly place: number;
  value: unknown;
}

function mergeItems(
  schema: MaybeSchema,
  mergeKey: string,
  live: readonly unknown[],
  patch: readonly unknown[],
  order: readonly unknown[] | undefined,
): unknown[] {
  const replaced = patch.some((item) => isJsonObject(item) && item[PATCH] === 'replace');
  const items: Item[] = replaced
    ? []
    : live.map((value, place) => ({ key: keyOf(value, mergeKey), place, value }));
  const byKey = new Map([...items].reverse().map((item) => [item.key, item]));
  const deleted = new Set<unknown>();
  for (const value of patch) {
    if (isJsonObject(value) && value[PATCH] === 'replace') continue;
    const key = keyOf(value, mergeKey);
    if (!isJsonObject(value) || key === undefined) {
      throw badRequest(`an item of the patch does not contain declared merge key: ${mergeKey}`);
    }
    const old = byKey.get(key);
    if (value[PATCH] === 'delete') deleted.add(key);
    else if (old) old.value = mergeFields(schema, isJsonObject(old.value) ? old.value : {}, value);
    else {
      const added = { key, place: Infinity, value: mergeFields(schema, {}, value) };
      items.push(added);
      byKey.set(key, added);
    }
  }
  const left = items.filter((item) => !deleted.has(item.key));
  return ordered(
    left,
    order?.map((item) => keyOf(item, mergeKey)),
  ).map((item) => item.value);
}

function mergeSet(
  live: readonly unknown[],
  patch: readonly unknown[],
  { order, deleted }: ListDirectives,
): unknown[] {
  const values = [...new Set([...live, ...patch])].filter((value) => !deleted.includes(value));
  const places = new Map(live.map((value, place) => [value, place]));
  const items = values.map((value) => ({
    key: value,
    place: places.get(value) ?? Infinity,
    value,
  }));
  return ordered(items, order).map((item) => item.value);
}

/** Items that the order names, in that order; the others where they stood among them. */
function ordered(items: readonly Item[], order: readonly unknown[] | undefined): readonly Item[] {
  if (!order) return items;
  const byKey = Map.groupBy(items, (item) => item.key);
  const named = [...new Set(order)].flatMap((key) => byKey.get(key) ?? []);
  const isNamed = new Set(named);
  const kept = items.filter((item) => !isNamed.has(item));
  const live = items.filter((item) => item.place !== Infinity);
  return interleave(kept, named, new Map(live.map((item) => [item, item.place])));
}

function keyOf(item: unknown, mergeKey: string): unknown {
  return isJsonObject(item) && Object.hasOwn(item, mergeKey) ? item[mergeKey] : undefined;
}
