/**
 * Composition on AWS: which adapter stands behind each port. Once per cold start; `local/plane.ts`
 * is the same for one machine.
 */
import {
  dynamoDbClient,
  ec2Client,
  ecsClient,
  logsClient,
  sqsClient,
  ssmClient,
} from '../../adapters/aws/clients.ts';
import { StsAuthenticator } from '../../adapters/aws/auth/sts-authenticator.ts';
import { DynamoStore } from '../../adapters/aws/dynamo/dynamo-store.ts';
import { Ec2Instances } from '../../adapters/aws/ec2/ec2-instances.ts';
import { EcsRuntime } from '../../adapters/aws/ecs/ecs-runtime.ts';
import { SqsQueue } from '../../adapters/aws/sqs/sqs-queue.ts';
import { SqsVisibility } from '../../adapters/aws/sqs/visibility.ts';
import { SsmVault } from '../../adapters/aws/ssm/ssm-vault.ts';
import { JsonRecorder } from '../../adapters/node/json-recorder.ts';
import { RandomIds } from '../../adapters/node/random-ids.ts';
import { SystemClock } from '../../adapters/node/system-clock.ts';
import type { ApiHandler } from '../../shared/api/http.ts';
import { allowedByGroups } from '../../shared/control/apiserver/authorization.ts';
import { authenticateByIam, Principals } from '../../shared/control/apiserver/principals.ts';
import { versionInfo } from '../../shared/control/apiserver/server-version.ts';
import { createApiServer } from '../../shared/control/apiserver/server.ts';
import { ensureSystemObjects } from '../../shared/control/apiserver/system-objects.ts';
import type { Effects } from '../../shared/control/effects.ts';
import { promptly } from '../../shared/control/prompt.ts';
import { allControllers } from '../../shared/control/registry.ts';
import type { Routes } from '../../shared/control/router.ts';
import { sealedStore, vaultedStore } from '../../shared/control/vaulted-store.ts';
import { ensureVirtualNodes } from '../../shared/control/virtual-nodes.ts';
import type { Config } from './config.ts';
import type { Plane } from './plane.ts';

/** What the api function is made of: `ApiFunction` of lambdas/api. */
export interface ApiParts {
  readonly handle: ApiHandler;
  readonly flush: () => Promise<void>;
  readonly clock: Effects['clock'];
  readonly recorder: Effects['recorder'];
  readonly streaming: boolean;
}

export function planeOf(config: Config): Plane {
  const clock = new SystemClock({ keepsProcessAlive: false });
  const ids = new RandomIds();
  const { metricNamespace } = config;
  const recorder = new JsonRecorder({
    clock,
    logs: process.stdout,
    audits: process.stdout,
    ...(metricNamespace === undefined ? {} : { metricNamespace }),
  });
  const table = new DynamoStore({ client: dynamoDbClient(), table: config.table, clock });
  const store = sealedStore(table); // but for the api's own, nobody sees a Secret's values
  const ecs = ecsClient();
  const runtime = runtimeOf(config, { ecs, clock, recorder });
  const instances = new Ec2Instances({ ec2: ec2Client(), ecs, settings: config });
  const vault = vaultOf(config, clock);
  const effects: Effects = { store, runtime, instances, vault, clock, ids, recorder };
  return { effects, ...queuesOf(config, effects) };
}

function vaultOf({ vaultPrefix: prefix }: Config, clock: Effects['clock']): SsmVault {
  return new SsmVault({ client: ssmClient(), clock, prefix });
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
    settings: config,
  });
}

function queuesOf(
  { queues }: Config,
  { ids, clock }: Pick<Effects, 'ids' | 'clock'>,
): Required<Pick<Plane, 'routes' | 'visibility'>> {
  const client = sqsClient();
  const queue = (name: 'reconcile' | 'schedule'): SqsQueue =>
    new SqsQueue({ client, ids, name, timersUrl: queues.timers.url, ...queues[name] });
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
      timers: visibility('timers'),
    },
  };
}

/** Objects that are written are woken; Secrets show their values, which the table does not have. */
export function apiOf(config: Config, { effects, routes }: Plane): ApiParts {
  const { clock, ids, recorder, runtime } = effects;
  const prompt = promptly(effects, routes);
  const vault = vaultOf(config, clock);
  const store = vaultedStore(prompt.store, { vault, clock, ids, recorder });
  const { adminArns, region, installation: clusterId, stsEndpoint } = config;
  const sts = new StsAuthenticator({
    ...{ clusterId, region, clock, recorder },
    ...(stsEndpoint === undefined ? {} : { stsEndpoint }),
  });
  const principals = new Principals({ store: effects.store, clock, recorder, adminArns });
  const server = createApiServer({
    ...{ store, clock, ids, recorder, runtime },
    authenticate: authenticateByIam((authorization) => sts.principal(authorization), principals),
    authorize: allowedByGroups,
    version: versionInfo(
      config.version,
      `node ${process.version}`,
      `${process.platform}/${process.arch}`,
    ),
  });
  const prepare = async (): Promise<void> => {
    const under = { ...effects, store: prompt.store };
    await ensureSystemObjects(under);
    await ensureVirtualNodes(under, region);
  };
  return {
    ...{ clock, recorder },
    handle: onceReady(prepare, server.handle, effects),
    flush: prompt.flush,
    streaming: config.streaming,
  };
}

/**
 * Has what every cluster has made before the first request is answered. Best effort: who asks for
 * what is missing hears so, and the next request tries again.
 */
function onceReady(
  prepare: () => Promise<void>,
  handle: ApiHandler,
  { recorder }: Pick<Effects, 'recorder'>,
): ApiHandler {
  let ready: Promise<void> | undefined;
  const failed = (error: unknown): void => {
    ready = undefined;
    const fields = { error: String(error) };
    recorder.log({ level: 'warn', message: 'system objects are not made yet', fields });
  };
  return async (request) => {
    ready ??= prepare().catch(failed);
    await ready;
    return handle(request);
  };
}
