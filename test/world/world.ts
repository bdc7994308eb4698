/**
 * The whole product under a virtual clock: the real API server, router, reconciler, scheduler,
 * health handler and sweep over the memory adapters. Whatever travels between them is an entry of
 * the agenda; whatever a handler does to the outside goes through the network. With `CALM` ones,
 * this serves transcripts and fast integration tests; the simulation brings its own.
 */
import { STREAM_RETRIES } from '../../infra/settings.ts';
import { MemoryQueue } from '../../adapters/memory/memory-queue.ts';
import { MemoryRecorder } from '../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../adapters/memory/seeded-ids.ts';
import { SimulatedRuntime } from '../../adapters/memory/simulated-runtime.ts';
import { type Change, expectedOf, keyOf } from '../../shared/api/change.ts';
import type { ApiHandler, ApiRequest, ApiResponse } from '../../shared/api/http.ts';
import { type AnyObject, keyText, type Labels } from '../../shared/api/meta.ts';
import { RESOURCES } from '../../shared/api/resources.ts';
import type { HealthMessage, TaskSpec, TaskState } from '../../shared/api/task.ts';
import { createApiServer } from '../../shared/control/apiserver/server.ts';
import type { AnyController, Outcome } from '../../shared/control/controller.ts';
import type { Effects } from '../../shared/control/effects.ts';
import { follow } from '../../shared/control/follow.ts';
import { handleHealth } from '../../shared/control/health.ts';
import { listMirroringStore, mirroredStore } from '../../shared/control/mirrored-store.ts';
import { allControllers } from '../../shared/control/registry.ts';
import { isSurprising } from '../../shared/control/outcome.ts';
import { passMemories } from '../../shared/control/pass-memories.ts';
import { prompted } from '../../shared/control/prompt.ts';
import {
  type RuntimeBudgets,
  runtimeBudgets,
  withinBudgets,
} from '../../shared/control/retry-budget.ts';
import { type Routes, route } from '../../shared/control/router.ts';
import { CLUSTER_RESOURCES, schedulePass } from '../../shared/control/scheduler.ts';
import { wellFormedStore } from '../../shared/control/well-formed-store.ts';
import { sweep } from '../../shared/control/sweep.ts';
import { ensureVirtualNodes } from '../../shared/control/virtual-nodes.ts';
import { workOnKey } from '../../shared/control/work-on.ts';
import { settle } from '../../shared/control/work.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Delivery, Queue } from '../../shared/ports/queue.ts';
import type { Recorder } from '../../shared/ports/recorder.ts';
import type { TaskRuntime } from '../../shared/ports/runtime.ts';
import { rfc3339 } from '../../shared/api/time.ts';
import { AlreadyExists } from '../../shared/ports/store.ts';
import { Agenda, macrotask, virtualClock } from './agenda.ts';
import { node, type Room } from './manifests.ts';
import { MACHINE_TYPES, Machines } from './machines.ts';
import { CALM_POST, type Channel, type Post } from './post.ts';
import {
  CALM,
  instancesThrough,
  type Network,
  type Process,
  queueThrough,
  runtimeThrough,
  storeThrough,
} from './process.ts';
import { Gate } from './gate.ts';
import { Slots } from './slots.ts';
import { WarmInstances } from './warm.ts';

/** What an invocation may take before its message is handed out again. */
export const VISIBILITY_MS = 30_000;

/** Lists are short here; as on AWS, only those of some length are mirrored. */
const WORTH_MIRRORING = 3;

/** Where a defect may be planted: each part may be replaced by another that wraps it. */
export interface Parts {
  readonly controllers: readonly AnyController[];
  readonly effects: (effects: Effects, process: Process) => Effects;
  readonly health: (message: HealthMessage, effects: Effects) => Promise<Outcome>;
  readonly schedule: (cell: string, effects: Effects) => Promise<Outcome>;
  readonly sweep: (effects: Effects, routes: Routes) => Promise<void>;
}

