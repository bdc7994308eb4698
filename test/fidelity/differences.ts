/** Where two implementations answered differently, and which of that is known. Pure. */
import type { EmulatorName } from '../aws/support/emulators.ts';
import type { Answers, Json, JsonObject } from './script.ts';

/** One leaf of two answers. */
export interface Difference {
  /** `scenario / step`. */
  readonly where: string;
  /** In the answer, with `[]` for any place in a list; `error` when one of them failed. */
  readonly path: string;
  readonly ours: Json;
  readonly theirs: Json;
}

/** A difference that is meant. */
export interface Known {
  readonly model: string;
  readonly of: readonly EmulatorName[];
  /** Steps, `scenario / step`; `*` stands for any text. */
  readonly where: readonly string[];
  /** As of a difference; `*` stands for any text. */
  readonly path: string;
  readonly ours: Json;
  readonly theirs: Json;
  /** Why they differ, and who is right. */
  readonly because: string;
  /** The part of AWS's documentation that says so. */
  readonly source: string;
}

/** Stands for any value, and for none: where what differs is not told by one. */
export const ANY = '*';

/** Nothing was there. */
export const ABSENT = null;

/** How an answer begins that was not asked for, since an earlier one differed. */
const NOT_ASKED = 'not asked';

export interface Comparison {
  readonly compared: number;
  /** Answers that the emulator was not asked for, after one that differed. */
  readonly notAsked: readonly string[];
  readonly differences: readonly Difference[];
}

export function compare(ours: Answers, theirs: Answers): Comparison {
  const differences: Difference[] = [];
  const notAsked: string[] = [];
  let compared = 0;
  for (const [where, answer] of Object.entries(theirs)) {
    if (isObject(answer) && NOT_ASKED in answer) {
      notAsked.push(where);
      continue;
    }
    compared++;
    const found = leaves(ours[where] ?? ABSENT, answer);
    differences.push(...found.map((leaf) => ({ where, ...leaf })));
  }
  return { compared, notAsked, differences };
}

type Leaf = Omit<Difference, 'where'>;

function leaves(ours: Json, theirs: Json): Leaf[] {
  const errors = [errorOf(ours), errorOf(theirs)] as const;
  if (errors[0] === errors[1]) return leavesAt('', ours, theirs);
  return [{ path: 'error', ours: errors[0], theirs: errors[1] }];
}

function errorOf(answer: Json): Json {
  if (!isObject(answer)) return ABSENT;
  if (NOT_ASKED in answer) return NOT_ASKED;
  return answer['error'] ?? ABSENT;
}

function leavesAt(path: string, ours: Json, theirs: Json): Leaf[] {
  if (JSON.stringify(ours) === JSON.stringify(theirs)) return [];
  if (Array.isArray(ours) && Array.isArray(theirs) && ours.length === theirs.length) {
    return ours.flatMap((one, i) => leavesAt(`${path}[]`, one as Json, theirs[i] as Json));
  }
  if (!isObject(ours) || !isObject(theirs)) return [{ path, ours, theirs }];
  const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
  const under = (name: string) => (path === '' ? name : `${path}.${name}`);
  return names.flatMap((name) =>
    leavesAt(under(name), ours[name] ?? ABSENT, theirs[name] ?? ABSENT),
  );
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isKnown(known: Known, difference: Difference): boolean {
  return (
    known.where.some((where) => fits(where, difference.where)) &&
    fits(known.path, difference.path) &&
    isValue(known.ours, difference.ours) &&
    isValue(known.theirs, difference.theirs)
  );
}

function isValue(meant: Json, value: Json): boolean {
  return meant === ANY || JSON.stringify(meant) === JSON.stringify(value);
}

function fits(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+^${}()|[\]\\?]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'su').test(text);
}
