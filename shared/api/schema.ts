/**
 * Schemas as data: one declaration of a kind's fields serves its TypeScript type, strict decoding,
 * defaulting, OpenAPI, strategic-merge keys and server-side-apply list keys. Nothing here knows a
 * particular kind.
 *
 * Invariants:
 *  C1 A field with a default is present on every stored object, so its inferred type is not
 *  optional.
 *  C2 Inferred types are deeply readonly: decisions never change what they were shown.
 *  C3 Absent is absent: no stored object holds `undefined` or `null`.
 */

declare const inferred: unique symbol;

export type SchemaType =
  | 'string'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'object'
  | 'map'
  | 'list'
  /** A Kubernetes quantity, kept as its canonical string ("500m", "2Gi"); numbers are accepted. */
  | 'quantity'
  /** A port or a percentage: an integer or a string. */
  | 'intOrString'
  /** RFC 3339 text. */
  | 'time'
  /** Base64 text. */
  | 'bytes'
  /** Any JSON value, kept as it is. */
  | 'any';

/**
 * How a list merges. `map` lists merge item by item on `mapKeys`; `set` lists merge as sets of
 * scalars.
 */
export type ListKind = 'atomic' | 'set' | 'map';

export interface Schema<T = unknown, Present extends boolean = boolean> {
  readonly type: SchemaType;
  readonly doc: string;
  /** The name of the definition in OpenAPI; anonymous objects are inlined. */
  readonly name?: string;
  readonly fields?: Fields;
  /** The items of a list or the values of a map. */
  readonly items?: Schema;
  readonly listKind?: ListKind;
  /** Server-side apply's identity of an item (`x-kubernetes-list-map-keys`). */
  readonly mapKeys?: readonly string[];
  /** Strategic merge patch's identity of an item (`x-kubernetes-patch-merge-key`). */
  readonly mergeKey?: string;
  /** Strategic merge patch replaces keys that are not in the patch (`$retainKeys` strategy). */
  readonly retainKeys?: true;
  readonly enum?: readonly string[];
  readonly required?: boolean;
  readonly default?: unknown;
  /** Merged as a whole, although it has parts (`x-kubernetes-map-type: atomic`). */
  readonly atomic?: true;
  /** What this release does not honour: the server answers with a warning that says so. */
  readonly unsupported?: string;
  readonly [inferred]?: T;
  readonly present?: Present;
}

export type Fields = { readonly [field: string]: Schema };

/** The TypeScript type that a schema describes, as stored (after defaulting). */
export type Infer<S> = S extends Schema<infer T> ? T : never;

type PresentKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends Schema<unknown, true> ? K : never;
}[keyof F];

type ObjectOf<F extends Fields> = Flatten<
  { readonly [K in PresentKeys<F>]: Infer<F[K]> } & {
    readonly [K in Exclude<keyof F, PresentKeys<F>>]?: Infer<F[K]>;
  }
>;
type Flatten<T> = { [K in keyof T]: T[K] };

type Optional<T> = Schema<T, false>;

const scalar =
  <T>(type: SchemaType) =>
  (doc = ''): Optional<T> => ({ type, doc, present: false });

export const string = scalar<string>('string');
export const integer = scalar<number>('integer');
export const number = scalar<number>('number');
export const boolean = scalar<boolean>('boolean');
export const quantity = scalar<string>('quantity');
export const intOrString = scalar<number | string>('intOrString');
export const time = scalar<string>('time');
export const bytes = scalar<string>('bytes');
export const any = scalar<unknown>('any');

/** A string out of a fixed set. Unknown values are refused with `Unsupported value`. */
export function oneOf<const V extends string>(doc: string, values: readonly V[]): Optional<V> {
  return { type: 'string', doc, enum: values, present: false };
}

/** A named object: `name` is its OpenAPI definition name, e.g. `io.k8s.api.core.v1.Container`. */
export function object<F extends Fields>(name: string, doc: string, fields: F) {
  return { type: 'object', doc, name, fields, present: false } as Optional<ObjectOf<F>> & {
    readonly fields: F;
  };
}

/** A map from strings to values of one schema. */
export function map<T>(doc: string, items: Schema<T>): Optional<{ readonly [key: string]: T }> {
  return { type: 'map', doc, items, present: false };
}

/** A list replaced as a whole, by patches and by server-side apply alike. */
export function list<T>(doc: string, items: Schema<T>): Optional<readonly T[]> {
  return { type: 'list', doc, items, listKind: 'atomic', present: false };
}

/** A list of scalars that patches merge as a set. */
export function setOf<T>(doc: string, items: Schema<T>): Optional<readonly T[]> {
  return { type: 'list', doc, items, listKind: 'set', present: false };
}

/**
 * A list of objects that patches merge item by item. `mapKeys` identify an item for server-side
 * apply; `mergeKey` (by default the first of them) does so for strategic merge patch.
 */
export function mapList<T>(
  doc: string,
  items: Schema<T>,
  mapKeys: readonly [string, ...string[]],
  mergeKey: string = mapKeys[0],
): Optional<readonly T[]> {
  return { type: 'list', doc, items, listKind: 'map', mapKeys, mergeKey, present: false };
}

/** The field must be given. */
export function required<T>(schema: Schema<T>): Schema<T, true> {
  return { ...schema, required: true, present: true };
}

/** The field is filled in when it is absent, so that stored objects always have it (C1). */
export function withDefault<T>(schema: Schema<T>, value: NoInfer<T>): Schema<T, true> {
  return { ...schema, default: value, present: true };
}

/** The field is accepted and kept, and the client is warned that it has no effect here. */
export function unsupported<S extends Schema>(schema: S, reason: string): S {
  return { ...schema, unsupported: reason };
}

/** Strategic merge patch honours `$retainKeys` on this object. */
export function retainKeys<S extends Schema>(schema: S): S {
  return { ...schema, retainKeys: true };
}

/** An object or map that server-side apply owns and replaces as a whole. */
export function atomic<S extends Schema>(schema: S): S {
  return { ...schema, atomic: true };
}