export interface WorldOptions {
  readonly seed: number | string;
  readonly agenda?: Agenda;
  readonly recorder?: Recorder;
  readonly network?: Network;
  readonly post?: Post;
  readonly alter?: (parts: Parts) => Parts;
  /**
   * Work as the functions on AWS do: writes wake their own keys at once, and the scheduler's
   * instances stay warm. Otherwise as one process does.
   */
  readonly functions?: boolean;
  /** Told of each write to the store, within the write. */
  readonly onChange?: (change: Change) => void;
  /**
   * Told of each state of a task and of each node's coming and going; launches are told again when
   * they are repeated.
   */
  readonly onHealth?: (message: HealthMessage) => void;
  /** A cloud in place of the simulated runtime. */
  readonly cloud?: Cloud;
  /** Whether node pools can launch machines; a cloud has its own. */
  readonly machines?: boolean;
  /** Invocations of a function that takes messages, at a time; without, as many as there are. */
  readonly concurrency?: number;
  /** The clock of a process, where it is not the world's. */
  readonly clockOf?: (process: Process) => Clock;
}

export type Stored = readonly [resource: string, object: AnyObject];

/** What processes reach of a cloud, each for itself, and what its events say. */
export interface Cloud {
  readonly portsOf: (process: Process) => Pick<Effects, 'runtime' | 'instances'>;
  /** The health message in the body of one of the health queue; undefined if there is none. */
  readonly decode: (body: string) => HealthMessage | undefined;
}

