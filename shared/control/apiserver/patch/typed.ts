/**
 * Values seen through their schema: which parts merge one by one, which are replaced as a whole,
 * and under which element of a field set each part goes. Patches and ownership agree because both
 * ask here.
 */
import { sameJson } from '../../../api/hash.ts';
import { isJsonObject, type JsonObject } from '../../../api/json.ts';
import type { Schema } from '../../../api/schema.ts';
import { EMPTY, type FieldSet, nodeOf } from './field-set.ts';

export interface Part {
  /** The field, key or index that it stands under in its parent. */
  readonly at: string | number;
  readonly schema: Schema;
  readonly value: unknown;
}

/** The parts of a value by their field-set element. */
export type Parts = ReadonlyMap<string, Part>;

/**
 * The parts that a value is merged by; undefined for one that is a whole: a scalar, an atomic list
 * or object, or a list whose items can't be told apart.
 */
export function partsOf(schema: Schema, value: unknown): Parts | undefined {
  if (schema.atomic || value === null || typeof value !== 'object') return undefined;
  if (Array.isArray(value)) return listParts(schema, value);
  if (schema.type === 'object') return structParts(schema, value as JsonObject);
  return schema.type === 'map' ? mapParts(schema, value as JsonObject) : undefined;
}

function structParts(schema: Schema, value: JsonObject): Parts {
  const fields = schema.fields ?? {};
  const parts = new Map<string, Part>();
  for (const at of Object.keys(value)) {
    const child = Object.hasOwn(fields, at) ? fields[at] : undefined;
    if (child && value[at] !== undefined) {
      parts.set(`f:${at}`, { at, schema: child, value: value[at] });
    }
  }
  return parts;
}

function mapParts(schema: Schema, value: JsonObject): Parts {
  const items = schema.items as Schema;
  const parts = new Map<string, Part>();
  for (const at of Object.keys(value))
    parts.set(`f:${at}`, { at, schema: items, value: value[at] });
  return parts;
}

function listParts(schema: Schema, values: readonly unknown[]): Parts | undefined {
  if (schema.type !== 'list' || schema.listKind === 'atomic') return undefined;
  const items = schema.items as Schema;
  const parts = new Map<string, Part>();
  for (const [at, value] of values.entries()) {
    const element = itemElement(schema, value);
    if (element === undefined || parts.has(element)) return undefined;
    parts.set(element, { at, schema: items, value });
  }
  return parts;
}

/** The element of a list item; undefined when it lacks a key that has no default. */
export function itemElement(schema: Schema, item: unknown): string | undefined {
  if (schema.listKind === 'set') return `v:${JSON.stringify(item)}`;
  if (!isJsonObject(item)) return undefined;
  const keys: { [key: string]: unknown } = {};
  for (const key of [...(schema.mapKeys ?? [])].sort()) {
    const value = item[key] ?? schema.items?.fields?.[key]?.default;
    if (value === undefined) return undefined;
    keys[key] = value;
  }
  return `k:${JSON.stringify(keys)}`;
}

/**
 * Who asks: server-side apply owns what it states; an update also owns containers that it brought
 * about.
 */
export type Purpose = 'apply' | 'update';

/** The fields of a value, as a node of a set. */
export function fieldsOf(schema: Schema, value: unknown, purpose: Purpose, item = false): FieldSet {
  const parts = partsOf(schema, value);
  if (!parts || parts.size === 0) return EMPTY;
  const children: { [element: string]: FieldSet } = {};
  for (const [element, part] of parts) {
    const isItem = typeof part.at === 'number';
    children[element] = fieldsOf(part.schema, part.value, purpose, isItem);
  }
  return nodeOf(children, item || (purpose === 'update' && isOptional(schema)));
}

/** Kubernetes has such a container only when somebody set it; others are always there. */
function isOptional(schema: Schema): boolean {
  return !schema.required && schema.default === undefined;
}

export interface Changes {
  /** What was added or has another value. */
  readonly changed: FieldSet;
  /** What is gone; a member stands for all below it. */
  readonly removed: FieldSet;
}

/** How two values of one schema differ. */
export function changesBetween(schema: Schema, before: unknown, after: unknown): Changes {
  const { changed, removed } = diff(schema, before, after);
  return { changed: changed ?? EMPTY, removed: removed ?? EMPTY };
}

type Diff = { readonly changed?: FieldSet; readonly removed?: FieldSet };

const SAME: Diff = {};

function diff(schema: Schema, before: unknown, after: unknown): Diff {
  if (before === after) return SAME;
  const left = partsOf(schema, before);
  const right = partsOf(schema, after);
  if (!left || !right) return sameJson(before, after) ? SAME : { changed: EMPTY };
  const changed: { [element: string]: FieldSet } = {};
  const removed: { [element: string]: FieldSet } = {};
  for (const [element, part] of right) {
    const old = left.get(element);
    if (!old) {
      changed[element] = fieldsOf(part.schema, part.value, 'update', typeof part.at === 'number');
      continue;
    }
    const inner = diff(part.schema, old.value, part.value);
    if (inner.changed) changed[element] = inner.changed;
    if (inner.removed) removed[element] = inner.removed;
  }
  for (const element of left.keys()) if (!right.has(element)) removed[element] = EMPTY;
  return { ...filled('changed', changed), ...filled('removed', removed) };
}

/** An empty node would be a member, which no change is not. */
function filled(name: keyof Diff, children: { [element: string]: FieldSet }): Diff {
  for (const _ in children) return { [name]: children };
  return SAME;
}
