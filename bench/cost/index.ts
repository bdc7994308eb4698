/**
 * `npm run bench -- cost`: counts what is asked of AWS and says what it costs. `--write` keeps the
 * counts (counts.json) and brings docs/cost.md up to date; it takes some minutes.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { count } from '../options.ts';
import { billOf, times, usageOf } from './bill.ts';
import { readDocument, withTables, writeDocument } from './document.ts';
import { bareLives, deploymentLives, quietHour } from './runs.ts';
import type { Recorded } from './recorded.ts';
import type { Counts } from './meter.ts';

const SMALL = 100;
const LARGE = 1_000;
const FEW = 10;
const MORE = 100;
/** What functions compute is slower at first: as on AWS, but for far shorter. */
const WARM_UP_PODS = 50;

export async function benchCost(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pods: { type: 'string' },
      write: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  await deploymentLives(WARM_UP_PODS);
  if (values.pods !== undefined) {
    const pods = count('--pods', values.pods);
    const counts = await deploymentLives(pods);
    return values.json ? console.log(JSON.stringify({ cost: counts })) : print(counts);
  }
  const recorded = await recordAll();
  if (values.json) console.log(JSON.stringify({ cost: recorded }));
  else for (const [, counts] of lives(recorded)) print(counts);
  if (!values.write) return;
  const path = join(import.meta.dirname, 'counts.json');
  writeFileSync(path, `${JSON.stringify(rounded(recorded), undefined, 2)}\n`);
  writeDocument(withTables(readDocument(), rounded(recorded)));
}

async function recordAll(): Promise<Recorded> {
  return {
    machine: `${cpus().length} × ${cpus()[0]?.model ?? '?'}, Node ${process.version}`,
    deployment: { [SMALL]: await deploymentLives(SMALL), [LARGE]: await deploymentLives(LARGE) },
    bare: { [FEW]: await bareLives(FEW), [MORE]: await bareLives(MORE) },
    quietHour: { 0: await quietHour(0), [SMALL]: await quietHour(SMALL) },
  };
}

function lives({ deployment, bare }: Recorded): [string, Counts][] {
  return [...Object.entries(deployment), ...Object.entries(bare)];
}

/** Four digits say it: the rest is noise of the machine. */
function rounded<T>(value: T): T {
  const short = (_: string, one: unknown): unknown =>
    typeof one === 'number' ? Number(one.toPrecision(4)) : one;
  return JSON.parse(JSON.stringify(value, short)) as T;
}

const MILLION = 1_000_000;

function print(counts: Counts): void {
  for (const [line, tally] of Object.entries(counts)) {
    const largest = Object.entries(tally as Counts['cpuMs']).sort((a, b) => b[1] - a[1]);
    console.table({ [line]: Object.fromEntries(largest.slice(0, 8).map(short)) });
  }
  const usage = usageOf(counts);
  console.table(usage);
  console.log(`a million lives: $${billOf(times(usage, MILLION), false).toFixed(2)}`);
}

const short = ([what, amount]: [string, number]): [string, string] => [what, amount.toFixed(2)];
