/** resourceVersion as a query parameter. */
import { badRequest } from '../../api/errors.ts';

/** More digits than any version will have. */
const MAX_DIGITS = 40;

/** A version of an object or a list: a positive integer without leading zeros (KEP-5504). */
export function isVersion(text: string): boolean {
  return text.length <= MAX_DIGITS && /^[1-9][0-9]*$/.test(text);
}

/** The version that a query names; undefined where any will do: absent, empty or 0. */
export function versionParameter(query: URLSearchParams): string | undefined {
  const given = query.get('resourceVersion') ?? '';
  if (given === '' || given === '0') return undefined;
  if (isVersion(given)) return given;
  throw badRequest(`invalid resource version ${JSON.stringify(given)}`);
}
