/**
 * How fast and how well machines are chosen for pods: Karpenter's benchmark, and the same pods over
 * the types of EC2. Owns pods, types and what is measured; the bounds are bounds.ts.
 *
 * Source: kubernetes-sigs/karpenter, scheduling_benchmark_test.go (`makeDiversePods`, seed 42,
 * 400 types, an empty cluster, one pool) and cloudprovider/fake/instancetype.go.
 */
import type { NodePool } from '../../shared/api/kinds/karpenter.ts';
import type { Pod } from '../../shared/api/kinds/pod.ts';
import { SeededRandom } from '../../adapters/memory/seeded-random.ts';
import { machineTypes } from '../../shared/core/capacity/catalogue/machine-types.ts';
import type { MachineType } from '../../shared/core/capacity/machine-type.ts';
import { schedule, type SchedulingResult } from '../../shared/core/scheduling/schedule.ts';
import { HOST, pod, ZONE } from '../objects.ts';
import { boundsOf } from './bounds.ts';
import { meanOf, repeated } from './repeated.ts';

export interface Provisioning {
  readonly name: string;
  readonly pods: number;
  /** Pods a second that Karpenter's maintainers report at this size, at their last. */
  readonly karpenter?: number;
  /** It is held to floors; else it is only told of. */
  readonly isHeld: boolean;
  readonly types: () => readonly MachineType[];
}

export interface ProvisioningFigures {
  readonly workload: string;
  readonly karpenter?: number;
  readonly isHeld: boolean;
  readonly types: number;
  readonly pods: number;
  readonly placed: number;
  readonly podsPerSecond: number;
  readonly podsPerCpuSecond: number;
  /** Of the first run of the process, whose code is yet to be compiled. */
  readonly firstPodsPerSecond: number;
  readonly runs: number;
  readonly machines: number;
  readonly leastMachines: number;
  readonly usdPerHour: number;
  readonly leastUsdPerHour: number;
  readonly peakRssMb: number;
}

const MIN_RUNS = 3;
const SEED = 42;

/** PR 2486 of kubernetes-sigs/karpenter, on an Apple M3 Pro. */
const KARPENTER: readonly (readonly [pods: number, podsPerSecond: number])[] = [
  [500, 1_288],
  [1_000, 1_287],
  [2_000, 1_299],
  [5_000, 1_338],
  [10_000, 1_233],
  [20_000, 991],
];
const CATALOGUE_PODS = 5_000;

export const PROVISIONINGS: readonly Provisioning[] = [
  ...KARPENTER.map(([pods, karpenter]) => ({
    ...{ name: `Karpenter-${pods}`, pods, karpenter, isHeld: true },
    types: fakeTypes,
  })),
  { name: 'Catalogue', pods: CATALOGUE_PODS, types: catalogueTypes, isHeld: false },
];

export function provisioningNamed(name: string): Provisioning | undefined {
  return PROVISIONINGS.find((one) => one.name === name);
}

export function measureProvisioning(
  { name, pods: count, types: typesOf, isHeld, karpenter }: Provisioning,
  { isOnce = false } = {},
): ProvisioningFigures {
  const types = typesOf();
  const options = { isOnce, minRuns: MIN_RUNS };
  const { first, runs } = repeated(() => solveOnce(count, types), options);
  const { result, pods } = first;
  const offered = offeredBy(result);
  const { machines: leastMachines, usdPerHour: leastUsdPerHour } = boundsOf(pods, offered);
  return {
    ...{
      workload: name,
      isHeld,
      ...(karpenter ? { karpenter } : {}),
      types: types.length,
      pods: count,
      runs: runs.length,
    },
    placed: result.machines.reduce((sum, machine) => sum + machine.pods.length, 0),
    podsPerSecond: count / (meanOf(runs, ({ ms }) => ms) / 1000),
    podsPerCpuSecond: count / (meanOf(runs, ({ cpuMs }) => cpuMs) / 1000),
    firstPodsPerSecond: count / (first.ms / 1000),
    ...{ machines: result.machines.length, leastMachines },
    ...{ usdPerHour: priceOf(result), leastUsdPerHour },
    peakRssMb: process.resourceUsage().maxRSS / 1024,
  };
}

interface Solved {
  readonly pods: readonly Pod[];
  readonly result: SchedulingResult;
  readonly ms: number;
  readonly cpuMs: number;
}

/** The pods are made anew, so that nothing is remembered of them. */
function solveOnce(count: number, types: readonly MachineType[]): Solved {
  const pods = diversePods(count, SEED);
  const snapshot = { nodes: [], ledgers: [], namespaces: [], pods, pools: [POOL] };
  const [startMs, before] = [performance.now(), process.threadCpuUsage()];
  const result = schedule(snapshot, 0, { types });
  const { user, system } = process.threadCpuUsage(before);
  return { pods, result, ms: performance.now() - startMs, cpuMs: (user + system) / 1000 };
}

