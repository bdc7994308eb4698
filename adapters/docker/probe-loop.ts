/**
 * Probes one running container: startup first, then liveness and readiness beside each other. Owns
 * their timing; the counting is probe-count.ts, the asking is the caller's. Nothing runs for a
 * container without probes.
 */
import type { ContainerSpec, ProbeSpec } from '../../shared/api/task.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { countResult, hasFailed, NEVER_PROBED, takenUp } from './probe-count.ts';
import type { ProbeCount } from './probe-count.ts';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

/** Why the container is not well; undefined when it is. */
export type ProbeResult = string | undefined;

export interface ProbeStatus {
  readonly started: boolean;
  readonly ready: boolean;
  /** Why it is not ready, once the readiness probe has failed as often as it may. */
  readonly unready?: string;
}

export interface ProbeEnvironment {
  readonly clock: Clock;
  readonly ask: (probe: ProbeSpec, signal: AbortSignal) => Promise<ProbeResult>;
  /** `started` or `ready` changed. */
  readonly changed: () => void;
  /** The container must be ended. Called once. */
  readonly failed: (kind: 'startup' | 'liveness', why: string) => void;
}

export class ProbeLoop {
  readonly #probes: ContainerSpec['probes'];
  readonly #startedAtMs: number;
  readonly #takenUp: boolean;
  readonly #environment: ProbeEnvironment;
  readonly #abort = new AbortController();
  #started: boolean;
  #ready: boolean;
  /** Why readiness fails; the first reason stays, so that a flapping text is no news each time. */
  #unready: string | undefined;
  /** Kinds without a first result yet. */
  readonly #unknown: Set<ProbeKind>;
  #firstResults = Promise.withResolvers<void>();

  /** `isTakenUp`: the container was running before we were. */
  constructor(
    container: ContainerSpec,
    startedAtMs: number,
    isTakenUp: boolean,
    environment: ProbeEnvironment,
  ) {
    this.#probes = container.probes;
    this.#startedAtMs = startedAtMs;
    this.#takenUp = isTakenUp;
    this.#environment = environment;
    this.#started = !container.probes.startup;
    this.#ready = this.#started && !container.probes.readiness;
    this.#unknown = new Set(container.probes.readiness ? ['readiness'] : []);
    if (container.probes.startup) this.#unknown.add('startup');
    this.#settleFirstResults();
    void this.#run();
  }

  get status(): ProbeStatus {
    const why = this.#unready === undefined ? {} : { unready: this.#unready };
    return { started: this.#started, ready: this.#ready, ...why };
  }

  /**
   * Resolves when what the container's status depends on was probed once, or can't be before
   * something else is.
   */
  get firstResults(): Promise<void> {
    return this.#firstResults.promise;
  }

  stop(): void {
    this.#abort.abort();
    this.#firstResults.resolve();
  }

  async #run(): Promise<void> {
    const { startup, liveness, readiness } = this.#probes;
    if (startup) {
      const passed = await this.#repeat('startup', startup, (count) => count.passes);
      if (!passed) return;
      this.#update(true, !readiness);
    }
    await Promise.all([
      liveness && this.#repeat('liveness', liveness, () => false),
      readiness &&
        this.#repeat('readiness', readiness, (count, why) => {
          const unready = hasFailed(readiness, count) ? (this.#unready ?? why) : this.#unready;
          this.#update(this.#started, count.passes, count.passes ? undefined : unready);
          return false;
        }),
    ]);
  }

  /** Asks again and again, until `enough`; answers whether it was. */
  async #repeat(
    kind: ProbeKind,
    probe: ProbeSpec,
    enough: (count: ProbeCount, why: ProbeResult) => boolean,
  ): Promise<boolean> {
    const { clock, failed } = this.#environment;
    const { signal } = this.#abort;
    let count = this.#takenUp ? takenUp(probe) : NEVER_PROBED;
    await clock.delay(
      Math.max(0, this.#startedAtMs + probe.initialDelayMs - clock.nowMs()),
      signal,
    );
    while (!signal.aborted) {
      const why = await this.#askOnce(probe);
      if (signal.aborted) return false;
      count = countResult(probe, count, why === undefined);
      const done = enough(count, why);
      this.#gotResult(kind, why === undefined);
      if (done) return true;
      if (kind !== 'readiness' && hasFailed(probe, count)) {
        this.stop();
        failed(kind, why ?? '');
        return false;
      }
      await clock.delay(probe.periodMs, signal);
    }
    return false;
  }

  async #askOnce(probe: ProbeSpec): Promise<ProbeResult> {
    const { clock, ask } = this.#environment;
    const late = new AbortController();
    const stop = (): void => late.abort();
    this.#abort.signal.addEventListener('abort', stop);
    const timeout = clock
      .delay(probe.timeoutMs, late.signal)
      .then(() => `no answer within ${probe.timeoutMs / 1000}s`);
    try {
      return await Promise.race([ask(probe, late.signal), timeout]);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      this.#abort.signal.removeEventListener('abort', stop);
      late.abort();
    }
  }

  #gotResult(kind: ProbeKind, success: boolean): void {
    this.#unknown.delete(kind);
    // Readiness waits for startup: until that passes, "not ready" is the whole truth.
    if (kind === 'startup' && !success) this.#unknown.clear();
    this.#settleFirstResults();
  }

  #settleFirstResults(): void {
    if (this.#unknown.size === 0) this.#firstResults.resolve();
  }

  #update(started: boolean, ready: boolean, unready?: string): void {
    const isNew = this.#started !== started || this.#ready !== ready || this.#unready !== unready;
    this.#started = started;
    this.#ready = ready;
    this.#unready = unready;
    if (isNew && !this.#abort.signal.aborted) this.#environment.changed();
  }
}
