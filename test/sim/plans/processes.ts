/** Shares the work among processes: each does every n-th job, and prints its totals as JSON. */
import { spawn } from 'node:child_process';
import { addTotals, noTotals, type Totals } from './totals.ts';

/** Nearly all that a run makes is gone soon: with more room for it, less is moved about. */
const YOUNG_SPACE = '--max-semi-space-size=64';

/** Runs this very command so often, each with `--part i/n`. Throws when one of them fails. */
export async function inProcesses(
  count: number,
  args: readonly string[],
  told: (line: string) => void,
): Promise<Totals> {
  const totals = noTotals();
  const parts = Array.from({ length: count }, (_, i) => part(`${i}/${count}`, args, told));
  for (const more of await Promise.all(parts)) addTotals(totals, more);
  return totals;
}

function part(
  name: string,
  args: readonly string[],
  told: (line: string) => void,
): Promise<Totals> {
  const [, main = ''] = process.argv;
  const flags = [...process.execArgv, YOUNG_SPACE];
  const child = spawn(process.execPath, [...flags, main, ...args, '--part', name], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => told(data.toString().trimEnd()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output) as Totals);
      else reject(new Error(`part ${name} ended with ${code}`));
    });
  });
}
