import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Node } from '../../../shared/api/kinds/node.ts';
import type { Pod, PodSpec } from '../../../shared/api/kinds/pod.ts';
import type { PodDisruptionBudget } from '../../../shared/api/kinds/policy.ts';
import { isPlaced } from '../../../shared/core/scheduling/pending.ts';
import { schedule } from '../../../shared/core/scheduling/schedule.ts';
import { node, NOW_MS, pod, running, snapshot } from './fixtures.ts';
import { namespaces, preemptingPods, someNodes } from './generators.ts';
import { feasible, type Placed, type World } from './reference.ts';

interface Given {
  readonly on?: string;
  readonly priority?: number;
  readonly cpu?: string;
  readonly startTime?: string;
  readonly labels?: { readonly app: string };
  readonly spec?: Partial<PodSpec>;
  readonly ends?: boolean;
  readonly nominated?: string;
}

function made(name: string, given: Given): Pod {
  const { on, priority = 0, cpu = '2', startTime, labels, spec, ends, nominated } = given;
  const one = pod(name, {
    requests: { cpu },
    ...(labels ? { labels } : {}),
    spec: { priority, ...spec },
    status: {
      ...(startTime ? { startTime } : {}),
      ...(nominated ? { nominatedNodeName: nominated } : {}),
    },
    ...(ends ? { meta: { deletionTimestamp: '2024-01-01T00:00:00Z' } } : {}),
  });
  return on ? running(on, one) : one;
}

interface Case {
  readonly name: string;
  readonly nodes?: readonly Node[];
  readonly pods: { readonly [name: string]: Given };
  readonly budgets?: readonly PodDisruptionBudget[];
  /** `pod@node` for placements; `pod>node: victims` for those that make room; messages' ends. */
  readonly expected: readonly string[];
}

const budget = (app: string, disruptionsAllowed: number): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { ...pod(app).metadata, generation: 1 },
  spec: { selector: { matchLabels: { app } } },
  status: {
    ...{ disruptionsAllowed, observedGeneration: 1 },
    ...{ currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
  },
});

function shown({ nodes = [node('a'), node('b')], pods, budgets = [] }: Case): readonly string[] {
  const all = Object.entries(pods).map(([name, given]) => ready(made(name, given)));
  const result = schedule(snapshot({ nodes, pods: all, budgets }), NOW_MS);
  const names = (some: readonly Pod[]) => some.map(({ metadata }) => metadata.name).join(' ');
  return [
    ...result.placements.map(({ pod: p, node: n }) => `${p.metadata.name}@${n}`),
    ...result.preemptions.map((p) => `${p.pod.metadata.name}>${p.node}: ${names(p.victims)}`),
    ...result.unschedulable.map(({ message }) => message.replace(/^.* preemption: /, '')),
  ];
}

/** Budgets guard pods that are ready. */
function ready(one: Pod): Pod {
  if (!one.spec.nodeName) return one;
  const conditions = [{ type: 'Ready', status: 'True' as const }];
  return { ...one, status: { ...one.status, conditions } };
}

