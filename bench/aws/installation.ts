/**
 * An installation on AWS in model time: the functions' own handlers and the ECS adapter, over
 * stores and queues in memory that take as long as AWS's (latency.ts), and our model of ECS with
 * the account's own rates. Each function that works at a time has a plane of its own, as warm
 * instances do. Owns the wiring; decides nothing.
 */
import type { SQSEvent } from 'aws-lambda';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../adapters/memory/seeded-ids.ts';
import { SeededRandom } from '../../adapters/memory/seeded-random.ts';
import { OPTIONS } from '../../infra/options.ts';
import {
  FEW_AT_A_TIME,
  FUNCTIONS,
  STREAM_BATCH,
  VISIBILITY_TIMEOUTS,
} from '../../infra/settings.ts';
import { healthQueueHandler, taskEventHandler } from '../../lambdas/health/handler.ts';
import type { Plane } from '../../lambdas/_kit/plane.ts';
import { reconcilerHandler } from '../../lambdas/reconciler/handler.ts';
import { schedulerHandler } from '../../lambdas/scheduler/handler.ts';
import type { Change } from '../../shared/api/change.ts';
import { rfc3339 } from '../../shared/api/time.ts';
import { createApiServer } from '../../shared/control/apiserver/server.ts';
import { versionInfo } from '../../shared/control/apiserver/server-version.ts';
import type { Effects } from '../../shared/control/effects.ts';
import { prompted } from '../../shared/control/prompt.ts';
import { allControllers } from '../../shared/control/registry.ts';
import { runtimeBudgets, withinBudgets } from '../../shared/control/retry-budget.ts';
import { route, type Routes } from '../../shared/control/router.ts';
import { sweepNodes } from '../../shared/control/sweep-nodes.ts';
import { ensureVirtualNodes } from '../../shared/control/virtual-nodes.ts';
import type { Recorder } from '../../shared/ports/recorder.ts';
import type { Store } from '../../shared/ports/store.ts';
import type { Call } from '../../test/aws/model/calls.ts';
import { AWS_LATENCIES } from '../../test/aws/model/settings.ts';
import type { Envelope } from '../../test/aws/model/events.ts';
import { Agenda, macrotask, virtualClock } from '../../test/world/agenda.ts';
import { AwsCloud, ECS_SETTINGS } from '../../test/world/aws-cloud.ts';
import { type Answer, type Request, send } from '../../test/world/client.ts';
import type { Network, Process } from '../../test/world/process.ts';
import { isOfTask, isTold } from '../task-events.ts';
import { Counts } from './counts.ts';
import {
  ECS_MS,
  EVENT_MS,
  GATEWAY_MS,
  INVOKE_MS,
  PAGE_OBJECTS,
  STORE_MS,
  STREAM_POLL_MS,
  STREAM_SHARDS,
  WRITE_MS,
} from './latency.ts';
import { patientReconciler, patientScheduler } from './patient.ts';
import { type Handle, ModelQueue } from './queue.ts';

export interface InstallationOptions {
  /** Reconciler functions at a time. */
  readonly reconcilers?: number;
  /** Whether writers wake what they wrote; else all is left to the stream. */
  readonly promptly?: boolean;
  readonly onChange?: (change: Change) => void;
  /** Told of each request for a launch, as it leaves: its client token. */
  readonly onLaunch?: (token: string) => void;
}

const SILENT: Recorder = { audit: () => {}, measure: () => {}, log: () => {} };
const SWEEP_MS = (OPTIONS.sweepMinutes.fallback as number) * 60_000;

export class Installation {
  readonly agenda = new Agenda();
  readonly counts = new Counts();
  readonly cloud: AwsCloud;
  readonly #options: InstallationOptions;
  readonly #store: MemoryStore;
  readonly #shards: Change[][] = Array.from({ length: STREAM_SHARDS }, () => []);
  readonly #busyShards = new Set<number>();
  readonly #queues: { readonly [name in 'reconcile' | 'schedule' | 'health']: ModelQueue };
  readonly #router: Plane;
  readonly #api: Plane;
  #hearing: ReturnType<typeof taskEventHandler> | undefined;
  #planes = 0;
  #events = 0;

