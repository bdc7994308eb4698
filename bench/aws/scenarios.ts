/** What is measured on AWS in model time: one function a figure. */
import type { Change } from '../../shared/api/change.ts';
import { taskIdOf } from '../../shared/api/task.ts';
import { SeededRandom } from '../../adapters/memory/seeded-random.ts';
import type { AnyObject } from '../../shared/api/meta.ts';
import { pathOf, typeOf } from '../../test/world/client.ts';
import { deployment, namespace, pod } from '../../test/world/manifests.ts';
import { Installation, type InstallationOptions } from './installation.ts';

const NAMESPACE = 'bench';
/** Arrivals a second on average: far below what launches are limited to. */
const ARRIVALS_PER_SECOND = 1;
const SECOND_MS = 1_000;
const HOUR_MS = 3_600 * SECOND_MS;

export interface Latencies {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly arrivals: number;
}

/** From a request's arrival at the gateway to the call of RunTask that it leads to. */
export async function launchLatency(
  kind: 'pod' | 'deployment',
  arrivals: number,
  options: InstallationOptions = {},
): Promise<Latencies> {
  const arrivedAtMs = new Map<string, number>();
  const appOfTask = new Map<string, string>();
  const takenMs = new Map<string, number>();
  const installation = new Installation({
    ...options,
    onChange: (change) => learnPod(change, appOfTask),
    onLaunch: (task) => {
      const app = appOfTask.get(task) ?? '';
      if (takenMs.has(app)) return;
      takenMs.set(app, installation.agenda.nowMs - (arrivedAtMs.get(app) ?? NaN));
    },
  });
  await begun(installation);
  const random = new SeededRandom(kind);
  let atMs = 0;
  for (let i = 0; i < arrivals; i++) {
    const name = `app-${i}`;
    atMs += Math.round((-Math.log(1 - random.fraction()) / ARRIVALS_PER_SECOND) * SECOND_MS);
    installation.agenda.in(atMs, () => {
      arrivedAtMs.set(name, installation.agenda.nowMs);
      void created(installation, kind === 'pod' ? pod(name, NAMESPACE, {}) : one(name));
    });
  }
  await installation.passUntil(() => takenMs.size >= arrivals, atMs + HOUR_MS);
  const sorted = [...takenMs.values()].sort((a, b) => a - b);
  return { p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99), arrivals: sorted.length };
}

export interface Burst {
  readonly pods: number;
  readonly launched: number;
  readonly seconds: number;
  readonly launchCalls: number;
  readonly throttled: number;
  readonly refused: number;
  readonly errors: Readonly<Record<string, number>>;
}

/** One Deployment of so many pods: how long until each was launched. */
export async function burst(
  pods: number,
  { machines = 0, ...options }: InstallationOptions & { readonly machines?: number },
): Promise<Burst> {
  const installation = new Installation(options);
  await begun(installation, machines);
  const { nowMs: startMs } = installation.agenda;
  const { tasks } = installation.cloud.model.ecs.world;
  const before = tasks.size;
  installation.cloud.model.calls.clear();
  const compute = machines > 0 ? 'ec2' : 'fargate';
  const nodeSelector = { 'nullplane.io/compute': compute };
  const many = deployment('many', NAMESPACE, { replicas: pods, nodeSelector, cpu: '100m' });
  const answer = created(installation, many);
  await installation.passUntil(() => tasks.size - before >= pods, HOUR_MS);
  await answer;
  const launches = installation.calls.filter(({ operation }) => operation === 'RunTask');
  const lastMs = Math.max(...[...tasks.values()].map(({ createdAtMs }) => createdAtMs));
  const errors = Map.groupBy(launches, ({ outcome }) => outcome);
  return {
    pods,
    launched: tasks.size - before,
    seconds: (lastMs - startMs) / SECOND_MS,
    launchCalls: launches.length,
    throttled: errors.get('ThrottlingException')?.length ?? 0,
    refused: launches.length - (errors.get('ok')?.length ?? 0),
    errors: Object.fromEntries([...errors].map(([name, calls]) => [name, calls.length])),
  };
}

/** What the life of a pod costs: so many of a Deployment made, run, and deleted; per pod. */
export async function lifecycle(pods: number): Promise<Readonly<Record<string, number>>> {
  const installation = new Installation();
  await begun(installation);
  installation.counts.clear();
  const many = deployment('many', NAMESPACE, { replicas: pods });
  await installation.until(created(installation, many));
  await installation.pass(SETTLED_MS);
  const type = typeOf(many);
  const path = pathOf(type, { namespace: NAMESPACE, name: 'many' });
  await installation.until(installation.request({ method: 'DELETE', path }));
  await installation.pass(SETTLED_MS);
  return installation.counts.per(pods);
}

/** Less than to the next sweep, whose cost is another matter. */
const SETTLED_MS = 115_000;

async function begun(installation: Installation, machines = 0): Promise<void> {
  await installation.start({ machines });
  await installation.until(created(installation, namespace(NAMESPACE)));
  await installation.pass(SECOND_MS);
}

async function created(installation: Installation, object: AnyObject): Promise<void> {
  const { namespace: ns } = object.metadata;
  const path = pathOf(typeOf(object), ns === undefined ? {} : { namespace: ns });
  const { status, body } = await installation.request({ method: 'POST', path, body: object });
  if (status >= 300) throw new Error(`${status}: ${JSON.stringify(body)}`);
}

function one(name: string): AnyObject {
  return deployment(name, NAMESPACE, { replicas: 1 });
}

function learnPod({ resource, object }: Change, appOfTask: Map<string, string>): void {
  if (resource !== 'pods') return;
  appOfTask.set(taskIdOf(object.metadata.uid, 1), object.metadata.labels?.['app'] ?? '');
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;
}
