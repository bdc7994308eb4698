/** What the parts of ECS share: the records, and the outside. */
import { AwsError } from '../errors.ts';
import type { Events } from '../events.ts';
import type { LogStore } from '../logs/log-store.ts';
import type { Settings } from '../settings.ts';
import { hex, type Random, type Timers } from '../timers.ts';
import type { Account } from './buckets.ts';
import { instanceView } from './instance-view.ts';
import { clusterArnOf, type InstanceRecord, taskEvent, type TaskRecord } from './state.ts';

/** Stopped tasks are seen for at least an hour; here it is exactly that. */
export const STOPPED_KEPT_MS = 3_600_000;
/** Stopped tasks are dropped from memory once so many were kept too long. */
const SWEEP_EVERY_TASKS = 1_000;

export class EcsWorld {
  readonly timers: Timers;
  readonly random: Random;
  readonly settings: Settings;
  readonly events: Events;
  readonly logs: LogStore;
  readonly account: Account;
  readonly clusters: Set<string>;
  readonly tasks = new Map<string, TaskRecord>();
  readonly instances = new Map<string, InstanceRecord>();
  /** How many more tasks Fargate takes; by capacity provider. Absent: as many as are asked for. */
  readonly fargateCapacity = new Map<string, number>();
  #added = 0;

  constructor(given: {
    timers: Timers;
    random: Random;
    settings: Settings;
    events: Events;
    logs: LogStore;
    account: Account;
  }) {
    this.timers = given.timers;
    this.random = given.random;
    this.settings = given.settings;
    this.events = given.events;
    this.logs = given.logs;
    this.account = given.account;
    this.clusters = new Set(given.settings.clusters);
  }

  get nowMs(): number {
    return this.timers.nowMs();
  }

  /** `arn:aws:ecs:<region>:<account>:<path>` */
  arn(path: string): string {
    const { region, accountId } = this.settings;
    return `arn:aws:ecs:${region}:${accountId}:${path}`;
  }

  newId(): string {
    return hex(this.random, 32);
  }

  /** The short name of a cluster that exists, from its name or ARN. */
  cluster(given = 'default'): string {
    const name = given.replace(/^arn:aws:ecs:[^:]*:[^:]*:cluster\//, '');
    if (this.clusters.has(name)) return name;
    throw new AwsError('ClusterNotFoundException', 'Cluster not found.');
  }

  addTask(task: TaskRecord): void {
    if (++this.#added % SWEEP_EVERY_TASKS === 0) this.#dropOldTasks();
    this.tasks.set(task.arn, task);
    task.instance?.tasks.add(task);
  }

  /** By id or ARN, while it can be seen. */
  findTask(cluster: string, given: string): TaskRecord | undefined {
    const arn = given.startsWith('arn:') ? given : this.arn(`task/${cluster}/${given}`);
    const task = this.tasks.get(arn);
    return task?.cluster === cluster && this.#isSeen(task) ? task : undefined;
  }

  seenTasks(cluster: string): TaskRecord[] {
    return [...this.tasks.values()].filter(
      (task) => task.cluster === cluster && this.#isSeen(task),
    );
  }

  findInstance(cluster: string, given: string): InstanceRecord | undefined {
    const path = `container-instance/${cluster}/${given}`;
    const instance = this.instances.get(given.startsWith('arn:') ? given : this.arn(path));
    return instance?.cluster === cluster ? instance : undefined;
  }

  /** A change that is told: one more version, one event. */
  changed(task: TaskRecord): void {
    task.version++;
    this.told(task);
  }

  /** Tells of the task as it is. */
  told(task: TaskRecord): void {
    this.events.tell({
      source: 'aws.ecs',
      'detail-type': 'ECS Task State Change',
      resources: [task.arn],
      detail: taskEvent(task),
    });
  }

  /** It registered, went, or has more or less left than before. */
  instanceChanged(instance: InstanceRecord): void {
    instance.version++;
    const clusterArn = clusterArnOf(instance.arn);
    this.events.tell({
      source: 'aws.ecs',
      'detail-type': 'ECS Container Instance State Change',
      resources: [instance.arn],
      detail: { ...instanceView(instance), clusterArn, updatedAt: new Date(this.nowMs) },
    });
  }

  #isSeen({ stoppedAtMs = Infinity }: TaskRecord): boolean {
    return this.nowMs < stoppedAtMs + STOPPED_KEPT_MS;
  }

  #dropOldTasks(): void {
    for (const [arn, task] of this.tasks) if (!this.#isSeen(task)) this.tasks.delete(arn);
  }
}
