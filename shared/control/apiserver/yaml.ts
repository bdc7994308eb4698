/**
 * YAML from outside, as Kubernetes reads it: YAML 1.1 scalars, string keys, no aliases. kubectl
 * sends JSON under the YAML media types, so that text which starts like an object is parsed as
 * JSON, exactly and fast.
 *
 * The parser recurses, and is a large attack surface: the text is bounded in size and depth before
 * it runs, and what comes out holds to J1 to J3 of api/json.ts.
 */
import {
  Composer,
  type Document,
  type DocumentOptions,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type ParseOptions,
  Parser,
  type SchemaOptions,
} from 'yaml';
import { badRequest, tooLarge } from '../../api/errors.ts';
import {
  JSON_LIMITS,
  type JsonLimits,
  type ParsedJson,
  parseJson,
  pathText,
  refuseKey,
} from '../../api/json.ts';

/** The parser builds objects for every token: the worst text of this size takes about a second. */
const MAX_YAML_CHARS = 128 * 1024;

/**
 * Block nesting deeper than `maxDepth` needs at least so many columns with the usual indentation.
 */
const MAX_INDENT_COLUMNS = 256;

/** Kinds of YAML 1.1 that Go's parser leaves as text: times, base-60 numbers, sets, binary. */
const NOT_READ = /:(binary|omap|pairs|set|timestamp|merge)$/;

/** Parses a YAML (or JSON) body of one document. Throws BadRequest, or RequestEntityTooLarge. */
export function parseYaml(text: string, limits: JsonLimits = JSON_LIMITS): ParsedJson {
  if (text.length > limits.maxChars) throw tooLarge(limits.maxChars);
  if (text.trimStart().startsWith('{')) {
    const parsed = jsonOrNothing(text, limits);
    if (parsed) return parsed;
  }
  if (text.length > MAX_YAML_CHARS) throw tooLarge(MAX_YAML_CHARS);
  checkDepth(text, limits.maxDepth);
  const [document, second] = composed(text);
  if (!document) throw badRequest('error parsing YAML: the body is empty');
  if (second) throw badRequest('error parsing YAML: the body holds more than one document');
  return fromDocument(document, limits.maxDepth);
}

const OPTIONS: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  schema: 'yaml-1.1',
  merge: false,
  // The library compares every key with every other one: the walk below finds duplicates in linear
  // time.
  uniqueKeys: false,
  customTags: (tags) =>
    tags.filter(
      (tag) => typeof tag === 'string' || !(NOT_READ.test(tag.tag) || tag.format === 'TIME'),
    ),
};

/** At most two documents: a second one is a fault, and the first fault ends the work. */
function composed(text: string): Document[] {
  const composer = new Composer(OPTIONS);
  const documents: Document[] = [];
  const take = (document: Document) => {
    const [error] = document.errors;
    if (error) throw badRequest(`error parsing YAML: ${error.message}`);
    documents.push(document);
  };
  for (const token of new Parser().parse(text)) {
    if (token.type === 'error') throw badRequest(`error parsing YAML: ${token.message}`);
    for (const document of composer.next(token)) take(document);
    if (documents.length > 1) return documents;
  }
  for (const document of composer.end()) take(document);
  return documents;
}

/** A flow mapping may be YAML only: unquoted keys. */
function jsonOrNothing(text: string, limits: JsonLimits): ParsedJson | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  return parseJson(text, limits);
}

/**
 * An upper bound of the nesting that the parser will see; too coarse for a limit, enough to protect
 * it.
 */
function checkDepth(text: string, maxDepth: number): void {
  let flow = 0;
  let columns = 0;
  let atStart = true;
  for (const char of text) {
    if (char === '\n') {
      atStart = true;
      columns = 0;
    } else if (char === '[' || char === '{') flow++;
    else if (char === ']' || char === '}') flow = Math.max(0, flow - 1);
    if (atStart && char !== '\n') {
      if (INDENT.has(char)) columns++;
      else atStart = false;
    }
    if (flow > maxDepth || columns > MAX_INDENT_COLUMNS) {
      throw badRequest(`error parsing YAML: nested deeper than ${maxDepth} levels`);
    }
  }
}

const INDENT = new Set([' ', '\t', '-', '?', ':']);

interface Walk {
  readonly path: (string | number)[];
  readonly duplicates: string[];
  readonly maxDepth: number;
}

function fromDocument(document: Document, maxDepth: number): ParsedJson {
  const walk: Walk = { path: [], duplicates: [], maxDepth };
  return { value: valueOf(document.contents, walk), duplicates: walk.duplicates };
}

function valueOf(node: unknown, walk: Walk): unknown {
  if (walk.path.length > walk.maxDepth) {
    throw badRequest(`nested deeper than ${walk.maxDepth} levels`);
  }
  if (node === null || node === undefined) return null;
  if (isAlias(node)) throw badRequest('error parsing YAML: aliases are not supported');
  if (isScalar(node)) return scalarOf(node.value);
  if (isSeq(node)) {
    return node.items.map((item, index) => {
      walk.path.push(index);
      const value = valueOf(item, walk);
      walk.path.pop();
      return value;
    });
  }
  if (!isMap(node)) throw badRequest('error parsing YAML: unknown node');
  const out: { [key: string]: unknown } = {};
  for (const pair of node.items) {
    const key = keyOf(pair.key);
    refuseKey(key);
    walk.path.push(key);
    if (Object.hasOwn(out, key)) walk.duplicates.push(pathText(walk.path));
    out[key] = valueOf(pair.value, walk);
    walk.path.pop();
  }
  return out;
}

function keyOf(key: unknown): string {
  const value = isScalar(key) ? key.value : key;
  if (value === null) return 'null';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw badRequest('error parsing YAML: a key is not a scalar');
}

function scalarOf(value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value !== 'number') throw badRequest('error parsing YAML: unknown scalar');
  const exact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (!exact) throw badRequest(`the number ${value} is out of range`);
  return value;
}
