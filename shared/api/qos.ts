/**
 * Quality of service: which pods are given up last when a node runs short. Follows from the
 * requests and limits for CPU and memory alone, so it holds before defaults are set as well.
 */
import type { Container } from './kinds/container.ts';
import type { PodSpec } from './kinds/pod.ts';
import { milliValue } from './quantity.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const COUNTED = ['cpu', 'memory'] as const;

export function qosClassOf(spec: Pick<PodSpec, 'containers' | 'initContainers'>): QosClass {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  if (containers.every(asksNothing)) return 'BestEffort';
  return containers.every(hasItsLimits) ? 'Guaranteed' : 'Burstable';
}

/** Of one resource; 0 where nothing is said. A limit without a request is a request as well. */
function amounts({ resources }: Container, name: string) {
  const amountOf = (quantity: string | undefined) => (quantity ? milliValue(quantity) : 0);
  const limit = resources?.limits?.[name];
  return { limit: amountOf(limit), request: amountOf(resources?.requests?.[name] ?? limit) };
}

function asksNothing(container: Container): boolean {
  return COUNTED.every((name) => {
    const { limit, request } = amounts(container, name);
    return limit === 0 && request === 0;
  });
}

/** Whether all that the container may use is reserved for it. */
function hasItsLimits(container: Container): boolean {
  return COUNTED.every((name) => {
    const { limit, request } = amounts(container, name);
    return limit > 0 && limit === request;
  });
}
