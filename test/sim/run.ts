/**
 * One run of the simulation, of one seed, in three phases:
 *  1. Trouble: people work while faults happen. Safety is judged at every change.
 *  2. Recovery: no more faults, what can't run is mended. Everything must come right within a bound
 *     (L1, L2).
 *  3. Silence: once right, an hour without a write, a message or a call; then a sweep that changes
 *     nothing (L3).
 */
import { SeededRandom } from '../../adapters/memory/seeded-random.ts';
import type { Violation } from '../../shared/core/invariants.ts';
import { Agenda } from '../world/agenda.ts';
import { type Cloud, type Parts, World } from '../world/world.ts';
import type { Recorder } from '../../shared/ports/recorder.ts';
import { type FaultKind, type FaultRates, Faults } from './faults.ts';
import { SimulatedGround } from './ground.ts';
import { Log } from './log.ts';
import { FaultyNetwork, faultyPost } from './network.ts';
import { type Broken, Oracles } from './oracles.ts';
import { staleIndexes } from './stale-indexes.ts';
import { type Ground, isUnfit, Workload } from './workload.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** How long people work; long enough for back-offs, grace periods and a sweep or two. */
const TROUBLE_MS = 6 * MINUTE_MS;
const ACTS = 18;
const SWEEP_EVERY_MS = 5 * MINUTE_MS;
/** What was under way when the faults ended still comes: late messages, and calls of the dead. */
const AFTERMATH_MS = 65 * SECOND_MS;
/**
 * Nobody waits five minutes of a simulation for the first sweep after the faults; one there must
 * be.
 */
const FIRST_SWEEP_MS = 30 * SECOND_MS;
/**
 * Two sweeps, the longest back-off (5 min), and the longest time a message or a stop may still be
 * under way.
 */
const RECOVERY_MS = 20 * MINUTE_MS;
const LOOK_EVERY_MS = 10 * SECOND_MS;

export interface RunOptions {
  readonly seed: number;
  readonly alter?: (parts: Parts) => Parts;
  readonly rates?: FaultRates;
  readonly print?: (line: string) => void;
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

export interface RunResult {
  readonly seed: number;
  readonly hash: string;
  /** The first thing that went wrong. */
  readonly violation?: Broken & { readonly step: number };
  readonly steps: number;
  readonly faults: { readonly [kind in FaultKind]?: number };
  /** How long recovery took. */
  readonly recoveredMs: number;
}

export async function run(options: RunOptions): Promise<RunResult> {
  const simulation = new Simulation(options);
  await simulation.trouble();
  await simulation.recovery();
  await simulation.silence();
  return simulation.result();
}

class Simulation {
  readonly #options: RunOptions;
  readonly #world: World;
  readonly #log: Log;
  readonly #faults: Faults;
  readonly #network: FaultyNetwork;
  readonly #oracles: Oracles;
  readonly #workload: Workload;
  readonly #random: SeededRandom;
  readonly #ground: Ground;
  readonly #sky: Sky | undefined;
  #step = 0;
  #violation: RunResult['violation'];
  #recoveredMs = 0;

