/**
 * A Secret taken apart, into what is stored and what a vault keeps, and put together again. Which
 * keys there are is the object's to say, what they hold is the vault's.
 */
import { base64OfBytes, bytesOfBase64 } from '../api/base64.ts';
import type { AnyObject } from '../api/meta.ts';
import { partNames, type SecretControl, type VaultedValues } from '../api/vault-ref.ts';
import type { SecretValues } from '../ports/vault.ts';

/** In it `kubectl apply` repeats the whole object, values and all. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** What the annotation is called in the vault; no key of a Secret holds a slash. */
const LAST_APPLIED_KEY = `annotation/${LAST_APPLIED}`;

/**
 * How long launches under way may ask for a content that was replaced: far above what a task takes
 * from its definition to its start.
 */
export const RETIRED_FOR_MS = 3_600_000;

type Texts = { readonly [key: string]: string };

/** Everything in the object that is nobody else's business. */
export function valuesOf(object: AnyObject): SecretValues {
  const data = (object['data'] ?? {}) as Texts;
  const values = new Map(Object.entries(data).map(([key, text]) => [key, bytesOfBase64(text)]));
  const applied = object.metadata.annotations?.[LAST_APPLIED];
  if (applied !== undefined) values.set(LAST_APPLIED_KEY, new TextEncoder().encode(applied));
  return values;
}

/** The object as it is stored: keys without values, and where the values are. */
export function sealed(object: AnyObject, vaulted: VaultedValues | undefined): AnyObject {
  const { control, ...rest } = withValues(object, () => '', '');
  const { vault: _before, ...others } = (control ?? {}) as SecretControl & {
    [key: string]: unknown;
  };
  const next = vaulted ? { ...others, vault: vaulted } : others;
  return Object.keys(next).length === 0 ? rest : { ...rest, control: next };
}

/** The object with its values. */
export function revealed(object: AnyObject, values: SecretValues): AnyObject {
  const applied = values.get(LAST_APPLIED_KEY);
  const base64 = (key: string, own: string) => {
    const bytes = values.get(key);
    return bytes ? base64OfBytes(bytes) : own;
  };
  return withValues(object, base64, applied && textOfBytes(applied));
}

/** A byte order mark stays: what is put together is what was taken apart. */
function textOfBytes(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

function withValues(
  object: AnyObject,
  valueOf: (key: string, own: string) => string,
  applied: string | undefined,
): AnyObject {
  const { metadata } = object;
  const data = object['data'] as Texts | undefined;
  const entries = Object.entries(data ?? {}).map(([key, own]) => [key, valueOf(key, own)]);
  const isApplied = metadata.annotations?.[LAST_APPLIED] !== undefined && applied !== undefined;
  const annotations = { ...metadata.annotations, [LAST_APPLIED]: applied ?? '' };
  return {
    ...object,
    ...(isApplied && { metadata: { ...metadata, annotations } }),
    ...(data && { data: Object.fromEntries(entries) as Texts }),
  };
}

/** The names of all that an object refers to, or did when this time was yet to come. */
export function namesOf(vaulted: VaultedValues | undefined, nowMs: number): readonly string[] {
  if (!vaulted) return [];
  const { ref, previous } = vaulted;
  const isAsked = previous !== undefined && previous.untilMs > nowMs;
  return [...partNames(ref), ...(isAsked ? partNames(previous.ref) : [])];
}
