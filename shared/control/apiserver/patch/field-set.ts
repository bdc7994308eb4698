/**
 * Field sets: which fields of an object somebody owns. A set is a trie in the very form that
 * `managedFields` stores (FieldsV1), so that nothing is converted when objects are read or written.
 *
 * Its elements are `f:name` (a field or map key), `k:{"name":"x"}` (a list item by keys), `v:"x"`
 * (a set item). A node that is empty or has a `.` is a member itself; other nodes only lead to
 * members. The empty root is the empty set. Sets are never changed in place.
 */
import { isJsonObject } from '../../../api/json.ts';

export interface FieldSet {
  readonly [element: string]: FieldSet;
}

export const EMPTY: FieldSet = {};

const SELF = '.';

export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** Whether this node, which is not the root, is itself in the set. */
export function isMember(node: FieldSet): boolean {
  return node[SELF] !== undefined || isEmpty(node);
}

/** A node out of its children. Without children it is a member, whatever is asked for. */
export function nodeOf(children: { [element: string]: FieldSet }, member: boolean): FieldSet {
  return member && !isEmpty(children) ? { [SELF]: EMPTY, ...children } : children;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(b) || a === b) return a;
  return isEmpty(a) ? b : unionNode(a, b);
}

function unionNode(a: FieldSet, b: FieldSet): FieldSet {
  const children: { [element: string]: FieldSet } = { ...a };
  let changed = false;
  for (const element of Object.keys(b)) {
    const left = a[element];
    const right = b[element] ?? EMPTY;
    const next = left ? unionNode(left, right) : right;
    if (next === left) continue;
    children[element] = next;
    changed = true;
  }
  if (isMember(a) && !isEmpty(b) && !children[SELF]) return nodeOf(children, true);
  if (isEmpty(b) && !isMember(a)) return nodeOf(children, true);
  return changed ? children : a;
}

/** What is in `a` and not in `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return isEmpty(b) ? a : (differenceNode(a, b, false) ?? EMPTY);
}

/** What is in `a` and neither in `b` nor below a member of `b`. */
export function differenceBelow(a: FieldSet, b: FieldSet): FieldSet {
  return isEmpty(b) ? a : (differenceNode(a, b, true) ?? EMPTY);
}

function differenceNode(a: FieldSet, b: FieldSet, below: boolean): FieldSet | undefined {
  if (below && isMember(b)) return undefined;
  const member = isMember(a) && !isMember(b);
  const children: { [element: string]: FieldSet } = {};
  let changed = member !== isMember(a);
  for (const element of Object.keys(a)) {
    if (element === SELF) continue;
    const left = a[element] ?? EMPTY;
    const right = b[element];
    const next = right ? differenceNode(left, right, below) : left;
    changed ||= next !== left;
    if (next) children[element] = next;
  }
  if (!changed) return a;
  if (isEmpty(children)) return member ? EMPTY : undefined;
  return nodeOf(children, member);
}

/** The paths of the members that both have, such as `.spec.containers[name="web"].image`. */
export function commonPaths(a: FieldSet, b: FieldSet): string[] {
  const paths: string[] = [];
  if (!isEmpty(a) && !isEmpty(b)) collectCommon(a, b, '', paths);
  return paths;
}

function collectCommon(a: FieldSet, b: FieldSet, path: string, paths: string[]): void {
  if (path && isMember(a) && isMember(b)) paths.push(path);
  for (const element of Object.keys(a)) {
    const left = a[element];
    const right = b[element];
    if (element === SELF || !left || !right) continue;
    collectCommon(left, right, path + elementText(element), paths);
  }
}

function elementText(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  if (element.startsWith('v:')) return `[=${rest}]`;
  if (!element.startsWith('k:')) return `[${rest}]`;
  const keys = Object.entries(JSON.parse(rest) as { [key: string]: unknown });
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
}

/** Whether a value that a client sent is a field set. */
export function isFieldSet(value: unknown): value is FieldSet {
  if (!isJsonObject(value)) return false;
  return Object.entries(value).every(([element, child]) =>
    element === SELF ? isFieldSet(child) : isElement(element) && isFieldSet(child),
  );
}

function isElement(element: string): boolean {
  if (element.startsWith('f:') || /^i:[0-9]{1,9}$/.test(element)) return true;
  if (!element.startsWith('k:') && !element.startsWith('v:')) return false;
  try {
    const value: unknown = JSON.parse(element.slice(2));
    return element.startsWith('v:') || (typeof value === 'object' && value !== null);
  } catch {
    return false;
  }
}
