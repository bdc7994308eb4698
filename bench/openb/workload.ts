/**
 * Nodes and pods in the form of the openb trace (Weng et al., ATC 2023): files are read here, and
 * checked.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Demand } from '../../shared/core/scheduling/gpu/demand.ts';
import type { GpuNode, PlacedRequest } from '../../shared/core/scheduling/gpu/devices.ts';
import {
  ANY_MODEL,
  gpuMilli,
  kindKey,
  MAX_DEVICES,
  MAX_MODELS,
  type ModelSet,
  type PodKind,
  WHOLE_DEVICE_MILLI,
} from '../../shared/core/scheduling/gpu/request.ts';
import { CsvError, rowsOf } from './csv.ts';

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
  return parseCluster(readFileSync(file, 'utf8'), file);
}

export function readWorkload(cluster: Cluster, file: string): Workload {
  const name = basename(file, '.csv').replace(/^openb_pod_list_/, '');
  return parseWorkload(cluster, readFileSync(file, 'utf8'), name, file);
}

export function parseCluster(csv: string, file: string): Cluster {
  const models: string[] = [];
  const nodes = rowsOf(csv, file, ['cpu_milli', 'memory_mib', 'gpu']).map((row) => {
    const devices = row.amount('gpu');
    if (devices > MAX_DEVICES) throw new CsvError(`${file}: a node with ${devices} GPUs`);
    const name = row.text('model');
    if (!models.includes(name)) models.push(name);
    const model = models.indexOf(name);
    const memory = row.amount('memory_mib');
    return { model, devices, cpuMillis: row.amount('cpu_milli'), memory, pods: PODS_A_NODE };
  });
  if (models.length > MAX_MODELS) throw new CsvError(`${file}: ${models.length} GPU models`);
  const devices = nodes.reduce((sum, node) => sum + node.devices, 0);
  if (devices === 0) throw new CsvError(`${file}: no node has a GPU`);
  return { nodes, models, gpuMilli: devices * WHOLE_DEVICE_MILLI };
}

export function parseWorkload(cluster: Cluster, csv: string, name: string, file: string): Workload {
  const listed = rowsOf(csv, file, ['name', 'cpu_milli', 'memory_mib', 'num_gpu']).map((row) => {
    const devices = row.amount('num_gpu');
    const milliPerDevice = devices === 0 ? 0 : row.amount('gpu_milli', WHOLE_DEVICE_MILLI);
    if (milliPerDevice > WHOLE_DEVICE_MILLI || (devices > 0 && milliPerDevice === 0)) {
      throw new CsvError(`${file}: ${row.text('name')}: gpu_milli is ${milliPerDevice}`);
    }
    const models = modelsOf(row.text('gpu_spec'), cluster.models);
    const cpuMillis = row.amount('cpu_milli');
    const memory = row.amount('memory_mib');
    return { name: row.text('name'), spec: { cpuMillis, memory, devices, milliPerDevice, models } };
  });
  if (listed.length === 0) throw new CsvError(`${file}: no pods`);
  listed.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { name, cluster, ...numbered(listed.map(({ spec }) => spec)) };
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
  const demand = new Demand();
  const pods = Uint32Array.from(list, (spec) => {
    demand.count(spec);
    const key = `${kindKey(spec)}/${spec.memory}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, specs.length);
    return specs.push(spec) - 1;
  });
  if (specs.every((spec) => gpuMilli(spec) === 0)) throw new CsvError('no pod asks for a GPU');
  return { specs, pods, typical: demand.typical() };
}
