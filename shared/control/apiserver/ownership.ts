/**
 * managedFields: who set which field. Owns when they are kept up; patch/ owns how they are worked
 * out.
 */
import type { AnyObject } from '../../api/meta.ts';
import type { Context } from './context.ts';
import type { WriteOptions } from './options.ts';
import { updateManagedFields } from './patch/managed-fields.ts';
import { publicForm } from './representation.ts';
import type { ResourceRoute } from './routes.ts';

/** The object with the fields that this write changed owned by its manager. */
export function ownedAfterUpdate(
  context: Context,
  { type, subresource }: ResourceRoute,
  next: AnyObject,
  current: AnyObject | undefined,
  { fieldManager }: WriteOptions,
): AnyObject {
  const owned = updateManagedFields({
    schema: type.schema,
    before: current && (publicForm(current) as AnyObject),
    after: publicForm(next) as AnyObject,
    manager: fieldManager,
    apiVersion: next.apiVersion,
    subresource,
    nowMs: context.nowMs,
  });
  return { ...next, metadata: owned.metadata };
}
