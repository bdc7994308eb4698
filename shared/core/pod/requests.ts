/**
 * What a pod asks of its node, as numbers: `cpu` in millicores, `memory` and `ephemeral-storage` in
 * bytes, everything else in whole units. Placement and ledgers count with these.
 */
import type { Container } from '../../api/kinds/container.ts';
import type { PodSpec } from '../../api/kinds/pod.ts';
import { milliValue, wholeValue } from '../../api/quantity.ts';
import { isSidecar } from './phase.ts';

export type Requests = { readonly [resource: string]: number };

type Sums = { [resource: string]: number };

/**
 * The most that the pod needs at any time. Containers and sidecars (init containers that are
 * restarted always) run together; other init containers run alone beside the sidecars started
 * before them.
 */
export function podRequests(
  spec: Pick<PodSpec, 'containers' | 'initContainers' | 'overhead'>,
): Requests {
  const together: Sums = {};
  const peak: Sums = {};
  for (const container of spec.initContainers ?? []) {
    const requests = containerRequests(container);
    if (isSidecar(container)) add(together, requests);
    else raise(peak, sum(together, requests));
  }
  for (const container of spec.containers) add(together, containerRequests(container));
  raise(peak, together);
  add(peak, amounts(spec.overhead ?? {}));
  return peak;
}

/** A limit without a request is a request as well. */
export function containerRequests(container: Pick<Container, 'resources'>): Requests {
  const { requests, limits } = container.resources;
  return amounts({ ...limits, ...requests });
}

export function amountOf(resource: string, quantity: string): number {
  return resource === 'cpu' ? milliValue(quantity) : wholeValue(quantity);
}

function amounts(quantities: { readonly [resource: string]: string }): Requests {
  return Object.fromEntries(
    Object.entries(quantities).map(([resource, q]) => [resource, amountOf(resource, q)]),
  );
}

function add(sums: Sums, more: Requests): void {
  for (const [resource, amount] of Object.entries(more)) {
    sums[resource] = (sums[resource] ?? 0) + amount;
  }
}

function raise(sums: Sums, floor: Requests): void {
  for (const [resource, amount] of Object.entries(floor)) {
    sums[resource] = Math.max(sums[resource] ?? 0, amount);
  }
}

function sum(a: Requests, b: Requests): Requests {
  const sums: Sums = { ...a };
  add(sums, b);
  return sums;
}
