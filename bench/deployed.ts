/**
 * How long from the API's answer to the call that launches the task, on the stack as it is deployed
 * on an emulator (test/aws/deploy): `npm run bench -- deployed`. One pod at a time, as a person
 * waits for one; the emulator's own polling is in the figures.
 */
import { Lane } from '../test/aws/deploy/lane.ts';

const PODS = 60;
const WARM_UP = 5;
const LOOK_EVERY_MS = 10;
const LONGEST_MS = 30_000;

interface Call {
  readonly operation: string;
  readonly atMs: number;
}

export async function benchDeployed(): Promise<void> {
  console.log('deploying the stack on an emulator …');
  const lane = await Lane.deploy();
  try {
    for (let i = 0; i < WARM_UP; i++) await launchMs(lane, pod(`warm-${i}`));
    const pods = await times(PODS, (i) => launchMs(lane, pod(`pod-${i}`)));
    const deployments = await times(PODS / 2, (i) => launchMs(lane, deployment(`web-${i}`)));
    print('a pod', pods);
    print('a Deployment of one', deployments);
  } finally {
    await lane.close();
  }
}

async function times(count: number, once: (i: number) => Promise<number>): Promise<number[]> {
  const measured: number[] = [];
  for (let i = 0; i < count; i++) measured.push(await once(i));
  return measured;
}

/** From the API's answer to the RunTask call, by the clock of one machine. */
async function launchMs(lane: Lane, [path, body]: readonly [string, object]): Promise<number> {
  const before = (await runTasks(lane)).length;
  await lane.post(path, body);
  const acceptedMs = Date.now();
  while (Date.now() < acceptedMs + LONGEST_MS) {
    const call = (await runTasks(lane))[before];
    if (call) return Math.max(0, call.atMs - acceptedMs);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error(`no RunTask within ${LONGEST_MS / 1000} s`);
}

async function runTasks(lane: Lane): Promise<readonly Call[]> {
  const answer = await fetch(`${lane.model.url}/_model/calls`);
  const { calls } = (await answer.json()) as { readonly calls: readonly Call[] };
  return calls.filter(({ operation }) => operation === 'RunTask');
}

function pod(name: string): readonly [string, object] {
  const spec = { containers: [container()] };
  return ['/api/v1/namespaces/default/pods', { ...kind('v1', 'Pod', name), spec }];
}

function deployment(name: string): readonly [string, object] {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [container()] } };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template };
  const path = '/apis/apps/v1/namespaces/default/deployments';
  return [path, { ...kind('apps/v1', 'Deployment', name), spec }];
}

const kind = (apiVersion: string, name: string, object: string) => ({
  apiVersion,
  kind: name,
  metadata: { name: object },
});

const container = () => ({
  name: 'main',
  image: 'app:1',
  resources: { requests: { cpu: '250m', memory: '512Mi' } },
});

function print(what: string, ms: number[]): void {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  console.log(`${what}: API → RunTask p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${ms.length} times`);
}
