/**
 * `npm run demo`: the main job in a minute, without kubectl. Boots Nullplane, applies
 * examples/shop, waits until all is Ready, kills a task and shows it heal, rolls out a new version,
 * deletes everything, and says how long each took.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Pod } from '../shared/api/kinds/pod.ts';
import type { Deployment } from '../shared/api/kinds/workloads.ts';
import { taskIdOf } from '../shared/api/task.ts';
import { ApiClient } from './client.ts';
import { LiveTable } from './live-table.ts';
import type { RuntimeChoice } from './options.ts';
import { type LocalNullplane, startLocal } from './start.ts';
import { NULLPLANE_VERSION } from './version.ts';

const EXAMPLES = join(import.meta.dirname, '..', 'examples', 'shop');
const PODS = '/api/v1/namespaces/default/pods';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

/** A step that takes longer has failed: an image that can't be pulled, most likely. */
const STEP_TIMEOUT_MS = 120_000;

const { values } = parseArgs({
  options: { runtime: { type: 'string', default: 'simulated' } },
});
const folder = mkdtempSync(join(tmpdir(), 'nullplane-demo-'));
const local = await startLocal({
  port: 0,
  dataPath: join(folder, 'state.db'),
  kubeconfigPath: join(folder, 'kubeconfig'),
  runtime: values.runtime as RuntimeChoice,
  nodeGroups: [],
  verbose: false,
});
const client = new ApiClient(local);
const table = new LiveTable(client, process.stdout);
const summary: string[] = [];
try {
  await run(local);
} catch (error) {
  process.exitCode = 1;
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`\nThe demo did not finish: ${reason}\n`);
} finally {
  client.close();
  await local.close();
  rmSync(folder, { recursive: true, force: true });
}

async function run(plane: LocalNullplane): Promise<void> {
  say(`Nullplane ${NULLPLANE_VERSION} · tasks: ${plane.tasks}`);
  await step('1. Apply examples/shop', 'all pods Ready', applyExamples, allReady);
  await step('2. Kill a task', 'healed', () => killOne(plane), restartedAndReady);
  await step('3. Roll out a new version', 'rolled out', rollOut, rolledOut);
  await step('4. Delete everything', 'gone', deleteAll, nothingLeft);
  say('\nWhat happened');
  for (const line of summary) say(`  ${line}`);
  say('\nYour turn: npm start, and then kubectl as you know it.');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Does something, then shows the table until `holds`. */
async function step(
  title: string,
  result: string,
  act: () => Promise<string>,
  holds: (pods: readonly Pod[], deployments: readonly Deployment[]) => boolean,
): Promise<void> {
  say(`\n${title}`);
  const started = performance.now();
  const done = await act();
  let fewestReady = Infinity;
  await table.until(STEP_TIMEOUT_MS, async () => {
    const pods = (await client.list(PODS)) as unknown as readonly Pod[];
    const deployments = (await client.list(DEPLOYMENTS)) as unknown as readonly Deployment[];
    const web = deployments.find((d) => d.metadata.name === 'web');
    fewestReady = Math.min(fewestReady, web?.status.readyReplicas ?? 0);
    return holds(pods, deployments);
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(2);
  const kept = title.startsWith('3') ? `, never fewer than ${fewestReady} of web ready` : '';
  summary.push(`${done}: ${result} after ${seconds} s${kept}`);
}

async function applyExamples(): Promise<string> {
  let count = 0;
  for (const file of readdirSync(EXAMPLES).sort()) {
    for (const object of await client.apply(readFileSync(join(EXAMPLES, file), 'utf8'))) {
      say(`   ${object.kind.toLowerCase()}/${object.metadata.name} applied`);
      count++;
    }
  }
  return `${count} objects applied`;
}

function allReady(_pods: readonly Pod[], deployments: readonly Deployment[]): boolean {
  return (
    deployments.length > 0 &&
    deployments.every(({ spec, status }) => status.availableReplicas === spec.replicas)
  );
}

async function killOne(plane: LocalNullplane): Promise<string> {
  const pods = (await client.list(`${PODS}?labelSelector=app=web`)) as unknown as readonly Pod[];
  const [victim] = pods;
  if (!victim) throw new Error('there is no pod to kill');
  const restarts = victim.status.containerStatuses?.[0]?.restartCount ?? 0;
  await plane.killTask(taskIdOf(victim.metadata.uid, restarts + 1));
  say(`   killed the task of pod ${victim.metadata.name}`);
  return 'a task killed';
}

function restartedAndReady(pods: readonly Pod[], deployments: readonly Deployment[]): boolean {
  const restarts = pods.flatMap((pod) => pod.status.containerStatuses ?? []);
  return restarts.some(({ restartCount }) => restartCount === 1) && allReady(pods, deployments);
}

async function rollOut(): Promise<string> {
  const env = [{ name: 'RELEASE', value: '2' }];
  const containers = [{ name: 'web', env }];
  await client.json(
    'PATCH',
    `${DEPLOYMENTS}/web`,
    { spec: { template: { spec: { containers } } } },
    'application/strategic-merge-patch+json',
  );
  say('   web: RELEASE=2');
  return 'a new version of web';
}

function rolledOut(pods: readonly Pod[], deployments: readonly Deployment[]): boolean {
  const web = deployments.find(({ metadata }) => metadata.name === 'web');
  if (!web || !allReady(pods, deployments)) return false;
  const { metadata, spec, status } = web;
  return (
    status.observedGeneration === metadata.generation &&
    status.updatedReplicas === spec.replicas &&
    status.replicas === spec.replicas
  );
}

async function deleteAll(): Promise<string> {
  for (const { metadata } of await client.list(DEPLOYMENTS)) {
    await client.json('DELETE', `${DEPLOYMENTS}/${metadata.name}`);
    say(`   deployment/${metadata.name} deleted`);
  }
  return 'both deployments deleted';
}

function nothingLeft(pods: readonly Pod[], deployments: readonly Deployment[]): boolean {
  return pods.length === 0 && deployments.length === 0;
}