export class World {
  readonly agenda: Agenda;
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly ids: SeededIds;
  readonly store: MemoryStore;
  readonly runtime: SimulatedRuntime;
  readonly queues: { readonly [channel in Exclude<Channel, 'stream'>]: MemoryQueue };
  /** Machines that node pools may launch; undefined where there are none. */
  readonly machines: Machines | undefined;
  readonly parts: Parts;
  /** Nodes on which no launch finds room, whatever their ledgers say. */
  readonly full = new Set<string>();
  /** Each request is served by a process of its own. */
  readonly api: ApiHandler = (request) => this.#serve(request);
  readonly #options: WorldOptions;
  readonly #network: Network;
  readonly #post: Post;
  readonly #gate: Gate;
  readonly #schedulers = new WarmInstances((store) => mirroredStore(store, CLUSTER_RESOURCES));
  readonly #reconcilers = new WarmInstances((store) =>
    listMirroringStore(store, this.clock, WORTH_MIRRORING),
  );
  /** Of the one process that there is without functions. */
  readonly #passMemory = passMemories();
  readonly #budgets: RuntimeBudgets;
  #processes = 0;
  #isQuiet = false;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#network = options.network ?? CALM;
    this.#post = options.post ?? CALM_POST;
    this.ids = new SeededIds(options.seed);
    this.agenda = options.agenda ?? new Agenda();
    const clock = virtualClock(this.agenda);
    this.clock = clock;
    this.#gate = new Gate(this.agenda);
    this.#budgets = runtimeBudgets(clock);
    this.recorder = options.recorder ?? new MemoryRecorder();
    this.store = new MemoryStore({ clock, onCommit: (change) => this.#stream(change) });
    this.runtime = new SimulatedRuntime({
      clock,
      emit: (message) => this.#report(message),
      delays: { startDelayMs: 1_000, stopDelayMs: 1_000 },
      capacity: (nodeName) => (this.full.has(nodeName) ? NOTHING_LEFT : undefined),
    });
    const queue = () => new MemoryQueue({ clock, visibilityMs: VISIBILITY_MS });
    this.queues = { reconcile: queue(), schedule: queue(), health: queue() };
    const { agenda, runtime } = this;
    const tell = (message: HealthMessage) => this.#report(message);
    const off = (id: string) => runtime.terminateNode(id);
    this.machines = options.machines ? new Machines({ agenda, clock, tell, off }) : undefined;
    const parts: Parts = {
      controllers: allControllers({ caPem: 'CA', ...this.#machineTypes() }),
      effects: (effects) => effects,
      health: handleHealth,
      schedule: schedulePass,
      sweep,
    };
    this.parts = options.alter?.(parts) ?? parts;
  }

  /**
   * A node joins, as instances do: by itself, not through the API. Nothing happens when it is
   * there.
   */
  async addNode(name: string, room: Room, labels?: Labels): Promise<void> {
    const object = node(name, room, labels);
    const metadata = {
      ...object.metadata,
      uid: this.ids.uid(),
      resourceVersion: '',
      creationTimestamp: rfc3339(this.clock.nowMs()),
      generation: 1,
    };
    try {
      await this.store.create('nodes', { ...object, metadata });
    } catch (error) {
      if (!(error instanceof AlreadyExists)) throw error;
    }
  }

  /** Fargate and Fargate Spot, as nodes. */
  addFargate(): Promise<void> {
    return ensureVirtualNodes(this.effects(this.process('set-up')), 'us-east-1');
  }

  /** A node whose object was lost is entered again, as its agent does: it is another object. */
  async reenterNode({ metadata, ...rest }: AnyObject): Promise<void> {
    const { name, labels = {} } = metadata;
    const creationTimestamp = rfc3339(this.clock.nowMs());
    const again = { ...metadata, creationTimestamp, uid: this.ids.uid(), resourceVersion: '' };
    try {
      await this.store.create('nodes', { ...rest, metadata: { ...again, name, labels } });
    } catch (error) {
      if (!(error instanceof AlreadyExists)) throw error;
    }
  }

  /** The table is as it was: exactly these are there. No stream tells of it. */
  async restore(objects: readonly Stored[]): Promise<void> {
    this.#isQuiet = true;
    const wanted = new Map(objects.map(([resource, o]) => [keyText(keyOf(resource, o)), o]));
    for (const { name: resource } of RESOURCES) {
      const { items } = await this.store.list({ resource });
      for (const object of items) {
        const key = keyOf(resource, object);
        if (wanted.get(keyText(key)) === object) wanted.delete(keyText(key));
        else await this.store.remove(key, expectedOf(object));
      }
    }
    for (const [resource, object] of objects) {
      if (wanted.has(keyText(keyOf(resource, object)))) await this.store.create(resource, object);
    }
    this.#isQuiet = false;
  }

  /** Lets the handlers listen. */
  async start(): Promise<void> {
    this.#listen('reconcile', ({ body }, effects, routes) =>
      this.#warm(this.#reconcilers, effects, (warm) =>
        this.#prompted(warm, routes, (under) => workOnKey(body, under, routes)),
      ),
    );
    this.#listen('schedule', ({ body }, effects, routes) =>
      this.#warm(this.#schedulers, effects, (warm) =>
        this.#prompted(warm, routes, (under) => follow(body, under, routes, this.parts.schedule)),
      ),
    );
    const { decode = (body: string) => JSON.parse(body) as HealthMessage } =
      this.#options.cloud ?? {};
    this.#listen('health', async ({ body }, effects) => {
      const message = decode(body);
      return message ? this.parts.health(message, effects) : { type: 'done' };
    });
    await macrotask();
  }

  /** One run of the sweep; it may die on the way like any other invocation. */
  sweep(): void {
    if (this.#gate.isShut('consumers')) return;
    const process = this.process('sweep');
    void this.parts
      .sweep(this.effects(process), this.#routes(process))
      .catch((error: unknown) => this.#failed(process, error));
  }

  process(name: string): Process {
    const process = { name: `${name}#${++this.#processes}`, alive: true };
    this.#gate.begun(process);
    return process;
  }

  /**
   * No message is taken any more, and with `all` whoever works dies and every request is refused.
   * What the stream held for longer than a day when this ends is lost. Answers with what ends it.
   */
  halt(what: 'consumers' | 'all'): () => void {
    return this.#gate.shut(what);
  }

  /** Resolves as soon as requests are answered again, or at once. */
  serving(): Promise<void> {
    return this.#gate.passed('all');
  }

  /** Instances that are warm are gone, as after a deployment. */
  coldStart(): void {
    this.#schedulers.forget();
    this.#reconcilers.forget();
  }

  effects(process: Process): Effects {
    const effects = {
      store: wellFormedStore(storeThrough(this.#network, process, this.store)),
      ...(this.#options.cloud?.portsOf(process) ?? this.#ownPorts(process)),
      ...this.#machineTypes(),
      clock: this.#options.clockOf?.(process) ?? this.clock,
      ids: this.ids,
      recorder: this.recorder,
    };
    return this.parts.effects(effects, process);
  }

  #ownPorts(process: Process): Pick<Effects, 'runtime' | 'instances'> {
    const network = this.#network;
    const runtime = runtimeThrough(network, process, this.#witnessed());
    const { machines } = this;
    return machines
      ? { runtime, instances: instancesThrough(network, process, machines) }
      : { runtime };
  }

  #machineTypes(): Pick<Effects, 'machineTypes'> {
    return this.machines ? { machineTypes: () => Promise.resolve(MACHINE_TYPES) } : {};
  }

  /** Tells the health handler something, as a node's agent would, or a cloud's event. */
  tell(message: object): void {
    const body = JSON.stringify(message);
    const group = `${this.#processes++}`; // a standard queue: no order
    for (const delayMs of this.#post.arrivals('health')) {
      const late = delayMs > 0 ? { delayMs } : {};
      const sent = { group: `${group}+${delayMs}`, body, ...late };
      void this.queues.health.send(this.#post.sending('health', [sent]));
    }
  }

  async #serve(request: ApiRequest): Promise<ApiResponse> {
    if (this.#gate.isShut('all')) return AWAY;
    const process = this.process('api');
    return this.#prompted(this.effects(process), this.#routes(process), (effects) => {
      const server = createApiServer({
        ...effects,
        authenticate: () => ({ name: 'admin', groups: ['system:masters'] }),
        authorize: () => true,
        version: VERSION,
      });
      return server.handle(request);
    });
  }

  #prompted<T>(effects: Effects, routes: Routes, work: (effects: Effects) => Promise<T>) {
    return this.#options.functions ? prompted(effects, routes, work) : work(effects);
  }

  #warm<T>(
    instances: WarmInstances,
    effects: Effects,
    work: (effects: Effects) => Promise<T>,
  ): Promise<T> {
    if (this.#options.functions) return instances.with(effects, work);
    const runtime = withinBudgets(effects.runtime, this.#budgets);
    return work({ ...effects, runtime, passMemory: this.#passMemory });
  }

  /** The answer to a launch is the first that is heard of a task: who watches, hears it too. */
  #witnessed(): TaskRuntime {
    const { runtime } = this;
    const run = async (task: TaskSpec): Promise<TaskState> => {
      const state = await runtime.run(task);
      this.#options.onHealth?.({ type: 'task', task: state });
      return state;
    };
    return {
      run,
      stop: (id, graceSeconds) => runtime.stop(id, graceSeconds),
      describe: (ids) => runtime.describe(ids),
      list: () => runtime.list(),
      logs: (...args) => runtime.logs(...args),
      exec: (id) => runtime.exec(id),
    };
  }

  #report(message: HealthMessage): void {
    this.#options.onHealth?.(message);
    this.tell(message);
  }

  #stream(change: Change): void {
    this.#options.onChange?.(change);
    if (this.#isQuiet) return;
    for (const delayMs of this.#post.arrivals('stream')) {
      this.agenda.in(delayMs, () => this.#route(change));
    }
  }

  /**
   * A stream's batch comes again until it was taken, or has failed too often; nobody knows whether
   * a dead process took it.
   */
  #route(change: Change, writtenAtMs = this.agenda.nowMs, retries = STREAM_RETRIES): void {
    if (this.#gate.isShut('consumers')) return this.#routeLater(change, writtenAtMs);
    const process = this.process('router');
    const later = (ms: number) =>
      this.agenda.in(ms, () => this.#route(change, writtenAtMs, retries - 1));
    const again = later(VISIBILITY_MS);
    const { store } = this.effects(process);
    route([change], store, this.#routes(process)).then(
      () => this.agenda.cancel(again),
      (error: unknown) => {
        this.#failed(process, error, isSurprising(error as Error) ? 'error' : 'debug');
        this.agenda.cancel(again);
        if (retries > 0) later(STREAM_RETRY_MS * 2 ** (STREAM_RETRIES - retries));
      },
    );
  }

  #routeLater(change: Change, writtenAtMs: number): void {
    void this.#gate.passed('consumers').then(() => {
      if (this.agenda.nowMs - writtenAtMs < STREAM_KEPT_MS) this.#route(change, writtenAtMs);
    });
  }

  #routes(process: Process): Routes {
    return {
      controllers: this.parts.controllers,
      reconcileQueue: this.#queue('reconcile', process),
      scheduleQueue: this.#queue('schedule', process),
    };
  }

  #queue(channel: Exclude<Channel, 'stream'>, process: Process): Queue {
    const queue = queueThrough(this.#network, process, this.queues[channel]);
    const send: Queue['send'] = async (messages) => {
      const sent = this.#post.sending(channel, messages);
      if (sent.length > 0) await queue.send(sent);
    };
    return { ...queue, send };
  }

  /** Hands messages to handlers, each in a process of its own, as the queue lets them out. */
  #listen(
    channel: Exclude<Channel, 'stream'>,
    work: (delivery: Delivery, effects: Effects, routes: Routes) => Promise<Outcome>,
  ): void {
    const slots = new Slots(this.#options.concurrency ?? Infinity);
    const handle = (delivery: Delivery): void => {
      const process = this.process(channel);
      const run = async (): Promise<void> => {
        const outcome = await work(delivery, this.effects(process), this.#routes(process));
        if (outcome.type === 'terminal') this.#failed(process, outcome.error);
        await settle(this.#queue(channel, process), delivery, outcome);
      };
      void run()
        .catch((error: unknown) => this.#failed(process, error))
        .finally(() => slots.free());
    };
    const listen = async (): Promise<never> => {
      for (;;) {
        await this.#gate.passed('consumers');
        await slots.wait();
        const deliveries = await this.queues[channel].receive(1, Infinity);
        await this.#gate.passed('consumers');
        for (const delivery of deliveries) {
          const arrivals = channel === 'health' ? [0] : this.#post.arrivals(channel);
          slots.taken += arrivals.length; // at once: more may be received before this one arrives
          for (const delayMs of arrivals) this.agenda.in(delayMs, () => handle(delivery));
        }
      }
    };
    void listen();
  }

  #failed(process: Process, error: unknown, level: 'error' | 'debug' = 'debug'): void {
    const fields = { process: process.name, error: String(error) };
    this.recorder.log({ level, message: 'handler failed', fields });
  }
}

/** What a client is told where no function runs. */
const AWAY: ApiResponse = {
  status: 503,
  headers: { 'content-type': 'application/json' },
  body: '{"message":"Service Unavailable"}',
};

const STREAM_RETRY_MS = 200;
const STREAM_KEPT_MS = 86_400_000;

const NOTHING_LEFT = { cpuMillis: 0, gpus: 0 };

const VERSION = {
  major: '1',
  minor: '33',
  gitVersion: 'v1.33.0-nullplane',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2026-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: '',
};
