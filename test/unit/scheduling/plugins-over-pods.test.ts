/** A table for each plugin that judges nodes by the pods that are placed. */
import type { Affinity, PodAffinityTerm } from '../../../shared/api/kinds/affinity.ts';
import type { PodSpec } from '../../../shared/api/kinds/pod.ts';
import { node, pod, running } from './fixtures.ts';
import { table } from './table.ts';

const ZONE = 'topology.kubernetes.io/zone';
const zoned = (name: string, zone: string) => node(name, { labels: { [ZONE]: zone } });
const asks = (spec: Partial<PodSpec>) => pod('p', { labels: { app: 'web' }, spec });
const web = (name: string, namespaceName = 'default') =>
  pod(name, { namespace: namespaceName, labels: { app: 'web' } });
const NOT_SELECTED = "node(s) didn't match Pod's node affinity/selector";

const term = (topologyKey: string, given: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
  topologyKey,
  labelSelector: { matchLabels: { app: 'web' } },
  ...given,
});
const near = (...terms: PodAffinityTerm[]): Affinity => ({
  podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms },
});
const far = (...terms: PodAffinityTerm[]): Affinity => ({
  podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms },
});
const zones = [zoned('a', 'z1'), zoned('b', 'z2'), node('c')];
const selfless = (affinity: Affinity) => pod('p', { spec: { affinity } });

table('pod affinity', [
  {
    name: 'goes where the others are',
    nodes: zones,
    pods: [running('b', web('w')), selfless(near(term(ZONE)))],
    expected: ['p@b'],
  },
  {
    name: 'says where the others are not',
    nodes: zones,
    pods: [selfless(near(term(ZONE)))],
    expected: ["0/3 nodes are available: 3 node(s) didn't match pod affinity rules."],
  },
  {
    name: 'lets the first of a group in, where there is a domain',
    nodes: [node('0'), ...zones],
    pods: [asks({ affinity: near(term(ZONE)) })],
    expected: ['p@a'],
  },
  {
    name: 'waits for a pod behind it in the queue',
    nodes: zones,
    pods: [
      selfless(near(term(ZONE))),
      { ...web('w'), spec: { ...web('w').spec, nodeSelector: { [ZONE]: 'z2' } } },
    ],
    expected: ['w@b', 'p@b'],
  },
  {
    name: 'looks in its own namespace only',
    nodes: zones,
    pods: [running('b', web('w', 'other')), selfless(near(term(ZONE)))],
    expected: ["0/3 nodes are available: 3 node(s) didn't match pod affinity rules."],
  },
  {
    name: 'looks in namespaces by name',
    nodes: zones,
    pods: [running('b', web('w', 'other')), selfless(near(term(ZONE, { namespaces: ['other'] })))],
    expected: ['p@b'],
  },
  {
    name: 'looks in namespaces by label',
    nodes: zones,
    pods: [
      running('b', web('w', 'other')),
      selfless(near(term(ZONE, { namespaceSelector: { matchLabels: { team: 'far' } } }))),
    ],
    expected: ['p@b'],
  },
  {
    name: 'stays away from its like',
    nodes: zones.slice(0, 2),
    pods: [running('a', web('w')), asks({ affinity: far(term(ZONE)) })],
    expected: ['p@b'],
  },
  {
    name: 'says that its like is there',
    nodes: zones.slice(0, 1),
    pods: [running('a', web('w')), selfless(far(term(ZONE)))],
    expected: ["0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules."],
  },
  {
    name: 'respects what pods that run want to be far from',
    nodes: zones.slice(0, 1),
    pods: [running('a', pod('x', { spec: { affinity: far(term(ZONE)) } })), web('w')],
    expected: [
      "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
    ],
  },
  {
    name: 'narrows by labels of its own',
    nodes: zones,
    pods: [
      running('a', pod('old', { labels: { app: 'web', version: '1' } })),
      pod('p', {
        labels: { app: 'web', version: '2' },
        spec: { affinity: far(term(ZONE, { matchLabelKeys: ['version'] })) },
      }),
    ],
    expected: ['p@a'],
  },
  {
    name: 'prefers where the others are, or are not',
    nodes: zones.slice(0, 2),
    pods: [
      running('b', web('w')),
      selfless({
        podAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, podAffinityTerm: term(ZONE) },
          ],
        },
      }),
      {
        ...pod('q', {
          spec: {
            affinity: {
              podAntiAffinity: {
                preferredDuringSchedulingIgnoredDuringExecution: [
                  { weight: 1, podAffinityTerm: term(ZONE) },
                ],
              },
            },
          },
        }),
      },
    ],
    expected: ['p@b', 'q@a'],
  },
]);

const spread = (
  given: Partial<NonNullable<PodSpec['topologySpreadConstraints']>[number]> = {},
): Partial<PodSpec> => ({
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: ZONE,
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'web' } },
      nodeAffinityPolicy: 'Honor',
      nodeTaintsPolicy: 'Ignore',
      ...given,
    },
  ],
});
const webs = (...names: string[]) =>
  names.map((name) => pod(name, { labels: { app: 'web' }, spec: spread() }));
const UNEVEN = "node(s) didn't match pod topology spread constraints";

table('topology spread', [
  {
    name: 'evens out domains',
    nodes: zones,
    pods: webs('p', 'q', 'r', 's'),
    expected: ['p@a', 'q@b', 'r@a', 's@b'],
  },
  {
    name: 'says which nodes are uneven and which have no domain',
    nodes: [
      zoned('a', 'z1'),
      node('b', { labels: { [ZONE]: 'z2' }, allocatable: { cpu: '0' } }),
      node('c'),
    ],
    pods: [
      running('a', web('w')),
      pod('p', { labels: { app: 'web' }, requests: { cpu: '1' }, spec: spread() }),
    ],
    expected: [
      `0/3 nodes are available: 1 Insufficient cpu, 1 ${UNEVEN}, ` +
        `1 ${UNEVEN} (missing required label).`,
    ],
  },
  {
    name: 'counts domains that are missing as empty',
    nodes: zones.slice(0, 1),
    pods: [running('a', web('w')), asks(spread({ minDomains: 2 }))],
    expected: [`0/1 nodes are available: 1 ${UNEVEN}.`],
  },
  {
    name: 'leaves out nodes that the pod does not select',
    nodes: zones.slice(0, 2),
    pods: [running('a', web('w')), asks({ ...spread(), nodeSelector: { [ZONE]: 'z1' } })],
    expected: ['p@a'],
  },
  {
    name: 'counts them when told to ignore the selection',
    nodes: zones.slice(0, 2),
    pods: [
      running('a', web('w')),
      asks({ ...spread({ nodeAffinityPolicy: 'Ignore' }), nodeSelector: { [ZONE]: 'z1' } }),
    ],
    expected: [`0/2 nodes are available: 1 ${NOT_SELECTED}, 1 ${UNEVEN}.`],
  },
  {
    name: 'does not count pods on their way out',
    nodes: zones.slice(0, 2),
    pods: [
      running(
        'a',
        pod('w', { labels: { app: 'web' }, meta: { deletionTimestamp: '2024-01-01T00:00:00Z' } }),
      ),
      ...webs('p'),
    ],
    expected: ['p@a'],
  },
  {
    name: 'only prefers so when it may go anyway',
    nodes: zones.slice(0, 2),
    pods: [running('a', web('w')), asks(spread({ whenUnsatisfiable: 'ScheduleAnyway' }))],
    expected: ['p@b'],
  },
]);
