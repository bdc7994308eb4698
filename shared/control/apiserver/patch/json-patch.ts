/**
 * JSON patch (RFC 6902). Documents are never changed in place, so that `copy` costs nothing; but
 * what it makes has to be written out some day, and is counted.
 *
 * P1. Work and result are bounded: operations, copied characters and depth each have a limit.
 * P2. No path leads to a prototype: only own fields exist, and `__proto__` is refused.
 */
import { ApiError, badRequest, invalidRequest } from '../../../api/errors.ts';
import { sameJson } from '../../../api/hash.ts';
import { JSON_LIMITS, refuseKey } from '../../../api/json.ts';
import { isJsonObject } from '../../../api/json.ts';

/** Kubernetes allows 10,000; no client that is known sends more than a few dozen. */
export const MAX_PATCH_OPERATIONS = 1000;

/** Twenty copies of a document into itself would make a million of it. */
export const MAX_COPIED_CHARS = 1024 * 1024;

const MAX_DEPTH = JSON_LIMITS.maxDepth;

type Pointer = readonly string[];

interface Operation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: Pointer;
  readonly from: Pointer;
  readonly value: unknown;
}

/**
 * The document with all operations applied. Throws Invalid for one that does not apply or a test
 * that fails, BadRequest for what is no JSON patch.
 */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  const operations = parse(patch);
  let current = document;
  let copied = 0;
  for (const operation of operations) {
    if (operation.op === 'copy') {
      copied += JSON.stringify(valueAt(current, operation.from)).length;
      if (copied > MAX_COPIED_CHARS) throw refused('the copy operations copy too much');
    }
    current = perform(current, operation);
  }
  return current;
}

const OPERATIONS = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

function parse(patch: unknown): Operation[] {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch is a list of operations');
  if (patch.length > MAX_PATCH_OPERATIONS) {
    const message =
      `The allowed maximum operations in a JSON patch is ${MAX_PATCH_OPERATIONS}, ` +
      `got ${patch.length}`;
    throw new ApiError(413, 'RequestEntityTooLarge', message);
  }
  return patch.map(parseOperation);
}

function parseOperation(given: unknown): Operation {
  if (!isJsonObject(given) || typeof given['op'] !== 'string' || !OPERATIONS.has(given['op'])) {
    throw badRequest('unexpected kind of JSON patch operation');
  }
  const op = given['op'] as Operation['op'];
  const needsFrom = op === 'move' || op === 'copy';
  const needsValue = op === 'add' || op === 'replace' || op === 'test';
  if (needsValue && given['value'] === undefined) {
    throw badRequest(`a JSON patch operation ${JSON.stringify(op)} needs a value`);
  }
  const path = parsePointer(given['path']);
  return { op, path, from: needsFrom ? parsePointer(given['from']) : [], value: given['value'] };
}

function parsePointer(text: unknown): Pointer {
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/'))) {
    throw badRequest('the path of a JSON patch operation is not a JSON pointer');
  }
  const pointer = text
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (pointer.length > MAX_DEPTH) throw badRequest(`a path is deeper than ${MAX_DEPTH} levels`);
  pointer.forEach(refuseKey);
  return pointer;
}

function perform(document: unknown, { op, path, from, value }: Operation): unknown {
  switch (op) {
    case 'add':
      return add(document, path, value);
    case 'remove':
      return edit(document, path, remove);
    case 'replace':
      valueAt(document, path);
      return edit(document, path, replaceWith(within(path, value)));
    case 'copy':
      return add(document, path, valueAt(document, from));
    case 'move':
      return move(document, path, from);
    case 'test':
      return test(document, path, value);
  }
}

function add(document: unknown, path: Pointer, value: unknown): unknown {
  return edit(document, path, insert(within(path, value)));
}

function move(document: unknown, path: Pointer, from: Pointer): unknown {
  const inside = from.length < path.length && from.every((part, at) => part === path[at]);
  if (inside) throw refused(`${pathText(from)} can't be moved into itself`);
  const value = valueAt(document, from);
  return add(edit(document, from, remove), path, value);
}

function test(document: unknown, path: Pointer, value: unknown): unknown {
  if (sameJson(find(document, path) ?? null, value)) return document;
  throw refused(`testing value ${pathText(path)} failed`);
}

function within(path: Pointer, value: unknown): unknown {
  if (isDeeper(value, MAX_DEPTH - path.length)) {
    throw refused(`the document would be deeper than ${MAX_DEPTH} levels`);
  }
  return value;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels <= 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

/** The value there, or undefined. */
function find(document: unknown, path: Pointer): unknown {
  let current = document;
  for (const part of path) {
    if (Array.isArray(current)) current = (current as unknown[])[indexOf(part, current.length)];
    else if (isJsonObject(current) && Object.hasOwn(current, part)) current = current[part];
    else return undefined;
  }
  return current;
}

function valueAt(document: unknown, path: Pointer): unknown {
  const value = find(document, path);
  if (value === undefined) throw missing(path);
  return value;
}

/** What is done to the container at the end of a path. */
interface Edit {
  readonly root: () => unknown;
  readonly list: (list: unknown[], part: string) => void;
  readonly record: (record: { [field: string]: unknown }, part: string) => void;
}

/** A copy of the document, as far as the path goes, with the edit done. */
function edit(document: unknown, path: Pointer, how: Edit, at = 0): unknown {
  const part = path[at];
  if (part === undefined) return how.root();
  const last = at === path.length - 1;
  if (Array.isArray(document)) {
    const list = [...(document as unknown[])];
    if (last) how.list(list, part);
    else {
      const index = indexOf(part, list.length);
      if (index < 0) throw missing(path);
      list[index] = edit(list[index], path, how, at + 1);
    }
    return list;
  }
  if (!isJsonObject(document)) throw missing(path);
  const record = { ...document };
  if (last) how.record(record, part);
  else {
    if (!Object.hasOwn(record, part)) throw missing(path);
    record[part] = edit(record[part], path, how, at + 1);
  }
  return record;
}

const remove: Edit = {
  root: () => {
    throw refused("the document itself can't be removed");
  },
  list: (list, part) => {
    const index = indexOf(part, list.length);
    if (index < 0) throw missing([part]);
    list.splice(index, 1);
  },
  record: (record, part) => {
    if (!Object.hasOwn(record, part)) throw missing([part]);
    delete record[part];
  },
};

function insert(value: unknown): Edit {
  return {
    root: () => value,
    list: (list, part) => {
      const index = part === '-' ? list.length : indexOf(part, list.length + 1);
      if (index < 0) throw missing([part]);
      list.splice(index, 0, value);
    },
    record: (record, part) => {
      record[part] = value;
    },
  };
}

function replaceWith(value: unknown): Edit {
  return {
    ...insert(value),
    list: (list, part) => {
      list[indexOf(part, list.length)] = value;
    },
  };
}

/** -1 for what is no index of a list of that length. */
function indexOf(part: string, length: number): number {
  if (part.length > 9 || !/^(0|[1-9][0-9]*)$/.test(part)) return -1;
  const index = Number(part);
  return index < length ? index : -1;
}

function pathText(path: Pointer): string {
  return path
    .map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')
    .slice(0, 200);
}

function missing(path: Pointer): ApiError {
  return refused(`the document is missing path: ${JSON.stringify(pathText(path))}`);
}

function refused(message: string): ApiError {
  const title = 'the server rejected our request due to an error in our request';
  return invalidRequest(title, [{ reason: 'UnexpectedServerResponse', message, field: 'patch' }]);
}
