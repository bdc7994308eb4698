/** Metadata: what every object may be called and carry, and what of it an update may change. */
import { sameJson } from '../hash.ts';
import type { AnyObject, Labels, ObjectMeta, OwnerReference } from '../meta.ts';
import {
  type Complaints,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  labelValue,
  MAX_ANNOTATIONS_BYTES,
  qualifiedName,
} from '../names.ts';
import type { ResourceType } from '../resources.ts';
import type { Faults } from './faults.ts';

/** Kinds whose names are stricter than a DNS subdomain. */
const NAME_RULES: { readonly [resource: string]: (name: string) => Complaints } = {
  namespaces: dns1123Label,
  services: dns1035Label,
};

export function checkMetadata(type: ResourceType, object: AnyObject, faults: Faults): void {
  const { metadata } = object;
  const rule = NAME_RULES[type.name] ?? dns1123Subdomain;
  if (metadata.name) faults.complaints('metadata.name', metadata.name, rule(metadata.name));
  else faults.required('metadata.name', 'name or generateName is required');
  if (type.namespaced) {
    const namespace = metadata.namespace ?? '';
    if (!namespace) faults.required('metadata.namespace');
    else faults.complaints('metadata.namespace', namespace, dns1123Label(namespace));
  } else if (metadata.namespace) {
    faults.forbidden('metadata.namespace', 'not allowed on this type');
  }
  faults.notNegative('metadata.generation', metadata.generation);
  checkLabels(metadata.labels, 'metadata.labels', faults);
  checkAnnotations(metadata.annotations, 'metadata.annotations', faults);
  checkOwners(metadata.ownerReferences ?? [], faults);
  checkFinalizers(metadata.finalizers ?? [], faults);
}

export function checkLabels(labels: Labels | undefined, field: string, faults: Faults): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    faults.complaints(field, key, qualifiedName(key));
    faults.complaints(field, value, labelValue(value));
  }
}

export function checkAnnotations(
  annotations: Labels | undefined,
  field: string,
  faults: Faults,
): void {
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    faults.complaints(field, key, qualifiedName(key.toLowerCase()));
    size += byteLength(key) + byteLength(value);
  }
  if (size > MAX_ANNOTATIONS_BYTES) faults.tooLong(field, MAX_ANNOTATIONS_BYTES);
}

const encoder = new TextEncoder();

export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

const OWNER_FIELDS = ['apiVersion', 'kind', 'name', 'uid'] as const;

function checkOwners(owners: readonly OwnerReference[], faults: Faults): void {
  const controllers = owners.filter((owner) => owner.controller);
  for (const [index, owner] of owners.entries()) {
    for (const name of OWNER_FIELDS) {
      const field = `metadata.ownerReferences[${index}].${name}`;
      if (!owner[name]) faults.invalid(field, '', 'must not be empty');
    }
  }
  const [first, second] = controllers;
  if (first && second) {
    const detail =
      'Only one reference can have Controller set to true. ' +
      `Found "true" in references for ${first.name} and ${second.name}`;
    faults.invalid('metadata.ownerReferences', owners, detail);
  }
}

const STANDARD_FINALIZERS = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);

function checkFinalizers(finalizers: readonly string[], faults: Faults): void {
  for (const [index, finalizer] of finalizers.entries()) {
    const field = `metadata.finalizers[${index}]`;
    const complaints = qualifiedName(finalizer);
    if (complaints.length > 0) faults.complaints(field, finalizer, complaints);
    else if (!finalizer.includes('/') && !STANDARD_FINALIZERS.has(finalizer)) {
      const detail = 'name is neither a standard finalizer name nor is it fully qualified';
      faults.invalid(field, finalizer, detail);
    }
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    faults.invalid(
      'metadata.finalizers',
      finalizers,
      'finalizer orphan and foregroundDeletion cannot be both set',
    );
  }
}

const IMMUTABLE = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const satisfies readonly (keyof ObjectMeta)[];

export function checkMetadataUpdate(next: ObjectMeta, old: ObjectMeta, faults: Faults): void {
  for (const name of IMMUTABLE) {
    if (next[name] !== old[name]) {
      faults.invalid(`metadata.${name}`, next[name], 'field is immutable');
    }
  }
  if (old.deletionTimestamp === undefined) return;
  const added = (next.finalizers ?? []).filter((name) => !old.finalizers?.includes(name));
  if (added.length > 0) {
    const list = added.map((name) => JSON.stringify(name)).join(', ');
    const detail =
      'no new finalizers can be added if the object is being deleted, ' +
      `found new finalizers []string{${list}}`;
    faults.forbidden('metadata.finalizers', detail);
  }
}

/** A field that stays as it was created. */
export function checkImmutable(field: string, next: unknown, old: unknown, faults: Faults): void {
  if (!sameJson(next, old)) faults.invalid(field, next, 'field is immutable');
}
