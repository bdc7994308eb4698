/**
 * What errors of ports mean to clients. What is not known here is a defect, and answered as one.
 */
import { alreadyExists, ApiError, expired, serviceUnavailable } from '../../api/errors.ts';
import { resourceTypeOf } from '../../api/resources.ts';
import { AlreadyExists, Conflict, Expired, TooLarge, Unavailable } from '../../ports/store.ts';

/** Clients wait this long before they ask again. */
const RETRY_AFTER_SECONDS = 1;

/** The answer to an error; undefined for one that nobody foresaw. */
export function asApiError(error: unknown, isRead: boolean): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof AlreadyExists) return taken(error);
  if (error instanceof Conflict) {
    return new ApiError(409, 'Conflict', 'Operation cannot be fulfilled: the object has changed');
  }
  if (error instanceof Expired) return expired('The requested version is no longer available.');
  if (error instanceof TooLarge) {
    // Whoever refused it knows its own limit: a store's is another one than a vault's.
    return new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: ${error.message}`);
  }
  if (error instanceof Unavailable) {
    // A client that repeats a write by itself would see its own first attempt as somebody else's.
    const wait = isRead ? RETRY_AFTER_SECONDS : undefined;
    return serviceUnavailable('the store is not available right now', wait);
  }
  return undefined;
}

function taken({ current }: AlreadyExists): ApiError {
  const type = resourceTypeOf(current);
  // What is stored is of a kind that is served; an older file may know more kinds than we do.
  const unknown = { group: '', plural: current.kind.toLowerCase() };
  return alreadyExists(type ?? unknown, current.metadata.name);
}
