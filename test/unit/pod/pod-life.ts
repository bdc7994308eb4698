/**
 * One pod and the runtime, with nothing between them but plans and observations: what the control
 * loop does with a pod, without queues and stores, so that tests can tell the pod's story.
 */
import { SIMULATE_ANNOTATION, type TaskRules } from '../../../adapters/memory/simulated-rules.ts';
import { SimulatedRuntime } from '../../../adapters/memory/simulated-runtime.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Pod, PodSpec } from '../../../shared/api/kinds/pod.ts';
import { draftMeta } from '../../../shared/api/meta.ts';
import { taskIdOf } from '../../../shared/api/task.ts';
import { rfc3339 } from '../../../shared/api/time.ts';
import { PodConfig } from '../../../shared/control/pod-config.ts';
import { taskSpecOf } from '../../../shared/control/task-spec.ts';
import { mayBeRemoved } from '../../../shared/core/deletion.ts';
import type { Action, Plan } from '../../../shared/core/plan.ts';
import {
  observeMissing,
  observeLaunchFailure,
  observeTask,
} from '../../../shared/core/pod/observe.ts';
import { planPod, type PodSnapshot } from '../../../shared/core/pod/plan.ts';
import { NoCapacity, TaskRejected } from '../../../shared/ports/runtime.ts';

/** More steps without the time moving would be a loop. */
const MAX_STEPS = 50;

export function container(name: string, given: Partial<PodSpec['containers'][number]> = {}) {
  return {
    name,
    image: `registry.test/${name}:1`,
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File' as const,
    ...given,
  };
}

export function makePod(spec: Partial<PodSpec> = {}, rules: TaskRules = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: draftMeta({
      name: 'web-1',
      namespace: 'default',
      uid: '6f9d8a52-7a0e-4b62-9f0b-000000000001',
      annotations: { [SIMULATE_ANNOTATION]: JSON.stringify(rules) },
    }),
    spec: {
      containers: [container('app')],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      // Bound by somebody else, so that the life begins with the pod's own intent.
      schedulerName: 'another-scheduler',
      enableServiceLinks: true,
      nodeName: 'node-1',
      ...spec,
    },
    status: { phase: 'Pending' },
  };
}

export class PodLife {
  readonly clock = new StepClock();
  readonly runtime: SimulatedRuntime;
  readonly launchTimesMs: number[] = [];
  readonly stops: number[] = [];
  readonly events: string[] = [];
  writes = 0;
  node: PodSnapshot['node'] = 'ready';
  want: PodSnapshot['want'];
  /** Undefined once it is removed. */
  pod: Pod | undefined;
  readonly #startMs: number;

  constructor(pod: Pod) {
    this.pod = pod;
    this.#startMs = this.clock.nowMs();
    this.runtime = new SimulatedRuntime({
      clock: this.clock,
      emit: (message) => {
        if (message.type !== 'task' || !this.pod) return;
        this.#write(observeTask(this.pod, message.task, this.clock.nowMs()));
      },
    });
  }

  /** The pod as it is after a while. */
  async after(seconds: number): Promise<Pod> {
    await this.pass(seconds);
    return this.current;
  }

  /** Lets the pod live for a while. */
  async pass(seconds: number): Promise<void> {
    const untilMs = this.clock.nowMs() + seconds * 1000;
    let againMs = await this.#settle();
    while (this.clock.nowMs() < untilMs) {
      const nextMs = Math.min(untilMs, againMs, this.clock.nextTimerMs() ?? Infinity);
      await this.clock.advance(Math.max(0, nextMs - this.clock.nowMs()));
      againMs = await this.#settle();
    }
  }

  get current(): Pod {
    if (!this.pod) throw new Error('the pod is gone');
    return this.pod;
  }

  /** What kubectl shows first: the state of a container in a word. */
  shown(index = 0): string {
    const status = this.pod?.status.containerStatuses?.[index];
    const { waiting, running, terminated } = status?.state ?? {};
    return waiting?.reason ?? terminated?.reason ?? (running ? 'Running' : 'none');
  }

  restarts(): number[] {
    return (this.pod?.status.containerStatuses ?? []).map(({ restartCount }) => restartCount);
  }

  delete(graceSeconds = 30): void {
    const deletionTimestamp = rfc3339(this.clock.nowMs() + graceSeconds * 1000);
    const marks = { deletionTimestamp, deletionGracePeriodSeconds: graceSeconds };
    const { current } = this;
    this.#write({ ...current, metadata: { ...current.metadata, ...marks } });
  }

  #write(next: Pod | undefined): void {
    if (!next) return;
    this.writes++;
    this.pod = mayBeRemoved('pods', next, this.clock.nowMs()) ? undefined : next;
  }

  async #settle(): Promise<number> {
    for (let step = 0; step < MAX_STEPS; step++) {
      if (!this.pod) return Infinity;
      const nowMs = this.clock.nowMs();
      const { node, want } = this;
      const plan: Plan = planPod({ pod: this.pod, node, ...(want ? { want } : {}) }, nowMs);
      const writes = this.writes;
      for (const action of plan.stages.flat()) await this.#perform(action);
      if (this.writes === writes) return nowMs + (plan.againAfterMs ?? Infinity);
    }
    throw new Error('the pod does not come to rest');
  }

  async #perform(action: Action): Promise<void> {
    const nowMs = this.clock.nowMs();
    switch (action.kind) {
      case 'update':
        return this.#write(action.object as unknown as Pod);
      case 'remove':
        this.pod = undefined;
        this.writes++;
        return;
      case 'event':
        this.events.push(`${action.reason}: ${action.message}`);
        return;
      case 'stopTask':
        this.stops.push(action.graceSeconds);
        return this.runtime.stop(action.taskId, action.graceSeconds);
      case 'runTask':
        return this.#run(action.attempt);
      case 'lookUpTask': {
        if (!this.pod) return;
        const [task] = await this.runtime.describe([taskIdOf(action.podUid, action.attempt)]);
        const next = task
          ? observeTask(this.pod, task, nowMs)
          : observeMissing(this.pod, action.attempt, nowMs);
        return this.#write(next);
      }
      default:
        throw new Error(`a pod's plan has no ${action.kind}`);
    }
  }

  async #run(attempt: number): Promise<void> {
    const { current } = this;
    const nowMs = this.clock.nowMs();
    this.launchTimesMs.push(nowMs - this.#startMs);
    try {
      const task = await this.runtime.run(taskSpecOf(current, new PodConfig(new Map())));
      this.#write(observeTask(current, task, nowMs));
    } catch (error) {
      if (!(error instanceof NoCapacity || error instanceof TaskRejected)) throw error;
      const { message } = error;
      const failure =
        error instanceof TaskRejected
          ? ({ kind: 'rejected', reason: error.reason, message } as const)
          : ({ kind: 'noCapacity', reason: 'NoCapacity', message } as const);
      this.#write(observeLaunchFailure(current, attempt, failure, nowMs));
    }
  }
}
