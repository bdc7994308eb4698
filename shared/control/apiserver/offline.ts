/**
 * What the API server would make of a manifest, without a server: decoded strictly, identified,
 * filled with defaults, validated, in its words. What depends on other objects (whether the
 * namespace is there, priority classes, addresses of Services) is not done here.
 */
import type { AnyObject } from '../../api/meta.ts';
import { type ResourceType, resourceTypeOf } from '../../api/resources.ts';
import { rfc3339 } from '../../api/time.ts';
import type { ParsedBody } from './body.ts';
import { decodeGiven, validated, withDefaults } from './input.ts';
import { checkIdentity, newMetadata } from './metadata.ts';

export interface Birthplace {
  /** Of namespaced objects that name none. */
  readonly namespace: string;
  readonly uid: string;
  readonly nowMs: number;
}

export interface Admitted {
  readonly type: ResourceType;
  readonly object: AnyObject;
  /** As kubectl shows them. */
  readonly warnings: readonly string[];
}

/** The type of what was parsed. Throws an Error in kubectl's words where there is none such. */
export function typeOfManifest(value: unknown): ResourceType {
  const { apiVersion, kind } = (value ?? {}) as { readonly [field: string]: unknown };
  if (typeof kind !== 'string' || kind === '') throw new Error("Object 'Kind' is missing");
  if (typeof apiVersion !== 'string' || apiVersion === '') {
    throw new Error("Object 'apiVersion' is missing");
  }
  const type = resourceTypeOf({ apiVersion, kind });
  if (type) return type;
  throw new Error(`no matches for kind "${kind}" in version "${apiVersion}"`);
}

/** Throws the ApiError that the server would answer with. */
export function admitManifest(parsed: ParsedBody, { namespace, uid, nowMs }: Birthplace): Admitted {
  const type = typeOfManifest(parsed.value);
  const { object: given, warnings } = decodeGiven(type, parsed, 'Strict');
  const home = type.namespaced ? given.metadata?.namespace || namespace : '';
  const name = given.metadata?.name || `${given.metadata?.generateName ?? ''}${GENERATED}`;
  const route = { type, namespace: home, name: '', subresource: '' };
  checkIdentity(given, route);
  const metadata = newMetadata(route, given, { name, uid, creationTimestamp: rfc3339(nowMs) });
  const { status: _status, control: _control, ...rest } = given;
  const apiVersion = type.group ? `${type.group}/${type.version}` : type.version;
  const draft: AnyObject = { ...rest, apiVersion, kind: type.kind, metadata };
  return { type, object: validated(type, withDefaults(type, draft), undefined), warnings };
}

/** Where a name is to be generated, it does not matter which. */
const GENERATED = 'xxxxx';
