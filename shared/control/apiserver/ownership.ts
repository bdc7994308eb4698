/** managedFields: who set which field. Owns when they are kept up; patch/ owns how they are worked out. */
import type { AnyObject } from '../../api/meta.ts';
import type { Context } from './context.ts';
import type { WriteOptions } from './options.ts';
import type { ResourceRoute } from './routes.ts';

/** The object with the fields that this write changed owned by its manager. */
export function ownedAfterUpdate(
  _context: Context,
  _route: ResourceRoute,
  next: AnyObject,
  _current: AnyObject | undefined,
  _options: WriteOptions,
): AnyObject {
  return next;
}
