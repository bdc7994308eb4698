/**
 * Objects in Kubernetes' protobuf to the values that JSON would have been parsed to, so that
 * everything after the parser is the same for both: strict decoding, defaults, validation. Owns the
 * envelope and the conversions; fields.ts has the messages, wire.ts the bytes.
 *
 * W1. What comes out holds to J1 to J3 of json.ts.
 * W2. A field that JSON would have left out is left out: Go writes zeros into protobuf for whatever
 * is not a pointer, and drops them from JSON.
 * W3. P1 and P2 of wire.ts hold here as well.
 */
import { base64OfBytes } from '../base64.ts';
import { ApiError, tooLarge } from '../errors.ts';
import { JSON_LIMITS, parseJson, type ParsedJson, pathText, refuseKey } from '../json.ts';
import { rfc3339 } from '../time.ts';
import { isReadKind, type WireField, type WireMessage, wireMessage } from './fields.ts';
import { malformed, MAX_FIELDS, type WireBudget, WireReader } from './wire.ts';

export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

export interface ParsedProtobuf extends ParsedJson {
  /** What of the body was not understood and left out, as warnings. */
  readonly unread: readonly string[];
}

/** `k8s` and a zero byte, before everything that is stored or sent. */
const MAGIC = [0x6b, 0x38, 0x73, 0x00];

/** A longer list of what was left out is of no use to anybody. */
const MAX_UNREAD = 20;

type Fields = { [field: string]: unknown };

interface Walk {
  readonly budget: WireBudget;
  /** Where the walk is, in terms of JSON: as deep as what comes out. */
  readonly path: (string | number)[];
  readonly unread: string[];
}

/**
 * Parses a request's body. Throws BadRequest, RequestEntityTooLarge, or UnsupportedMediaType for a
 * kind that is not in the table.
 */
export function parseProtobuf(body: Uint8Array): ParsedProtobuf {
  if (body.length > JSON_LIMITS.maxChars) throw tooLarge(JSON_LIMITS.maxChars);
  const walk: Walk = { budget: { fields: MAX_FIELDS }, path: [], unread: [] };
  const { apiVersion, kind, raw } = openEnvelope(body, walk);
  if (kind === '') throw malformed('it does not say of which kind the object is');
  if (!isReadKind(apiVersion, kind)) throw unknownKind(apiVersion, kind);
  const value = readMessage(messageOfType(kind), raw, { apiVersion, kind }, walk);
  return { value, duplicates: [], unread: walk.unread };
}

/** Says what to do: kubectl prints it as it is, and has no fallback of its own. */
function unknownKind(apiVersion: string, kind: string): ApiError {
  return new ApiError(
    415,
    'UnsupportedMediaType',
    `the body is ${PROTOBUF_TYPE}, in which this server does not read ` +
      `${JSON.stringify(`${apiVersion} ${kind}`)} - accepted media types include: ` +
      'application/json, application/yaml. kubectl 1.32 and later send it for imperative ' +
      'commands: add --dry-run=client -o yaml and pipe the result to kubectl apply -f -',
  );
}

function openEnvelope(body: Uint8Array, walk: Walk): Envelope {
  if (MAGIC.some((byte, at) => body[at] !== byte)) throw malformed('it does not begin with "k8s"');
  const bytes = body.subarray(MAGIC.length);
  const fields = readMessage(messageOfType('Unknown'), bytes, {}, walk) as Partial<Unknown>;
  const { typeMeta = {}, raw = NOTHING, contentEncoding = '', contentType = '' } = fields;
  if (contentEncoding !== '' || (contentType !== '' && contentType !== PROTOBUF_TYPE)) {
    const text = JSON.stringify(`${contentEncoding} ${contentType}`.trim());
    throw malformed(`the content of the envelope is ${text}`);
  }
  return { apiVersion: typeMeta.apiVersion ?? '', kind: typeMeta.kind ?? '', raw };
}

const NOTHING = new Uint8Array();

interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Uint8Array;
}

/** The envelope's message, as the table has it. */
interface Unknown {
  readonly typeMeta: { readonly apiVersion?: string; readonly kind?: string };
  readonly raw: Uint8Array;
  readonly contentEncoding: string;
  readonly contentType: string;
}

/** Reads the fields of a message into `out`. */
function readMessage(message: WireMessage, bytes: Uint8Array, out: Fields, walk: Walk): Fields {
  if (walk.path.length > JSON_LIMITS.maxDepth) throw malformed('it is nested too deeply');
  const reader = new WireReader(bytes, walk.budget);
  for (let number = reader.next(); number !== 0; number = reader.next()) {
    const field = message.get(number);
    if (field) readField(field, reader, out, walk);
    else if (reader.skip()) noteUnread(number, walk);
  }
  return out;
}

function noteUnread(number: number, { path, unread }: Walk): void {
  const where = path.length > 0 ? `"${pathText(path)}"` : 'the object';
  if (unread.length < MAX_UNREAD) unread.push(`unknown field number ${number} in ${where}`);
}

