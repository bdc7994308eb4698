/**
 * Composition on AWS: which adapter stands behind each port. Once per cold start; `local/plane.ts`
 * is the same for one machine. What only some functions need, and takes long to load, is in files
 * of its own: compose-api.ts, compose-instances.ts, compose-vault.ts.
 */
import { dynamoDbClient, ecsClient, logsClient, sqsClient } from '../../adapters/aws/clients.ts';
import {
  DynamoStore,
  GATHER_MS as WRITES_GATHER_MS,
} from '../../adapters/aws/dynamo/dynamo-store.ts';
import { EcsRuntime } from '../../adapters/aws/ecs/ecs-runtime.ts';
import { GATHER_MS as SENDS_GATHER_MS, SqsQueue } from '../../adapters/aws/sqs/sqs-queue.ts';
import { SqsVisibility } from '../../adapters/aws/sqs/visibility.ts';
import { standardEntry } from '../../adapters/aws/sqs/wire.ts';
import { sendAll } from '../../adapters/aws/sqs/batches.ts';
import { JsonRecorder } from '../../adapters/node/json-recorder.ts';
import { RandomIds } from '../../adapters/node/random-ids.ts';
import { SystemClock } from '../../adapters/node/system-clock.ts';
import type { Effects } from '../../shared/control/effects.ts';
import { allControllers } from '../../shared/control/registry.ts';
import { runtimeBudgets, withinBudgets } from '../../shared/control/retry-budget.ts';
import type { Routes } from '../../shared/control/router.ts';
import { sealedStore } from '../../shared/control/vaulted-store.ts';
import { wellFormedStore } from '../../shared/control/well-formed-store.ts';
import type { Config } from './config.ts';
import type { Plane } from './plane.ts';

export function planeOf(config: Config): Plane {
  // A wait keeps the process alive: else Lambda takes an invocation that only waits for ended.
  const clock = new SystemClock();
  const ids = new RandomIds();
  const { metricNamespace } = config;
  const recorder = new JsonRecorder({
    clock,
    logs: process.stdout,
    audits: process.stdout,
    ...(metricNamespace === undefined ? {} : { metricNamespace }),
  });
  const table = new DynamoStore({
    ...{ client: dynamoDbClient(), table: config.table, clock },
    gatherMs: WRITES_GATHER_MS,
  });
  // But for the api's own, nobody sees a Secret's values.
  const store = wellFormedStore(sealedStore(table));
  const ecs = ecsClient();
  const asked = runtimeOf(config, { ecs, clock, recorder });
  const runtime = withinBudgets(asked, runtimeBudgets(clock));
  const effects: Effects = { store, runtime, clock, ids, recorder };
  return { effects, ...queuesOf(config, effects) };
}

function runtimeOf(
  config: Config,
  {
    ecs,
    ...rest
  }: { readonly ecs: ReturnType<typeof ecsClient> } & Pick<Effects, 'clock' | 'recorder'>,
): EcsRuntime {
  return new EcsRuntime({
    ...rest,
    ecs,
    logs: logsClient(),
    random: Math.random,
    sharedBy: config.reconcilers,
    settings: config,
  });
}

function queuesOf(
  { queues }: Config,
  { ids, clock }: Pick<Effects, 'ids' | 'clock'>,
): Required<Pick<Plane, 'routes' | 'visibility' | 'hearAgain'>> {
  const client = sqsClient();
  const queue = (name: 'reconcile' | 'schedule'): SqsQueue =>
    new SqsQueue({
      ...{ client, ids, name, timersUrl: queues.health.url, ...queues[name] },
      gathering: { clock, ms: SENDS_GATHER_MS },
    });
  const visibility = (name: keyof Config['queues']): SqsVisibility =>
    new SqsVisibility({ client, url: queues[name].url });
  const routes: Routes = {
    // The gateway's certificate is of a public authority: clients need none of ours.
    controllers: allControllers({ caPem: '' }),
    reconcileQueue: queue('reconcile'),
    scheduleQueue: queue('schedule'),
    polls: clock, // ECS tells of tasks, and not of the health of their containers
  };
  return {
    routes,
    visibility: {
      reconcile: visibility('reconcile'),
      schedule: visibility('schedule'),
      health: visibility('health'),
    },
    hearAgain: (event) => sendAll(client, queues.health.url, [standardEntry(event)]),
  };
}
