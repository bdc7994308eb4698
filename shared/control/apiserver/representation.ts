/**
 * How objects are shown: as they are, as their metadata, or as rows of a Table. Owns the only way
 * out for a stored object: `publicForm` leaves `control` behind, and nothing else in the API server
 * serialises objects.
 */
import { badRequest } from '../../api/errors.ts';
import type { AnyObject, ObjectMeta } from '../../api/meta.ts';
import type { ResourceType } from '../../api/resources.ts';
import type { ListResult } from './list.ts';
import type { Representation } from './negotiate.ts';
import type { Cell, Printer } from './printers/columns.ts';
import { printerOf } from './printers/registry.ts';

/** The object as clients may see it. */
export function publicForm(object: AnyObject): Record<string, unknown> {
  const { control: _private, apiVersion, kind, metadata, ...rest } = object;
  return { apiVersion, kind, metadata, ...rest };
}

/** What a view needs to know besides the object. */
export interface View {
  readonly type: ResourceType;
  readonly representation: Representation;
  readonly nowMs: number;
  /** Which form of the object a table row carries: None, Metadata or Object. */
  readonly includeObject: string;
}

const INCLUDE_OBJECT = ['None', 'Metadata', 'Object'];

export function includeObjectParameter(query: URLSearchParams): string {
  const given = query.get('includeObject') || 'Metadata';
  if (INCLUDE_OBJECT.includes(given)) return given;
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(given)}`);
}

export function showObject(object: AnyObject, view: View): unknown {
  const { representation } = view;
  if (representation.form === 'object') return publicForm(object);
  if (representation.form === 'partial') return partialForm(object, representation.version);
  const { resourceVersion } = object.metadata;
  return table([object], { resourceVersion }, view, true);
}

export function showList(result: ListResult, view: View): unknown {
  const { items, ...listed } = result;
  const metadata: ListMeta = {
    resourceVersion: listed.resourceVersion,
    ...(listed.continue !== undefined && { continue: listed.continue }),
    ...(listed.remainingItemCount !== undefined && {
      remainingItemCount: listed.remainingItemCount,
    }),
  };
  const { type, representation } = view;
  if (representation.form === 'table') return table(items, metadata, view, true);
  if (representation.form === 'partial') {
    return {
      kind: 'PartialObjectMetadataList',
      apiVersion: `meta.k8s.io/${representation.version}`,
      metadata,
      items: items.map((item) => partialForm(item, representation.version)),
    };
  }
  const apiVersion = type.group ? `${type.group}/${type.version}` : type.version;
  return { kind: `${type.kind}List`, apiVersion, metadata, items: items.map(publicForm) };
}

/**
 * The object of a watch event. `first`: the columns are named once, in the first event of a stream.
 */
export function showEventObject(object: AnyObject, view: View, first: boolean): unknown {
  if (view.representation.form !== 'table') return showObject(object, view);
  const { resourceVersion } = object.metadata;
  return table([object], { resourceVersion }, view, first);
}

interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

function partialForm(object: AnyObject, version: string) {
  const metadata: ObjectMeta = object.metadata;
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata };
}

function table(objects: readonly AnyObject[], metadata: ListMeta, view: View, named: boolean) {
  const columns = printerOf(view.type.name);
  const columnDefinitions = columns.map(({ name, type, format, doc, wide }) => ({
    name,
    type,
    format: format ?? '',
    description: doc,
    priority: wide ? 1 : 0,
  }));
  const rows = objects.map((object) => ({
    cells: columns.map((column) => cellOf(column, object, view.nowMs)),
    ...rowObject(object, view),
  }));
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${versionOf(view)}`,
    metadata,
    columnDefinitions: named ? columnDefinitions : null,
    rows,
  };
}

/** An object that is not as it should be spoils its own cells, and not the list (B7). */
function cellOf(column: Printer[number], object: AnyObject, nowMs: number): Cell {
  try {
    return column.cell(object, nowMs);
  } catch {
    return '<invalid>';
  }
}

const versionOf = ({ representation }: View) =>
  representation.form === 'object' ? 'v1' : representation.version;

function rowObject(object: AnyObject, view: View) {
  if (view.includeObject === 'None') return {};
  if (view.includeObject === 'Object') return { object: publicForm(object) };
  return { object: partialForm(object, versionOf(view)) };
}
