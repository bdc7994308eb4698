/**
 * `metadata.managedFields`: which manager owns which fields, kept up on every write through the
 * API.
 *
 * M1. An update owns what it changed; nobody else does after it, and nobody owns what is gone.
 * M2. A write that changes nothing leaves the entries, and their times, as they are.
 * M3. Fields that belong to the server (identity, versions) and to another subresource are owned by
 * nobody.
 */
import { sameJson } from '../../../api/hash.ts';
import type { AnyObject, ManagedFieldsEntry } from '../../../api/meta.ts';
import type { Schema } from '../../../api/schema.ts';
import { rfc3339 } from '../../../api/time.ts';
import {
  difference,
  differenceBelow,
  EMPTY,
  type FieldSet,
  isEmpty,
  isFieldSet,
  union,
} from './field-set.ts';
import { changesBetween } from './typed.ts';

/**
 * Objects that every client updates would grow without end: the oldest entries are joined above
 * this.
 */
const MAX_UPDATE_ENTRIES = 10;

/** The name under which joined entries go; Kubernetes' own. */
const JOINED_MANAGER = 'ancient-changes';

export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** '' for the object itself. */
  readonly subresource: string;
}

export interface Entry extends Manager {
  readonly time: string;
  readonly fields: FieldSet;
}

export interface UpdateOptions {
  readonly schema: Schema;
  /** The stored object; undefined when this write creates it. */
  readonly before: AnyObject | undefined;
  readonly after: AnyObject;
  readonly manager: string;
  readonly operation?: 'Update';
  readonly apiVersion: string;
  readonly subresource?: string | undefined;
  readonly nowMs: number;
}

/** `after` with the managed fields that are true once it is written. */
export function updateManagedFields(options: UpdateOptions): AnyObject {
  const { schema, before, after, nowMs, subresource = '' } = options;
  if (isReset(after)) return withEntries(after, []);
  const entries = currentEntries(before, after);
  const changes = changesBetween(schema, before ?? {}, after);
  const changed = owned(changes.changed, subresource);
  const touched = union(changed, owned(changes.removed, subresource));
  if (isEmpty(touched)) return withEntries(after, entries);
  const { manager, apiVersion } = options;
  const self: Manager = { manager, operation: 'Update', apiVersion, subresource };
  const others = entries.filter((entry) => !isSame(entry, self));
  const own = entries.find((entry) => isSame(entry, self));
  const fields = union(differenceBelow(own?.fields ?? EMPTY, changes.removed), changed);
  const time = own && sameJson(own.fields, fields) ? own.time : rfc3339(nowMs);
  return withEntries(after, [
    ...others.map((entry) => ({
      ...entry,
      fields: lessened(entry.fields, changed, changes.removed),
    })),
    { ...self, time, fields },
  ]);
}

function lessened(fields: FieldSet, changed: FieldSet, removed: FieldSet): FieldSet {
  return differenceBelow(difference(fields, changed), removed);
}

/** The server's own fields. `creationTimestamp` and the like are nobody's, whoever sends them. */
const SERVER_FIELDS: FieldSet = {
  'f:apiVersion': {},
  'f:kind': {},
  'f:metadata': Object.fromEntries(
    [
      '.',
      'f:name',
      'f:namespace',
      'f:uid',
      'f:resourceVersion',
      'f:generation',
      'f:creationTimestamp',
      'f:deletionTimestamp',
      'f:deletionGracePeriodSeconds',
      'f:selfLink',
      'f:managedFields',
    ].map((element) => [element, EMPTY]),
  ),
};

/**
 * The part of a set that can be owned through a subresource: of status only status, else all but
 * status.
 */
export function owned(set: FieldSet, subresource: string): FieldSet {
  const { 'f:status': status, ...rest } = set;
  if (subresource === 'status') return status ? { 'f:status': status } : EMPTY;
  return difference(rest, SERVER_FIELDS);
}

/** A list of one empty entry asks to forget all managers; an empty list asks for nothing. */
function isReset(object: AnyObject): boolean {
  const given = object.metadata.managedFields;
  return given?.length === 1 && isEmpty((given[0] ?? {}) as FieldSet);
}

/**
 * What the client sent, if it makes sense: that is how managers are renamed or joined. Else what is
 * stored.
 */
function currentEntries(before: AnyObject | undefined, after: AnyObject): readonly Entry[] {
  const given = after.metadata.managedFields;
  const stored = before?.metadata.managedFields;
  if (given === stored || !given || given.length === 0) return entriesOf(stored);
  return given.every(isSound) ? entriesOf(given) : entriesOf(stored);
}

function isSound(entry: ManagedFieldsEntry): boolean {
  return entry.operation !== undefined && isFieldSet(entry.fieldsV1 ?? {});
}

export function entriesOf(stored: readonly ManagedFieldsEntry[] | undefined): readonly Entry[] {
  return (stored ?? []).map((entry) => ({
    manager: entry.manager ?? '',
    operation: entry.operation ?? 'Update',
    apiVersion: entry.apiVersion ?? '',
    subresource: entry.subresource ?? '',
    time: entry.time ?? '',
    fields: (entry.fieldsV1 ?? EMPTY) as FieldSet,
  }));
}

export function isSame(a: Manager, b: Manager): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.subresource === b.subresource &&
    a.apiVersion === b.apiVersion
  );
}

/** The object with these entries, or as it is when they are what it has. */
export function withEntries(object: AnyObject, entries: readonly Entry[]): AnyObject {
  const managedFields = joinOldest(entries)
    .filter((entry) => !isEmpty(entry.fields))
    .sort(byOperationAndTime)
    .map(storedEntry);
  const { managedFields: old, ...metadata } = object.metadata;
  if (sameJson(old ?? [], managedFields))
    return old?.length === 0 ? { ...object, metadata } : object;
  if (managedFields.length === 0) return { ...object, metadata };
  return { ...object, metadata: { ...metadata, managedFields } };
}

function storedEntry(entry: Entry): ManagedFieldsEntry {
  const { manager, operation, apiVersion, subresource, time, fields } = entry;
  return {
    manager,
    operation,
    apiVersion,
    ...(time && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
    ...(subresource && { subresource }),
  };
}

function byOperationAndTime(a: Entry, b: Entry): number {
  if (a.operation !== b.operation) return a.operation < b.operation ? -1 : 1;
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  return a.manager < b.manager ? -1 : a.manager > b.manager ? 1 : 0;
}

function joinOldest(entries: readonly Entry[]): readonly Entry[] {
  const updates = entries.filter((entry) => entry.operation === 'Update');
  const excess = updates.length - MAX_UPDATE_ENTRIES;
  if (excess <= 0) return entries;
  const oldest = [...updates].sort(byOperationAndTime).slice(0, excess + 1);
  const joined = new Map<string, Entry>();
  for (const entry of oldest) {
    const key = `${entry.apiVersion} ${entry.subresource}`;
    const so = joined.get(key);
    const fields = so ? union(so.fields, entry.fields) : entry.fields;
    joined.set(key, { ...entry, manager: JOINED_MANAGER, fields });
  }
  return [...entries.filter((entry) => !oldest.includes(entry)), ...joined.values()];
}