function readField(field: WireField, reader: WireReader, out: Fields, walk: Walk): void {
  const { name, type, shape } = field;
  if (name === '...') {
    readMessage(messageOfType(type), reader.bytes(), out, walk);
    return;
  }
  walk.path.push(name);
  if (shape === 'list') readItem(type, reader, listIn(out, name), walk);
  else if (shape === 'map') readEntry(type, reader, mapIn(out, name), walk);
  else readOne(field, reader, out, walk);
  walk.path.pop();
}

function readOne(
  { name, type, keepsZero }: WireField,
  reader: WireReader,
  out: Fields,
  walk: Walk,
) {
  const value = readValue(type, reader, walk);
  const isZero = value === '' || value === 0 || value === false;
  if (value === undefined || (isZero && !keepsZero)) return;
  // Encoders of Kubernetes never do; to merge what stands twice would be guesswork.
  if (Object.hasOwn(out, name)) throw malformed(`${pathText(walk.path)} stands there twice`);
  out[name] = value;
}

function readItem(type: string, reader: WireReader, list: unknown[], walk: Walk): void {
  walk.path.push(list.length);
  list.push(readValue(type, reader, walk));
  walk.path.pop();
}

/** An entry of a map is a message: the key is its field 1, the value its field 2. */
function readEntry(type: string, reader: WireReader, map: Fields, walk: Walk): void {
  const entry = new WireReader(reader.bytes(), walk.budget);
  let key = '';
  let value: unknown = type === 'Quantity' ? '0' : '';
  for (let number = entry.next(); number !== 0; number = entry.next()) {
    if (number === 1) key = textOf(entry.bytes());
    else if (number === 2) value = readValue(type, entry, walk);
    else entry.skip();
  }
  refuseKey(key);
  if (Object.hasOwn(map, key)) {
    throw malformed(`${pathText(walk.path)} has the key ${JSON.stringify(key)} twice`);
  }
  map[key] = value;
}

function listIn(out: Fields, name: string): unknown[] {
  return (out[name] ??= []) as unknown[];
}

function mapIn(out: Fields, name: string): Fields {
  return (out[name] ??= {}) as Fields;
}

/** The value in JSON; undefined for what is `null` there. */
function readValue(type: string, reader: WireReader, walk: Walk): unknown {
  switch (type) {
    case 'string':
      return textOf(reader.bytes());
    case 'bytes':
      return base64OfBytes(reader.bytes());
    case 'raw':
      return reader.bytes();
    case 'bool':
      return reader.bool();
    case 'int32':
      return reader.int32();
    case 'int64':
      return reader.int64();
    default: {
      const fields = readMessage(messageOfType(type), reader.bytes(), {}, walk);
      const convert = CONVERSIONS.get(type);
      return convert ? convert(fields, walk.path) : fields;
    }
  }
}

/** Every type that a field names is in the table: a test looks at each. */
function messageOfType(type: string): WireMessage {
  const message = wireMessage(type);
  if (!message) throw new RangeError(`no such message: ${type}`);
  return message;
}

// Without `ignoreBOM`, a value that begins with a byte order mark would lose it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw malformed('a text is not valid UTF-8');
  }
}

type Path = Walk['path'];

/** Messages that are no objects in JSON. */
const CONVERSIONS: ReadonlyMap<string, (fields: Fields, path: Path) => unknown> = new Map([
  ['Quantity', ({ string = '0' }: Fields) => string],
  ['IntOrString', intOrStringOf],
  ['Time', timeOf],
  ['MicroTime', microTimeOf],
  ['FieldsV1', fieldsOf],
]);

function intOrStringOf({ type = 0, intVal = 0, strVal = '' }: Fields, path: Path): unknown {
  if (type === 0) return intVal;
  if (type === 1) return strVal;
  throw malformed(`${pathText(path)} is neither a number nor a text`);
}

/** The years 1 to 9999, which are what RFC 3339 can say. */
const MIN_SECONDS = -62_135_596_800;
const MAX_SECONDS = 253_402_300_799;
const NANOS_PER_SECOND = 1_000_000_000;

/** Whole seconds, as in JSON: what is smaller would be gone after the first change by kubectl. */
function timeOf(fields: Fields, path: Path): string | undefined {
  const { seconds = 0, nanos = 0 } = fields as { seconds?: number; nanos?: number };
  if (Object.keys(fields).length === 0) return undefined;
  const isTime = seconds >= MIN_SECONDS && seconds <= MAX_SECONDS;
  if (isTime && nanos >= 0 && nanos < NANOS_PER_SECOND) return rfc3339(seconds * 1000);
  throw malformed(`${pathText(path)} is not a time`);
}

function microTimeOf(fields: Fields, path: Path): string | undefined {
  const { nanos = 0 } = fields as { nanos?: number };
  const micros = String(Math.floor(nanos / 1000)).padStart(6, '0');
  return timeOf(fields, path)?.replace('Z', `.${micros}Z`);
}

/** JSON inside of protobuf, held to the same bounds together with what is around it. */
function fieldsOf({ Raw = '' }: Fields, path: Path): unknown {
  if (Raw === '') return undefined;
  const maxDepth = Math.max(0, JSON_LIMITS.maxDepth - path.length);
  return parseJson(Raw as string, { ...JSON_LIMITS, maxDepth }).value ?? undefined;
}
