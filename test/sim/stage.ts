/**
 * All that a run is made of, put together: the world, what breaks it, who works on it, and who
 * judges. Owns which part knows which; does not own what happens when (run.ts).
 */
import { SeededRandom } from '../../adapters/memory/seeded-random.ts';
import type { HealthMessage } from '../../shared/api/task.ts';
import { keyText } from '../../shared/api/meta.ts';
import type { Violation } from '../../shared/core/invariants.ts';
import type { AnyController } from '../../shared/control/controller.ts';
import { wellFormedChange } from '../../shared/control/well-formed-store.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Recorder } from '../../shared/ports/recorder.ts';
import { Agenda, virtualClock } from '../world/agenda.ts';
import { handlerOf, type Process } from '../world/process.ts';
import { type Cloud, type Parts, World } from '../world/world.ts';
import type { FaultKind } from './faults/catalogue.ts';
import type { Fault } from './faults/fault.ts';
import { Faults } from './faults/faults.ts';
import { BEGIN } from './faults/incidents.ts';
import { FaultyNetwork } from './faults/network.ts';
import { Outages } from './faults/outages.ts';
import { FaultyPost } from './faults/post.ts';
import { faultyReads } from './faults/reads.ts';
import type { Scene } from './faults/scene.ts';
import { Log } from './judges/log.ts';
import { Oracles } from './judges/oracles.ts';
import { POISON } from './judges/poison.ts';
import { DrawnWorkload } from './workload/drawn.ts';
import type { Ground } from './workload/ground.ts';
import { Machines } from './workload/machines.ts';
import { People } from './workload/people.ts';
import { SimulatedGround } from './workload/simulated-ground.ts';

/** How wrong a clock may be, either way. */
const MAX_SKEW_MS = 5 * 60_000;
const CRASH_WITHIN_MS = 20_000;

export interface StageOptions {
  readonly seed: number;
  /** All faults that happen; without it, the seed draws them. */
  readonly faults?: readonly Fault[];
  readonly print?: (line: string) => void;
  /** Told of each opportunity of a fault. */
  readonly trace?: (kind: FaultKind, at: number, about: string) => void;
  /** A cloud with faults of its own, in place of the simulated runtime. */
  readonly sky?: (given: SkyOptions) => Sky;
}

/** What a cloud is made of. */
export interface SkyOptions {
  readonly agenda: Agenda;
  readonly random: SeededRandom;
  readonly network: FaultyNetwork;
  readonly faults: Faults;
  readonly log: Log;
  readonly oracles: Oracles;
  readonly recorder: Recorder;
  /** Takes an event to the health queue, as well or badly as the post does. */
  readonly tell: (event: object) => void;
}

export interface Sky {
  readonly cloud: Cloud;
  readonly ground: Ground;
  /** What is there before anybody comes. */
  setUp(world: World): Promise<void>;
  /** Bad weather, until it is ended. */
  begin(): void;
  end(): void;
  /** What is not as it should be once everything has had its time. */
  unsettled(): readonly Violation[];
  /** Requests so far, of any kind. */
  readonly requests: number;
}

export class Stage {
  readonly agenda = new Agenda();
  readonly log: Log;
  readonly faults: Faults;
  readonly network: FaultyNetwork;
  readonly post: FaultyPost;
  readonly oracles: Oracles;
  readonly world: World;
  readonly sky: Sky | undefined;
  readonly ground: Ground;
  readonly machines: Machines;
  readonly people: People;
  readonly drawn: DrawnWorkload;
  readonly scene: Scene;
  /** When people do what. */
  readonly times: SeededRandom;
  readonly #options: StageOptions;
  readonly #clocks = new WeakMap<Process, Clock>();
  readonly #crashing = new Set<string>();
  #busyUntilMs = 0;