  constructor(options: InstallationOptions = {}) {
    this.#options = options;
    const clock = virtualClock(this.agenda);
    this.#store = new MemoryStore({ clock, onCommit: (change) => this.#committed(change) });
    this.cloud = new AwsCloud({
      agenda: this.agenda,
      random: new SeededRandom('bench'),
      network: this.#network(),
      recorder: SILENT,
      settings: { latencies: { ...AWS_LATENCIES, instanceLagMs: 0, listLagMs: 0 } },
      emit: (event) => {
        this.agenda.in(EVENT_MS, () => void this.#tell(event));
      },
    });
    const { reconcilers = OPTIONS.reconcilers.fallback as number, promptly = true } = options;
    const [reconciler, scheduler] = promptly
      ? [reconcilerHandler, schedulerHandler]
      : [patientReconciler, patientScheduler];
    this.#queues = {
      reconcile: this.#queue('reconcile', 'reconciler', reconcilers, reconciler),
      schedule: this.#queue('schedule', 'scheduler', FEW_AT_A_TIME, scheduler),
      health: this.#queue('health', 'health', FEW_AT_A_TIME, healthQueueHandler),
    };
    this.#router = this.#plane('router');
    this.#api = this.#plane('api');
  }

  async start({ machines = 0, type = 'm5.4xlarge' } = {}): Promise<void> {
    for (let i = 0; i < machines; i++) this.cloud.addMachine(type);
    const { effects } = this.#plane('aws');
    await this.pass(machines > 0 ? BOOT_MS : 0);
    await this.until(ensureVirtualNodes(effects, ECS_SETTINGS.region));
    // Thousands of machines that join at once ask more than may be asked at a time.
    for (let i = 0; i < MAX_SWEEPS && machines > 0; i++) {
      await this.pass(60_000);
      if (await this.until(sweepNodes(effects).then(isDone, isNotDone))) break;
    }
    await this.pass(60_000);
    this.#sweepLater();
  }

