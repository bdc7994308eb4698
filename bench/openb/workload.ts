/**
 * Nodes and pods in the form of the openb trace (Weng et al., ATC 2023): files are read here, and
 * checked.
 */
import { WHOLE_GPU_MILLI } from '../../shared/api/gpus.ts';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Demand } from '../../shared/core/scheduling/gpu/demand.ts';
import type { GpuNode, PlacedRequest } from '../../shared/core/scheduling/gpu/devices.ts';
import {
  ANY_MODEL,
  kindKey,
  MAX_DEVICES,
  MAX_MODELS,
  type ModelSet,
  type PodKind,
} from '../../shared/core/scheduling/gpu/request.ts';
import { InputError, type Row, rowsOf } from './csv.ts';

const NODE_COLUMNS = ['cpu_milli', 'memory_mib', 'gpu', 'model'];
/** `gpu_spec` may be missing: any model then. */
const POD_COLUMNS = ['name', 'cpu_milli', 'memory_mib', 'num_gpu', 'gpu_milli'];

/** The protocol's limit; the trace does not reach it. */
const PODS_A_NODE = 1001;

export interface Cluster {
  readonly nodes: readonly GpuNode[];
  readonly models: readonly string[];
  readonly gpuMilli: number;
}

export interface Workload {
  readonly name: string;
  readonly cluster: Cluster;
  /** What differs in anything, once. */
  readonly specs: readonly PlacedRequest[];
  /** For each pod, in the order of their names, its place in `specs`. */
  readonly pods: Uint32Array;
  /** The kinds that make up 95 % of the list: FGD's typical pods. */
  readonly typical: readonly PodKind[];
}

export function readCluster(file: string): Cluster {
  return parseCluster(textOf(file), file);
}

export function readWorkload(cluster: Cluster, file: string): Workload {
  const name = basename(file, '.csv').replace(/^openb_pod_list_/, '');
  return parseWorkload(cluster, textOf(file), name, file);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError(`${file} can't be read: ${(error as Error).message}`);
  }
}

export function parseCluster(csv: string, file: string): Cluster {
  const models: string[] = [];
  const nodes = rowsOf(csv, file, NODE_COLUMNS).map((row) => {
    const devices = row.amount('gpu');
    if (devices > MAX_DEVICES) throw new InputError(`${file}: a node with ${devices} GPUs`);
    const name = row.text('model');
    if (!models.includes(name)) models.push(name);
    const model = models.indexOf(name);
    const memory = row.amount('memory_mib');
    return { model, devices, cpuMillis: row.amount('cpu_milli'), memory, pods: PODS_A_NODE };
  });
  if (models.length > MAX_MODELS) throw new InputError(`${file}: ${models.length} GPU models`);
  const devices = nodes.reduce((sum, node) => sum + node.devices, 0);
  if (devices === 0) throw new InputError(`${file}: no node has a GPU`);
  return { nodes, models, gpuMilli: devices * WHOLE_GPU_MILLI };
}

export function parseWorkload(cluster: Cluster, csv: string, name: string, file: string): Workload {
  const listed = rowsOf(csv, file, POD_COLUMNS).map((row) => ({
    name: row.text('name'),
    spec: {
      cpuMillis: row.amount('cpu_milli'),
      memory: row.amount('memory_mib'),
      ...gpusOf(row, file),
      models: modelsOf(row.text('gpu_spec'), cluster.models),
    },
  }));
  if (listed.every(({ spec }) => spec.devices === 0)) {
    throw new InputError(`${file}: no pod asks for a GPU`);
  }
  listed.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  return { name, cluster, ...numbered(listed.map(({ spec }) => spec)) };
}

function gpusOf(row: Row, file: string): { devices: number; milliPerDevice: number } {
  const devices = row.amount('num_gpu');
  if (devices === 0) return { devices, milliPerDevice: 0 };
  const milliPerDevice = row.amount('gpu_milli');
  if (milliPerDevice === 0 || milliPerDevice > WHOLE_GPU_MILLI) {
    throw new InputError(`${file}: ${row.text('name')}: gpu_milli is ${milliPerDevice}`);
  }
  return { devices, milliPerDevice };
}

function modelsOf(spec: string, models: readonly string[]): ModelSet {
  if (spec === '') return ANY_MODEL;
  let set = 0;
  for (const name of spec.split('|')) {
    const model = models.indexOf(name.trim());
    if (model >= 0) set |= 1 << model;
  }
  return set;
}

function numbered(list: readonly PlacedRequest[]): Pick<Workload, 'specs' | 'pods' | 'typical'> {
  const numbers = new Map<string, number>();
  const specs: PlacedRequest[] = [];
  const demand = new Demand(Infinity);
  const pods = Uint32Array.from(list, (spec) => {
    demand.count(spec);
    const key = `${kindKey(spec)}/${spec.memory}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, specs.length);
    return specs.push(spec) - 1;
  });
  return { specs, pods, typical: demand.typical() };
}
