/** The openb benchmark: decisions of each policy on few nodes, its input, and the trace itself. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import { InputError } from '../../../bench/openb/csv.ts';
import { optionsOf, seedsOf } from '../../../bench/openb/index.ts';
import { Ledger } from '../../../bench/openb/ledger.ts';
import { POLICIES } from '../../../bench/openb/policies.ts';
import { arrivals, type Policy, runPolicy } from '../../../bench/openb/protocol.ts';
import {
  parseCluster,
  parseWorkload,
  readCluster,
  readWorkload,
  type Workload,
} from '../../../bench/openb/workload.ts';
import { DeviceAccounts, type PlacedRequest } from '../../../shared/core/scheduling/gpu/devices.ts';

const NODES = ['sn,cpu_milli,memory_mib,gpu,model', 'a,32000,1000,2,T4', 'b,64000,1000,4,G2'];
const PODS = [
  'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec',
  'half,1000,1,1,500,',
  'whole,2000,1,1,1000,',
  'two,4000,1,2,1000,G2',
  'none,3000,1,0,0,',
];

function workloadOf(nodes: readonly string[] = NODES, pods: readonly string[] = PODS): Workload {
  return parseWorkload(parseCluster(nodes.join('\n'), 'n.csv'), pods.join('\n'), 'w', 'p.csv');
}

function policyOf(name: string): Policy {
  const policy = POLICIES[name];
  if (!policy) throw new Error(name);
  return policy;
}

/** Of `nodes` in this order: where pods, one after another, are placed by a policy. */
function decided(policy: string, nodes: readonly string[], asked: readonly string[]): string[] {
  const workload = workloadOf([NODES[0] as string, ...nodes]);
  const names = PODS.slice(1)
    .map((line) => line.split(',')[0] as string)
    .sort();
  const accounts = new DeviceAccounts(workload.cluster.nodes);
  const ledger = new Ledger(accounts);
  const placer = policyOf(policy)({ workload, accounts, random: new SeededRandom(1) });
  const places: string[] = [];
  const telling = {
    score: placer.score.bind(placer),
    devices: placer.devices.bind(placer),
    placed: (node: number, spec: PlacedRequest, on: number) => {
      places.push(`${nodes[node]?.split(',')[0]}:${on.toString(2)}`);
      placer.placed?.(node, spec, on);
    },
  };
  for (const name of asked) {
    const spec = workload.specs[workload.pods[names.indexOf(name)] ?? -1] as PlacedRequest;
    if (!ledger.place(telling, spec)) places.push('-');
  }
  return places;
}

describe('policies of the openb benchmark', () => {
  const small = 'a,32000,1000,2,T4';
  const large = 'b,64000,1000,4,T4';
  const many = 'c,96000,1000,2,T4';

  it.each([
    // a: 100·(1 − ½·31/128 − ½·1.5/8) = 78; b: 100·(1 − ½·63/128 − ½·3.5/8) = 53
    ['BestFit', 'the node with least left', [large, small], ['half'], ['a:1']],
    // a: 100·(1 − ½·(32·2/128² + 2·1/8²)) = 98.2; b: 100·(1 − ½·(64·2/128² + 4·1/8²)) = 96.4
    ['DotProd', 'the node that points least to the request', [large, small], ['whole'], ['a:1']],
    // A part on a device in use: 100 − 5. Whole: b has 4 free, 33 − 4; a in use has 1 free, 50 − 1.
    [
      'Packing',
      'devices in use, then nodes',
      [small, large],
      ['half', 'half', 'whole'],
      ['a:1', 'a:1', 'a:10'],
    ],
    // Idle: 25. A part beside parts: 75 and more; the whole one goes to the idle node, 25 > 0.
    [
      'Clustering',
      'pods beside their like',
      [small, large],
      ['half', 'whole', 'half', 'whole'],
      ['a:1', 'b:1', 'a:1', 'b:10'],
    ],
    // F, idle: ¼·(0 + 0 + 2000 + 2000) = 1000 on both, 875 after a half: σ(0.125) = 53 twice, the
    // first. Then on the same device 500: σ(0.375) = 59; on others 53 still.
    ['FGD', 'the device that fragments least', [small, many], ['half', 'half'], ['a:1', 'a:1']],
    ['Prices', 'the room that is worth least', [small, large], ['half', 'half'], ['a:1', 'a:1']],
  ])('%s takes %s', (policy, _, nodes, asked, places) => {
    expect(decided(policy, nodes, asked)).toEqual(places);
  });

  it.each(Object.keys(POLICIES))('%s places what fits, and the same with the same seed', (name) => {
    const workload = workloadOf();
    const once = runPolicy(workload, policyOf(name), 1);
    const again = runPolicy(workload, policyOf(name), 1);
    expect({ ...again, seconds: 0 }).toEqual({ ...once, seconds: 0 });
    expect(once.placed).toBeGreaterThan(0);
    expect(once.allocatedAt130).toBeLessThanOrEqual(100);
  });

  it('moves a pod out of the way, but only where that is allowed', () => {
    // Two halves on two models; one can move beside the other, and makes room for a whole pod.
    const nodes = [NODES[0] as string, 'a,9000,9,1,T4', 'b,9000,9,1,G2'];
    const pods = [
      PODS[0] as string,
      'p1,1000,1,1,500,T4',
      'p2,1000,1,1,500,',
      'p3,1000,1,1,1000,G2',
    ];
    const workload = workloadOf(nodes, pods);
    const accounts = new DeviceAccounts(workload.cluster.nodes);
    const ledger = new Ledger(accounts);
    const random = new SeededRandom(1);
    const placer = policyOf('PricesRepacked')({ workload, accounts, random });
    const [onT4, half, whole] = Array.from(workload.pods, (pod) => workload.specs[pod]);
    ledger.place(placer, onT4 as PlacedRequest);
    ledger.move(1, half as PlacedRequest, 1, 1);
    placer.placed?.(1, half as PlacedRequest, 1);
    expect(ledger.place(placer, whole as PlacedRequest)).toBe(true);
    expect([placer.moves, ...accounts.cpuLeft]).toEqual([1, 7_000, 8_000]);
    expect(ledger.place(placer, whole as PlacedRequest)).toBe(false);
    expect([placer.moves, ...accounts.cpuLeft]).toEqual([1, 7_000, 8_000]);
  });
});