  /** A client's request; resolves with its answer. */
  async request(request: Request): Promise<Answer> {
    const { effects, routes } = this.#api;
    const clock = virtualClock(this.agenda);
    await clock.delay(GATEWAY_MS + INVOKE_MS);
    this.counts.add('invocation', 'api');
    return this.#prompted(effects, routes, (under) => {
      const server = createApiServer({
        ...under,
        authenticate: () => ({ name: 'admin', groups: ['system:masters'] }),
        authorize: () => true,
        version: versionInfo('0.0.0', 'node', 'linux/arm64'),
      });
      return send(server.handle, request);
    });
  }

  async pass(ms: number): Promise<void> {
    await this.agenda.runUntil(this.agenda.nowMs + ms);
  }

  /** Lets time pass until it holds, or until so long has passed. */
  async passUntil(holds: () => boolean, mostMs: number): Promise<void> {
    await this.agenda.runUntil(this.agenda.nowMs + mostMs, holds);
  }

  async until<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => void (isOver = true);
    work.then(over, over);
    await macrotask();
    while (!isOver && this.agenda.nextAtMs() !== undefined) await this.agenda.step();
    return work;
  }

  /** Calls of ECS, and how they ended. */
  get calls(): readonly Call[] {
    return this.cloud.model.calls.list;
  }

  /** Events of tasks invoke the function; those of machines go through the queue. */
  async #tell(event: Envelope): Promise<void> {
    if (!isOfTask(event)) return this.#queued(event);
    if (!isTold(event)) return;
    this.counts.add('invocation', 'health');
    this.#hearing ??= taskEventHandler(this.#plane('health'));
    await virtualClock(this.agenda).delay(INVOKE_MS);
    await this.#hearing({ ...event });
  }

  #queued(event: object): void {
    const body = JSON.stringify(event);
    this.#queues.health.put({ group: `event ${++this.#events}`, body });
  }

  #network(): Network {
    const clock = virtualClock(this.agenda);
    return {
      call: async (call, effect) => {
        this.counts.add('ecs', call.operation);
        if (call.operation === 'RunTask') this.#options.onLaunch?.(call.about);
        await clock.delay(ECS_MS / 2);
        const answer = await effect();
        await clock.delay(ECS_MS / 2);
        return answer;
      },
    };
  }

  #queue(
    name: 'reconcile' | 'schedule' | 'health',
    of: keyof typeof FUNCTIONS,
    functions: number,
    handler: (plane: Plane) => (event: SQSEvent, deadline?: never) => ReturnType<Handle>,
  ): ModelQueue {
    const visibilityMs = FUNCTIONS[of].timeoutSeconds * VISIBILITY_TIMEOUTS * 1000;
    const handlers = Array.from({ length: functions }, (): Handle => {
      // Planes refer to the queues, and so are made when the first message comes.
      let ready: ReturnType<typeof handler> | undefined;
      return (event) => (ready ??= handler(this.#plane(name)))(event);
    });
    const { agenda, counts } = this;
    return new ModelQueue({ name, agenda, counts, handlers, visibilityMs });
  }

  #plane(name: string): Plane {
    const process: Process = { name: `${name}#${++this.#planes}`, alive: true };
    const clock = virtualClock(this.agenda);
    const { runtime, instances } = this.cloud.dedicated(process);
    const effects: Effects = {
      ...{ runtime: withinBudgets(runtime, runtimeBudgets(clock)), instances },
      store: this.#delayed(name),
      clock,
      ids: new SeededIds(`bench ${process.name}`),
      recorder: SILENT,
    };
    const { reconcile, schedule, health } = this.#queues;
    const routes: Routes = {
      controllers: allControllers({ caPem: '' }),
      reconcileQueue: reconcile.port(),
      scheduleQueue: schedule.port(),
      polls: clock,
    };
    const visibility = {
      reconcile: reconcile.visibility(),
      schedule: schedule.visibility(),
      health: health.visibility(),
    };
    const hearAgain = async (event: object) => this.#queued(event);
    return { effects, routes, visibility, hearAgain };
  }

  #prompted<T>(effects: Effects, routes: Routes, work: (under: Effects) => Promise<T>) {
    return this.#options.promptly === false ? work(effects) : prompted(effects, routes, work);
  }

  /** The store as a function reaches it. */
  #delayed(from: string): Store {
    const store = this.#store;
    const clock = virtualClock(this.agenda);
    const call = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
      this.counts.add('store', `${from} ${what}`);
      await clock.delay((what === 'write' ? WRITE_MS : STORE_MS) - STORE_MS / 2);
      try {
        return await act();
      } finally {
        await clock.delay(STORE_MS / 2);
      }
    };
    return {
      get: (key) => call('get', () => store.get(key)),
      list: async (query) => {
        const page = await call('query', () => store.list(query));
        const more = Math.ceil(page.items.length / PAGE_OBJECTS) - 1;
        for (let i = 0; i < more; i++) await call('query', async () => {});
        return page as never;
      },
      create: (resource, object) => call('write', () => store.create(resource, object)),
      update: (resource, object) => call('write', () => store.update(resource, object)),
      remove: (key, expected) => call('write', () => store.remove(key, expected)),
      changes: (query) => call('changes', () => store.changes(query)),
      waitForChange: (query, signal) => store.waitForChange(query, signal),
    };
  }

  #committed(change: Change): void {
    const { resource, object, type, previous } = change;
    const was = previous ? 'update' : 'create';
    this.counts.add('stored', `${resource} ${type === 'delete' ? 'delete' : was}`);
    this.#options.onChange?.(change);
    const shard = hashOf(object.metadata.uid) % STREAM_SHARDS;
    this.#shards[shard]?.push(change);
    this.#poll(shard);
  }

  #poll(shard: number): void {
    if (this.#busyShards.has(shard)) return;
    this.#busyShards.add(shard);
    const waitMs = STREAM_POLL_MS - (this.agenda.nowMs % STREAM_POLL_MS);
    this.agenda.in(waitMs, () => void this.#routeShard(shard));
  }

  async #routeShard(shard: number): Promise<void> {
    const waiting = this.#shards[shard] ?? [];
    const batch = waiting.splice(0, STREAM_BATCH);
    this.counts.add('invocation', 'router');
    await virtualClock(this.agenda).delay(INVOKE_MS);
    const { effects } = this.#router;
    await route(batch, effects.store, this.#router.routes);
    this.#busyShards.delete(shard);
    if (waiting.length > 0) this.#poll(shard);
  }

  #sweepLater(): void {
    this.agenda.in(SWEEP_MS, () => {
      const body = `sweep ${rfc3339(this.agenda.nowMs)}`;
      this.#queues.reconcile.put({ group: 'sweep', body });
      this.#sweepLater();
    });
  }
}

const MAX_SWEEPS = 30;
const isDone = (): boolean => true;
const isNotDone = (): boolean => false;

/** More than booting and joining take. */
const BOOT_MS = 120_000;

function hashOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) >>> 0;
  return hash;
}
