/**
 * What DynamoDB counts a request as, by the rules of its documentation: a write unit for each KB of
 * the larger of an item's two states, and again for each index entry that changes; a read unit for
 * each 4 KB read strongly, half of one otherwise.
 */
import { type Item, itemBytes } from '../../adapters/aws/dynamo/item.ts';
import { TABLE } from '../../shared/api/names.ts';

const WRITE_UNIT_BYTES = 1024;
const READ_UNIT_BYTES = 4096;

interface Index {
  readonly name: string;
  /** The attributes that an entry is found by; an item without one of them has no entry. */
  readonly keys: readonly string[];
  /** All that an entry holds. */
  readonly attributes: readonly string[];
}

const { partitionKey, sortKey, globalIndexes } = TABLE;
const TABLE_KEYS: readonly string[] = [partitionKey.name, sortKey.name];

/** Each holds keys, and nothing besides. */
export const INDEXES: readonly Index[] = globalIndexes.map((index) => {
  const keys = [index.partitionKey.name, index.sortKey.name];
  return { name: index.name, keys, attributes: [...new Set([...TABLE_KEYS, ...keys])] };
});

export interface WriteUnits {
  readonly table: number;
  /** By the index's name; only those that were written. */
  readonly indexes: { readonly [name: string]: number };
}

/** Of a write that took effect: a put, or a deletion when there is no state after it. */
export function writeUnits(before: Item | undefined, after: Item | undefined): WriteUnits {
  const written = INDEXES.map((index) => [index.name, entryUnits(index, before, after)] as const);
  return {
    table: unitsOf(Math.max(bytesOf(before), bytesOf(after)), WRITE_UNIT_BYTES),
    indexes: Object.fromEntries(written.filter(([, units]) => units > 0)),
  };
}

/** Of a write whose condition did not hold: as large as what it found. */
export function refusedUnits(found: Item | undefined): number {
  return unitsOf(bytesOf(found), WRITE_UNIT_BYTES);
}

/** `bytes` are those of the items that were looked at, before any filter. */
export function readUnits(bytes: number, isStrong: boolean): number {
  return unitsOf(bytes, READ_UNIT_BYTES) * (isStrong ? 1 : 0.5);
}

/** The entry of an item in an index, if it has one. */
export function entryOf({ keys, attributes }: Index, item: Item | undefined): Item | undefined {
  if (!item || keys.some((key) => item[key] === undefined)) return undefined;
  return Object.fromEntries(
    attributes.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])),
  );
}

/** An entry whose key changes is taken out and put in; one that stays the same is not written. */
function entryUnits(index: Index, before: Item | undefined, after: Item | undefined): number {
  const [old, now] = [entryOf(index, before), entryOf(index, after)];
  const units = (entry: Item | undefined) =>
    entry ? unitsOf(itemBytes(entry), WRITE_UNIT_BYTES) : 0;
  return old && now && isSame(old, now, index.keys) ? 0 : units(old) + units(now);
}

function isSame(a: Item, b: Item, names: readonly string[]): boolean {
  return names.every((name) => JSON.stringify(a[name]) === JSON.stringify(b[name]));
}

function bytesOf(item: Item | undefined): number {
  return item ? itemBytes(item) : 0;
}

function unitsOf(bytes: number, unitBytes: number): number {
  return Math.max(1, Math.ceil(bytes / unitBytes));
}
