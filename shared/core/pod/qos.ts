/**
 * Quality of service: what is given up last when a node runs short. Follows from requests and
 * limits alone.
 */
import type { Container } from '../../api/kinds/container.ts';
import type { PodSpec } from '../../api/kinds/pod.ts';
import { amountOf } from './requests.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const COUNTED = ['cpu', 'memory'] as const;

export function qosClassOf(spec: Pick<PodSpec, 'containers' | 'initContainers'>): QosClass {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  if (containers.every(asksNothing)) return 'BestEffort';
  return containers.every(hasItsLimits) ? 'Guaranteed' : 'Burstable';
}

function asksNothing({ resources: { requests, limits } }: Container): boolean {
  return COUNTED.every((name) => isZero(requests, name) && isZero(limits, name));
}

/**
 * Whether all that the container may use is reserved for it. A request that is absent equals its
 * limit.
 */
function hasItsLimits({ resources: { requests, limits } }: Container): boolean {
  return COUNTED.every((name) => {
    const limit = limits?.[name];
    const request = requests?.[name] ?? limit;
    if (limit === undefined || request === undefined || isZero(limits, name)) return false;
    return amountOf(name, limit) === amountOf(name, request);
  });
}

function isZero(amounts: { readonly [name: string]: string } | undefined, name: string): boolean {
  const amount = amounts?.[name];
  return amount === undefined || amountOf(name, amount) === 0;
}
