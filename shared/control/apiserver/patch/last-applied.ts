/**
 * The way from client-side to server-side apply. `kubectl apply` keeps what it last applied in an
 * annotation, and owns those fields as an update; `kubectl apply --server-side` is the same user
 * with the same file, and must not be refused for what that user owns.
 */
import { decode } from '../../../api/decode.ts';
import type { StatusCause } from '../../../api/errors.ts';
import { parseJson } from '../../../api/json.ts';
import type { AnyObject } from '../../../api/meta.ts';
import type { Schema } from '../../../api/schema.ts';
import { commonPaths, differenceBelow, EMPTY, type FieldSet } from './field-set.ts';
import { changesBetween, fieldsOf } from './typed.ts';
import { mergeTyped } from './typed-merge.ts';

const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/** The only manager for whom this holds: whoever takes another name has opted out. */
const KUBECTL = 'kubectl';

/**
 * The conflicts that remain when fields which kubectl itself applied, and nobody changed since, are
 * kubectl's.
 */
export function conflictsOfOthers(
  conflicts: readonly StatusCause[],
  schema: Schema,
  manager: string,
  live: AnyObject | undefined,
  defaulted: (object: AnyObject) => AnyObject,
): readonly StatusCause[] {
  const text = live?.metadata.annotations?.[ANNOTATION];
  if (manager !== KUBECTL || !live || text === undefined) return conflicts;
  const mine = appliedFields(schema, live, text, defaulted);
  const paths = new Set(commonPaths(mine, mine));
  return conflicts.filter(({ field = '' }) => !paths.has(field));
}

/** The fields of the annotation that still have the values it gives them. */
function appliedFields(
  schema: Schema,
  live: AnyObject,
  text: string,
  defaulted: (object: AnyObject) => AnyObject,
): FieldSet {
  const applied = readAnnotation(schema, text);
  if (!applied) return EMPTY;
  const again = defaulted(mergeTyped(schema, live, applied) as AnyObject);
  const { changed } = changesBetween(schema, live, again);
  return differenceBelow(fieldsOf(schema, applied, 'apply'), changed);
}

/** The annotation is a client's: it may hold anything. */
function readAnnotation(schema: Schema, text: string): unknown {
  try {
    return decode(schema, parseJson(text).value, 'Ignore').object;
  } catch {
    return undefined;
  }
}

/**
 * The object with the annotation brought up to date, so that client-side apply can still be gone
 * back to.
 */
export function withLastApplied(object: AnyObject, config: AnyObject, manager: string): AnyObject {
  const annotations = object.metadata.annotations;
  if (manager !== KUBECTL || annotations?.[ANNOTATION] === undefined) return object;
  const { [ANNOTATION]: _, ...own } = config.metadata.annotations ?? {};
  const applied = { ...config, metadata: { ...config.metadata, annotations: own } };
  const text = `${JSON.stringify(applied)}\n`;
  const metadata = { ...object.metadata, annotations: { ...annotations, [ANNOTATION]: text } };
  return { ...object, metadata };
}
