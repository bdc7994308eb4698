/**
 * What a requirement on one label allows, as a set of values: those listed, or all but those listed
 * within bounds; and whether a node without the label will do. Owns the algebra of these sets. Maps
 * of them by label, and what pods and pools require, are core/capacity/requirements.ts.
 *
 * Sets are kept in one form each, so that equal sets are equal data. Intersecting is commutative,
 * associative and idempotent; a value is in an intersection if it is in both (`allows`).
 *
 * Source: the meaning of node selector requirements in Kubernetes; Karpenter's scheduling
 * Requirement, but for labels that are absent, of which that one keeps no account.
 */
import { type Expression, integerOf } from './selectors.ts';

export interface Requirement {
  /** What is allowed, or with `complement` what alone is not. */
  readonly values: ReadonlySet<string>;
  readonly complement: boolean;
  /** Exclusive bounds, of complements only: an integer, or -Infinity. Both infinite: any text. */
  readonly above: number;
  /** An integer, or Infinity. */
  readonly below: number;
  /** A node without the label will do. */
  readonly absent: boolean;
  /** So many different values must stay possible when a machine is chosen; 0: any will do. */
  readonly minValues: number;
}

/** A requirement as NodePools and NodeClaims write it. */
export interface RequirementExpression extends Expression {
  readonly minValues?: number;
}

const NONE: ReadonlySet<string> = new Set();
const FREE = { above: -Infinity, below: Infinity, minValues: 0 };

/** Nothing is required. */
export const ANYTHING: Requirement = { ...FREE, values: NONE, complement: true, absent: true };
/** No value will do, nor will its absence: what contradicts itself. */
const NOTHING: Requirement = { ...FREE, values: NONE, complement: false, absent: false };

export function requirementOf(expression: RequirementExpression): Requirement {
  const allowed = setOf(expression);
  const { minValues = 0 } = expression;
  return minValues > 0 ? { ...allowed, minValues } : allowed;
}

function setOf({ operator, values = [] }: RequirementExpression): Requirement {
  switch (operator) {
    case 'In':
      return { ...NOTHING, values: new Set(values) };
    case 'NotIn':
      return { ...ANYTHING, values: new Set(values) };
    case 'Exists':
      return { ...ANYTHING, absent: false };
    case 'DoesNotExist':
      return { ...NOTHING, absent: true };
    case 'Gt':
      return bounded({ ...ANYTHING, absent: false, above: integerOf(values[0]) });
    case 'Lt':
      return bounded({ ...ANYTHING, absent: false, below: integerOf(values[0]) });
  }
}

/** The requirement that a label be there and have this value. */
export function valueRequirement(value: string): Requirement {
  return { ...NOTHING, values: new Set([value]) };
}

/** The complement in its one form: exceptions that the bounds leave out anyway are not listed. */
function bounded(given: Requirement): Requirement {
  const { above, below, values } = given;
  // Integers lie between the bounds, or nothing does; what is no integer (NaN) bounds all away.
  if (!(below - above >= 2))
    return { ...NOTHING, absent: given.absent, minValues: given.minValues };
  if (isFree(given) || values.size === 0) return given;
  return { ...given, values: new Set([...values].filter((value) => isBetween(value, given))) };
}

function isFree({ above, below }: Requirement): boolean {
  return above === -Infinity && below === Infinity;
}

function isBetween(value: string, { above, below }: Requirement): boolean {
  const number = integerOf(value);
  return number > above && number < below;
}

/** Whether a node will do whose label has this value, or that has no such label. */
export function allows(requirement: Requirement, value: string | undefined): boolean {
  if (value === undefined) return requirement.absent;
  if (!requirement.complement) return requirement.values.has(value);
  return !requirement.values.has(value) && (isFree(requirement) || isBetween(value, requirement));
}

/** Whether any value, or absence, will do at all. */
export function isPossible({ complement, values, absent }: Requirement): boolean {
  return complement || absent || values.size > 0;
}

/** How many values will do; Infinity where it is said only which will not. */
export function valueCount({ complement, values }: Requirement): number {
  return complement ? Infinity : values.size;
}

/** What both allow. The larger minimum of values counts. */
export function intersect(a: Requirement, b: Requirement): Requirement {
  const minValues = Math.max(a.minValues, b.minValues);
  const absent = a.absent && b.absent;
  if (a.complement && b.complement) {
    const [above, below] = [Math.max(a.above, b.above), Math.min(a.below, b.below)];
    const values = a.values.size === 0 ? b.values : union(a.values, b.values);
    return bounded({ values, complement: true, above, below, absent, minValues });
  }
  const [listed, other] = a.complement ? [b, a] : [a, b];
  const values = new Set([...listed.values].filter((value) => allows(other, value)));
  return { ...FREE, values, complement: false, absent, minValues };
}

function union(a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> {
  return b.size === 0 ? a : new Set([...a, ...b]);
}

/** Whether `intersect` would leave anything possible; makes no sets. */
export function intersects(a: Requirement, b: Requirement): boolean {
  if (a.absent && b.absent) return true;
  if (a.complement && b.complement) {
    return Math.min(a.below, b.below) - Math.max(a.above, b.above) >= 2;
  }
  const [listed, other] = a.complement ? [b, a] : [a, b];
  for (const value of listed.values) if (allows(other, value)) return true;
  return false;
}

/**
 * The requirement as NodeClaims write it; what allows anything takes none. Several expressions of
 * one label must all hold. `requirementOf` of each, intersected, is the requirement again.
 */
export function expressionsOf(
  key: string,
  { values, complement, above, below, absent, minValues }: Requirement,
): readonly RequirementExpression[] {
  const least = minValues > 0 ? { minValues } : {};
  const listed = [...values].sort();
  if (!complement) {
    if (listed.length === 0 && absent) return [{ key, operator: 'DoesNotExist', ...least }];
    return [{ key, operator: 'In', values: listed, ...least }];
  }
  const expressions: RequirementExpression[] = [];
  if (above > -Infinity) expressions.push({ key, operator: 'Gt', values: [String(above)] });
  if (below < Infinity) expressions.push({ key, operator: 'Lt', values: [String(below)] });
  if (expressions.length === 0 && !absent) expressions.push({ key, operator: 'Exists' });
  if (listed.length > 0) expressions.push({ key, operator: 'NotIn', values: listed });
  return expressions.map((expression, index) =>
    index === 0 ? { ...expression, ...least } : expression,
  );
}

/** Values that are shown of a longer list. */
const MAX_SHOWN = 5;

/** For people: `zone In [a b]`, `cpu Gt 3, Lt 9`. */
export function requirementText(key: string, requirement: Requirement): string {
  const parts = expressionsOf(key, requirement).map(({ operator, values }) => {
    if (values === undefined) return operator;
    if (operator === 'Gt' || operator === 'Lt') return `${operator} ${values[0]}`;
    const more = values.length - MAX_SHOWN;
    const shown = [...values.slice(0, MAX_SHOWN), ...(more > 0 ? [`and ${more} others`] : [])];
    return `${operator} [${shown.join(' ')}]`;
  });
  return parts.length > 0 ? `${key} ${parts.join(', ')}` : `${key} may be anything`;
}
