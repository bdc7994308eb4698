/**
 * Which types a region has, and in which of its zones: for some regions (`offerings.json`, written
 * by scripts/refresh-catalogue.ts). Zones by their ids: a name such as `us-east-1a` is another zone
 * in another account.
 */
import { FamilyFacts, familyLines } from './families.ts';
import snapshot from './offerings.json' with { type: 'json' };
import type { About } from './types.ts';

export interface RegionOfferings {
  /** Ids; the n-th is the n-th letter of the alphabet in the lines. */
  readonly zones: readonly string[];
  readonly types: readonly string[];
}

export const offeringsAbout: About = snapshot.about;

const REGIONS: ReadonlyMap<string, RegionOfferings> = new Map(Object.entries(snapshot.regions));

const read = new Map<string, FamilyFacts>();

/** Stands for the zones of a size that its region does not have, where its family does. */
const NOWHERE = '-';

export const offeredRegions: readonly string[] = [...REGIONS.keys()];

/** Ids of the zones. None where the region does not have the type; undefined: not known. */
export function offeredZoneIds(type: string, region: string): readonly string[] | undefined {
  const offerings = REGIONS.get(region);
  if (!offerings) return undefined;
  const facts = read.get(region) ?? new FamilyFacts(offerings.types);
  read.set(region, facts);
  const letters = facts.of(type) ?? NOWHERE;
  return offerings.zones.filter((_, i) => letters.includes(zoneLetter(i)));
}

/** How the n-th zone is written. */
export function zoneLetter(index: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + index);
}

/** The lines of a region. `types`: all there are, so that a size that is lacking can be said. */
export function encodeOfferings(
  zonesOf: ReadonlyMap<string, ReadonlySet<string>>,
  types: readonly string[],
): RegionOfferings {
  const zones = [...new Set([...zonesOf.values()].flatMap((ids) => [...ids]))].sort();
  const families = new Set([...zonesOf.keys()].map((type) => type.split('.')[0]));
  const facts = types.flatMap((type) => {
    if (!families.has(type.split('.')[0])) return [];
    const letters = zones.map((id, i) => (zonesOf.get(type)?.has(id) ? zoneLetter(i) : ''));
    return [[type, letters.join('') || NOWHERE] as const];
  });
  return { zones, types: familyLines(new Map(facts), true) };
}
