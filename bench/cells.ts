/**
 * What cells save, in CPU time: a pass over one of several beside a pass over all that they are, in
 * a process that has made one before. Each size is a process of its own, for its memory.
 */
import { parseArgs } from 'node:util';
import { CELL_LABEL } from '../shared/api/node-labels.ts';
import type { Pod } from '../shared/api/kinds/pod.ts';
import { DEFAULT_CELL, inCell } from '../shared/core/scheduling/cells.ts';
import { PassMemory } from '../shared/core/scheduling/memory.ts';
import { schedule } from '../shared/core/scheduling/schedule.ts';
import { cpuMsSince } from './cpu.ts';
import { node, pod } from './objects.ts';
import { ClusterState } from './placement/state.ts';
import { runAlone } from './run-alone.ts';

const SIZES = [
  { nodes: 5_000, cells: 1 },
  { nodes: 20_000, cells: 1 },
  { nodes: 20_000, cells: 4 },
  { nodes: 100_000, cells: 1 },
  { nodes: 100_000, cells: 20 },
];
const RUNNING_A_NODE = 5;
const MANY = 1_000;
/** Of each, the median. */
const RUNS = 5;

interface Size {
  readonly nodes: number;
  readonly cells: number;
}

interface Figures extends Size {
  readonly pods: number;
  /** Of all that is stored, taking what is the cell's. */
  readonly partMs: number;
  /** Of the first pass of a process, for one pod. */
  readonly firstMs: number;
  readonly onePodMs: number;
  readonly thousandPodsMs: number;
  readonly rssMb: number;
}

export async function benchCells(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean', default: false } },
  });
  const figures: Figures[] = [];
  for (const size of SIZES) {
    const text = JSON.stringify(size);
    figures.push(await runAlone<Figures>(import.meta.filename, [text], text));
  }
  if (values.json) console.log(JSON.stringify({ cells: figures }));
  else console.table(figures);
}

function measured(size: Size): Figures {
  const state = filled(size);
  const memory = new PassMemory();
  let asked = 0;
  const part = () => inCell({ ...NOTHING, ...state.snapshot() }, DEFAULT_CELL);
  const pass = (pods: number): number => {
    for (let i = 0; i < pods; i++) state.addPod(pod(`asks-${asked++}`, inCellOf(0)));
    return cpuMs(() => state.carryOut(schedule(part(), 0, { memory }).plans));
  };
  const firstMs = pass(1);
  return {
    ...size,
    pods: size.nodes * RUNNING_A_NODE,
    partMs: median(() => cpuMs(part)),
    firstMs,
    onePodMs: median(() => pass(1)),
    thousandPodsMs: median(() => pass(MANY)),
    rssMb: Math.round(process.memoryUsage.rss() / 2 ** 20),
  };
}

const NOTHING = { pools: [], claims: [], groups: [], budgets: [] };

/** Machines and what runs there, dealt out to the cells in turn. */
function filled({ nodes, cells }: Size): ClusterState {
  const state = new ClusterState();
  for (let i = 0; i < nodes; i++) {
    const made = node(i, { zones: [] });
    const labels = { ...made.metadata.labels, [CELL_LABEL]: cellName(i % cells) };
    state.addNode({ ...made, metadata: { ...made.metadata, labels } });
    for (let j = 0; j < RUNNING_A_NODE; j++) {
      const asked = pod(`runs-${i}-${j}`, inCellOf(i % cells));
      state.addPod(running(asked, made.metadata.name));
    }
  }
  return state;
}

function cellName(index: number): string {
  return index === 0 ? DEFAULT_CELL : `cell-${index}`;
}

function inCellOf(index: number) {
  return { spec: { nodeSelector: { [CELL_LABEL]: cellName(index) } } };
}

function running(asked: Pod, nodeName: string): Pod {
  return { ...asked, spec: { ...asked.spec, nodeName }, status: { phase: 'Running' } };
}

function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  return Math.round(10 * cpuMsSince(before)) / 10;
}

function median(measure: () => number): number {
  const all = Array.from({ length: RUNS }, measure).sort((a, b) => a - b);
  return all[Math.floor(RUNS / 2)] ?? 0;
}

if (process.argv[1] === import.meta.filename) {
  const [, , size = ''] = process.argv;
  console.log(JSON.stringify(measured(JSON.parse(size) as Size)));
}
