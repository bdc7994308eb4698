/**
 * What a function does before it can do anything: its bundle, as it is deployed, is loaded by a new
 * process until its handler is there. On Lambda the code has to come to a machine first, which is
 * not in here, and a processor is a share of one.
 */
import { buildSync, type Metafile } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleOptions } from '../infra/bundling.ts';
import { FUNCTION_NAMES, type FunctionName } from '../infra/settings.ts';
import { count } from './options.ts';

export interface ColdStartFigures {
  readonly name: FunctionName;
  /** Minified, whole. */
  readonly bundleKiB: number;
  /** Of it, what is loaded before the handler is there. */
  readonly atOnceKiB: number;
  /** Of that, what comes from packages: the SDK and what it needs. */
  readonly packagesKiB: number;
  /** From the import of the bundle to its handler, the median of all runs. */
  readonly loadMs: number;
}

const RUNS = 10;

/** Whatever the functions are told by their environment; no call is made with it. */
export const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
  NULLPLANE_INSTALLATION: 'bench',
  NULLPLANE_VERSION: '0.0.0',
  NULLPLANE_TABLE: 'bench',
  ...queues(['RECONCILE', 'SCHEDULE', 'HEALTH']),
  NULLPLANE_ECS_CLUSTER: 'bench',
  NULLPLANE_RECONCILERS: '5',
  NULLPLANE_SUBNETS: 'subnet-1',
  NULLPLANE_SECURITY_GROUPS: 'sg-1',
  NULLPLANE_ASSIGN_PUBLIC_IP: 'true',
  NULLPLANE_EXECUTION_ROLE_ARN: 'arn:aws:iam::123456789012:role/execution',
  NULLPLANE_LOG_GROUP: '/bench',
  NULLPLANE_FILES_IMAGE: 'busybox',
  NULLPLANE_LAUNCH_TEMPLATE_ID: 'lt-1',
  NULLPLANE_LAUNCH_TEMPLATE_VERSION: '1',
  NULLPLANE_NODE_IMAGE: 'standard',
  NULLPLANE_AWSVPC_TRUNKING: 'false',
  NULLPLANE_VAULT_PREFIX: '/bench',
  NULLPLANE_STREAMING: 'false',
};

function queues(names: readonly string[]): Record<string, string> {
  const urls = names.flatMap((name) => [
    [`NULLPLANE_${name}_QUEUE_URL`, `https://sqs.invalid/${name}`],
    [`NULLPLANE_${name}_DLQ_URL`, `https://sqs.invalid/${name}-dlq`],
  ]);
  return Object.fromEntries(urls) as Record<string, string>;
}

export async function benchColdStart(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: String(RUNS) },
      json: { type: 'boolean', default: false },
    },
  });
  const runs = count('--runs', values.runs);
  const folder = mkdtempSync(join(tmpdir(), 'nullplane-bench-'));
  try {
    const figures = FUNCTION_NAMES.map((name) => measure(name, folder, runs));
    if (values.json) console.log(JSON.stringify({ coldStart: figures }));
    else print(figures);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function measure(name: FunctionName, folder: string, runs: number): ColdStartFigures {
  const { metafile } = buildSync({ ...bundleOptions(name, folder, false), metafile: true });
  const path = join(folder, name, 'index.mjs');
  const times = Array.from({ length: runs }, () => loadMs(path)).sort((a, b) => a - b);
  const atOnce = loadedAtOnce(metafile);
  const packages = atOnce.flatMap(({ inputs }) =>
    Object.entries(inputs).filter(([input]) => input.includes('node_modules/')),
  );
  return {
    name,
    bundleKiB: kib(Object.values(metafile.outputs).map(({ bytes }) => bytes)),
    atOnceKiB: kib(atOnce.map(({ bytes }) => bytes)),
    packagesKiB: kib(packages.map(([, { bytesInOutput }]) => bytesInOutput)),
    loadMs: times[Math.floor(times.length / 2)] ?? 0,
  };
}

type Output = Metafile['outputs'][string];

/** The handler's file, and what it imports before it runs. */
function loadedAtOnce({ outputs }: Metafile): Output[] {
  const seen = new Set<Output>();
  const load = (path: string): void => {
    const output = outputs[path];
    if (!output || seen.has(output)) return;
    seen.add(output);
    for (const { path: next, kind } of output.imports) {
      if (kind === 'import-statement') load(next);
    }
  };
  load(Object.keys(outputs).find((path) => path.endsWith('index.mjs')) ?? '');
  return [...seen];
}

const kib = (bytes: readonly number[]) => bytes.reduce((sum, one) => sum + one, 0) / 1024;

/** The process itself says how long the import took, so that Node's own start is not in it. */
function loadMs(path: string): number {
  const script = `
    const before = performance.now();
    const { handler } = await import(${JSON.stringify(path)});
    if (typeof handler !== 'function') throw new Error('no handler');
    process.stdout.write(String(performance.now() - before), () => process.exit());`;
  const options = { env: ENVIRONMENT, encoding: 'utf8' } as const;
  const args = ['--input-type=module', '--eval', script];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, options);
  if (status !== 0) throw new Error(`${path} does not load: ${stderr}`);
  return Number(stdout);
}

function print(figures: readonly ColdStartFigures[]): void {
  const rows = figures.map(({ name, bundleKiB, atOnceKiB, packagesKiB, loadMs: ms }) => [
    name,
    {
      'bundle KiB': Math.round(bundleKiB),
      'loaded at once KiB': Math.round(atOnceKiB),
      'of it packages KiB': Math.round(packagesKiB),
      'load ms': ms.toFixed(0),
    },
  ]);
  console.table(Object.fromEntries(rows));
}