/** The types that the pool may launch: those that the machines could be of. */
function offeredBy({ machines }: SchedulingResult): readonly MachineType[] {
  const lists = new Set(machines.map(({ machine }) => machine.kind.types));
  return [...new Set([...lists].flatMap(({ types }) => types))];
}

function priceOf({ machines }: SchedulingResult): number {
  return machines.reduce((sum, { machine: { kind, cheapest } }) => {
    return sum + (kind.types.prices[cheapest] ?? 0);
  }, 0);
}

const POOL: NodePool = {
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: {
    ...{ name: 'default', uid: 'default', resourceVersion: '1', generation: 1 },
    creationTimestamp: '2024-01-01T00:00:00Z',
  },
  spec: {
    template: {
      spec: {
        requirements: [
          { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['spot', 'on-demand'] },
        ],
        expireAfter: '720h',
      },
    },
    disruption: {
      consolidateAfter: '30s',
      consolidationPolicy: 'WhenEmptyOrUnderutilized',
      budgets: [{ nodes: '10%' }],
    },
  },
  status: { nodes: 0 },
};

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const FAKE_TYPES = 400;
const RESERVED = { cpu: 100, memory: 10 * MIB };
const FAKE_OFFERS = [
  ['spot', 'test-zone-1'],
  ['spot', 'test-zone-2'],
  ['on-demand', 'test-zone-1'],
  ['on-demand', 'test-zone-2'],
  ['on-demand', 'test-zone-3'],
] as const;

/** One vCPU, 2 GiB and ten pods more each; $0.1 a vCPU and a GB, wherever it is. */
export function fakeTypes(): readonly MachineType[] {
  return Array.from({ length: FAKE_TYPES }, (_, i) => {
    const [cpu, memory] = [(i + 1) * 1000, 2 * (i + 1) * GIB];
    const usdPerHour = (0.1 * cpu) / 1000 + (0.1 * memory) / 1e9;
    const name = `fake-it-${i}`;
    const pods = 10 * (i + 1);
    return {
      name,
      labels: { 'node.kubernetes.io/instance-type': name, 'kubernetes.io/arch': 'amd64' },
      room: { cpu: cpu - RESERVED.cpu, memory: memory - RESERVED.memory, pods },
      capacity: { cpu, memory, pods, nodes: 1 },
      offerings: FAKE_OFFERS.map(([capacityType, zone]) => ({ capacityType, zone, usdPerHour })),
    };
  });
}

/** Those of AMD64 that a pool may launch are fewer: it says nothing of bare metal or Graviton. */
export function catalogueTypes(): readonly MachineType[] {
  const zones = ['us-east-1a', 'us-east-1b', 'us-east-1c'];
  return machineTypes({ region: 'us-east-1', zones, awsvpcTrunking: true });
}

const CPU_MILLIS = [100, 250, 500, 1000, 1500];
const MEMORY_MIB = [100, 256, 512, 1024, 2048, 4096];
const VALUES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

/** A fifth each, and what is left over is generic. */
export function diversePods(count: number, seed: number): readonly Pod[] {
  const random = new SeededRandom(seed);
  const pick = <T>(from: readonly T[]) => from[random.integer(from.length)] as T;
  const label = (key: string) => ({ [key]: pick(VALUES) });
  const kinds = [
    () => ({ labels: label('my-label') }),
    () => spreadBy(ZONE, label('my-label'), label('my-label')),
    () => spreadBy(HOST, label('my-label'), label('my-label')),
    () => nearTo(label('my-affininity')),
    () => apartFrom({ app: 'nginx' }),
  ];
  const each = Math.floor(count / kinds.length);
  return Array.from({ length: count }, (_, i) => {
    const kind = (kinds[Math.floor(i / each)] ?? kinds[0])?.();
    const requests = { cpu: `${pick(CPU_MILLIS)}m`, memory: `${pick(MEMORY_MIB)}Mi` };
    return pod(`pod-${i}`, { ...kind, requests });
  });
}

type Labels = { readonly [label: string]: string };

function spreadBy(topologyKey: string, labels: Labels, matchLabels: Labels) {
  const constraint = {
    ...{ maxSkew: 1, topologyKey, whenUnsatisfiable: 'DoNotSchedule' as const },
    labelSelector: { matchLabels },
    ...{ nodeAffinityPolicy: 'Honor' as const, nodeTaintsPolicy: 'Ignore' as const },
  };
  return { labels, spec: { topologySpreadConstraints: [constraint] } };
}

function nearTo(labels: Labels) {
  const term = { topologyKey: ZONE, labelSelector: { matchLabels: labels } };
  const podAffinity = { requiredDuringSchedulingIgnoredDuringExecution: [term] };
  return { labels, spec: { affinity: { podAffinity } } };
}

function apartFrom(labels: Labels) {
  const term = { topologyKey: HOST, labelSelector: { matchLabels: labels } };
  const podAntiAffinity = { requiredDuringSchedulingIgnoredDuringExecution: [term] };
  return { labels, spec: { affinity: { podAntiAffinity } } };
}
