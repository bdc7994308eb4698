/**
 * How well GPUs are packed: the openb benchmark (protocol.ts) with the six published policies and
 * ours. docs/benchmarks.md has the figures and what they mean.
 */
import { existsSync, readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { InputError } from './csv.ts';
import { POLICIES } from './policies.ts';
import { type Policy, type RunFigures, runPolicy } from './protocol.ts';
import { readCluster, readWorkload, type Workload } from './workload.ts';

const DATA = join(import.meta.dirname, '../../../shared/data/openb');
const NODES = 'openb_node_list_gpu_node.csv';
const PODS = 'openb_pod_list_';

/** A run takes seconds. */
const MAX_SEEDS = 1_000;

const OPTIONS = {
  nodes: { type: 'string' },
  pods: { type: 'string', multiple: true },
  seeds: { type: 'string', default: '42-51' },
  policy: { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
} as const;

type NamedPolicy = readonly [name: string, policy: Policy];

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
  try {
    const { json, ...asked } = optionsOf(args);
    const figures = asked.workloads.map((workload) => {
      const measured = measure(workload, asked.policies, asked.seeds);
      if (!json) print(measured);
      return measured;
    });
    if (json) console.log(JSON.stringify({ machine: machine(), openb: figures }));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    process.stderr.write(`openb: ${error.message}\n`);
    process.exitCode = 2;
  }
}

interface Asked {
  readonly workloads: readonly Workload[];
  readonly policies: readonly NamedPolicy[];
  readonly seeds: readonly number[];
  readonly json: boolean;
}

/** All that can be wrong with options is found before the first run. */
export function optionsOf(args: readonly string[]): Asked {
  const { nodes, pods, seeds, policy, json } = parsed(args);
  const policies = policy?.map(policyNamed) ?? Object.entries(POLICIES);
  const cluster = readCluster(nodes ?? given(NODES));
  const workloads = (pods ?? givenWorkloads()).map((file) => readWorkload(cluster, file));
  return { workloads, policies, seeds: seedsOf(seeds), json };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new InputError((error as Error).message);
  }
}

function given(name: string): string {
  const file = join(DATA, name);
  if (existsSync(file)) return file;
  throw new InputError(`${file} is missing. Name files with --nodes FILE and --pods FILE.`);
}

/** All lists of pods at hand, `default` first. */
function givenWorkloads(): readonly string[] {
  const first = given(`${PODS}default.csv`);
  const others = readdirSync(DATA)
    .filter((name) => name.startsWith(PODS) && name.endsWith('.csv'))
    .map((name) => join(DATA, name))
    .filter((file) => file !== first);
  return [first, ...others.sort()];
}

/** "42-51", "7" or "1,3,5-8". */
export function seedsOf(text: string): readonly number[] {
  const seeds = text.split(',').flatMap((part) => {
    const [, first, last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part.trim()) ?? [];
    const count = Number(last) - Number(first) + 1;
    if (first === undefined || count < 1 || count > MAX_SEEDS) {
      throw new InputError(`--seeds: "${part}" is no seed and no range of up to ${MAX_SEEDS}`);
    }
    return Array.from({ length: count }, (_, i) => Number(first) + i);
  });
  return [...new Set(seeds)];
}

function policyNamed(name: string): NamedPolicy {
  const known = Object.entries(POLICIES);
  const found = known.find(([policy]) => policy.toLowerCase() === name.toLowerCase());
  if (found) return found;
  throw new InputError(`--policy: "${name}" is none of ${Object.keys(POLICIES).join(', ')}`);
}

function measure(
  workload: Workload,
  policies: readonly NamedPolicy[],
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
