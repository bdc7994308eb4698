/**
 * Bodies: an object's JSON, compressed with the dictionary of what Kubernetes objects are made of,
 * so that a usual pod costs one write unit (1 KB). The first byte names the dictionary.
 *
 * The states before are kept as one more compressed text whose dictionary is the JSON of the state
 * that it is stored with: what did not change costs next to nothing.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { MAX_OBJECT_BYTES, unseal } from '../../../shared/ports/sealed.ts';
import { CURRENT_DICTIONARY, DICTIONARIES } from './dictionary.ts';

/** A state that was: the object, or the knowledge that there was none from this version on. */
export interface PastState {
  readonly version: number;
  readonly object: AnyObject | undefined;
}

/** Of a past, unpacked: what a read may be made to unpack besides the object. */
const MAX_PAST_BYTES = 256 * 1024;

const LEVEL = 9;

export function encodeBody(json: string): Uint8Array {
  const dictionary = dictionaryOf(CURRENT_DICTIONARY);
  const packed = deflateRawSync(json, { level: LEVEL, dictionary });
  const body = new Uint8Array(packed.length + 1);
  body[0] = CURRENT_DICTIONARY;
  body.set(packed, 1);
  return body;
}

/** The JSON. Throws on what `encodeBody` did not make. */
export function decodeBody(body: Uint8Array): string {
  const dictionary = dictionaryOf(body[0]);
  const limits = { dictionary, maxOutputLength: MAX_OBJECT_BYTES };
  return inflateRawSync(body.subarray(1), limits).toString('utf8');
}

/**
 * `json` is that of the state which these came before. Undefined when they are too large to keep.
 */
export function encodePast(states: readonly PastState[], json: string): Uint8Array | undefined {
  const text = JSON.stringify(states.map(({ version, object }) => [version, object ?? null]));
  if (Buffer.byteLength(text) > MAX_PAST_BYTES) return undefined;
  return deflateRawSync(text, { level: LEVEL, dictionary: Buffer.from(json) });
}

export function decodePast(past: Uint8Array, json: string): PastState[] {
  const limits = { dictionary: Buffer.from(json), maxOutputLength: MAX_PAST_BYTES };
  const text = inflateRawSync(past, limits).toString('utf8');
  const states = JSON.parse(text) as [number, unknown][];
  return states.map(([version, object]) => ({
    version,
    object: object === null ? undefined : unseal(JSON.stringify(object)),
  }));
}

function dictionaryOf(number: number | undefined): Uint8Array {
  const dictionary = DICTIONARIES.get(number ?? 0);
  if (!dictionary) throw new Error(`an object is stored in a form that is not known: ${number}`);
  return dictionary;
}
