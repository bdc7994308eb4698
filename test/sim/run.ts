/**
 * One run of the simulation, of one seed, in three phases:
 *  1. Trouble: people work while faults happen. Safety is judged at every change.
 *  2. Recovery: no more faults, what can't run is mended. Everything must come right within a bound
 *     (L1, L2).
 *  3. Silence: once right, an hour without a write, a message or a call; then a sweep that changes
 *     nothing, and a week later all messages that there ever were, which change nothing either
 *     (L3).
 */
import { controllerOf } from '../../shared/api/meta.ts';
import { CELL_LABEL } from '../../shared/api/node-labels.ts';
import type { ClusterFacts, Violation } from '../../shared/core/invariants.ts';
import { podIsActive, podIsReady } from '../../shared/core/pod/predicates.ts';
import { cellOf } from '../../shared/core/scheduling/cells.ts';
import type { FaultKind } from './faults/catalogue.ts';
import { INCIDENTS } from './faults/catalogue.ts';
import type { Fault } from './faults/fault.ts';
import { spoil } from './faults/harm.ts';
import { BEGIN } from './faults/incidents.ts';
import type { Broken, Oracles } from './judges/oracles.ts';
import { leaveRolloutsAlone } from './judges/rollouts.ts';
import { type EndState, endStateOf } from './judges/end-state.ts';
import { Stage, type StageOptions } from './stage.ts';
import type { Hands } from './workload/deeds.ts';
import { isUnfit, mend } from './workload/mend.ts';
import { type Script, scriptNamed } from './workload/scripts.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const WEEK_MS = 7 * 24 * HOUR_MS;

const SET_UP_MS = 30 * SECOND_MS;
/** How much people do, drawn by the seed; an act in so long, for back-offs, grace and a sweep. */
const FEWEST_ACTS = 4;
const MOST_ACTS = 12;
const ACT_EVERY_MS = 20 * SECOND_MS;
/** Where the stream tells nothing: until long after all that is judged of its silence. */
const DEAF_MS = 12 * HOUR_MS;
/** A script is over sooner. */
const SCRIPT_MS = 40 * SECOND_MS;
/** More often than in earnest: trouble is short, and is to strike sweeps as well. */
const SWEEP_EVERY_MS = 100 * SECOND_MS;
/** How often a thing that lasts may begin. */
const TICK_MS = 20 * SECOND_MS;
/** A restore sets back by so many ticks. */
const BACKUPS_KEPT = 6;
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

export interface RunOptions extends StageOptions {
  /** A small workload that is the same in each run, in place of one that the seed draws. */
  readonly script?: string;
  /** What a run without faults came to, which this one has to come to as well. */
  readonly reference?: EndState;
}

