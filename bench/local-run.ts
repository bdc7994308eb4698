/** One run of the local benchmark: prints its figures as JSON. Arguments: pods, nodes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '../local/client.ts';
import { parseNodeGroups } from '../shared/core/capacity/catalogue/node-groups.ts';
import { startLocal } from '../local/start.ts';
import { cpuMsSince } from './cpu.ts';

export interface LocalFigures {
  readonly pods: number;
  readonly nodes: number;
  /** Apply → Running, one pod at a time on an otherwise idle system. */
  readonly onePodMs: { readonly p50: number; readonly p99: number };
  readonly allRunningMs: number;
  readonly podsPerSecond: number;
  /** What the process computed, in all its threads; others on the machine hardly lengthen it. */
  readonly cpuMsPerPod: number;
  /** Versions that the store gave while the Deployment came up, a pod. */
  readonly writesPerPod: number;
  readonly peakRssMb: number;
  readonly idleCpuPercent: number;
}

/** Single pods measured, after a few that warm the code up. */
const SINGLE_PODS = 200;
const WARM_UP_PODS = 20;

const IDLE_MS = 5_000;
const PODS = '/api/v1/namespaces/default/pods';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

const [pods = 1_000, nodes = 200] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'nullplane-bench-'));
let writes = 0;
const local = await startLocal({
  port: 0,
  dataPath: join(folder, 'state.db'),
  kubeconfigPath: join(folder, 'kubeconfig'),
  runtime: 'simulated',
  simulatedDelays: 'none',
  nodeGroups: parseNodeGroups(`${nodes}xm7i.2xlarge`),
  verbose: false,
  onChange: () => void writes++,
});
const client = new ApiClient(local);
try {
  const onePodMs = await measureSinglePods();
  const rollout = await measureDeployment();
  const idleCpuPercent = await measureIdle();
  const peakRssMb = process.resourceUsage().maxRSS / 1024;
  const figures: LocalFigures = { pods, nodes, onePodMs, ...rollout, peakRssMb, idleCpuPercent };
  process.stdout.write(JSON.stringify(figures));
} finally {
  client.close();
  await local.close();
  rmSync(folder, { recursive: true });
}

function podSpec() {
  const resources = { requests: { cpu: '100m', memory: '128Mi' } };
  return { containers: [{ name: 'app', image: 'example/app:1', resources }] };
}

async function measureSinglePods(): Promise<{ p50: number; p99: number }> {
  const times: number[] = [];
  for (let i = 0; i < WARM_UP_PODS + SINGLE_PODS; i++) {
    const started = performance.now();
    await client.json('POST', PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `one-${i}` },
      spec: podSpec(),
    });
    await until(`${PODS}?fieldSelector=metadata.name=one-${i}`, (object) => {
      return (object.status as { phase?: string }).phase === 'Running';
    });
    if (i >= WARM_UP_PODS) times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  const at = (q: number) => times[Math.min(times.length - 1, Math.floor(times.length * q))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

async function measureDeployment() {
  const labels = { app: 'many' };
  const before = writes;
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  await client.json('POST', DEPLOYMENTS, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'many' },
    spec: {
      replicas: pods,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podSpec() },
    },
  });
  await until(`${DEPLOYMENTS}?fieldSelector=metadata.name=many`, (object) => {
    return (object.status as { readyReplicas?: number }).readyReplicas === pods;
  });
  const allRunningMs = performance.now() - started;
  return {
    allRunningMs,
    podsPerSecond: pods / (allRunningMs / 1000),
    cpuMsPerPod: cpuMsSince(cpuBefore) / pods,
    writesPerPod: (writes - before) / pods,
  };
}

async function until(
  path: string,
  holds: (object: { readonly [field: string]: unknown }) => boolean,
): Promise<void> {
  const stop = new AbortController();
  for await (const event of client.watch(path, stop.signal)) {
    if (event.type === 'ERROR') throw new Error(JSON.stringify(event.object));
    if (holds(event.object)) return stop.abort();
  }
  throw new Error(`the watch of ${path} ended too early`);
}

async function measureIdle(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 1_000)); // let the last wakes settle
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  return (cpuMsSince(before) / IDLE_MS) * 100;
}
