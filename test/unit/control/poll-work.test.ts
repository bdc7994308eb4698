/**
 * Rounds of polling: begun by a pod that comes to run with probes, never more than one an interval.
 */
import { describe, expect, it } from 'vitest';
import type { Change } from '../../../shared/api/change.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import {
  beginsPolling,
  POLL_INTERVAL_MS,
  pollMessage,
} from '../../../shared/control/poll-health.ts';

function pod(running: boolean, probes: object): AnyObject {
  const state = running ? { running: { startedAt: '2026-01-01T00:00:00Z' } } : { waiting: {} };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'x', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
    spec: { nodeName: 'fargate', containers: [{ name: 'main', ...probes }] },
    status: { phase: 'Running', containerStatuses: [{ name: 'main', state }] },
    control: { attempt: 1, intentAtMs: 0, taskId: 'u-1', taskVersion: 1 },
  };
}

const PROBES = { livenessProbe: { exec: { command: ['true'] } } };
const put = (object: AnyObject, previous?: AnyObject): Change => ({
  type: 'put',
  resource: 'pods',
  object,
  ...(previous ? { previous } : {}),
});

describe('polling begins', () => {
  it('when a pod with probes comes to run, once', () => {
    expect(beginsPolling(put(pod(true, PROBES), pod(false, PROBES)))).toBe(true);
    expect(beginsPolling(put(pod(true, PROBES)))).toBe(true);
    expect(beginsPolling(put(pod(true, PROBES), pod(true, PROBES)))).toBe(false);
  });

  it('for no pod without probes, and for none that is gone', () => {
    expect(beginsPolling(put(pod(true, {}), pod(false, {})))).toBe(false);
    expect(beginsPolling({ ...put(pod(true, PROBES)), type: 'delete' })).toBe(false);
  });

  it('with one message an interval, whoever asks, and the next is of the next', () => {
    const startMs = 10 * POLL_INTERVAL_MS;
    const causes = [0, 1, POLL_INTERVAL_MS - 1].map((ms) => pollMessage(startMs + ms).cause);
    expect(new Set(causes).size).toBe(1);
    const next = pollMessage(startMs, POLL_INTERVAL_MS);
    expect(next.cause).not.toBe(causes[0]);
    expect(next.cause).toBe(pollMessage(startMs + POLL_INTERVAL_MS).cause);
  });
});
