/**
 * The catalogue's files, made of what EC2, the price list or others say. Pure: the same facts give
 * the same files, whatever their order.
 */
import type { InstanceTypeInfo, Offering } from '../../adapters/aws/ec2/catalogue.ts';
import { instanceTypeOf } from '../../adapters/aws/ec2/instance-types.ts';
import type { InstanceType } from '../../shared/api/instance.ts';
import { familyLines } from '../../shared/core/capacity/catalogue/families.ts';
import {
  encodeOfferings,
  type RegionOfferings,
} from '../../shared/core/capacity/catalogue/offerings.ts';
import { encodeType } from '../../shared/core/capacity/catalogue/rows.ts';
import type { About } from '../../shared/core/capacity/catalogue/types.ts';

export interface TypesFile {
  readonly about: About;
  readonly types: readonly string[];
}

export interface OfferingsFile {
  readonly about: About;
  readonly regions: { readonly [region: string]: RegionOfferings };
}

export interface PricesFile {
  readonly about: About;
  readonly regions: { readonly [region: string]: readonly string[] };
}

/** Dollars an hour by type. */
export type Prices = ReadonlyMap<string, number>;

/** Types that several regions have are described by each. */
export function typesOf(infos: readonly InstanceTypeInfo[]): readonly InstanceType[] {
  const types = infos.flatMap((info) => instanceTypeOf(info) ?? []);
  const byName = new Map(types.map((type) => [type.name, type]));
  return [...byName.values()].sort((a, b) => compare(a.name, b.name));
}

export function typesFile(types: readonly InstanceType[], about: About): TypesFile {
  return { about, types: types.map(encodeType) };
}

export function offeringsFile(
  byRegion: ReadonlyMap<string, readonly Offering[]>,
  types: readonly InstanceType[],
  about: About,
): OfferingsFile {
  const names = types.map(({ name }) => name);
  const known = new Set(names);
  const regions = [...byRegion].map(([region, offerings]) => {
    const zonesOf = new Map<string, Set<string>>();
    for (const { type, zoneId } of offerings) {
      if (known.has(type)) zonesOf.set(type, (zonesOf.get(type) ?? new Set()).add(zoneId));
    }
    return [region, encodeOfferings(zonesOf, names)] as const;
  });
  return { about, regions: inOrder(regions) };
}

/** Prices of types that the catalogue does not have are left out. */
export function pricesFile(
  byRegion: ReadonlyMap<string, Prices>,
  types: readonly InstanceType[],
  about: About,
): PricesFile {
  const known = new Set(types.map(({ name }) => name));
  const regions = [...byRegion].map(([region, prices]) => {
    const kept = [...prices].filter(([type, usd]) => known.has(type) && usd > 0);
    const facts = new Map(kept.map(([type, usd]) => [type, String(usd)]));
    return [region, familyLines(facts, false)] as const;
  });
  return { about, regions: inOrder(regions) };
}

function inOrder<T>(entries: readonly (readonly [string, T])[]): { readonly [key: string]: T } {
  return Object.fromEntries([...entries].sort(([a], [b]) => compare(a, b)));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
