/**
 * Composition: the whole control plane in one process. The same api, router, reconciler, scheduler
 * and health code that the functions run, over the embedded store, in-memory queues, and Docker or
 * simulated tasks.
 *
 * Invariant: state that matters is in the store and in the runtime; queues are filled again by the
 * sweep at the start.
 */
import { MemoryQueue } from '../adapters/memory/memory-queue.ts';
import { RandomIds } from '../adapters/node/random-ids.ts';
import { SystemClock } from '../adapters/node/system-clock.ts';
import { SqliteStore } from '../adapters/sqlite/sqlite-store.ts';
import type { Change } from '../shared/api/change.ts';
import type { ApiHandler, ApiRequest, User } from '../shared/api/http.ts';
import type { HealthMessage } from '../shared/api/task.ts';
import { createApiServer } from '../shared/control/apiserver/server.ts';
import { ensureSystemObjects } from '../shared/control/apiserver/system-objects.ts';
import type { Effects, RecordPass } from '../shared/control/effects.ts';
import { passMemories } from '../shared/control/pass-memories.ts';
import { handleHealth } from '../shared/control/health.ts';
import { allControllers } from '../shared/control/registry.ts';
import { runtimeBudgets, withinBudgets } from '../shared/control/retry-budget.ts';
import { route, type Routes } from '../shared/control/router.ts';
import { sweep } from '../shared/control/sweep.ts';
import { wellFormedStore } from '../shared/control/well-formed-store.ts';
import { workOnCell, workOnKey } from '../shared/control/work-on.ts';
import type { Recorder } from '../shared/ports/recorder.ts';
import type { TaskRuntime } from '../shared/ports/runtime.ts';
import { ChangePump } from './change-pump.ts';
import { VERSION } from './version.ts';
import { runWorker, type Worker } from './workers.ts';

export interface PlaneOptions {
  readonly dataPath: string;
  readonly caPem: string;
  readonly authenticate: (request: ApiRequest) => User | undefined;
  readonly recorder: Recorder;
  /** Makes the runtime; what it tells of its tasks goes to `emit`. */
  readonly runtime: (emit: (message: HealthMessage) => void) => Promise<RunningRuntime>;
  /** Makes the pool of machines; what it tells of them goes to `emit`. */
  readonly machines?: (emit: (message: HealthMessage) => void) => RunningMachines;
  /** Sees each change after it was committed. */
  readonly onChange?: (change: Change) => void;
  readonly recordPass?: RecordPass;
}

export interface RunningRuntime {
  readonly runtime: TaskRuntime;
  /** Stops watching tasks; they go on. */
  readonly close: () => void;
}

export interface RunningMachines extends Required<Pick<Effects, 'instances' | 'machineTypes'>> {
  readonly close: () => void;
}

export interface LocalPlane {
  readonly handle: ApiHandler;
  readonly effects: Effects;
  /** Stops taking work, finishes what is in hand, closes the store. Tasks go on. */
  close(): Promise<void>;
}

/** As often as a sweep runs on AWS. */
const SWEEP_INTERVAL_MS = 300_000;

/** Enough to fill the store's group commits. */
const RECONCILES_AT_A_TIME = 256;
const HEALTH_AT_A_TIME = 256;

export async function startPlane(options: PlaneOptions): Promise<LocalPlane> {
  const { recorder } = options;
  const clock = new SystemClock();
  const stop = new AbortController();
  const queues = {
    reconcile: new MemoryQueue({ clock }),
    schedule: new MemoryQueue({ clock }),
    health: new MemoryQueue({ clock }),
  };
  const emit = (message: HealthMessage): void => {
    const group = message.type === 'task' ? message.task.id : message.nodeName;
    void queues.health.send([{ group, body: JSON.stringify(message) }]);
  };
  const pump = new ChangePump((changes) => route(changes, store, routes), recorder);
  const table = SqliteStore.open({
    path: options.dataPath,
    clock,
    onCommit: (change) => {
      options.onChange?.(change);
      pump.push(change);
    },
  });
  const store = wellFormedStore(table);
  const { runtime: asked, close: closeRuntime } = await options.runtime(emit);
  const runtime = withinBudgets(asked, runtimeBudgets(clock));
  const { close: closeMachines, ...machines } = options.machines?.(emit) ?? { close: () => {} };
  const ids = new RandomIds();
  const { recordPass } = options;
  const recording = recordPass ? { recordPass } : {};
  const effects: Effects = {
    ...{ store, runtime, clock, ids, recorder, passMemory: passMemories() },
    ...machines,
    ...recording,
  };
  const routes: Routes = {
    controllers: allControllers({ caPem: options.caPem, ...machines }),
    reconcileQueue: queues.reconcile,
    scheduleQueue: queues.schedule,
  };
  await ensureSystemObjects(effects);
  const api = createApiServer({
    ...effects,
    authenticate: options.authenticate,
    authorize: () => false, // the only user is in system:masters; everybody else may do nothing
    version: VERSION,
  });
  const running = workers(effects, routes, queues).map((worker) =>
    runWorker(worker, { clock, recorder, signal: stop.signal }),
  );
  running.push(sweepForEver(effects, routes, stop.signal));
  return {
    handle: (request) => api.handle(request),
    effects,
    close: async () => {
      stop.abort();
      for (const queue of Object.values(queues)) queue.close();
      await Promise.all(running);
      await pump.idle();
      closeMachines();
      closeRuntime();
      table.close();
    },
  };
}

function workers(
  effects: Effects,
  routes: Routes,
  queues: { readonly [name in 'reconcile' | 'schedule' | 'health']: MemoryQueue },
): readonly Worker[] {
  return [
    {
      queue: queues.reconcile,
      concurrency: RECONCILES_AT_A_TIME,
      work: ({ body }) => workOnKey(body, effects, routes),
    },
    {
      queue: queues.schedule,
      concurrency: 1,
      work: ({ body }) => workOnCell(body, effects, routes),
    },
    {
      queue: queues.health,
      concurrency: HEALTH_AT_A_TIME,
      work: ({ body }) => handleHealth(JSON.parse(body) as unknown, effects),
    },
  ];
}

/** One at the start, for what happened while nobody looked; then now and then. */
async function sweepForEver(effects: Effects, routes: Routes, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await sweep(effects, routes);
    } catch (error) {
      const fields = { error: String(error) };
      effects.recorder.log({ level: 'error', message: 'sweep failed', fields });
    }
    await effects.clock.delay(SWEEP_INTERVAL_MS, signal);
  }
}
