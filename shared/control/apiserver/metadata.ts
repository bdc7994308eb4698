/**
 * Metadata: which of it is the client's and which the server's. Owns the rule by which no client
 * sets a uid, a version, a time or a generation (mass assignment).
 */
import { ApiError, badRequest, conflict, type StatusCause } from '../../api/errors.ts';
import type { AnyObject, ObjectMeta } from '../../api/meta.ts';
import type { ResourceType } from '../../api/resources.ts';
import type { ResourceRoute } from './routes.ts';

/**
 * An object as a client sent it, decoded: the server's part of its metadata may be absent or made
 * up.
 */
export interface GivenObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: Partial<ObjectMeta>;
  readonly [field: string]: unknown;
}

/** The object is what the path says it is. */
export function checkIdentity(given: GivenObject, route: ResourceRoute): void {
  const { type, namespace, name } = route;
  const apiVersion = type.group ? `${type.group}/${type.version}` : type.version;
  if (given.apiVersion !== undefined && given.apiVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${given.apiVersion}) does not match the expected API ` +
        `version (${apiVersion})`,
    );
  }
  if (given.kind !== undefined && given.kind !== type.kind) {
    throw badRequest(
      `the kind in the data (${given.kind}) does not match the expected kind (${type.kind})`,
    );
  }
  if (given.metadata?.namespace && given.metadata.namespace !== namespace) {
    throw badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  }
  if (name && given.metadata?.name && given.metadata.name !== name) {
    throw badRequest(
      `the name of the object (${given.metadata.name}) does not match the name on the URL ` +
        `(${name})`,
    );
  }
}

/** Names end here so that a suffix still fits a label. */
const MAX_GENERATED_PREFIX = 58;

export function generatedName(prefix: string, suffix: string): string {
  return prefix.slice(0, MAX_GENERATED_PREFIX) + suffix;
}

export const SUFFIX_LENGTH = 5;

/** What a client says about its object, without what is the server's to say. */
type ClientMeta = Pick<
  ObjectMeta,
  'generateName' | 'labels' | 'annotations' | 'ownerReferences' | 'finalizers'
>;

function clientMeta(given: Partial<ObjectMeta>): ClientMeta {
  const { generateName, labels, annotations, ownerReferences, finalizers } = given;
  return present({ generateName, labels, annotations, ownerReferences, finalizers });
}

/** Drops absent and empty parts: an empty map and none are the same in Go, and so to clients. */
function present(meta: {
  readonly [K in keyof ClientMeta]: ClientMeta[K] | undefined;
}): ClientMeta {
  const entries = Object.entries(meta).filter(
    ([, value]) => value !== undefined && value !== '' && Object.keys(value).length > 0,
  );
  return Object.fromEntries(entries);
}

export interface Birth {
  readonly name: string;
  readonly uid: string;
  readonly creationTimestamp: string;
}

/** Metadata of a new object. */
export function newMetadata(route: ResourceRoute, given: GivenObject, birth: Birth): ObjectMeta {
  const { type, namespace } = route;
  return {
    name: birth.name,
    ...(type.namespaced && { namespace }),
    uid: birth.uid,
    resourceVersion: '',
    creationTimestamp: birth.creationTimestamp,
    ...(hasSpec(type) && { generation: 1 }),
    ...clientMeta(given.metadata ?? {}),
  };
}

/** Metadata of a changed object: the client's part as given, the server's as stored. */
export function changedMetadata(current: ObjectMeta, given: GivenObject): ObjectMeta {
  const {
    managedFields: _managedFields,
    labels: _labels,
    annotations: _annotations,
    ownerReferences: _owners,
    finalizers: _finalizers,
    ...server
  } = current;
  const { managedFields } = given.metadata ?? {};
  const { generateName: _unchanged, ...client } = clientMeta(given.metadata ?? {});
  return {
    ...server,
    ...client,
    // A client may rename managers; patch/managed-fields.ts judges what makes sense.
    ...(managedFields && { managedFields }),
  };
}

/** Kinds that have a desired state count its changes. */
export function hasSpec(type: ResourceType): boolean {
  return type.schema.fields?.['spec'] !== undefined;
}

/** The version or uid that a client names must be the stored one. */
export function checkExpectations(
  type: ResourceType,
  current: AnyObject,
  given: Partial<Pick<ObjectMeta, 'uid' | 'resourceVersion'>>,
): void {
  const { uid, resourceVersion, name } = current.metadata;
  if (given.uid && given.uid !== uid) {
    throw conflict(
      type,
      name,
      `Precondition failed: UID in precondition: ${given.uid}, UID in object meta: ${uid}`,
    );
  }
  if (given.resourceVersion && given.resourceVersion !== resourceVersion) {
    throw conflict(type, name);
  }
}

/** A forbidden write with its cause, as Kubernetes tells of terminating namespaces. */
export function namespaceTerminating(
  type: ResourceType,
  name: string,
  namespace: string,
): ApiError {
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  };
  const what = type.group ? `${type.plural}.${type.group}` : type.plural;
  const message =
    `${what} ${JSON.stringify(name)} is forbidden: unable to create new content in namespace ` +
    `${namespace} because it is being terminated`;
  return new ApiError(403, 'Forbidden', message, {
    name,
    ...(type.group && { group: type.group }),
    kind: type.plural,
    // Kubernetes has this one cause that is not about a field's value.
    causes: [cause as unknown as StatusCause],
  });
}
