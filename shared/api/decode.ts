/**
 * Decoding: what a client sent becomes what the schema describes, or a BadRequest in the words of
 * the Kubernetes API server. Owns types and unknown fields; does not own values (validation) or
 * absent fields (defaults).
 *
 * D1. The result shares nothing that is mutable with the input and holds no `null` and no unknown
 * field.
 * D2. Decoding what was decoded changes nothing and warns of the same unsupported fields.
 */
import { type ApiError, badRequest } from './errors.ts';
import { isJsonObject, pathText } from './json.ts';
import { canonicalQuantity, isQuantity } from './quantity.ts';
import type { Schema } from './schema.ts';
import { rfc3339 } from './time.ts';

/** What happens to unknown and duplicate fields: refused, warned of, or dropped. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export interface Decoded<T> {
  readonly object: T;
  readonly warnings: readonly string[];
}

/** A longer list of faults is of no use to anybody. */
const MAX_FAULTS = 50;

/** Times that people and machines write are far shorter. */
const MAX_TIME_LENGTH = 40;

type Fields = { [field: string]: unknown };

interface Context {
  /** Where the walk is; a text is made of it only when there is something to say. */
  readonly path: (string | number)[];
  readonly faults: string[];
  readonly warnings: string[];
  /** The name of the innermost struct, which Go's decoder mentions. */
  struct: string;
  /** `Deployment in version "v1" cannot be handled as a Deployment: ` */
  readonly prefix: string;
}

