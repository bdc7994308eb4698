/**
 * Server-side apply: a manager states the fields that it cares for, and owns them from then on.
 *
 * A1. Applying the same configuration again changes nothing.
 * A2. A field that its manager no longer states goes, unless another manager owns it too.
 * A3. Nobody's field is changed under them: that is a conflict, unless the client forces it.
 */
import { badRequest, type StatusCause } from '../../../api/errors.ts';
import { sameJson } from '../../../api/hash.ts';
import type { AnyObject } from '../../../api/meta.ts';
import type { Schema } from '../../../api/schema.ts';
import { rfc3339 } from '../../../api/time.ts';
import { commonPaths, difference, EMPTY, type FieldSet, union } from './field-set.ts';
import { conflictsOfOthers, withLastApplied } from './last-applied.ts';
import {
  entriesOf,
  type Entry,
  isSame,
  type Manager,
  owned,
  withEntries,
} from './managed-fields.ts';
import { changesBetween, fieldsOf, itemElement, partsOf } from './typed.ts';
import { mergeTyped, pruneTyped } from './typed-merge.ts';

export interface ApplyOptions {
  readonly schema: Schema;
  /** The stored object; undefined when this creates it. */
  readonly live: AnyObject | undefined;
  /**
   * Fills in defaults. What was stored has them and what is sent has not: without this, a value
   * that is replaced as a whole would differ from the very same value.
   */
  readonly defaulted?: (object: AnyObject) => AnyObject;
  /** What the client sent, decoded and without defaults: it owns exactly what it states. */
  readonly config: AnyObject;
  readonly manager: string;
  readonly force: boolean;
  readonly apiVersion: string;
  readonly subresource?: string | undefined;
  readonly nowMs: number;
}

export type Applied =
  | { readonly object: AnyObject; readonly conflicts?: undefined }
  /** Causes of reason FieldManagerConflict, for `applyConflict` of api/errors.ts. */
  | { readonly conflicts: readonly StatusCause[]; readonly object?: undefined };

/** The object as it is to be, before defaults and validation; or who stands in the way. */
export function serverSideApply(options: ApplyOptions): Applied {
  const { schema, live, config, subresource = '', defaulted = asItIs } = options;
  if (config.metadata.managedFields) throw badRequest('metadata.managedFields must be nil');
  checkItems(schema, config);
  const { manager, apiVersion } = options;
  const self: Manager = { manager, operation: 'Apply', apiVersion, subresource };
  const fields = owned(fieldsOf(schema, config, 'apply'), subresource);
  const merged = mergeTyped(schema, live ?? {}, config) as AnyObject;
  const entries = entriesOf(live?.metadata.managedFields);
  const changed = owned(changesBetween(schema, live ?? {}, defaulted(merged)).changed, subresource);
  const others = entries.filter((entry) => !isApplier(entry, self));
  const owners = others.flatMap((entry) => conflictsWith(entry, changed));
  const conflicts = conflictsOfOthers(owners, schema, manager, live, defaulted);
  if (conflicts.length > 0 && !options.force) return { conflicts };
  const kept = others.map((entry) => ({ ...entry, fields: difference(entry.fields, changed) }));
  const last = entries.find((entry) => isApplier(entry, self));
  const all = kept.reduce((sum, entry) => union(sum, entry.fields), union(fields, IDENTITY));
  const pruned = pruneTyped(schema, merged, last?.fields ?? EMPTY, all) as AnyObject;
  const time = last && sameJson(last.fields, fields) ? last.time : rfc3339(options.nowMs);
  const object = withEntries(pruned, [...kept, { ...self, time, fields }]);
  return { object: withLastApplied(object, config, manager) };
}

const asItIs = (object: AnyObject): AnyObject => object;

/** Nobody owns the identity, and no configuration takes it away. */
const IDENTITY: FieldSet = { 'f:metadata': { 'f:name': {} } };

/** A manager that applies under a new version of the API is still the same one. */
function isApplier(entry: Entry, self: Manager): boolean {
  return isSame({ ...entry, apiVersion: self.apiVersion }, self);
}

function conflictsWith(entry: Entry, changed: FieldSet): StatusCause[] {
  const message = `conflict with ${managerText(entry)}`;
  return commonPaths(changed, entry.fields).map((field) => ({
    reason: 'FieldManagerConflict',
    message,
    field,
  }));
}

function managerText(entry: Entry): string {
  const name = JSON.stringify(entry.manager);
  const through = entry.subresource ? ` with subresource ${JSON.stringify(entry.subresource)}` : '';
  return name + through + (entry.operation === 'Update' ? ` using ${entry.apiVersion}` : '');
}

/** What is merged item by item has to say which item is which. */
function checkItems(schema: Schema, value: unknown, path = ''): void {
  const parts = partsOf(schema, value);
  if (parts) {
    for (const { at, schema: inner, value: part } of parts.values()) {
      checkItems(inner, part, typeof at === 'number' ? `${path}[${at}]` : `${path}.${at}`);
    }
  } else if (Array.isArray(value) && schema.listKind !== 'atomic' && schema.type === 'list') {
    const keyless = value.findIndex((item) => itemElement(schema, item) === undefined);
    const what =
      keyless < 0
        ? 'duplicate entries for the keys'
        : `element ${keyless}: associative list with keys has an element that omits one of`;
    const keys = schema.listKind === 'set' ? 'value' : (schema.mapKeys ?? []).join(', ');
    throw badRequest(`failed to create typed patch object: ${path}: ${what}: ${keys}`);
  }
}
