/**
 * What is counted: whole lives of pods, and installations in which nothing happens. Sweeps are left
 * out of the lives and counted where nothing else happens.
 */
import { Installation } from './installation.ts';
import { type Counts, perOne } from './meter.ts';

/** Longer than a launch on Fargate and the end of a task take together, with the queues' waits. */
const SETTLED_MS = 180_000;
const HOUR_MS = 3_600_000;
/** Launches a second that an account has, and some time to spare. */
const LAUNCHES_PER_SECOND = 10;

const PODS = '/api/v1/namespaces/default/pods';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const LABELS = { app: 'counted' };

/** A Deployment of so many pods is created, all of them run, and it is deleted: by pod. */
export async function deploymentLives(pods: number): Promise<Counts> {
  const installation = await started();
  await deployed(installation, pods);
  await installation.request('DELETE', `${DEPLOYMENTS}/counted`);
  await installation.pass(settledMs(pods));
  expectPods(installation, 0);
  return perOne(installation.meter.take(), pods);
}

/** Pods that are created and deleted one after the other, without a controller: by pod. */
export async function bareLives(pods: number): Promise<Counts> {
  const installation = await started();
  for (let i = 0; i < pods; i++) {
    const metadata = { name: `pod-${i}`, labels: LABELS };
    await installation.request('POST', PODS, { ...V1, metadata, spec: podSpec() });
    await installation.pass(SETTLED_MS);
    await installation.request('DELETE', `${PODS}/pod-${i}`);
    await installation.pass(SETTLED_MS);
  }
  expectPods(installation, 0);
  return perOne(installation.meter.take(), pods);
}

/** So many pods run for an hour, and nothing is asked. */
export async function quietHour(pods: number): Promise<Counts> {
  const installation = await started();
  if (pods > 0) await deployed(installation, pods);
  installation.beginSweeping();
  await installation.pass(HOUR_MS / 2); // the first sweeps may find something to do
  installation.meter.take();
  await installation.pass(HOUR_MS);
  return installation.meter.take();
}

async function started(): Promise<Installation> {
  const installation = new Installation();
  await installation.start();
  installation.meter.take();
  return installation;
}

const V1 = { apiVersion: 'v1', kind: 'Pod' };

function podSpec(): object {
  const resources = { requests: { cpu: '250m', memory: '512Mi' } };
  return { containers: [{ name: 'app', image: 'example/app:1', resources }] };
}

async function deployed(installation: Installation, replicas: number): Promise<void> {
  await installation.request('POST', DEPLOYMENTS, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'counted' },
    spec: {
      replicas,
      selector: { matchLabels: LABELS },
      template: { metadata: { labels: LABELS }, spec: podSpec() },
    },
  });
  await installation.pass(settledMs(replicas));
  expectPods(installation, replicas);
}

const settledMs = (pods: number) => SETTLED_MS + (pods / LAUNCHES_PER_SECOND) * 1000;

/** A count of something that did not happen is worth nothing. Asked without being counted. */
function expectPods(installation: Installation, pods: number): void {
  const found = installation.podPhases();
  const running = found.filter((phase) => phase === 'Running').length;
  if (running === pods && found.length === pods) return;
  throw new Error(`${found.length} pods, ${running} of them running, where ${pods} should be`);
}
