/** JSON merge patch (RFC 7386): `null` deletes, objects merge, everything else replaces. */
import { refuseKey } from '../../../api/json.ts';
import { isJsonObject } from '../../../api/json.ts';

/** The document with the patch applied; neither is changed. Both are bounded in depth (J1). */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const out: { [field: string]: unknown } = { ...(isJsonObject(document) ? document : {}) };
  for (const key of Object.keys(patch)) {
    refuseKey(key);
    const value = patch[key];
    if (value === null) delete out[key];
    else out[key] = applyMergePatch(Object.hasOwn(out, key) ? out[key] : undefined, value);
  }
  return out;
}