const cases: readonly Case[] = [
  {
    name: 'takes pods of lower priority, and of them the lowest',
    pods: {
      x: { on: 'a', priority: 5, cpu: '3' },
      y: { on: 'b', priority: 3, cpu: '3' },
      p: { priority: 9 },
    },
    expected: ['p>b: y'],
  },
  {
    name: 'takes none of the same priority',
    pods: {
      x: { on: 'a', priority: 9, cpu: '3' },
      y: { on: 'b', priority: 9, cpu: '3' },
      p: { priority: 9 },
    },
    expected: ['0/2 nodes are available: 2 No preemption victims found for incoming pod.'],
  },
  {
    name: 'takes no more than it needs, and those that have run for less long',
    nodes: [node('a')],
    pods: {
      x: { on: 'a', cpu: '1', startTime: '2024-01-01T00:00:00Z' },
      y: { on: 'a', cpu: '1', startTime: '2024-01-02T00:00:00Z' },
      z: { on: 'a', cpu: '1', startTime: '2024-01-03T00:00:00Z' },
      p: { priority: 1 },
    },
    expected: ['p>a: z'],
  },
  {
    name: 'spares what a budget protects',
    pods: {
      x: { on: 'a', priority: 1, cpu: '3', labels: { app: 'guarded' } },
      y: { on: 'b', priority: 5, cpu: '3', labels: { app: 'other' } },
      p: { priority: 9 },
    },
    budgets: [budget('guarded', 0)],
    expected: ['p>b: y'],
  },
  {
    name: 'breaks a budget where there is nothing else',
    nodes: [node('a')],
    pods: { x: { on: 'a', cpu: '3', labels: { app: 'guarded' } }, p: { priority: 9 } },
    budgets: [budget('guarded', 0)],
    expected: ['p>a: x'],
  },
  {
    name: 'prefers few victims',
    pods: {
      x: { on: 'a', cpu: '2' },
      y: { on: 'a', cpu: '2' },
      z: { on: 'b', cpu: '4' },
      p: { priority: 1, cpu: '4' },
    },
    expected: ['p>b: z'],
  },
  {
    name: 'prefers victims that started last',
    pods: {
      x: { on: 'a', cpu: '4', startTime: '2024-01-01T00:00:00Z' },
      y: { on: 'b', cpu: '4', startTime: '2024-01-02T00:00:00Z' },
      p: { priority: 1 },
    },
    expected: ['p>b: y'],
  },
  {
    name: 'does nothing for who never preempts',
    nodes: [node('a')],
    pods: { x: { on: 'a', cpu: '4' }, p: { priority: 1, spec: { preemptionPolicy: 'Never' } } },
    expected: ['not eligible due to preemptionPolicy=Never.'],
  },
  {
    name: 'does nothing where it would not help',
    nodes: [node('a'), node('b', { spec: { unschedulable: true } })],
    pods: { x: { on: 'a', cpu: '1' }, p: { priority: 1, cpu: '5' } },
    expected: [
      '0/2 nodes are available: 1 No preemption victims found for incoming pod, ' +
        '1 Preemption is not helpful for scheduling.',
    ],
  },
  {
    name: 'waits where its victims end already, and keeps the room from others',
    nodes: [node('a')],
    pods: {
      x: { on: 'a', cpu: '2', ends: true },
      y: { on: 'a', cpu: '1' },
      p: { priority: 1, cpu: '3', nominated: 'a' },
      q: { cpu: '1' },
    },
    expected: ['0/1 nodes are available: 1 No preemption victims found for incoming pod.'],
  },
  {
    name: 'counts pods that end already as no loss',
    pods: {
      x: { on: 'a', cpu: '4', ends: true },
      y: { on: 'b', cpu: '4' },
      p: { priority: 1 },
    },
    expected: ['p>a: '],
  },
  {
    name: 'gives what victims leave of their room to nobody before they have ended',
    nodes: [node('a')],
    pods: {
      x: { on: 'a', cpu: '4' },
      p: { priority: 1, cpu: '3' },
      q: { cpu: '1' },
    },
    expected: [
      'p>a: x',
      '0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    ],
  },
  {
    name: 'gives the room of one victim to one pod',
    pods: {
      x: { on: 'a', cpu: '4' },
      y: { on: 'b', cpu: '4' },
      p: { priority: 2, cpu: '3' },
      q: { priority: 1, cpu: '3' },
      r: { priority: 1, cpu: '3' },
    },
    expected: [
      'p>a: x',
      'q>b: y',
      '0/2 nodes are available: 2 No preemption victims found for incoming pod.',
    ],
  },
  {
    name: 'takes a pod away that wants no such neighbour',
    nodes: [node('a')],
    pods: {
      x: {
        on: 'a',
        cpu: '1',
        spec: {
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                {
                  topologyKey: 'kubernetes.io/hostname',
                  labelSelector: { matchLabels: { app: 'p' } },
                },
              ],
            },
          },
        },
      },
      p: { priority: 1, cpu: '1', labels: { app: 'p' } },
    },
    expected: ['p>a: x'],
  },
];

