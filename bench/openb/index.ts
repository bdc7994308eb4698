/**
 * How well GPUs are packed: the openb benchmark (protocol.ts) with the six published policies and
 * ours. docs/benchmarks.md has the figures and what they mean.
 */
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { POLICIES } from './policies.ts';
import { type Policy, type RunFigures, runPolicy } from './protocol.ts';
import { readCluster, readWorkload, type Workload } from './workload.ts';

const DATA = join(import.meta.dirname, '../../../shared/data/openb');
const NODES = 'openb_node_list_gpu_node.csv';
const WORKLOADS = ['default', 'cpu200', 'gpushare40', 'gpuspec20', 'multigpu30'];

interface Summary {
  readonly mean: number;
  /** Sample standard deviation; 0 for a single run. */
  readonly sd: number;
}

interface PolicyFigures {
  readonly policy: string;
  readonly allocatedAt130: Summary;
  readonly allocatedAt100: Summary;
  readonly podsArrived: number;
  readonly podsPlaced: number;
  readonly moves: number;
  readonly podsPerSecond: number;
  readonly runs: readonly RunFigures[];
}

interface WorkloadFigures {
  readonly workload: string;
  readonly pods: number;
  readonly nodes: number;
  readonly gpus: number;
  readonly policies: readonly PolicyFigures[];
}

export async function benchOpenb(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      nodes: { type: 'string' },
      pods: { type: 'string', multiple: true },
      seeds: { type: 'string', default: '42-51' },
      policy: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
    },
  });
  const policies = policiesNamed(values.policy);
  const seeds = seedsOf(values.seeds);
  const cluster = readCluster(values.nodes ?? given(NODES));
  const files = values.pods ?? WORKLOADS.map((name) => given(`openb_pod_list_${name}.csv`));
  const figures: WorkloadFigures[] = [];
  for (const file of files) {
    const measured = measure(readWorkload(cluster, file), policies, seeds);
    figures.push(measured);
    if (!values.json) print(measured);
  }
  if (values.json) console.log(JSON.stringify({ machine: machine(), openb: figures }));
}

function given(name: string): string {
  const file = join(DATA, name);
  if (!existsSync(file)) throw new Error(`${file} is missing: name files by --nodes and --pods`);
  return file;
}

/** "42-51", "7" or "1,3,5-8". */
export function seedsOf(text: string): readonly number[] {
  return text.split(',').flatMap((part) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
    const count = Number(last) - Number(first) + 1;
    if (first === undefined || count < 1) throw new Error(`--seeds: "${part}" is no seed or range`);
    return Array.from({ length: count }, (_, i) => Number(first) + i);
  });
}

function policiesNamed(names: readonly string[] | undefined): [string, Policy][] {
  const known = Object.entries(POLICIES);
  if (!names) return known;
  return names.map((name) => {
    const found = known.find(([policy]) => policy.toLowerCase() === name.toLowerCase());
    if (found) return found;
    throw new Error(`--policy: "${name}" is none of ${Object.keys(POLICIES).join(', ')}`);
  });
}

function measure(
  workload: Workload,
  policies: readonly [string, Policy][],
  seeds: readonly number[],
): WorkloadFigures {
  const { cluster, name, pods } = workload;
  return {
    workload: name,
    pods: pods.length,
    nodes: cluster.nodes.length,
    gpus: cluster.gpuMilli / 1000,
    policies: policies.map(([policy, start]) => ({
      policy,
      ...summed(seeds.map((seed) => runPolicy(workload, start, seed))),
    })),
  };
}

function summed(runs: readonly RunFigures[]): Omit<PolicyFigures, 'policy'> {
  const of = (what: keyof RunFigures): number[] => runs.map((run) => run[what]);
  const arrived = summary(of('arrived')).mean;
  return {
    allocatedAt130: summary(of('allocatedAt130')),
    allocatedAt100: summary(of('allocatedAt100')),
    podsArrived: arrived,
    podsPlaced: summary(of('placed')).mean,
    moves: summary(of('moves')).mean,
    podsPerSecond: arrived / summary(of('seconds')).mean,
    runs,
  };
}

function summary(values: readonly number[]): Summary {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: Math.sqrt(squares / Math.max(1, values.length - 1)) };
}

function machine(): { cpus: number; model: string; node: string } {
  return { cpus: cpus().length, model: cpus()[0]?.model ?? '?', node: process.version };
}

function print({ workload, pods, nodes, gpus, policies }: WorkloadFigures): void {
  console.log(`\n${workload}: ${pods} pods, ${nodes} nodes, ${gpus} GPUs`);
  const shown = ({ mean, sd }: Summary): string => `${mean.toFixed(2)} ± ${sd.toFixed(2)}`;
  const rows = policies.map((figures) => [
    figures.policy,
    {
      '% at 130 %': shown(figures.allocatedAt130),
      '% at 100 %': shown(figures.allocatedAt100),
      arrived: Math.round(figures.podsArrived),
      placed: Math.round(figures.podsPlaced),
      moves: Math.round(figures.moves),
      'pods/s': Math.round(figures.podsPerSecond),
    },
  ]);
  console.table(Object.fromEntries(rows));
}
