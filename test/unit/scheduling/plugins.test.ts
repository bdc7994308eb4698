/** A table for each plugin that judges nodes by themselves. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NodeRequirement } from '../../../shared/api/kinds/affinity.ts';
import type { PodSpec } from '../../../shared/api/kinds/pod.ts';
import { PLUGINS } from '../../../shared/core/scheduling/registry.ts';
import { container, node, pod } from './fixtures.ts';
import { table } from './table.ts';

const tainted = (name: string, effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute') =>
  node(name, { spec: { taints: [{ key: 'gpu', value: 'yes', effect }] } });
const cordoned = node('a', { spec: { unschedulable: true } });
const fargate = (name: string) => node(name, { labels: { 'nullplane.io/compute': 'fargate' } });
const asks = (spec: Partial<PodSpec>) => pod('p', { labels: { app: 'web' }, spec });

table('unschedulable nodes', [
  {
    name: 'are left out',
    nodes: [cordoned, node('b')],
    pods: [pod('p')],
    expected: ['p@b'],
  },
  {
    name: 'are named in the message',
    nodes: [cordoned],
    pods: [pod('p')],
    expected: ['0/1 nodes are available: 1 node(s) were unschedulable.'],
  },
  {
    name: 'take pods that tolerate the cordon',
    nodes: [cordoned],
    pods: [
      asks({ tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] }),
    ],
    expected: ['p@a'],
  },
]);

table('a requested node', [
  {
    name: 'is the only one considered',
    nodes: [node('a'), node('b')],
    pods: [asks({ nodeName: 'b' })],
    expected: ['p@b'],
  },
  {
    name: 'must have room',
    nodes: [node('a'), node('b', { allocatable: { pods: '0' } })],
    pods: [asks({ nodeName: 'b' })],
    expected: [
      "0/2 nodes are available: 1 Too many pods, 1 node(s) didn't match the requested node name.",
    ],
  },
]);

const noTaint = (value: string) =>
  `0/1 nodes are available: 1 node(s) had untolerated taint {gpu: ${value}}.`;

table('taints', [
  {
    name: 'keep pods away',
    nodes: [tainted('a', 'NoSchedule')],
    pods: [pod('p')],
    expected: [noTaint('yes')],
  },
  {
    name: 'are shown without a value when they have none',
    nodes: [node('a', { spec: { taints: [{ key: 'gpu', effect: 'NoExecute' }] } })],
    pods: [pod('p')],
    expected: [noTaint('')],
  },
  {
    name: 'are tolerated by value',
    nodes: [tainted('a', 'NoSchedule')],
    pods: [asks({ tolerations: [{ key: 'gpu', operator: 'Equal', value: 'yes' }] })],
    expected: ['p@a'],
  },
  {
    name: 'are not tolerated by another value',
    nodes: [tainted('a', 'NoSchedule')],
    pods: [asks({ tolerations: [{ key: 'gpu', value: 'no' }] })],
    expected: [noTaint('yes')],
  },
  {
    name: 'are not tolerated for another effect',
    nodes: [tainted('a', 'NoExecute')],
    pods: [asks({ tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }] })],
    expected: [noTaint('yes')],
  },
  {
    name: 'are all tolerated by Exists without a key',
    nodes: [tainted('a', 'NoExecute')],
    pods: [asks({ tolerations: [{ operator: 'Exists' }] })],
    expected: ['p@a'],
  },
  {
    name: 'that only prefer so are avoided',
    nodes: [tainted('a', 'PreferNoSchedule'), node('b')],
    pods: [pod('p')],
    expected: ['p@b'],
  },
]);

const requires = (...matchExpressions: NodeRequirement[]): Partial<PodSpec> => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
    },
  },
});
const labelled = [node('a', { labels: { cores: '8' } }), node('b', { labels: { cores: '16' } })];
const NOT_SELECTED = "node(s) didn't match Pod's node affinity/selector";
const nowhere = [`0/2 nodes are available: 2 ${NOT_SELECTED}.`];
const operators: readonly [NodeRequirement['operator'], string[] | undefined, string[]][] = [
  ['In', ['16'], ['p@b']],
  ['In', ['1'], nowhere],
  ['NotIn', ['8'], ['p@b']],
  ['Exists', undefined, ['p@a']],
  ['DoesNotExist', undefined, nowhere],
  ['Gt', ['8'], ['p@b']],
  ['Lt', ['9'], ['p@a']],
  ['Gt', ['many'], nowhere],
];

table('node affinity', [
  {
    name: 'selects by label',
    nodes: labelled,
    pods: [asks({ nodeSelector: { cores: '16' } })],
    expected: ['p@b'],
  },
  {
    name: 'selects by the name of the node',
    nodes: labelled,
    pods: [
      asks({
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [
                { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] },
              ],
            },
          },
        },
      }),
    ],
    expected: ['p@b'],
  },
  {
    name: 'selects nothing by no terms',
    nodes: labelled,
    pods: [asks(requires())],
    expected: nowhere,
  },
  {
    name: 'prefers by weight',
    nodes: labelled,
    pods: [
      asks({
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                weight: 9,
                preference: {
                  matchExpressions: [{ key: 'cores', operator: 'Gt', values: ['8'] }],
                },
              },
              {
                weight: 1,
                preference: { matchExpressions: [{ key: 'cores', operator: 'Exists' }] },
              },
            ],
          },
        },
      }),
    ],
    expected: ['p@b'],
  },
  ...operators.map(([operator, values, expected]) => ({
    name: `requires cores ${operator} ${values?.join() ?? ''}`,
    nodes: labelled,
    pods: [asks(requires({ key: 'cores', operator, ...(values ? { values } : {}) }))],
    expected,
  })),
]);

const onPort = (name: string, hostPort: number, hostIP?: string) =>
  pod(name, {
    spec: {
      containers: [
        {
          ...container({}),
          ports: [{ containerPort: 80, hostPort, protocol: 'TCP', ...(hostIP ? { hostIP } : {}) }],
        },
      ],
    },
  });
const NO_PORTS =
  "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.";

table('host ports', [
  {
    name: 'are given once',
    nodes: [node('a')],
    pods: [onPort('p', 80), onPort('q', 80)],
    expected: ['p@a', NO_PORTS],
  },
  {
    name: 'differ by number',
    nodes: [node('a')],
    pods: [onPort('p', 80), onPort('q', 81)],
    expected: ['p@a', 'q@a'],
  },
  {
    name: 'differ by address, unless one has them all',
    nodes: [node('a')],
    pods: [onPort('p', 80, '10.0.0.1'), onPort('q', 80, '10.0.0.2'), onPort('r', 80)],
    expected: ['p@a', 'q@a', NO_PORTS],
  },
]);

const noOffer = (what: string) => [`0/1 nodes are available: 1 node(s) on Fargate ${what}.`];

table('Fargate', [
  {
    name: 'never runs out of room',
    nodes: [fargate('f')],
    pods: ['p', 'q', 'r'].map((name) => pod(name, { requests: { cpu: '3' } })),
    expected: ['p@f', 'q@f', 'r@f'],
  },
  {
    name: 'comes after machines that run',
    nodes: [fargate('f'), node('m')],
    pods: ['p', 'q'].map((name) => pod(name, { requests: { cpu: '3' } })),
    expected: ['p@m', 'q@f'],
  },
  {
    name: 'has no GPUs',
    nodes: [fargate('f')],
    pods: [pod('p', { requests: { 'nvidia.com/gpu': '1' } })],
    expected: noOffer('offer no nvidia.com/gpu'),
  },
  {
    name: 'has no host ports',
    nodes: [fargate('f')],
    pods: [onPort('p', 80)],
    expected: noOffer('offer no host ports'),
  },
  {
    name: 'takes the largest size',
    nodes: [fargate('f')],
    pods: [pod('p', { requests: { cpu: '16', memory: '120Gi' } })],
    expected: ['p@f'],
  },
  {
    name: 'takes no more than that',
    nodes: [fargate('f')],
    pods: [pod('p', { requests: { cpu: '16001m' } })],
    expected: noOffer('offer at most 16 vCPU, 120Gi memory, 200Gi storage'),
  },
]);

const gpuNode = (name: string) =>
  node(name, { allocatable: { cpu: '4', memory: '16Gi', pods: '10', 'nvidia.com/gpu': '1' } });

table('machines with GPUs', [
  {
    name: 'come after machines without for pods that need none, and before Fargate',
    nodes: [fargate('f'), gpuNode('g'), node('m')],
    pods: ['p', 'q', 'r'].map((name) => pod(name, { requests: { cpu: '3' } })),
    expected: ['p@m', 'q@g', 'r@f'],
  },
  {
    name: 'are there for pods that need one',
    nodes: [fargate('f'), gpuNode('g'), node('m')],
    pods: [pod('p', { requests: { cpu: '1', 'nvidia.com/gpu': '1' } })],
    expected: ['p@g'],
  },
]);

const owner = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: 'rs',
  uid: 'rs',
  controller: true,
};

table('replicas', [
  {
    name: 'are kept apart although they say nothing of it',
    nodes: [node('a'), node('b')],
    pods: ['p', 'q'].map((name) => pod(name, { meta: { ownerReferences: [owner] } })),
    expected: ['p@a', 'q@b'],
  },
]);

describe('the registry', () => {
  it('has each plugin once, and each file of the folder', () => {
    const names = PLUGINS.map(({ plugin }) => plugin.name);
    expect(new Set(names).size).toBe(names.length);
    const folder = join(import.meta.dirname, '../../../shared/core/scheduling/plugins');
    expect(readdirSync(folder)).toHaveLength(PLUGINS.length);
  });

  it('has something that helps for each plugin that refuses', () => {
    const scoresOnly = [
      'PreferredPodAffinity',
      'PreferredTopologySpread',
      'ReplicaSpread',
      'AcceleratorsLast',
      'RunningFirst',
      'CapacityPreference',
    ];
    const helpless = PLUGINS.filter(({ plugin }) => plugin.helpedBy.length === 0);
    expect(helpless.map(({ plugin }) => plugin.name)).toEqual(scoresOnly);
  });
});
