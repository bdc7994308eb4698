/**
 * How fast local mode is, end to end: a real HTTPS client, the file-backed store, simulated tasks
 * that start without delay. Each size runs in a process of its own, so that memory is that size's.
 */
import { parseArgs } from 'node:util';
import type { LocalFigures } from './local-run.ts';
import { count } from './options.ts';
import { runAlone } from './run-alone.ts';

const SCRIPT = `${import.meta.dirname}/local-run.ts`;

export async function benchLocal(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pods: { type: 'string' },
      nodes: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const sizes = values.pods === undefined ? [1_000, 10_000] : [count('--pods', values.pods)];
  const figures: LocalFigures[] = [];
  for (const pods of sizes) {
    const nodes = values.nodes === undefined ? pods / 5 : count('--nodes', values.nodes);
    const given = [String(pods), String(Math.ceil(nodes))];
    figures.push(await runAlone<LocalFigures>(SCRIPT, given, `${pods} pods`));
  }
  if (values.json) console.log(JSON.stringify({ local: figures }));
  else print(figures);
}

function print(figures: readonly LocalFigures[]): void {
  console.table(
    Object.fromEntries(
      figures.map((f) => [
        `${f.pods} pods, ${f.nodes} nodes`,
        {
          'one pod p50 ms': f.onePodMs.p50.toFixed(1),
          'one pod p99 ms': f.onePodMs.p99.toFixed(1),
          'all Running s': (f.allRunningMs / 1000).toFixed(2),
          'pods/s': Math.round(f.podsPerSecond),
          'CPU ms/pod': f.cpuMsPerPod.toFixed(2),
          'writes/pod': f.writesPerPod.toFixed(1),
          'peak RSS MB': Math.round(f.peakRssMb),
          'idle CPU %': f.idleCpuPercent.toFixed(2),
        },
      ]),
    ),
  );
  const [small, large] = figures;
  if (small && large) {
    const more = large.pods / small.pods;
    const time = large.allRunningMs / small.allRunningMs;
    const cpu = (more * large.cpuMsPerPod) / small.cpuMsPerPod;
    console.log(`${more}× the pods: ${time.toFixed(1)}× the time, ${cpu.toFixed(1)}× the CPU`);
  }
}
