import { describe, expect, it } from 'vitest';
import type { ClusterSnapshot } from '../../../shared/core/scheduling/schedule.ts';
import { schedule } from '../../../shared/core/scheduling/schedule.ts';
import { node, NOW_MS, pod, running, snapshot } from './fixtures.ts';

const placed = (given: Partial<ClusterSnapshot>) =>
  schedule(snapshot(given), NOW_MS).placements.map((p) => `${p.pod.metadata.name}@${p.node}`);
const messages = (given: Partial<ClusterSnapshot>) =>
  schedule(snapshot(given), NOW_MS).unschedulable.map(({ message }) =>
    message.replace(/ preemption: .*$/, ''),
  );

describe('resource fit', () => {
  it('fills the node that is in use before an idle one', () => {
    const nodes = [node('a'), node('b')];
    const pods = [running('b', pod('old', { requests: { cpu: '1' } })), pod('new')];
    expect(placed({ nodes, pods })).toEqual(['new@b']);
  });

  it('never gives more than there is', () => {
    const nodes = [node('a'), node('b')];
    const pods = ['p1', 'p2', 'p3', 'p4', 'p5'].map((n) => pod(n, { requests: { cpu: '1500m' } }));
    expect(placed({ nodes, pods })).toHaveLength(4);
    expect(messages({ nodes, pods })).toEqual(['0/2 nodes are available: 2 Insufficient cpu.']);
  });

  it('says each resource that is short, and that there are too many pods', () => {
    const nodes = [node('a', { allocatable: { pods: '0', memory: '1Gi' } })];
    const pods = [pod('p', { requests: { memory: '2Gi', 'nvidia.com/gpu': '1' } })];
    expect(messages({ nodes, pods })).toEqual([
      '0/1 nodes are available: 1 Insufficient memory, 1 Insufficient nvidia.com/gpu, ' +
        '1 Too many pods.',
    ]);
  });

  it('finds the one node that has a resource, and says that the others lack it', () => {
    const nodes = ['a', 'b', 'c', 'd'].map((name) =>
      node(name, { allocatable: { ...(name === 'c' ? { 'example.com/x': '1' } : {}) } }),
    );
    const pods = ['p', 'q'].map((name) => pod(name, { requests: { 'example.com/x': '1' } }));
    expect(placed({ nodes, pods })).toEqual(['p@c']);
    expect(messages({ nodes, pods })).toEqual([
      '0/4 nodes are available: 4 Insufficient example.com/x.',
    ]);
  });

  it('says that there are no nodes at all', () => {
    expect(messages({ pods: [pod('p')] })).toEqual(['no nodes available to schedule pods']);
  });
});
