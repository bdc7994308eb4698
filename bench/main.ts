/** `npm run bench -- NAME [options]`: measures, and names the machine it measured on. */
import { cpus, totalmem } from 'node:os';
import { benchLocal } from './local.ts';

const BENCHES: { readonly [name: string]: (args: readonly string[]) => Promise<void> } = {
  local: benchLocal,
};

const HELP = `Usage: npm run bench -- local [--pods N] [--nodes N] [--json]

  local   apply → Running latency, pods per second of one Deployment, growth, memory, idle CPU
          --pods N    only one Deployment of N pods (default: 1,000 and then 10,000)
          --nodes N   simulated nodes for it (default: a fifth of the pods)
          --json      one JSON object instead of a table
`;

const [name = '', ...args] = process.argv.slice(2);
const bench = BENCHES[name];
if (!bench) {
  process.stderr.write(HELP);
  process.exit(name === '' || name === '--help' ? 0 : 2);
}
const [cpu] = cpus();
const gib = Math.round(totalmem() / 2 ** 30);
if (!args.includes('--json')) {
  console.log(
    `machine: ${cpus().length} × ${cpu?.model ?? '?'}, ${gib} GiB, Node ${process.version}`,
  );
}
await bench(args);
