/**
 * How fast the scheduler decides, without a store: pods a second over nodes of one shape, all nodes
 * scored for each pod. Beside it, what kube-scheduler reaches; it does other work in that time, so
 * that this shows the order of magnitude and no more (docs/benchmarks.md).
 */
import { parseArgs } from 'node:util';
import { schedule } from '../shared/core/scheduling/schedule.ts';
import { HOST, LABELS, node, pod, type PodKind, ZONE } from './objects.ts';
import { count } from './options.ts';

export interface PlacementFigures {
  readonly kind: string;
  readonly pods: number;
  readonly nodes: number;
  readonly placed: number;
  readonly podsPerSecond: number;
}

interface Kind extends PodKind {
  /** Pods a second: the least that Kubernetes' own benchmark lets pass, API server included. */
  readonly kubernetesFloor: number;
  /** Pods a second of kube-scheduler 1.20's decisions alone, on the machine of the docs. */
  readonly sameMachine?: string;
}

const selector = { matchLabels: LABELS };
const near = { labelSelector: selector, topologyKey: ZONE };
const far = { labelSelector: selector, topologyKey: HOST };

/** The peers' figures are for 5,000 nodes: docs/benchmarks.md says where they are from. */
const KINDS: { readonly [name: string]: Kind } = {
  basic: { spec: {}, kubernetesFloor: 680, sameMachine: '217–271' },
  replicas: { spec: {}, owned: true, kubernetesFloor: 160 },
  'zone spread': {
    spec: {
      topologySpreadConstraints: [
        {
          maxSkew: 5,
          topologyKey: ZONE,
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: selector,
          nodeAffinityPolicy: 'Honor',
          nodeTaintsPolicy: 'Ignore',
        },
      ],
    },
    kubernetesFloor: 460,
    sameMachine: '54–73',
  },
  'zone affinity': {
    spec: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [near] } } },
    kubernetesFloor: 35,
    sameMachine: '25–29',
  },
  'host anti-affinity': {
    spec: {
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [far] } },
    },
    kubernetesFloor: 60,
    sameMachine: '51–57',
  },
  'preferred affinity': {
    spec: {
      affinity: {
        podAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: near }],
        },
      },
    },
    kubernetesFloor: 90,
  },
};

export async function benchPlacement(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pods: { type: 'string', default: '10000' },
      nodes: { type: 'string', default: '5000' },
      json: { type: 'boolean', default: false },
    },
  });
  const pods = count('--pods', values.pods);
  const nodes = count('--nodes', values.nodes);
  const figures = Object.entries(KINDS).map(([kind, what]) => measure(kind, what, pods, nodes));
  if (values.json) console.log(JSON.stringify({ placement: figures }));
  else print(figures);
}

function measure(kind: string, what: Kind, podCount: number, nodeCount: number): PlacementFigures {
  const nodes = Array.from({ length: nodeCount }, (_, i) => node(i));
  const pods = Array.from({ length: podCount }, (_, i) => pod(i, what));
  const startMs = performance.now();
  const { placements } = schedule({ nodes, ledgers: [], pods, namespaces: [] }, 0);
  const podsPerSecond = podCount / ((performance.now() - startMs) / 1000);
  return { kind, pods: podCount, nodes: nodeCount, placed: placements.length, podsPerSecond };
}

function print(figures: readonly PlacementFigures[]): void {
  const rows = figures.map(({ kind, pods, nodes, placed, podsPerSecond }) => [
    kind,
    {
      'pods × nodes': `${pods} × ${nodes}`,
      placed,
      'pods/s': Math.round(podsPerSecond),
      'kube-scheduler, CI floor': KINDS[kind]?.kubernetesFloor,
      'same machine, 1.20': KINDS[kind]?.sameMachine ?? '–',
    },
  ]);
  console.table(Object.fromEntries(rows));
}