  constructor(options: RunOptions) {
    this.#options = options;
    const random = new SeededRandom(options.seed);
    this.#random = random.fork('times');
    const agenda = new Agenda();
    this.#log = new Log(agenda, options.print);
    this.#faults = new Faults(random, this.#log, options.rates);
    this.#network = new FaultyNetwork({
      agenda,
      random,
      faults: this.#faults,
      log: this.#log,
      interfere: (about) => this.#interfere(about),
    });
    this.#oracles = new Oracles(
      () => agenda.nowMs,
      () => this.#network.acting,
    );
    const recorder: Recorder = {
      audit: () => {},
      measure: () => {},
      log: (record) => this.#oracles.logged(record),
    };
    const sky = options.sky?.({
      ...{ agenda, random, network: this.#network, faults: this.#faults, log: this.#log },
      ...{ oracles: this.#oracles, recorder, tell: (event: object) => this.#world.tell(event) },
    });
    this.#sky = sky;
    this.#world = new World({
      agenda,
      seed: options.seed,
      functions: true,
      network: this.#network,
      post: faultyPost(this.#faults),
      recorder,
      ...(sky ? { cloud: sky.cloud } : {}),
      onChange: (change) => this.#oracles.changed(change),
      onHealth: (message) => {
        this.#oracles.reported(message);
        simulated.heard(message);
      },
      alter: (parts) => this.#alter(parts),
    });
    const simulated = new SimulatedGround(this.#world);
    this.#ground = sky?.ground ?? simulated;
    this.#workload = new Workload(this.#world, this.#ground, random, this.#log);
  }

  async trouble(): Promise<void> {
    this.#log.write(`swarm ${this.#faults.describe()}`);
    await this.#world.start();
    this.#faults.on = false;
    if (this.#sky) this.#spawn(this.#sky.setUp(this.#world));
    this.#spawn(this.#workload.setUp());
    await this.#pass(30 * SECOND_MS);
    this.#faults.on = true;
    this.#sky?.begin();
    for (let i = 0; i < ACTS; i++) {
      const atMs = Math.floor(this.#random.fraction() * TROUBLE_MS);
      this.#world.agenda.in(atMs, () => this.#spawn(this.#workload.act()));
    }
    const sweeps = this.#sweepRegularly(SWEEP_EVERY_MS);
    await this.#pass(TROUBLE_MS);
    sweeps.stop();
  }

  async recovery(): Promise<void> {
    if (this.#violation) return;
    this.#faults.on = false;
    this.#sky?.end();
    this.#log.write('faults end');
    this.#sweep();
    await this.#pass(AFTERMATH_MS);
    const startMs = this.#world.agenda.nowMs;
    this.#spawn(this.#workload.mend());
    const sweeps = this.#sweepRegularly(FIRST_SWEEP_MS);
    let unsettled: readonly Violation[] = [];
    do {
      await this.#pass(LOOK_EVERY_MS);
      unsettled = this.#unsettled();
      this.#recoveredMs = this.#world.agenda.nowMs - startMs;
      if (this.#violation || this.#recoveredMs >= RECOVERY_MS) break;
    } while (unsettled.length > 0 || this.#recoveredMs < 2 * FIRST_SWEEP_MS);
    sweeps.stop();
    this.#oracles.violations.push(...unsettled);
    this.#judge();
  }

  async silence(): Promise<void> {
    if (this.#violation) return;
    await this.#pass(HOUR_MS);
    const before = this.#stirs();
    await this.#pass(HOUR_MS);
    this.#expectStill(before, this.#stirs(), 'in an hour of silence');
    const swept = this.#stirs();
    this.#sweep();
    await this.#pass(MINUTE_MS);
    // A sweep sends messages and asks; what it must not do is change anything.
    const looking = { messages: 0, requests: 0 };
    this.#expectStill({ ...swept, ...looking }, { ...this.#stirs(), ...looking }, 'in a sweep');
    this.#oracles.violations.push(...this.#unsettled());
    this.#judge();
  }

  result(): RunResult {
    return {
      seed: this.#options.seed,
      hash: this.#log.digest(),
      ...(this.#violation ? { violation: this.#violation } : {}),
      steps: this.#step,
      faults: Object.fromEntries(this.#faults.counts),
      recoveredMs: this.#recoveredMs,
    };
  }

  #unsettled(): readonly Violation[] {
    return [...this.#oracles.unsettled(isUnfit), ...(this.#sky?.unsettled() ?? [])];
  }

  #alter(parts: Parts): Parts {
    const lagging: Parts = {
      ...parts,
      effects: (effects) => staleIndexes(effects, this.#faults, () => this.#oracles),
    };
    return this.#options.alter?.(lagging) ?? lagging;
  }

  /** Lets time pass, and stops at the first thing that may never be. */
  async #pass(ms: number): Promise<void> {
    const { agenda } = this.#world;
    await agenda.runUntil(agenda.nowMs + ms, () => {
      this.#step++;
      this.#judge();
      return this.#violation !== undefined;
    });
  }

  #judge(): void {
    const [first] = this.#oracles.violations;
    if (!first || this.#violation) return;
    this.#violation = { ...first, step: this.#step };
    this.#log.write(`violation ${first.invariant}: ${first.message}`);
  }

  #sweep(): void {
    this.#world.sweep();
    this.#ground.tellOfMachines();
  }

  /** Sweeps as a schedule starts them, until told to stop. */
  #sweepRegularly(firstMs: number): { stop(): void } {
    const { agenda } = this.#world;
    const sweepIn = (ms: number) =>
      agenda.in(ms, () => {
        if (!this.#faults.hits('sweepLoss')) this.#sweep();
        next = sweepIn(SWEEP_EVERY_MS);
      });
    let next = sweepIn(firstMs);
    return { stop: () => agenda.cancel(next) };
  }

  #stirs() {
    const { queue, runtime } = this.#network.effects;
    const requests = this.#sky?.requests ?? 0;
    return { writes: this.#oracles.writes, messages: queue, calls: runtime, requests };
  }

  #expectStill(before: Stirs, after: Stirs, when: string): void {
    for (const what of ['writes', 'messages', 'calls', 'requests'] as const) {
      const count = after[what] - before[what];
      const message = `${count} ${what} ${when}`;
      if (count > 0) this.#oracles.violations.push({ invariant: 'L3', message });
    }
    this.#judge();
  }

  /** A write that changes nothing but the version. */
  async #interfere(about: string): Promise<void> {
    const [resource = '', namespace = '', name = ''] = about.split('/');
    const { store } = this.#world;
    const object = await store.get({ resource, namespace, name });
    if (!object) return;
    const annotations = { ...object.metadata.annotations, 'sim/touched': String(this.#step) };
    await store.update(resource, { ...object, metadata: { ...object.metadata, annotations } });
  }

  /** Starts something that nobody waits for. Its failure is a defect of the simulation itself. */
  #spawn(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#log.write(`workload failed: ${String(error)}`);
      this.#oracles.violations.push({
        invariant: 'surprise',
        message: `workload: ${String(error)}`,
      });
    });
  }
}

type Stirs = { readonly [what in 'writes' | 'messages' | 'calls' | 'requests']: number };
