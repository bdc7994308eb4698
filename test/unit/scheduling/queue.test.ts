import { describe, expect, it } from 'vitest';
import { queueOrder } from '../../../shared/core/scheduling/pending.ts';
import { schedule } from '../../../shared/core/scheduling/schedule.ts';
import { unschedulableMessage } from '../../../shared/core/scheduling/message.ts';
import { node, NOW_MS, pod, snapshot } from './fixtures.ts';

describe('the queue', () => {
  it('is by priority, then age, then name', () => {
    const pods = [
      pod('b'),
      pod('a'),
      pod('older', { meta: { creationTimestamp: '2020-01-01T00:00:00Z' } }),
      pod('important', { spec: { priority: 1 } }),
    ];
    const names = pods.sort(queueOrder).map(({ metadata }) => metadata.name);
    expect(names).toEqual(['important', 'older', 'a', 'b']);
  });
});

describe('the message', () => {
  it('sorts reasons as text, counts included', () => {
    const reasons = {
      'node(s) had untolerated taint {nvidia.com/gpu: }': 2,
      'Insufficient nvidia.com/gpu': 10,
    };
    expect(unschedulableMessage(12, reasons)).toBe(
      '0/12 nodes are available: 10 Insufficient nvidia.com/gpu, ' +
        '2 node(s) had untolerated taint {nvidia.com/gpu: }.',
    );
  });
});

describe('a pass that ends before its queue does', () => {
  it('says so, and says of no pod that it fits nowhere', () => {
    const near = (app: string) => ({
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app } } },
        ],
      },
    });
    // Each pod waits for the one behind it: a chain that is longer than a pass has rounds.
    const pods = Array.from({ length: 12 }, (_, i) =>
      pod(`p${String(i).padStart(2, '0')}`, {
        labels: { app: `app-${i}` },
        ...(i < 11 ? { spec: { affinity: near(`app-${i + 1}`) } } : {}),
      }),
    );
    const result = schedule(snapshot({ nodes: [node('a')], pods }), NOW_MS);
    expect(result.unfinished).toBe(true);
    expect(result.placements).toHaveLength(8);
    expect(result.unschedulable).toHaveLength(3);
  });
});

describe('time', () => {
  const crowd = (nodes: number, pods: number) =>
    snapshot({
      nodes: Array.from({ length: nodes }, (_, i) => node(`n${i}`)),
      pods: Array.from({ length: pods }, (_, i) => pod(`p${i}`, { requests: { cpu: '100m' } })),
    });
  const bestOf = (given: ReturnType<typeof crowd>) =>
    Math.min(
      ...[1, 2, 3].map(() => {
        // Of this thread alone: what else the machine does is no matter of growth.
        const start = process.threadCpuUsage();
        schedule(given, NOW_MS);
        const { user, system } = process.threadCpuUsage(start);
        return user + system;
      }),
    );

  it('grows with the pods, and with the nodes, and no faster', () => {
    const few = bestOf(crowd(300, 1_000));
    expect(bestOf(crowd(300, 10_000)) / few).toBeLessThan(20);
    expect(bestOf(crowd(3_000, 1_000)) / few).toBeLessThan(20);
  });
});
