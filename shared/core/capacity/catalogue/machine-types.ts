/** EC2's types as provisioning sees them, for the zones of an installation. */
import type { CapacityType, InstanceType } from '../../../api/instance.ts';
import { typeLabels } from '../../node/draft.ts';
import { amountOf, type Requests } from '../../pod/requests.ts';
import type { MachineType, Offering } from '../machine-type.ts';
import { allocatableOf, capacityOf, type NodeSettings } from './nodes.ts';
import { offeredZoneIds } from './offerings.ts';
import { pricePerHour } from './prices.ts';
import { allInstanceTypes } from './types.ts';

export interface MarketSettings extends NodeSettings {
  readonly region: string;
  /** Names of the zones in which there is a subnet for machines. */
  readonly zones: readonly string[];
}

/**
 * The types that the region has; all of them where that is not known. In which of its zones a type
 * is offered is known by ids alone, whose names are the account's own: it is asked for in all of
 * them, and where it can't be had it is left out for a while.
 */
export function machineTypes(settings: MarketSettings): readonly MachineType[] {
  return allInstanceTypes()
    .filter((type) => offeredZoneIds(type.name, settings.region)?.length !== 0)
    .map((type) => machineTypeOf(type, settings));
}

function machineTypeOf(type: InstanceType, settings: MarketSettings): MachineType {
  return {
    name: type.name,
    labels: typeLabels(type.name, type),
    room: amounts(allocatableOf(type, settings)),
    capacity: { ...amounts(capacityOf(type, settings)), nodes: 1 },
    offerings: settings.zones.flatMap((zone) => offeringsIn(zone, type)),
  };
}

function offeringsIn(zone: string, type: InstanceType): readonly Offering[] {
  return type.capacityTypes.map((capacityType: CapacityType) => {
    const { usdPerHour } = pricePerHour(type, capacityType, zone);
    return { zone, capacityType, usdPerHour };
  });
}

function amounts(quantities: { readonly [resource: string]: string }): Requests {
  return Object.fromEntries(
    Object.entries(quantities).map(([resource, text]) => [resource, amountOf(resource, text)]),
  );
}