describe('arrivals of the openb benchmark', () => {
  it('are all pods, and clones of them up to 1.3 times the GPUs', () => {
    const workload = workloadOf();
    const order = arrivals(workload, new SeededRandom(3));
    const asked = order.map((pod) => workload.specs[pod] as PlacedRequest);
    const milli = asked.reduce(
      (sum, { devices, milliPerDevice }) => sum + devices * milliPerDevice,
      0,
    );
    expect(new Set(order)).toEqual(new Set(workload.pods));
    // The last pod is compared by one of its GPUs, and counted by all.
    expect(milli).toBeGreaterThan(1.3 * 6_000 - 1_000);
    expect(milli).toBeLessThanOrEqual(1.3 * 6_000 + 1_000);
  });

  it('are fewer than the pods where these ask for more', () => {
    const workload = workloadOf([NODES[0] as string, 'a,32000,1000,1,T4']);
    const order = arrivals(workload, new SeededRandom(3));
    expect(order.length).toBeLessThan(workload.pods.length);
  });
});

describe('input of the openb benchmark', () => {
  it.each([
    [
      'a column is missing',
      () => workloadOf(['sn,cpu_milli', 'a,1']),
      /n.csv: no column memory_mib, gpu/,
    ],
    ['a number is none', () => workloadOf([...NODES, 'c,x,1,1,T4']), /n.csv:4: cpu_milli: "x"/],
    ['a row is short', () => workloadOf(NODES, [...PODS, 'p,1']), /p.csv:6: memory_mib: ""/],
    ['a part is none', () => workloadOf(NODES, [...PODS, 'p,1,1,1,1001,']), /p: gpu_milli is 1001/],
    ['no node has a GPU', () => workloadOf(NODES.slice(0, 1)), /no node has a GPU/],
    ['no pod asks for one', () => workloadOf(NODES, PODS.slice(0, 1)), /no pod asks for a GPU/],
    ['a file is missing', () => readCluster('/no/such.csv'), /such.csv can't be read/],
    ['a policy is unknown', () => optionsOf(['--policy', 'best']), /"best" is none of Random, /],
    ['an option is unknown', () => optionsOf(['--fast']), /--fast/],
    ['seeds run backwards', () => seedsOf('5-2'), /"5-2"/],
    ['a seed is no number', () => seedsOf('1,x'), /"x"/],
  ])('is refused when %s', (_, read, message) => {
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
  });

  it('names seeds one by one and as ranges, each once', () => {
    expect(seedsOf('42-44,7,43')).toEqual([42, 43, 44, 7]);
  });
});

const DATA = join(import.meta.dirname, '../../../../shared/data/openb');
const isThere = existsSync(DATA);
if (!isThere) console.warn(`SKIPPED: the openb trace is not at ${DATA}`);

describe.skipIf(!isThere)('the openb trace', () => {
  /** One run each: published means of ten are within a point of any run. */
  it.each([
    ['BestFit', 93.08],
    ['FGD', 95.39],
  ])('%s comes to what is published for the default workload', (name, published) => {
    const cluster = readCluster(join(DATA, 'openb_node_list_gpu_node.csv'));
    const workload = readWorkload(cluster, join(DATA, 'openb_pod_list_default.csv'));
    const { allocatedAt130 } = runPolicy(workload, policyOf(name), 42);
    expect(Math.abs(allocatedAt130 - published)).toBeLessThan(0.6);
  });

  it('is packed better by prices than by any published policy', () => {
    const cluster = readCluster(join(DATA, 'openb_node_list_gpu_node.csv'));
    const workload = readWorkload(cluster, join(DATA, 'openb_pod_list_multigpu30.csv'));
    const { allocatedAt130 } = runPolicy(workload, policyOf('Prices'), 42);
    expect(allocatedAt130).toBeGreaterThan(96.46 + 0.2);
  });
});