describe('preemption', () => {
  it.each(cases)('$name', (given) => {
    expect(shown(given)).toEqual(given.expected);
  });

  it('nominates first, then tells the victims to go', () => {
    const pods = [made('x', { on: 'a', cpu: '4' }), made('p', { priority: 1 })];
    const { plans } = schedule(snapshot({ nodes: [node('a')], pods }), NOW_MS);
    const writes = plans.flatMap(({ stages }) => stages.map((stage) => stage.map(describeWrite)));
    expect(writes).toEqual([
      [['p', 'nominated to a']],
      [['x', 'PreemptionByScheduler']],
      [
        ['p', 'waits for room on a: default/x, of lower priority, has to go'],
        ['x', 'Preempted by pod uid-default-p on node a'],
      ],
    ]);
  });

  it('names three of its victims and counts the others', () => {
    const low = Object.entries({ w: '1', x: '1', y: '1', z: '1' });
    const pods = [
      ...low.map(([name, cpu]) => made(name, { on: 'a', cpu })),
      made('p', { priority: 1, cpu: '4' }),
    ];
    const { plans } = schedule(snapshot({ nodes: [node('a')], pods }), NOW_MS);
    const nomination = plans.flatMap(({ stages }) => stages[0] ?? []).find(isOf('p'));
    const { conditions } = (nomination as unknown as { object: Pod }).object.status;
    expect(conditions?.[0]?.message).toBe(
      'waits for room on a: ' +
        'default/w, default/x, default/y and 1 more, of lower priority, have to go',
    );
  });

  it('asks for nobody else, and for no machine, while its victims end', () => {
    const pods = [
      made('x', { on: 'a', cpu: '4', ends: true }),
      made('p', { priority: 1, nominated: 'a' }),
    ];
    const { plans, unschedulable } = schedule(snapshot({ nodes: [node('a')], pods }), NOW_MS);
    expect(plans).toEqual([]);
    expect(unschedulable).toEqual([]);
  });
});

function isOf(name: string) {
  return (action: unknown) => (action as { object?: Pod }).object?.metadata.name === name;
}

function describeWrite(action: unknown): readonly [string | undefined, string | undefined] {
  const { object, about, message } = action as {
    object?: Pod;
    about?: { name: string };
    message?: string;
  };
  if (about) return [about.name, message];
  const { metadata, status } = object as Pod;
  const target = status.conditions?.find(({ type }) => type === 'DisruptionTarget');
  return [metadata.name, target?.reason ?? `nominated to ${status.nominatedNodeName}`];
}

const labels = Object.fromEntries(
  namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]),
);

/** One pod waits, and all others are where they are. */
const oneWaits = fc
  .record({ nodes: someNodes, pods: preemptingPods })
  .map(({ nodes, pods }) => {
    const names = new Set(nodes.map(({ metadata }) => metadata.name));
    const there = pods.filter((p) => isPlaced(p) && names.has(p.spec.nodeName ?? ''));
    const [waits] = pods.filter((p) => !isPlaced(p));
    return { nodes, there, waits };
  })
  .filter(({ waits }) => waits !== undefined);

it('finds victims exactly where the reference finds room without lower pods', () => {
  fc.assert(
    fc.property(oneWaits, ({ nodes, there, waits }) => {
      if (!waits) return;
      const byName = new Map(nodes.map((one) => [one.metadata.name, one]));
      const placedOf = (pods: readonly Pod[]): Placed[] =>
        pods.flatMap((p) => {
          const on = byName.get(p.spec.nodeName ?? '');
          return on ? [{ pod: p, node: on }] : [];
        });
      const world = (pods: readonly Pod[]): World => ({
        ...{ nodes, placed: placedOf(pods), namespaces: labels },
      });
      const given = snapshot({ nodes, pods: [...there, waits], namespaces });
      const result = schedule(given, NOW_MS);
      const isLower = (p: Pod) => (p.spec.priority ?? 0) < (waits.spec.priority ?? 0);
      const without = (one: Node) =>
        there.filter((p) => !(isLower(p) && p.spec.nodeName === one.metadata.name));
      const fits = nodes.some((one) => feasible(waits, one, world(there)));
      const helps = nodes.some((one) => feasible(waits, one, world(without(one))));
      expect(result.placements).toHaveLength(fits ? 1 : 0);
      expect(result.preemptions).toHaveLength(!fits && helps ? 1 : 0);
      for (const { node: name, victims } of result.preemptions) {
        const on = byName.get(name) as Node;
        const rest = there.filter((p) => !victims.includes(p));
        expect(victims.every(isLower)).toBe(true);
        expect(feasible(waits, on, world(rest))).toBe(true);
        for (const victim of victims) {
          expect(feasible(waits, on, world([...rest, victim])), victim.metadata.name).toBe(false);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});
