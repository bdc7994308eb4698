/** What is wrong with an object, as its defaults leave it. */
import { decode } from '../../../../shared/api/decode.ts';
import { withDefaults } from '../../../../shared/api/defaults.ts';
import type { AnyObject } from '../../../../shared/api/meta.ts';
import { type ResourceType, resourceType } from '../../../../shared/api/resources.ts';
import { validateCreate, validateUpdate } from '../../../../shared/api/validation/validate.ts';

export type Json = { [field: string]: unknown };

export const META = { name: 'x', namespace: 'n' };

function stored(type: ResourceType, given: Json): AnyObject {
  const { object } = decode(type.schema, { metadata: META, ...given }, 'Strict');
  return withDefaults(type, object as AnyObject);
}

/** `field: message` of every fault. */
export function faults(resource: string, given: Json): string[] {
  const type = resourceType(resource);
  return validateCreate(type, stored(type, given)).map((c) => `${c.field}: ${c.message}`);
}

export function updateFaults(resource: string, old: Json, next: Json): string[] {
  const type = resourceType(resource);
  const causes = validateUpdate(type, stored(type, next), stored(type, old));
  return causes.map((c) => `${c.field}: ${c.message}`);
}

export const container = (fields: Json = {}) => ({ name: 'a', image: 'b', ...fields });
export const pod = (spec: Json = {}, metadata: Json = META) => ({
  metadata,
  spec: { containers: [container()], ...spec },
});
