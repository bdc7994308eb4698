/**
 * Stored objects that are not of their kind's form. What clients send is decoded (decode.ts), so
 * that what is stored was of its form once; a hand past the API, a bad restore or a defect may have
 * spoilt it since. Whoever reads it is shown something that no code trips over, and can tell (B7).
 *
 * Owns: what stands in for such an object. Does not own: who reads through it
 * (control/well-formed-store.ts), and who refuses to act on it (control/reconcile.ts, and
 * core/scheduling/sound.ts for passes).
 *
 * Invariants:
 *  W1 Every field that the kind knows is of its type, and those that must be there are. Values are
 *     not judged, but for those out of a fixed set: a name that is no name stays.
 *  W2 A well-formed object is given back as it is. What the kind does not know stays, fields and
 *     values of a set alike: newer code may have written them.
 *  W3 The stand-in of an object is one object, as long as the object lives.
 *  W4 What nobody has replaced of a stand-in is written as it was stored (`asStored`): nothing is
 *     made good in passing, and what could not be read can't be read after.
 */
import { zeroOf } from './decode.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import type { PodDisruptionBudget } from './kinds/policy.ts';
import type { KubeObject, ResourceName } from './meta.ts';
import { isQuantity } from './quantity.ts';
import { resourceType } from './resources.ts';
import type { Schema } from './schema.ts';

/** Stored objects are frozen: what was found of one stays true. */
const standIns = new WeakMap<KubeObject, KubeObject>();
/** By the stand-in: the first field that is not as it must be. */
const faults = new WeakMap<KubeObject, string>();
/** By a part of a stand-in, such as its `spec`: what is stored in its place. */
const originals = new WeakMap<object, unknown>();

/** The object, or what stands in for it. */
export function wellFormed<T extends KubeObject>(resource: ResourceName, object: T): T {
  const known = standIns.get(object);
  if (known) return known as T;
  const { schema } = resourceType(resource);
  const fault = misfit(schema, object);
  const found = fault === undefined ? object : standInOf(resource, schema, object);
  if (fault !== undefined) faults.set(found, fault);
  standIns.set(object, found);
  standIns.set(found, found);
  return found as T;
}

/**
 * What is wrong with the object that this one stands in for, such as `spec.replicas`; undefined for
 * one that is what is stored.
 */
export function faultOf(object: KubeObject): string | undefined {
  return faults.get(object);
}

export function isStandIn(object: KubeObject): boolean {
  return faults.has(object);
}

/** What is to be written for an object that was made of a stand-in; any other as it is (W4). */
export function asStored<T extends KubeObject>(object: T): T {
  const parts: readonly [string, unknown][] = Object.entries(object);
  if (!parts.some(([, part]) => standsIn(part))) return object;
  const stored = parts.map(([name, part]) => {
    return [name, standsIn(part) ? originals.get(part) : part] as const;
  });
  return Object.fromEntries(stored.filter(([, part]) => part !== undefined)) as unknown as T;
}

function standsIn(part: unknown): part is object {
  return isPart(part) && originals.has(part);
}

function isPart(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function standInOf(resource: ResourceName, schema: Schema, object: KubeObject): KubeObject {
  const parts = mended(schema, object) as KubeObject;
  const found = resource === 'poddisruptionbudgets.policy' ? closed(parts) : parts;
  for (const [name, part] of Object.entries(found)) {
    const stored = (object as unknown as JsonObject)[name];
    if (part !== stored && isPart(part)) originals.set(part, stored);
  }
  return found;
}

/** What is not known of a budget allows nothing, and where it may be of any pod, it is. */
function closed(object: KubeObject): KubeObject {
  const { spec, status: _, ...budget } = object as PodDisruptionBudget;
  const counts = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  return { ...budget, spec: { selector: {}, ...spec }, status: counts } as KubeObject;
}

/** The path of the first thing that does not fit, from the value on; undefined where all does. */
function misfit(schema: Schema, value: unknown): string | undefined {
  switch (schema.type) {
    case 'object':
      return isJsonObject(value) ? misfitOfFields(schema, value) : '';
    case 'map':
      return isJsonObject(value) ? misfitOfItems(schema, Object.entries(value)) : '';
    case 'list':
      return Array.isArray(value) ? misfitOfItems(schema, value.entries()) : '';
    default:
      return isScalar(schema, value) ? undefined : '';
  }
}

function isScalar(schema: Schema, value: unknown): boolean {
  switch (schema.type) {
    case 'integer':
      return Number.isSafeInteger(value);
    case 'number':
    case 'boolean':
      return typeof value === schema.type;
    case 'intOrString':
      return typeof value === 'string' || Number.isSafeInteger(value);
    case 'quantity':
      return typeof value === 'string' && isQuantity(value);
    case 'any':
      return true;
    default:
      return typeof value === 'string' && schema.enum?.includes(value) !== false;
  }
}

function misfitOfFields({ fields = {} }: Schema, value: JsonObject): string | undefined {
  for (const name in fields) {
    const field = fields[name] as Schema;
    const given = value[name];
    if (given === undefined) {
      if (mustBeThere(field)) return name;
      continue;
    }
    const at = misfit(field, given);
    if (at !== undefined) return joined(name, at);
  }
  return undefined;
}

function misfitOfItems(
  { items }: Schema,
  entries: Iterable<readonly [string | number, unknown]>,
): string | undefined {
  for (const [key, value] of entries) {
    const at = misfit(items as Schema, value);
    if (at !== undefined) return joined(`${key}`, at);
  }
  return undefined;
}

function joined(name: string, rest: string): string {
  return rest === '' ? name : `${name}.${rest}`;
}

/** C1 of schema.ts. */
function mustBeThere({ required, default: given }: Schema): boolean {
  return required === true || given !== undefined;
}

/** The value with what does not fit left out or filled in; undefined where nothing is left. */
function mended(schema: Schema, value: unknown): unknown {
  if (misfit(schema, value) === undefined) return value;
  const items = schema.items as Schema;
  if (schema.type === 'list' && Array.isArray(value)) {
    return value.map((item) => mended(items, item)).filter((item) => item !== undefined);
  }
  if (!isJsonObject(value)) return schema.enum && typeof value === 'string' ? value : undefined;
  if (schema.type === 'object') return mendedFields(schema, value);
  if (schema.type !== 'map') return undefined;
  const entries = Object.entries(value).map(([key, item]) => [key, mended(items, item)] as const);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}

function mendedFields({ fields = {} }: Schema, value: JsonObject): JsonObject {
  const found: { [field: string]: unknown } = { ...value };
  for (const [name, field] of Object.entries(fields)) {
    const given = value[name];
    const left = given === undefined ? undefined : mended(field, given);
    const next = left ?? (mustBeThere(field) ? unset(field) : undefined);
    if (next === undefined) Reflect.deleteProperty(found, name);
    else found[name] = next;
  }
  return found;
}

/** What is there where nothing is given. */
function unset(schema: Schema): unknown {
  if (schema.default !== undefined) return structuredClone(schema.default);
  if (schema.type === 'object') return mendedFields(schema, {});
  return schema.type === 'quantity' ? '0' : (schema.enum?.[0] ?? zeroOf(schema));
}
