/**
 * What a pod with GPUs costs a pass, in CPU time: whole, in parts, of one kind and of ten, on 1,000
 * nodes of five shapes; and what pods without pay for it, which is to be nothing.
 */
import { parseArgs } from 'node:util';
import { GPU_NAME_LABEL, GPU_SHARING_LABEL } from '../shared/api/gpus.ts';
import type { Node } from '../shared/api/kinds/node.ts';
import type { Pod } from '../shared/api/kinds/pod.ts';
import { withGpuResources } from '../shared/core/node/gpus.ts';
import { PLUGINS } from '../shared/core/scheduling/registry.ts';
import { schedule, type ScheduleOptions } from '../shared/core/scheduling/schedule.ts';
import { cpuMsSince } from './cpu.ts';
import { node, pod } from './objects.ts';

const NODES = 1_000;
const SHAPES = [
  { model: 't4', gpus: 1 },
  { model: 'a10g', gpus: 4 },
  { model: 'a100', gpus: 8 },
  { model: 'l4', gpus: 2 },
  { model: 'v100', gpus: 4 },
];
const ASKED = [
  ...[100, 250, 333, 500, 700].map((milli) => ({ 'nullplane.io/gpu-milli': String(milli) })),
  ...[1, 1, 2, 4, 8].map((count) => ({ 'nvidia.com/gpu': String(count) })),
];
const PASSES = [1, 100, 1_000, 3_000];
const VARIETIES = [1, ASKED.length];
/** For pods that ask for none. */
const PLAIN = { nodes: 5_000, pods: 20_000 };
const RUNS = 3;

/** Of each, the first run of the process and the best. */
interface Figures {
  readonly pass: string;
  readonly firstMs: number;
  readonly bestMs: number;
  readonly msPerPod: number;
}

export async function benchGpuPasses(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean', default: false } },
  });
  const nodes = Array.from({ length: NODES }, (_, i) => gpuNode(i));
  const figures = PASSES.flatMap((count) =>
    VARIETIES.map((kinds) => {
      const make = () => Array.from({ length: count }, (_, i) => gpuPod(i, kinds));
      return measured(`${count} pods of ${kinds} kinds`, count, nodes, make);
    }),
  );
  const plain = Array.from({ length: PLAIN.nodes }, (_, i) => node(i, { zones: [] }));
  const make = () => Array.from({ length: PLAIN.pods }, (_, i) => pod(`pod-${i}`, {}));
  const without = PLUGINS.filter(({ plugin }) => plugin.name !== 'GpuDevices');
  figures.push(measured('no GPUs', PLAIN.pods, plain, make));
  figures.push(measured('no GPUs, no plugin', PLAIN.pods, plain, make, { plugins: without }));
  if (values.json) console.log(JSON.stringify({ gpuPasses: figures }));
  else console.table(figures);
  await Promise.resolve();
}

function measured(
  pass: string,
  count: number,
  nodes: readonly Node[],
  make: () => readonly Pod[],
  options: ScheduleOptions = {},
): Figures {
  const runs = Array.from({ length: RUNS }, () => {
    const pods = make();
    const before = process.cpuUsage();
    schedule({ nodes, ledgers: [], pods, namespaces: [] }, 0, options);
    return cpuMsSince(before);
  });
  const [firstMs = 0] = runs;
  const bestMs = Math.min(...runs);
  const round = (ms: number) => Math.round(ms * 1000) / 1000;
  return { pass, firstMs: round(firstMs), bestMs: round(bestMs), msPerPod: round(bestMs / count) };
}

function gpuNode(i: number): Node {
  const { model, gpus } = SHAPES[i % SHAPES.length] ?? { model: '', gpus: 0 };
  const made = node(i, { zones: [] });
  const labels = {
    ...made.metadata.labels,
    [GPU_SHARING_LABEL]: 'assigned',
    [GPU_NAME_LABEL]: model,
  };
  const room = { cpu: '64', memory: '512Gi', pods: '110', 'nvidia.com/gpu': String(gpus) };
  const allocatable = withGpuResources(room, labels);
  return { ...made, metadata: { ...made.metadata, labels }, status: { allocatable } };
}

function gpuPod(i: number, kinds: number): Pod {
  const asked = ASKED[(kinds === 1 ? 1 : i) % ASKED.length];
  return pod(`pod-${i}`, { requests: { cpu: `${500 + 250 * (i % kinds)}m`, ...asked } });
}
