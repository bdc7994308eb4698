/**
 * What printers are made of: columns, and the words in which kubectl users read times and absences.
 */
import { parseTime } from '../../../api/time.ts';
import type { AnyObject } from '../../../api/meta.ts';

export type Cell = string | number | boolean;

export interface Column<T> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly format?: 'name';
  /** Shown with `-o wide` only. */
  readonly wide?: true;
  readonly doc: string;
  readonly cell: (object: T, nowMs: number) => Cell;
}

/** A kind's columns, once its type no longer matters. */
export type Printer = readonly Column<AnyObject>[];

/**
 * The columns of a kind whose objects are of type T: the registry of printers pairs them with the
 * right resource.
 */
export function printer<T>(...columns: readonly Column<T>[]): Printer {
  return columns as unknown as Printer;
}

interface Named {
  readonly metadata: { readonly name: string; readonly creationTimestamp?: string };
}

export const nameColumn: Column<Named> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  doc: 'Name must be unique within a namespace.',
  cell: (object) => object.metadata.name,
};

export const ageColumn: Column<Named> = {
  name: 'Age',
  type: 'string',
  doc: 'Time since the object was created.',
  cell: (object, nowMs) => age(object.metadata.creationTimestamp, nowMs),
};

export function column<T>(
  name: string,
  doc: string,
  cell: (object: T, nowMs: number) => Cell,
  type: Column<T>['type'] = 'string',
): Column<T> {
  return { name, type, doc, cell };
}

export function wide<T>(column: Column<T>): Column<T> {
  return { ...column, wide: true };
}

/** The time since then, as kubectl users read it; `<unknown>` without a time. */
export function age(time: string | undefined, nowMs: number): string {
  const ms = parseTime(time);
  return ms === undefined ? '<unknown>' : duration(nowMs - ms);
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Two units at most, and fewer the longer it is: 95s, 5m12s, 17m, 3h25m, 12h, 4d3h, 12d, 2y14d. */
export function duration(ms: number): string {
  if (ms < -2 * SECOND) return '<invalid>';
  const part = (unit: number) => Math.floor(ms / unit);
  if (ms < 0) return '0s';
  if (part(SECOND) < 120) return `${part(SECOND)}s`;
  if (part(MINUTE) < 10) return two(ms, MINUTE, 'm', SECOND, 's');
  if (part(MINUTE) < 180) return `${part(MINUTE)}m`;
  if (part(HOUR) < 8) return two(ms, HOUR, 'h', MINUTE, 'm');
  if (part(HOUR) < 48) return `${part(HOUR)}h`;
  if (part(HOUR) < 192) return two(ms, DAY, 'd', HOUR, 'h');
  if (part(DAY) < 730) return `${part(DAY)}d`;
  return part(YEAR) < 8 ? two(ms, YEAR, 'y', DAY, 'd') : `${part(YEAR)}y`;
}

function two(ms: number, unit: number, name: string, rest: number, restName: string): string {
  const remainder = Math.floor((ms % unit) / rest);
  const whole = `${Math.floor(ms / unit)}${name}`;
  return remainder === 0 ? whole : `${whole}${remainder}${restName}`;
}

export function orNone(text: string | undefined): string {
  return text === undefined || text === '' ? '<none>' : text;
}

export function joined(values: readonly string[]): string {
  return orNone(values.join(','));
}

export function labelsText(labels: { readonly [key: string]: string } | undefined): string {
  return joined(
    Object.entries(labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .sort(),
  );
}

/** Text of one line: what a person wrote must not break the table. */
export function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim();
}
