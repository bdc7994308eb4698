import { describe, expect, it } from 'vitest';
import type { Node } from '../../../shared/api/kinds/node.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { PodGroup } from '../../../shared/api/kinds/scheduling.ts';
import { schedule } from '../../../shared/core/scheduling/schedule.ts';
import { node, NOW_MS, pod, running, snapshot } from './fixtures.ts';

const ZONE = 'topology.kubernetes.io/zone';

function group(name: string, minMember: number): PodGroup {
  return {
    apiVersion: 'scheduling.x-k8s.io/v1alpha1',
    kind: 'PodGroup',
    metadata: { ...pod(name).metadata },
    spec: { minMember },
    status: {},
  };
}

const member = (name: string, gang: string, given: Parameters<typeof pod>[1] = {}): Pod =>
  pod(name, {
    requests: { cpu: '2' },
    labels: { 'scheduling.x-k8s.io/pod-group': gang },
    ...given,
  });

const members = (gang: string, count: number, given: Parameters<typeof pod>[1] = {}) =>
  Array.from({ length: count }, (_, i) => member(`${gang}${i}`, gang, given));

const zoned = (name: string, zone: string): Node => node(name, { labels: { [ZONE]: zone } });

const ending = (one: Pod): Pod => ({
  ...one,
  metadata: { ...one.metadata, deletionTimestamp: '2030-01-01T00:00:00Z' },
});

interface Case {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly groups: readonly PodGroup[];
  readonly expected: readonly string[];
}

/** `pod@node`; `pod>node: victims`; messages, once each; `~ message` of those that only wait. */
function shown({ nodes, pods, groups }: Omit<Case, 'name' | 'expected'>): readonly string[] {
  const result = schedule(snapshot({ nodes, pods, groups }), NOW_MS);
  const waiting = result.plans
    .flatMap(({ blocked }) => blocked)
    .filter((text) => /waits for room|not found/.test(text));
  return [
    ...result.placements.map((p) => `${p.pod.metadata.name}@${p.node}`).sort(),
    ...result.preemptions.map(
      (p) => `${p.pod.metadata.name}>${p.node}: ${p.victims.map((v) => v.metadata.name).join(' ')}`,
    ),
    ...new Set(result.unschedulable.map(({ message }) => message.replace(/\. .*$/, '.'))),
    ...new Set(waiting.map((text) => `~ ${text}`)),
  ];
}

const cases: readonly Case[] = [
  {
    name: 'is placed whole',
    nodes: [node('a'), node('b')],
    pods: members('g', 3),
    groups: [group('g', 3)],
    expected: ['g0@a', 'g1@a', 'g2@b'],
  },
  {
    name: 'is not placed at all when one of it finds no room, and takes none from others',
    nodes: [node('a')],
    pods: [...members('g', 3), pod('z', { requests: { cpu: '3' } })],
    groups: [group('g', 3)],
    expected: [
      'z@a',
      'its gang default/g needs 3 places at once, and the cell has at most 2 when it is empty.',
    ],
  },
  {
    name: 'waits for pods that are not there yet',
    nodes: [node('a')],
    pods: members('g', 2),
    groups: [group('g', 3)],
    expected: ['its gang default/g has 2 of 3 pods.'],
  },
  {
    name: 'is placed with as many as it needs, where there is no room for more',
    nodes: [node('a')],
    pods: members('g', 3),
    groups: [group('g', 2)],
    expected: ['g0@a', 'g1@a', '0/1 nodes are available: 1 Insufficient cpu.'],
  },
  {
    name: 'is complete with those that run already',
    nodes: [node('a'), node('b')],
    pods: [running('b', member('g9', 'g')), ...members('g', 2)],
    groups: [group('g', 3)],
    expected: ['g0@b', 'g1@a'],
  },
  {
    name: 'goes to one zone that has room for all of it',
    nodes: [zoned('a', 'z1'), zoned('b', 'z2'), zoned('c', 'z2')],
    pods: members('g', 4),
    groups: [group('g', 4)],
    expected: ['g0@b', 'g1@b', 'g2@c', 'g3@c'],
  },
  {
    name: 'is spread over zones where none has room for all',
    nodes: [zoned('a', 'z1'), zoned('b', 'z2')],
    pods: members('g', 4),
    groups: [group('g', 4)],
    expected: ['g0@a', 'g1@a', 'g2@b', 'g3@b'],
  },
  {
    name: 'makes room for all of it, and waits together',
    nodes: [node('a'), node('b')],
    pods: [
      running('a', pod('x', { requests: { cpu: '4' } })),
      ...members('g', 4, { requests: { cpu: '2' }, spec: { priority: 5 } }).map((one) => ({
        ...one,
        metadata: { ...one.metadata, labels: { 'scheduling.x-k8s.io/pod-group': 'g' } },
      })),
    ],
    groups: [group('g', 4)],
    expected: ['g2>a: x', 'g3>a: ', '~ waits for room for its gang default/g'],
  },
  {
    name: 'does not make room for a part of it',
    nodes: [node('a')],
    pods: [
      running('a', pod('x', { requests: { cpu: '4' } })),
      ...members('g', 3, {
        spec: { priority: 5 },
        labels: { 'scheduling.x-k8s.io/pod-group': 'g' },
        requests: { cpu: '2' },
      }),
    ],
    groups: [group('g', 3)],
    expected: [
      'its gang default/g needs 3 places at once, and the cell has at most 2 when it is empty.',
    ],
  },
  {
    name: 'does not count on the end of pods for which others end already more than once',
    nodes: [node('a'), node('b')],
    pods: [
      running('a', ending(pod('x', { requests: { cpu: '4' } }))),
      ...members('g', 4, { spec: { priority: 5 }, requests: { cpu: '2' } }).map((one, i) =>
        i < 2 ? one : { ...one, status: { ...one.status, nominatedNodeName: 'a' } },
      ),
    ],
    groups: [group('g', 4)],
    expected: ['~ waits for room for its gang default/g'],
  },
  {
    name: 'that can make no room for all of it has told nobody to go',
    nodes: [node('a')],
    pods: [
      running('a', pod('x', { requests: { cpu: '4' } })),
      ...members('g', 3, { spec: { priority: 5 }, requests: { cpu: '2' } }),
      pod('z', { spec: { priority: 3 }, requests: { cpu: '2' } }),
    ],
    groups: [group('g', 3)],
    expected: [
      'z>a: x',
      'its gang default/g needs 3 places at once, and the cell has at most 2 when it is empty.',
    ],
  },
  {
    name: 'must exist',
    nodes: [node('a')],
    pods: members('g', 1),
    groups: [],
    expected: ['~ PodGroup "g" not found'],
  },
];

describe('a gang', () => {
  it.each(cases)('$name', (given) => {
    expect(shown(given)).toEqual(given.expected);
  });

  it('may be written on the pods alone', () => {
    const annotations = {
      'pod-group.scheduling.sigs.k8s.io/name': 'g',
      'pod-group.scheduling.sigs.k8s.io/min-available': '3',
    };
    const pods = members('x', 2, { labels: annotations, requests: { cpu: '2' } });
    expect(shown({ nodes: [node('a')], pods, groups: [] })).toEqual([
      'its gang default/g has 2 of 3 pods.',
    ]);
  });
});
