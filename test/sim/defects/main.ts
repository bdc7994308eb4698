/**
 * Plants each defect in turn, and runs seeds and plans until one of them catches it.
 *
 *   npm run sim:defects                 all, a line each, and the score
 *   npm run sim:defects -- noBackOff    only these
 *   npm run sim:defects -- --workers 1  one at a time; without, as many as there are processors
 *
 * Stops at the first failure of each; a defect that nothing catches has survived. The score leaves
 * out those that are equivalent: what they change, something else makes good.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Totals } from '../plans/totals.ts';
import { DEFECT_VARIABLE, type Patch } from './patch.ts';
import { PATCHES } from './patches.ts';

const HOOK = join(import.meta.dirname, 'hook.ts');
const SIM = join(import.meta.dirname, '..', 'main.ts');

/**
 * What is tried after the hint, cheapest first, each only where those before find nothing: every
 * script while nothing strikes it, then more and more that strikes. What is equivalent is tried no
 * further than the second.
 */
const LADDER: readonly (readonly string[])[] = [
  ['--systematic', '--plans', '1'],
  ['--seeds', '25'],
  ['--systematic', '--plans', '150'],
  ['--from', '26', '--seeds', '40'],
  ['--composite', '--plans', '150'],
];

const LADDER_OF_AWS: typeof LADDER = [['--aws', '--seeds', '80']];

const TRIED_OF_EQUIVALENT = 2;

interface Verdict {
  readonly name: string;
  readonly patch: Patch;
  /** What caught it: the invariant, and the command. */
  readonly by?: string;
  readonly seconds: number;
}

const { values, positionals: chosen } = parseArgs({
  options: { workers: { type: 'string', default: String(availableParallelism()) } },
  allowPositionals: true,
});
const names = chosen.length > 0 ? chosen : Object.keys(PATCHES);
const waiting = [...names];
const verdicts: Verdict[] = [];
await Promise.all(Array.from({ length: Number(values.workers) }, worker));
const counted = verdicts.filter(({ patch }) => patch.equivalent === undefined);
const caught = counted.filter(({ by }) => by !== undefined).length;
console.log(
  `${verdicts.length} planted, ${verdicts.length - counted.length} of them equivalent; ` +
    `${caught} of ${counted.length} caught (${((100 * caught) / counted.length).toFixed(1)} %)`,
);

async function worker(): Promise<void> {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const verdict = await judge(name);
    verdicts.push(verdict);
    console.log(lineOf(verdict));
  }
}

async function judge(name: string): Promise<Verdict> {
  const patch = PATCHES[name];
  if (!patch) throw new Error(`no such defect; there are ${Object.keys(PATCHES).join(', ')}`);
  const startedMs = performance.now();
  const secondsSince = () => Math.round((performance.now() - startedMs) / 1_000);
  for (const args of attemptsAt(patch)) {
    const by = await caughtBy(name, args);
    if (by !== undefined) return { name, patch, by, seconds: secondsSince() };
  }
  return { name, patch, seconds: secondsSince() };
}

function attemptsAt({ hint, aws, equivalent }: Patch): typeof LADDER {
  const ladder = aws ? LADDER_OF_AWS : LADDER;
  if (equivalent !== undefined) return ladder.slice(0, TRIED_OF_EQUIVALENT);
  return hint === undefined ? ladder : [hint, ...ladder];
}

/** The first failure under these arguments. A script that fails before it is struck counts. */
async function caughtBy(name: string, args: readonly string[]): Promise<string | undefined> {
  const all = ['--import', HOOK, SIM, ...args, '--part', '0/1', '--stop', '--shrinks', '0'];
  const env = { ...process.env, [DEFECT_VARIABLE]: name };
  const child = spawn(process.execPath, all, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data: Buffer) => (output.stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output.stderr += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const broken = /Error: script .* fails: (.*)/.exec(output.stderr);
  if (broken) return `${broken[1]?.slice(0, 90)} (with no fault at all)`;
  if (code !== 0) throw new Error(`${name}: ${output.stderr}`);
  const [failure] = (JSON.parse(output.stdout) as Totals).failures;
  return failure && `${failure.invariant} (${failure.command.replace('npm run sim -- ', '')})`;
}

function lineOf({ name, patch, by, seconds }: Verdict): string {
  const { what, equivalent } = patch;
  const fate = by ?? (equivalent === undefined ? 'SURVIVED' : `equivalent: ${equivalent}`);
  return `${by ? 'caught  ' : 'survived'} ${name}: ${what}; ${fate}; ${seconds} s`;
}