  /** `persistent`: people ask until they are answered. `step` is the number of the present one. */
  constructor(options: StageOptions, persistent: boolean, step: () => number) {
    this.#options = options;
    const { seed } = options;
    const { agenda } = this;
    this.log = new Log(agenda, options.print);
    this.faults = new Faults({
      ...{ seed, log: this.log, plan: options.faults, trace: options.trace },
      begin: (incident, random) => BEGIN[incident](this.scene, random),
    });
    const { log, faults } = this;
    const outages = new Outages();
    const interfere = (about: string) => this.#interfere(about, step());
    this.network = new FaultyNetwork({ agenda, seed, faults, outages, log, interfere });
    this.post = new FaultyPost(faults, agenda);
    this.oracles = new Oracles(
      () => agenda.nowMs,
      () => this.network.acting,
    );
    const random = new SeededRandom(seed);
    this.times = random.fork('times');
    const recorder = this.#recorder();
    this.sky = options.sky?.({
      ...{ agenda, random, network: this.network, faults, log, oracles: this.oracles, recorder },
      tell: (event) => this.world.tell(event),
    });
    this.world = this.#newWorld(recorder);
    this.ground = this.sky?.ground ?? new SimulatedGround(this.world);
    this.machines = new Machines(this.ground);
    this.people = new People(this.world, log, persistent);
    const { network, post, oracles, world, machines, people, ground } = this;
    this.drawn = new DrawnWorkload({
      ...{ people, machines, ground, faults, clock: world.clock },
      random: random.fork('workload'),
    });
    this.scene = {
      ...{ world, network, outages, post, oracles, machines, people, log },
      ...{ poisoned: new Set(), spoilt: new Map(), backup: { objects: [] } },
      spawn: this.spawn,
      lasting: (ms, end) => this.#lasting(ms, end),
    };
  }

  /** How long things that last still do. */
  get busyMs(): number {
    return Math.max(0, this.#busyUntilMs - this.agenda.nowMs);
  }

  /** Starts something that nobody waits for. Its failure is a defect of the simulation itself. */
  readonly spawn = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => {
      this.log.write(`workload failed: ${String(error)}`);
      const message = `workload: ${String(error)}`;
      this.oracles.violations.push({ invariant: 'surprise', message });
    });
  };

  /** How often anything was changed, sent or asked. */
  stirs() {
    const { queue, runtime } = this.network.effects;
    const requests = this.sky?.requests ?? 0;
    return { writes: this.oracles.writes, messages: queue, calls: runtime, requests };
  }

  #recorder(): Recorder {
    return {
      audit: () => {},
      measure: () => {},
      log: (record) => this.oracles.logged(record),
    };
  }

  #newWorld(recorder: Recorder): World {
    return new World({
      agenda: this.agenda,
      seed: this.#options.seed,
      functions: true,
      network: this.network,
      post: this.post,
      recorder,
      ...(this.sky ? { cloud: this.sky.cloud } : {}),
      // Who judges reads as everybody does: what is spoilt may be of any form.
      onChange: (change) => this.oracles.changed(wellFormedChange(change)),
      onHealth: (message) => this.#heard(message),
      clockOf: (process) => this.#clockOf(process),
      alter: (parts) => this.#alter(parts),
    });
  }

  #heard(message: HealthMessage): void {
    this.oracles.reported(message);
    this.machines.heard(message);
    if (message.type === 'task' && message.task.phase === 'running')
      this.#mayCrash(message.task.id);
  }

  #mayCrash(id: string): void {
    if (this.#crashing.has(id)) return;
    this.#crashing.add(id);
    const crash = this.faults.hits('taskCrash');
    if (!crash) return;
    this.agenda.in(crash.integer(CRASH_WITHIN_MS), () => this.world.runtime.killTask(id, 1));
  }

  #clockOf(process: Process): Clock {
    const known = this.#clocks.get(process);
    if (known) return known;
    const skewed = this.faults.hits('clockSkew', handlerOf(process));
    const skewMs = skewed ? Math.round((2 * skewed.fraction() - 1) * MAX_SKEW_MS) : 0;
    const clock = skewed ? virtualClock(this.agenda, skewMs) : this.world.clock;
    this.#clocks.set(process, clock);
    return clock;
  }

  #alter(parts: Parts): Parts {
    return {
      ...parts,
      controllers: parts.controllers.map((controller) => this.#poisonable(controller)),
      effects: (effects, { name }) => {
        const { faults } = this;
        this.oracles.looks.began(name);
        return faultyReads(effects, { faults, ages: () => this.oracles, reader: name });
      },
    };
  }

  #poisonable(controller: AnyController): AnyController {
    return {
      ...controller,
      snapshot: (key, read) => {
        if (this.scene.poisoned.has(keyText(key))) return Promise.reject(new Error(POISON));
        return controller.snapshot(key, read);
      },
    };
  }

  #lasting(ms: number, end: () => void): void {
    this.#busyUntilMs = Math.max(this.#busyUntilMs, this.agenda.nowMs + ms);
    this.agenda.in(ms, end);
  }

  /** A write that changes nothing but the version. */
  async #interfere(about: string, step: number): Promise<void> {
    const [resource = '', namespace = '', name = ''] = about.split('/');
    const { store } = this.world;
    const object = await store.get({ resource, namespace, name });
    if (!object) return;
    const annotations = { ...object.metadata.annotations, 'sim/touched': String(step) };
    await store.update(resource, { ...object, metadata: { ...object.metadata, annotations } });
  }
}
