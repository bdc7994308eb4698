/**
 * What no packing can be better than, found by trying: for a resource, machines have to have as
 * much of it as all pods ask for, and there have to be as many as pods that share their host with
 * none of their like. Fractions of machines count, and of all other rules none.
 */
import type { Pod } from '../../shared/api/kinds/pod.ts';
import type { MachineType } from '../../shared/core/capacity/machine-type.ts';
import { podRequests } from '../../shared/core/pod/requests.ts';
import { HOST } from '../objects.ts';

export interface Bounds {
  readonly machines: number;
  readonly usdPerHour: number;
}

/** Charges a machine that are tried, evenly from none to the price of the cheapest. */
const CHARGES = 400;

export function boundsOf(pods: readonly Pod[], types: readonly MachineType[]): Bounds {
  const sums: { [resource: string]: number } = { pods: pods.length };
  for (const pod of pods) {
    for (const [resource, amount] of Object.entries(podRequests(pod.spec))) {
      sums[resource] = (sums[resource] ?? 0) + amount;
    }
  }
  const apart = hostsApart(pods);
  const resources = Object.entries(sums);
  const machines = resources.map(([resource, sum]) => {
    return Math.ceil(sum / Math.max(...types.map(({ room }) => room[resource] ?? 0)));
  });
  const priced = types.map(({ room, offerings }) => {
    return { room, usd: Math.min(...offerings.map(({ usdPerHour }) => usdPerHour)) };
  });
  const cheapest = Math.min(...priced.map(({ usd }) => usd));
  /**
   * Whatever part of a machine's price is taken as a charge for there being one, and the rest as
   * what its room costs: the least charges and the least rests are paid in any case.
   */
  const boundBy = (charge: number, resource: string, sum: number) => {
    const units = priced.map(({ room, usd }) => (usd - charge) / (room[resource] ?? 0));
    return apart * charge + sum * Math.min(...units);
  };
  const charges = Array.from({ length: CHARGES + 1 }, (_, i) => (cheapest * i) / CHARGES);
  const bounds = resources.flatMap(([resource, sum]) => {
    return charges.map((charge) => boundBy(charge, resource, sum));
  });
  return { machines: Math.max(apart, ...machines), usdPerHour: Math.max(0, ...bounds) };
}

/** The most pods with the same labels of which each keeps these labels off its host. */
function hostsApart(pods: readonly Pod[]): number {
  const counts = new Map<string, number>();
  for (const { metadata, spec } of pods) {
    const labels = JSON.stringify(metadata.labels ?? {});
    const { podAntiAffinity } = spec.affinity ?? {};
    const terms = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const isApart = terms.some(
      ({ topologyKey, labelSelector }) =>
        topologyKey === HOST && JSON.stringify(labelSelector?.matchLabels) === labels,
    );
    if (isApart) counts.set(labels, (counts.get(labels) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}