export interface RunResult {
  readonly seed: number;
  readonly hash: string;
  /** The first thing that went wrong. */
  readonly violation?: Broken & { readonly step: number };
  readonly steps: number;
  readonly simulatedMs: number;
  /** Every fault that happened, in order. */
  readonly injected: readonly Fault[];
  readonly faults: { readonly [kind in FaultKind]?: number };
  /** How long recovery took. */
  readonly recoveredMs: number;
  readonly writes: number;
  readonly launches: number;
  readonly endState: EndState;
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
  readonly #stage: Stage;
  readonly #script: Script | undefined;
  readonly #startMs: number;
  #step = 0;
  #violation: RunResult['violation'];
  /** A script's people are still at it: each waits for some time, not for ever. */
  #isActing = false;
  /** A script has chosen what a restore brings back. */
  #isBackedUp = false;
  #recoveredMs = 0;
  /** A week in which nothing is done is no test of anything. */
  #idleMs = 0;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#script = options.script === undefined ? undefined : scriptNamed(options.script);
    this.#stage = new Stage(options, this.#script !== undefined, () => this.#step);
    this.#startMs = this.#stage.agenda.nowMs;
    const { script, faults } = options;
    this.#stage.oracles.isCalm = this.#isCalm;
    this.#stage.oracles.judgesRollouts =
      script !== undefined && faults !== undefined && leaveRolloutsAlone(faults);
  }

  async trouble(): Promise<void> {
    const { world, faults, log, sky, spawn } = this.#stage;
    log.write(faults.describe());
    await world.start();
    faults.on = false;
    if (sky) spawn(sky.setUp(world));
    spawn(this.#setUp());
    await this.#pass(SET_UP_MS);
    faults.on = true;
    sky?.begin();
    const acts = FEWEST_ACTS + this.#stage.times.integer(MOST_ACTS - FEWEST_ACTS + 1);
    const troubleMs = this.#script ? SCRIPT_MS : acts * ACT_EVERY_MS;
    if (this.#script?.isDeaf) this.#stage.post.stalledUntilMs = this.#startMs + DEAF_MS;
    if (this.#script) this.#planDeeds(this.#script);
    else this.#planActs(acts, troubleMs);
    this.#tickRegularly(troubleMs);
    const sweeps = this.#sweepRegularly(SWEEP_EVERY_MS);
    await this.#pass(troubleMs);
    faults.on = false;
    while (this.#stage.busyMs > 0 && !this.#violation) await this.#pass(this.#stage.busyMs);
    sweeps.stop();
  }

  async recovery(): Promise<void> {
    if (this.#violation) return;
    const { people, machines, ground, scene, sky, log, spawn } = this.#stage;
    sky?.end();
    log.write('faults end');
    this.#sweep();
    await this.#pass(AFTERMATH_MS);
    if (this.#isCalm) this.#expectSoon();
    if (this.#script?.staysSpoilt) await this.#settled();
    // What they do after it was mended would stay as it is.
    while (this.#isActing && !this.#violation) await this.#pass(LOOK_EVERY_MS);
    const spoilt = [...scene.spoilt.values()];
    spawn(
      mend({ people, machines, ground, spoilt, replaces: this.#script?.isMended ?? !this.#script }),
    );
    await this.#settled();
  }

  /** A script that nothing strikes. */
  get #isCalm(): boolean {
    return this.#script !== undefined && this.#options.faults?.length === 0;
  }

  /** What a calm script has come to by now, just after the first sweep. */
  #expectSoon(): void {
    const { oracles } = this.#stage;
    const { soon } = this.#script ?? {};
    if (soon === 'all') oracles.violations.push(...this.#unsettled());
    if (soon === 'ready' || soon === 'apart') {
      oracles.violations.push(...tooFewReady(oracles.facts()));
    }
    if (soon === 'apart') oracles.violations.push(...strayed(oracles.facts()));
    if (soon === 'unplaced') oracles.violations.push(...placed(oracles.facts()));
    if (soon === 'owned') oracles.violations.push(...masterless(oracles.facts()));
    if (soon === 'unlaunched') oracles.violations.push(...launched(oracles));
    if (soon === 'first') oracles.violations.push(...replaced(oracles));
    this.#judge();
  }

  /** Waits for all to be as it should be, and judges where it is not within the bound. */
  async #settled(): Promise<void> {
    const { agenda, oracles } = this.#stage;
    const startMs = agenda.nowMs;
    const sweeps = this.#sweepRegularly(FIRST_SWEEP_MS);
    let unsettled: readonly Violation[] = [];
    do {
      await this.#pass(LOOK_EVERY_MS);
      unsettled = this.#unsettled();
      this.#recoveredMs = agenda.nowMs - startMs;
      if (this.#violation || this.#recoveredMs >= RECOVERY_MS) break;
    } while (unsettled.length > 0 || this.#recoveredMs < 2 * FIRST_SWEEP_MS);
    sweeps.stop();
    oracles.violations.push(...unsettled);
    this.#judge();
  }

  async silence(): Promise<void> {
    if (this.#violation) return;
    const { oracles, post, world, spawn } = this.#stage;
    await this.#pass(HOUR_MS);
    await this.#expectStill('in an hour of silence', {}, () => this.#pass(HOUR_MS));
    // A sweep sends messages and asks; what it must not do is change anything.
    const looking = { messages: 0, requests: 0 };
    await this.#expectStill('in a sweep', looking, () => {
      this.#sweep();
      return this.#pass(MINUTE_MS);
    });
    if (!this.#violation) oracles.violations.push(...oracles.overdue());
    await this.#pass(WEEK_MS);
    this.#idleMs = WEEK_MS;
    // An old word of a task that has ended since may have it stopped again, which is nothing.
    await this.#expectStill('by messages of last week', { ...looking, calls: 0 }, () => {
      for (const { channel, message } of post.sent) spawn(world.queues[channel].send([message]));
      return this.#pass(5 * MINUTE_MS);
    });
    oracles.violations.push(...this.#unsettled(), ...this.#differences());
    this.#judge();
  }

  result(): RunResult {
    const { log, faults, agenda, oracles } = this.#stage;
    return {
      seed: this.#options.seed,
      hash: log.digest(),
      ...(this.#violation ? { violation: this.#violation } : {}),
      steps: this.#step,
      simulatedMs: agenda.nowMs - this.#startMs - this.#idleMs,
      injected: faults.injected,
      faults: faults.counts(),
      recoveredMs: this.#recoveredMs,
      writes: oracles.writes,
      launches: oracles.launches,
      endState: endStateOf(oracles),
    };
  }

  async #setUp(): Promise<void> {
    const { drawn, machines, people } = this.#stage;
    if (!this.#script) return drawn.setUp();
    await this.#script.setUp({ machines, people });
  }

  /** One after the other, however long each takes to be answered. */
  #planDeeds({ deeds }: Script): void {
    const { world, people, spawn } = this.#stage;
    const { agenda, clock } = world;
    const hands = this.#hands();
    const startMs = agenda.nowMs;
    let before = Promise.resolve<unknown>(undefined);
    for (const { atMs, act } of deeds) {
      before = before
        .then(() => clock.delay(startMs + atMs - agenda.nowMs))
        .then(() => people.inTurn(() => act(hands)));
    }
    this.#isActing = true;
    spawn(before.finally(() => (this.#isActing = false)));
  }

  #hands(): Hands {
    const { world, people, machines, ground, scene, times, network } = this.#stage;
    return {
      ...{ people, machines, ground, clock: world.clock },
      spoil: (key, path, value) => spoil(scene, key, path, value),
      begin: (incident) => BEGIN[incident](scene, times.fork(incident)),
      backUp: () => this.#backUp(),
      delay: (about, calls, ms) => network.delay(about, calls, ms),
      lasting: (ms, end) => scene.lasting(ms, end),
      sweep: () => this.#sweep(),
      fill: (isFull) => {
        for (const name of machines.names) world.full[isFull ? 'add' : 'delete'](name);
      },
    };
  }

  #backUp(): void {
    const { oracles, scene } = this.#stage;
    this.#isBackedUp = true;
    scene.backup.objects = oracles.stored();
  }

  #planActs(acts: number, troubleMs: number): void {
    const { agenda, drawn, times, spawn } = this.#stage;
    for (let i = 0; i < acts; i++) {
      const atMs = Math.floor(times.fraction() * troubleMs);
      agenda.in(atMs, () => spawn(drawn.act()));
    }
  }

  #tickRegularly(troubleMs: number): void {
    const { agenda, faults, scene, oracles } = this.#stage;
    const backups: (typeof scene.backup.objects)[] = [];
    const tick = (): void => {
      backups.push(oracles.stored());
      if (backups.length > BACKUPS_KEPT) backups.shift();
      if (!this.#isBackedUp) scene.backup.objects = backups[0] ?? [];
      for (const incident of INCIDENTS) {
        const random = faults.hits(incident);
        if (random) BEGIN[incident](scene, random);
      }
    };
    for (let atMs = 0; atMs < troubleMs; atMs += TICK_MS) agenda.in(atMs, tick);
  }

  /** What is not as it should be once everything has had its time. */
  #unsettled(): readonly Violation[] {
    const { oracles, sky } = this.#stage;
    return [...oracles.unsettled(isUnfit), ...(sky?.unsettled() ?? [])];
  }

  /** S8: what a run with a fault came to is what the run without came to. */
  #differences(): readonly Violation[] {
    const { reference } = this.#options;
    if (!reference) return [];
    const [was, is] = [
      reference.lines.join('; '),
      endStateOf(this.#stage.oracles).lines.join('; '),
    ];
    return was === is ? [] : [{ invariant: 'S8', message: `ends as ${is}, not as ${was}` }];
  }

  /** Lets time pass, and stops at the first thing that may never be. */
  async #pass(ms: number): Promise<void> {
    const { agenda } = this.#stage;
    await agenda.runUntil(agenda.nowMs + ms, () => {
      this.#step++;
      this.#judge();
      return this.#violation !== undefined;
    });
  }

  #judge(): void {
    const { oracles, log } = this.#stage;
    const [first] = oracles.violations;
    if (!first || this.#violation) return;
    this.#violation = { ...first, step: this.#step };
    log.write(`violation ${first.invariant}: ${first.message}`);
  }

  #sweep(): void {
    this.#stage.world.sweep();
    this.#stage.ground.tellOfMachines();
  }

  /** Sweeps as a schedule starts them, until told to stop. */
  #sweepRegularly(firstMs: number): { stop(): void } {
    const { agenda, faults } = this.#stage;
    const sweepIn = (ms: number) =>
      agenda.in(ms, () => {
        if (!faults.hits('sweepLoss')) this.#sweep();
        next = sweepIn(SWEEP_EVERY_MS);
      });
    let next = sweepIn(firstMs);
    return { stop: () => agenda.cancel(next) };
  }

  async #expectStill(
    when: string,
    allowed: Partial<Stirs>,
    work: () => Promise<void>,
  ): Promise<void> {
    if (this.#violation) return;
    const { oracles } = this.#stage;
    const before = this.#stage.stirs();
    await work();
    const after = { ...this.#stage.stirs(), ...allowed };
    for (const what of ['writes', 'messages', 'calls', 'requests'] as const) {
      const count = after[what] - (allowed[what] ?? before[what]);
      const message = `${count} ${what} ${when}`;
      if (count > 0) oracles.violations.push({ invariant: 'L3', message });
    }
    this.#judge();
  }
}

/** Deployments that have not as many ready pods as they want, whatever is on its way out. */
function tooFewReady({ deployments, pods }: ClusterFacts): readonly Violation[] {
  return deployments.flatMap(({ metadata, spec }) => {
    const own = pods.filter((pod) => pod.metadata.labels?.['app'] === metadata.name);
    const ready = own.filter((pod) => podIsActive(pod) && podIsReady(pod)).length;
    const message = `${metadata.name} has ${ready} ready pods by now, not ${spec.replicas}`;
    return ready < spec.replicas ? [{ invariant: 'L1' as const, message }] : [];
  });
}

/** C2: who names a cell is on a machine of it. */
function strayed({ nodes, pods }: ClusterFacts): readonly Violation[] {
  const cells = new Map(nodes.map(({ metadata }) => [metadata.name, cellOf(metadata.labels)]));
  return pods.flatMap(({ metadata, spec }) => {
    const isSaid = spec.nodeSelector?.[CELL_LABEL] !== undefined;
    const cell = cells.get(spec.nodeName ?? '');
    if (!isSaid || cell === undefined || cell === cellOf(spec.nodeSelector)) return [];
    return [{ invariant: 'L1' as const, message: `${metadata.name} is in the cell ${cell}` }];
  });
}

/** S8: no set makes pods and lets go of them. */
function masterless({ pods }: ClusterFacts): readonly Violation[] {
  return pods.flatMap((pod) => {
    const message = `${pod.metadata.name} has no controller`;
    return controllerOf(pod) ? [] : [{ invariant: 'S8' as const, message }];
  });
}

/** S8: a gang is placed whole. */
function placed({ pods }: ClusterFacts): readonly Violation[] {
  return pods.flatMap(({ metadata, spec }) => {
    const message = `${metadata.name} is on ${spec.nodeName} without its gang`;
    return spec.nodeName ? [{ invariant: 'S8' as const, message }] : [];
  });
}

/** S8: nothing that was launched was meant. */
function launched({ launches }: Oracles): readonly Violation[] {
  return launches > 0 ? [{ invariant: 'S8', message: `${launches} tasks were launched` }] : [];
}

/** S9: nobody had reason to evict anything. */
function replaced(oracles: Oracles): readonly Violation[] {
  const wanted = oracles.facts().deployments.reduce((sum, { spec }) => sum + spec.replicas, 0);
  const made = oracles.created('pods');
  const message = `${made} pods were made for ${wanted}`;
  return made > wanted ? [{ invariant: 'S9', message }] : [];
}

type Stirs = ReturnType<Stage['stirs']>;
