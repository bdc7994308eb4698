/**
 * The parts that every object has: type, metadata, and the identity by which stores and queues name
 * it.
 */
import {
  any,
  atomic,
  boolean,
  type Infer,
  integer,
  list,
  map,
  mapList,
  object,
  oneOf,
  required,
  setOf,
  string,
  time,
} from './schema.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

export const OwnerReferenceSchema = atomic(
  object(`${META}.OwnerReference`, 'An object that owns this one.', {
    apiVersion: required(string('API version of the owner.')),
    kind: required(string('Kind of the owner.')),
    name: required(string('Name of the owner, in the same namespace or cluster-scoped.')),
    uid: required(string('UID of the owner: a namesake made later is not the owner.')),
    controller: boolean('Whether the owner manages this object. At most one owner does.'),
    blockOwnerDeletion: boolean('Foreground deletion of the owner waits for this object.'),
  }),
);

export const ManagedFieldsSchema = object(
  `${META}.ManagedFieldsEntry`,
  'The fields that one manager owns, for server-side apply.',
  {
    manager: string('Who set the fields.'),
    operation: oneOf('How the manager set them.', ['Apply', 'Update']),
    apiVersion: string('The version the fields are expressed in.'),
    time: time('When the entry last changed.'),
    fieldsType: string('Always FieldsV1.'),
    fieldsV1: any('The set of fields, in FieldsV1 form.'),
    subresource: string('The subresource through which they were set.'),
  },
);

export const ObjectMetaSchema = object(
  `${META}.ObjectMeta`,
  'Identity and bookkeeping of an object.',
  {
    name: string('Unique among the kind in its namespace; it never changes.'),
    generateName: string('A prefix: the server appends a random suffix when name is empty.'),
    namespace: string('The namespace; empty for cluster-scoped kinds.'),
    uid: string('Unique over all objects that ever were.'),
    resourceVersion: string('The version of this object; opaque, grows with every write.'),
    generation: integer('Counts changes of the desired state.'),
    creationTimestamp: time('When the object was created.'),
    deletionTimestamp: time('When the object is to be gone; set by a graceful deletion.'),
    deletionGracePeriodSeconds: integer('How long the object may take to stop.'),
    labels: map('Keys and values to select objects by.', string()),
    annotations: map('Keys and values that are not selected by.', string()),
    ownerReferences: mapList('The objects that this one depends on.', OwnerReferenceSchema, [
      'uid',
    ]),
    finalizers: setOf('Names of who must act before the object is removed.', string()),
    managedFields: list('Which manager owns which fields.', ManagedFieldsSchema),
    selfLink: string('Deprecated and never set.'),
  },
);

export type OwnerReference = Infer<typeof OwnerReferenceSchema>;
export type ManagedFieldsEntry = Infer<typeof ManagedFieldsSchema>;

/** Metadata of a stored object: the server has filled in what it owns. */
export type ObjectMeta = Omit<
  Infer<typeof ObjectMetaSchema>,
  'name' | 'uid' | 'resourceVersion' | 'creationTimestamp'
> & {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
};

export type Labels = { readonly [key: string]: string };

/**
 * Any stored object. `control` is what the control plane itself remembers about the object (a pod's
 * launch intent, for one). It is stored and versioned with the object, never served, and no client
 * can set it.
 */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly control?: unknown;
}

/**
 * The stored form of a kind: what its schema says, with the metadata that the server has filled in.
 */
export type Stored<S, Version extends string, Kind extends string> = Omit<
  Infer<S>,
  'apiVersion' | 'kind' | 'metadata'
> & { readonly apiVersion: Version; readonly kind: Kind; readonly metadata: ObjectMeta };

/** A stored object whose fields are looked at generically. */
export type AnyObject = KubeObject & { readonly [field: string]: unknown };

/** A resource type in Kubernetes' `plural.group` form: `pods`, `deployments.apps`. */
export type ResourceName = string;

/** Where an object lives. `namespace` is '' for cluster-scoped kinds. */
export interface ObjectKey {
  readonly resource: ResourceName;
  readonly namespace: string;
  readonly name: string;
}

/** A condition of a status, in the form that all kinds share. */
export const conditionFields = {
  type: required(string('The name of the condition.')),
  status: required(oneOf('Whether it holds.', ['True', 'False', 'Unknown'])),
  reason: string('Why, in one CamelCase word.'),
  message: string('Why, for people.'),
  lastTransitionTime: time('When the status last changed.'),
};

const SEPARATOR = '/';

/** `resource/namespace/name`; names hold no slash, so that different keys never share a text. */
export function keyText(key: ObjectKey): string {
  return key.resource + SEPARATOR + key.namespace + SEPARATOR + key.name;
}

export function parseKey(text: string): ObjectKey {
  const [resource, namespace, name, ...rest] = text.split(SEPARATOR);
  if (!resource || namespace === undefined || !name || rest.length > 0) {
    throw new RangeError(`not an object key: ${JSON.stringify(text)}`);
  }
  return { resource, namespace, name };
}

/**
 * Orders two resource versions. Versions are positive decimal integers of any length (KEP-5504), so
 * the longer one is the later one. Negative if `a` is older, 0 if they are the same.
 */
export function compareVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The owner that manages the object, if one does. */
export function controllerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return controllerAmong(metadata.ownerReferences ?? []);
}

export function controllerAmong(owners: readonly OwnerReference[]): OwnerReference | undefined {
  return owners.find((owner) => owner.controller === true);
}

/** Metadata of an object that is yet to be created: the executor fills in uid, version and time. */
export function draftMeta(
  given: { readonly name: string } & Partial<Omit<ObjectMeta, 'name'>>,
): ObjectMeta {
  return { uid: '', resourceVersion: '', creationTimestamp: '', generation: 1, ...given };
}

/** The reference by which an object goes with `owner`, which does not manage it. */
export function ownerReference({ apiVersion, kind, metadata }: KubeObject): OwnerReference {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid };
}

/** The reference by which `owner` manages an object. */
export function controllerReference(owner: KubeObject): OwnerReference {
  return { ...ownerReference(owner), controller: true, blockOwnerDeletion: true };
}
