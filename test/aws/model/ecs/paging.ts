/** Pages of a list of ARNs, at most 100 a page: the token is where the next one begins. */
import { invalid } from '../errors.ts';

const MAX_PAGE = 100;

export function pageOf(
  all: readonly string[],
  { maxResults, nextToken }: { maxResults?: number | undefined; nextToken?: string | undefined },
): { items: string[]; nextToken?: string } {
  if (maxResults !== undefined && (maxResults < 1 || maxResults > MAX_PAGE)) {
    throw invalid(`maxResults must be between 1 and ${MAX_PAGE}.`);
  }
  if (nextToken !== undefined && !/^from\/\d+$/.test(nextToken)) throw invalid('Invalid token.');
  const start = Number(nextToken?.slice('from/'.length) ?? 0);
  const end = start + (maxResults ?? MAX_PAGE);
  const items = all.slice(start, end);
  return end < all.length ? { items, nextToken: `from/${end}` } : { items };
}
