/**
 * When a container's health check changes its mind, worked out ahead from what the container will
 * do, so that not each check is a timer. Checks come an interval apart, the first one interval
 * after the start; failures within the start period do not count; so many in a row make it
 * UNHEALTHY; one success makes it HEALTHY. Source: aws-semantics.md 3.5.
 */
import type { HealthCheck, HealthStatus } from '@aws-sdk/client-ecs';
import type { Behaviour } from './behaviour.ts';

export interface HealthChange {
  readonly afterMs: number;
  readonly status: HealthStatus;
}

const DEFAULT_INTERVAL_S = 30;
const DEFAULT_RETRIES = 3;

export function healthChanges(check: HealthCheck, behaviour: Behaviour): HealthChange[] {
  const intervalMs = (check.interval ?? DEFAULT_INTERVAL_S) * 1000;
  const retries = check.retries ?? DEFAULT_RETRIES;
  const startPeriodMs = (check.startPeriod ?? 0) * 1000;
  const { readyAfterMs = 0, unhealthyAfterMs = Infinity } = behaviour;
  const firstCheckFrom = (ms: number) => Math.max(1, Math.ceil(ms / intervalMs)) * intervalMs;
  const changes: HealthChange[] = [];

  const healthyMs = firstCheckFrom(readyAfterMs);
  const passes = healthyMs < unhealthyAfterMs;
  const firstCountedMs = firstCheckFrom(startPeriodMs + 1);
  const failedMs = firstCountedMs + (retries - 1) * intervalMs;
  if (!passes || failedMs < healthyMs) changes.push({ afterMs: failedMs, status: 'UNHEALTHY' });
  if (!passes) return changes;

  changes.push({ afterMs: healthyMs, status: 'HEALTHY' });
  if (unhealthyAfterMs < Infinity) {
    // A check that has passed once ends the start period.
    const badMs = firstCheckFrom(unhealthyAfterMs) + (retries - 1) * intervalMs;
    changes.push({ afterMs: badMs, status: 'UNHEALTHY' });
  }
  return changes;
}
