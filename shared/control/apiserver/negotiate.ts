/**
 * What form the client wants an answer in, by its Accept header. Owns the choice; table.ts owns the
 * Table form.
 */
import { notAcceptable } from '../../api/errors.ts';

export type Representation =
  | { readonly form: 'object' }
  | { readonly form: 'table'; readonly version: string }
  | { readonly form: 'partial'; readonly version: string };

interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** More alternatives than any client offers. */
const MAX_RANGES = 32;
const JSON_TYPES = new Set(['application/json', 'application/*', '*/*']);
const META_VERSIONS = new Set(['v1', 'v1beta1']);

/** The ranges of an Accept header, the most wanted first. */
export function acceptRanges(accept: string | undefined): readonly MediaRange[] {
  const ranges = (accept?.trim() || '*/*').split(',').slice(0, MAX_RANGES).map(parseRange);
  return ranges.filter((r) => r.quality > 0).sort((a, b) => b.quality - a.quality);
}

function parseRange(range: string): MediaRange {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
  const pairs = parameters.map((parameter): [string, string] => {
    const at = parameter.indexOf('=');
    return at < 0 ? [parameter, ''] : [parameter.slice(0, at), parameter.slice(at + 1)];
  });
  const map = new Map(pairs);
  const quality = Number(map.get('q') ?? '1');
  return { type: type.toLowerCase(), parameters: map, quality };
}

/** The first form on offer that the client accepts; 406 when there is none. */
export function negotiate(accept: string | undefined, offersTables = true): Representation {
  for (const range of acceptRanges(accept)) {
    const found = representationOf(range, offersTables);
    if (found) return found;
  }
  throw notAcceptable(['application/json']);
}

function representationOf(range: MediaRange, offersTables: boolean): Representation | undefined {
  if (!JSON_TYPES.has(range.type)) return undefined;
  const as = range.parameters.get('as');
  if (as === undefined) return { form: 'object' };
  const version = range.parameters.get('v') ?? 'v1';
  const isMeta = range.parameters.get('g') === 'meta.k8s.io' && META_VERSIONS.has(version);
  if (!isMeta || !offersTables) return undefined;
  if (as === 'Table') return { form: 'table', version };
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') {
    return { form: 'partial', version };
  }
  return undefined;
}
