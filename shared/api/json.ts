/**
 * JSON from outside. `JSON.parse` alone keeps the last of two equal keys, takes any depth and
 * rounds large numbers; one linear scan before it refuses or reports these.
 *
 * J1. What comes out is no deeper than `maxDepth`, so that recursion over it is safe everywhere.
 * J2. No object has a key `__proto__`, so that copying fields never changes a prototype.
 * J3. Every number is the number that was written: whole numbers are safe integers, all are finite.
 */
import { badRequest, tooLarge } from './errors.ts';

export interface JsonLimits {
  readonly maxChars: number;
  readonly maxDepth: number;
}

/** 1 MiB of text; the deepest field of any kind served is about 20 levels down. */
export const JSON_LIMITS: JsonLimits = { maxChars: 1024 * 1024, maxDepth: 64 };

export interface ParsedJson {
  readonly value: unknown;
  /**
   * Paths of keys that stand twice in their object, such as `spec.replicas`; the last one counts.
   */
  readonly duplicates: readonly string[];
}

/** An object of which nothing is known yet. */
export type JsonObject = { readonly [field: string]: unknown };

/** More duplicates than this are not listed: an error message has to be read. */
const MAX_DUPLICATES = 20;

/** Whole numbers of fewer digits are safe integers. */
const SAFE_DIGITS = 15;

/** Parses a request's body. Throws BadRequest, or RequestEntityTooLarge. */
export function parseJson(text: string, limits: JsonLimits = JSON_LIMITS): ParsedJson {
  if (text.length > limits.maxChars) throw tooLarge(limits.maxChars);
  const duplicates = scan(text, limits.maxDepth);
  try {
    return { value: JSON.parse(text), duplicates };
  } catch (error) {
    throw badRequest(`the body is not valid JSON: ${(error as Error).message}`);
  }
}

export function refuseKey(key: string): void {
  if (key === '__proto__') throw badRequest('the key "__proto__" is not allowed');
}

/** One object (with keys) or list (without) that the scan is inside of. */
interface Frame {
  readonly keys: Set<string> | undefined;
  /** The key or index of the value that is being scanned. */
  at: string | number;
  /** An object's next string is a key. */
  expectKey: boolean;
}

/**
 * Valid text is scanned exactly; of invalid text only the bounds matter, since `JSON.parse` refuses
 * it.
 */
function scan(text: string, maxDepth: number): string[] {
  const frames: Frame[] = [];
  const duplicates: string[] = [];
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    const frame = frames.at(-1);
    if (char === QUOTE) {
      const end = stringEnd(text, i);
      if (frame?.expectKey) noteKey(text.slice(i, end), frame, frames, duplicates);
      i = end - 1;
    } else if (char === OPEN_OBJECT || char === OPEN_LIST) {
      if (frames.length === maxDepth) throw badRequest(`nested deeper than ${maxDepth} levels`);
      frames.push(
        char === OPEN_OBJECT
          ? { keys: new Set(), at: '', expectKey: true }
          : { keys: undefined, at: 0, expectKey: false },
      );
    } else if (char === CLOSE_OBJECT || char === CLOSE_LIST) frames.pop();
    else if (char === COMMA) nextItem(frame);
    else if (char === MINUS || (char >= DIGIT_0 && char <= DIGIT_9)) {
      i = checkedNumberEnd(text, i) - 1;
    }
  }
  return duplicates;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

function nextItem(frame: Frame | undefined): void {
  if (!frame) return;
  if (typeof frame.at === 'number') frame.at++;
  else frame.expectKey = true;
}

/** The position after the closing quote. */
function stringEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === BACKSLASH) i++;
    else if (char === QUOTE) return i + 1;
  }
  return text.length;
}

function noteKey(quoted: string, frame: Frame, frames: readonly Frame[], duplicates: string[]) {
  const key = unquote(quoted);
  refuseKey(key);
  frame.expectKey = false;
  frame.at = key;
  if (frame.keys?.has(key) && duplicates.length < MAX_DUPLICATES) {
    duplicates.push(pathText(frames.map(({ at }) => at)));
  }
  frame.keys?.add(key);
}

/** Escapes are resolved, so that `"\u0061"` is a second `"a"`. */
function unquote(quoted: string): string {
  const inner = quoted.slice(1, -1);
  if (!inner.includes('\\')) return inner;
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return inner;
  }
}

function checkedNumberEnd(text: string, start: number): number {
  let end = start + 1;
  let whole = true;
  for (; end < text.length; end++) {
    const char = text[end] ?? '';
    if (char === '.' || char === 'e' || char === 'E') whole = false;
    else if (char !== '+' && char !== '-' && !(char >= '0' && char <= '9')) break;
  }
  if (end - start <= SAFE_DIGITS && whole) return end;
  const value = Number(text.slice(start, end));
  if (whole ? !Number.isSafeInteger(value) : !Number.isFinite(value)) {
    throw badRequest(`the number ${text.slice(start, Math.min(end, start + 40))} is out of range`);
  }
  return end;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `spec.containers[0].image` */
export function pathText(path: readonly (string | number)[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text ? `.${part}` : part;
  }
  return text;
}
