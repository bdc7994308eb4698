/** `npm run bench -- NAME [options]`: measures, and names the machine it measured on. */
import { cpus, totalmem } from 'node:os';
import { benchCells } from './cells.ts';
import { benchColdStart } from './cold-start.ts';
import { benchCost } from './cost/index.ts';
import { benchDeployed } from './deployed.ts';
import { benchAws } from './aws/index.ts';
import { benchGpuPasses } from './gpu-passes.ts';
import { benchLocal } from './local.ts';
import { benchOpenb } from './openb/index.ts';
import { benchPlacement } from './placement/index.ts';
import { benchStore } from './store.ts';

const BENCHES: { readonly [name: string]: (args: readonly string[]) => Promise<void> } = {
  cells: benchCells,
  'cold-start': benchColdStart,
  cost: benchCost,
  deployed: benchDeployed,
  aws: benchAws,
  gpus: benchGpuPasses,
  local: benchLocal,
  openb: benchOpenb,
  placement: benchPlacement,
  store: benchStore,
};

const HELP = `Usage: npm run bench -- NAME [options]

  local      apply → Running latency, pods per second of one Deployment, growth, memory, idle CPU
             --pods N    only one Deployment of N pods (default: 1,000 and then 10,000)
             --nodes N   simulated nodes for it (default: a fifth of the pods)
  placement  the scheduler's decisions alone, and machines for pods: beside peers' benchmarks;
             fails when a floor is missed
             --workload NAME  those whose names begin so; may be repeated (default: all)
             --pods N, --nodes N  another size of them
             --lot N     pods that come at a time (default: all of them at once)
             --cpu       judge by the thread's CPU time, where others run on the machine
  gpus       what pods with GPUs cost a pass, in CPU: whole and in parts, on 1,000 nodes
  cells      a pass over one of several cells, and over all that they are, in CPU
  openb      how well GPUs are packed: the openb trace, with the published policies beside ours
             --nodes FILE, --pods FILE (repeated; default: the five workloads at hand)
             --seeds A-B (default: 42-51)
             --policy NAME (repeated; default: all)
  store      writes and lists of the file-backed store
             --pods N    (default: 20,000)
  aws        an installation on AWS in model time: latency, bursts, calls a pod
             --arrivals N, --fargate N, --ec2 N pods (default: 500, 3,500, 10,000)
             --reconcilers N functions at a time (default: 5)

  cost       what AWS would be asked for lives of pods and for quiet hours, and charge for it
             --pods N    only one Deployment of N pods
             --write     keep the counts, and bring docs/cost.md up to date: some minutes

  cold-start bundles of the functions: their size, and from load to handler
             --runs N    (default: 10)

  deployed   API → RunTask on the stack as it is deployed on an emulator (needs Python)

  --json     one JSON object instead of a table
`;

const [name = '', ...args] = process.argv.slice(2);
const bench = BENCHES[name];
if (!bench || args.includes('--help')) {
  process.stderr.write(HELP);
  process.exit(bench || name === '' || name === '--help' ? 0 : 2);
}
const [cpu] = cpus();
const gib = Math.round(totalmem() / 2 ** 30);
if (!args.includes('--json')) {
  console.log(
    `machine: ${cpus().length} × ${cpu?.model ?? '?'}, ${gib} GiB, Node ${process.version}`,
  );
}
await bench(args).catch((error: Error & { readonly code?: string }) => {
  if (!error.code?.startsWith('ERR_PARSE_ARGS')) throw error;
  process.stderr.write(`bench: ${error.message}\nTry: npm run bench -- --help\n`);
  process.exitCode = 2;
});