/** Decodes a whole object. `duplicates` are the paths that the JSON parser found twice. */
export function decode<T>(
  schema: Schema<T>,
  value: unknown,
  mode: FieldValidation,
  duplicates: readonly string[] = [],
): Decoded<T> {
  const context = contextOf(schema);
  if (!isJsonObject(value)) throw badRequest(`${context.prefix}the body is not an object`);
  const object = decodeValue(schema, value, context) as T;
  const faults = [
    ...context.faults.slice(0, MAX_FAULTS),
    ...duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`),
  ];
  if (mode === 'Strict' && faults.length > 0) {
    throw badRequest(`${context.prefix}strict decoding error: ${faults.join(', ')}`);
  }
  const warned = mode === 'Warn' ? faults : [];
  return { object, warnings: [...warned, ...context.warnings.slice(0, MAX_FAULTS)] };
}

function contextOf(schema: Schema): Context {
  const [kind = '', version = ''] = (schema.name ?? '').split('.').reverse();
  const prefix = `${kind} in version "${version}" cannot be handled as a ${kind}: `;
  return { path: [], faults: [], warnings: [], struct: kind, prefix };
}

function decodeValue(schema: Schema, value: unknown, context: Context): unknown {
  if (schema.unsupported !== undefined) {
    context.warnings.push(`${pathText(context.path)}: ${schema.unsupported}`);
  }
  switch (schema.type) {
    case 'string':
      return typeof value === 'string' ? value : refuse(value, schema, context);
    case 'integer':
      return Number.isSafeInteger(value) ? value : refuse(value, schema, context);
    case 'number':
      return typeof value === 'number' ? value : refuse(value, schema, context);
    case 'boolean':
      return typeof value === 'boolean' ? value : refuse(value, schema, context);
    case 'intOrString':
      return typeof value === 'string' || Number.isSafeInteger(value)
        ? value
        : refuse(value, schema, context);
    case 'quantity':
      return decodeQuantity(value, schema, context);
    case 'time':
      return decodeTime(value, schema, context);
    case 'bytes':
      return decodeBytes(value, schema, context);
    case 'object':
      return decodeStruct(schema, value, context);
    case 'map':
      return decodeMap(schema, value, context);
    case 'list':
      return decodeList(schema, value, context);
    case 'any':
      return withoutNulls(value);
  }
}

function decodeStruct(schema: Schema, value: unknown, context: Context): Fields {
  if (!isJsonObject(value)) return refuse(value, schema, context);
  const fields = schema.fields ?? {};
  const outer = context.struct;
  context.struct = typeName(schema);
  const out: Fields = {};
  for (const key of Object.keys(value)) {
    const given = value[key];
    context.path.push(key);
    if (!Object.hasOwn(fields, key)) {
      context.faults.push(`unknown field ${JSON.stringify(pathText(context.path))}`);
    } else if (!isAbsent(given, fields[key])) {
      out[key] = decodeValue(fields[key] as Schema, given, context);
    }
    context.path.pop();
  }
  context.struct = outer;
  return out;
}

/** Go can't tell an empty choice from none; it means none here as well. */
function isAbsent(value: unknown, schema: Schema | undefined): boolean {
  if (value === null || value === undefined) return true;
  if (value !== '' || schema?.type === 'intOrString') return false;
  if (schema?.type === 'time' || schema?.type === 'quantity') return true;
  return schema?.enum !== undefined && !schema.enum.includes('');
}

function decodeMap(schema: Schema, value: unknown, context: Context): Fields {
  if (!isJsonObject(value)) return refuse(value, schema, context);
  const items = schema.items as Schema;
  const out: Fields = {};
  for (const key of Object.keys(value)) {
    context.path.push(key);
    out[key] = decodeValue(items, value[key] ?? zeroOf(items), context);
    context.path.pop();
  }
  return out;
}

function decodeList(schema: Schema, value: unknown, context: Context): unknown[] {
  if (!Array.isArray(value)) return refuse(value, schema, context);
  const items = schema.items as Schema;
  const out: unknown[] = [];
  for (let i = 0; i < value.length; i++) {
    context.path.push(i);
    out.push(decodeValue(items, (value as unknown[])[i] ?? zeroOf(items), context));
    context.path.pop();
  }
  return out;
}

/** A `null` in a list or map is Go's zero value of its type. */
export function zeroOf(schema: Schema): unknown {
  switch (schema.type) {
    case 'object':
    case 'map':
    case 'any':
      return {};
    case 'list':
      return [];
    case 'integer':
    case 'number':
    case 'quantity':
    case 'intOrString':
      return 0;
    case 'boolean':
      return false;
    case 'string':
    case 'time':
    case 'bytes':
      return '';
  }
}

function decodeQuantity(value: unknown, schema: Schema, context: Context): string {
  if (typeof value !== 'string' && typeof value !== 'number') return refuse(value, schema, context);
  const text = String(value);
  if (isQuantity(text)) return canonicalQuantity(text);
  throw badRequest(
    `${context.prefix}quantities must match the regular expression ` +
      `'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$' (at ${pathText(context.path)})`,
  );
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[-+]\d\d:\d\d)$/;

function decodeTime(value: unknown, schema: Schema, context: Context): string {
  if (typeof value !== 'string') return refuse(value, schema, context);
  const ms = value.length <= MAX_TIME_LENGTH && RFC_3339.test(value) ? Date.parse(value) : NaN;
  if (!Number.isNaN(ms)) return rfc3339(ms);
  const text = JSON.stringify(value.slice(0, MAX_TIME_LENGTH));
  throw badRequest(
    `${context.prefix}parsing time ${text} as "2006-01-02T15:04:05Z07:00": ` +
      `cannot parse ${text} as "2006" (at ${pathText(context.path)})`,
  );
}

function decodeBytes(value: unknown, schema: Schema, context: Context): string {
  if (typeof value !== 'string') return refuse(value, schema, context);
  const bad = illegalBase64At(value);
  if (bad < 0) return value;
  const where = pathText(context.path);
  throw badRequest(`${context.prefix}illegal base64 data at input byte ${bad} (at ${where})`);
}

/** The position of the first character that padded base64 can't have there; -1 if there is none. */
export function illegalBase64At(text: string): number {
  let end = text.length;
  while (end > 0 && text.length - end < 2 && text[end - 1] === '=') end--;
  for (let i = 0; i < end; i++) if (!isBase64Code(text.charCodeAt(i))) return i;
  return text.length % 4 === 0 ? -1 : text.length;
}

function isBase64Code(code: number): boolean {
  const letter = code | 0x20;
  const alphanumeric = (letter >= 0x61 && letter <= 0x7a) || (code >= 0x30 && code <= 0x39);
  return alphanumeric || code === 0x2b || code === 0x2f;
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item) ?? {});
  if (!isJsonObject(value)) return value ?? undefined;
  const out: Fields = {};
  for (const key of Object.keys(value)) {
    if (value[key] !== null && value[key] !== undefined) out[key] = withoutNulls(value[key]);
  }
  return out;
}

/** In the words of Go's JSON decoder, which clients' users know. */
function refuse(value: unknown, schema: Schema, context: Context): never {
  const where = context.path.filter((part) => typeof part === 'string').join('.');
  const field = where ? `Go struct field ${context.struct}.${where}` : 'Go value';
  throw wrongType(context.prefix, value, field, goType(schema));
}

function wrongType(prefix: string, value: unknown, field: string, type: string): ApiError {
  return badRequest(
    `${prefix}json: cannot unmarshal ${jsonType(value)} into ${field} of type ${type}`,
  );
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number' && !Number.isInteger(value)) return `number ${value}`;
  return typeof value;
}

function goType(schema: Schema): string {
  switch (schema.type) {
    case 'integer':
      return 'int32';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
    case 'quantity':
      return 'resource.Quantity';
    case 'intOrString':
      return 'intstr.IntOrString';
    case 'time':
      return 'v1.Time';
    case 'bytes':
      return '[]uint8';
    case 'object':
      return `v1.${typeName(schema)}`;
    case 'map':
      return `map[string]${goType(schema.items as Schema)}`;
    case 'list':
      return `[]${goType(schema.items as Schema)}`;
    case 'string':
    case 'any':
      return 'string';
  }
}

function typeName(schema: Schema): string {
  const name = schema.name ?? '';
  return name.slice(name.lastIndexOf('.') + 1);
}
