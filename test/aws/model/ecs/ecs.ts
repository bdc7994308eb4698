/** ECS as its operations by name, and as what a test may do to it. */
import type { Container } from '@aws-sdk/client-ecs';
import { Definitions } from './definitions.ts';
import { Instances } from './instances.ts';
import { Lifecycle } from './lifecycle.ts';
import { RunTask } from './run-task.ts';
import type { TaskRecord } from './state.ts';
import { Tasks } from './tasks.ts';
import { ClientTokens } from './tokens.ts';
import type { EcsWorld } from './world.ts';

export class Ecs {
  readonly world: EcsWorld;
  readonly definitions: Definitions;
  readonly instances: Instances;
  readonly lifecycle: Lifecycle;
  readonly tasks: Tasks;
  readonly launches: RunTask;

  constructor(world: EcsWorld) {
    this.world = world;
    this.definitions = new Definitions(world);
    this.lifecycle = new Lifecycle(world);
    this.instances = new Instances(world, this.lifecycle);
    this.tasks = new Tasks(world, this.lifecycle);
    this.launches = new RunTask(world, this.definitions, this.lifecycle, new ClientTokens());
  }

  createCluster({ clusterName = 'default' }: { clusterName?: string }): object {
    this.world.account.take('cluster');
    this.world.clusters.add(clusterName);
    return { cluster: this.#clusterView(clusterName) };
  }

  describeClusters({ clusters = ['default'] }: { clusters?: string[] }): object {
    this.world.account.take('cluster');
    const short = (given: string) => given.replace(/^.*:cluster\//, '');
    const known = clusters.filter((given) => this.world.clusters.has(short(given)));
    return {
      clusters: known.map((given) => this.#clusterView(short(given))),
      failures: clusters
        .filter((given) => !known.includes(given))
        .map((given) => ({ arn: this.world.arn(`cluster/${short(given)}`), reason: 'MISSING' })),
    };
  }

  /** The process of a container ends: a crash, or `OutOfMemoryError: …` with 137. */
  killContainer(task: string, container: string, exitCode = SIGKILL_EXIT, reason?: string): void {
    const found = this.task(task);
    const one = found.containers.find(({ definition }) => definition.name === container);
    if (!one) throw new Error(`Task ${task} has no container ${container}`);
    this.lifecycle.exit(found, one, exitCode, reason);
  }

  setHealth(task: string, container: string, healthStatus: Container['healthStatus']): void {
    const found = this.task(task);
    const one = found.containers.find(({ definition }) => definition.name === container);
    if (one && healthStatus) one.healthStatus = healthStatus;
  }

  /** The warning of a Fargate Spot task: told at once, and SIGTERM with it. */
  interruptSpotTask(task: string): void {
    const stoppedReason = 'Your Spot Task was interrupted.';
    this.lifecycle.stop(this.task(task), { stopCode: 'SpotInterruption', stoppedReason });
  }

  /** Maintenance takes a task away. */
  retireTask(task: string): void {
    const stoppedReason = 'ECS is performing maintenance on the underlying infrastructure.';
    this.lifecycle.stop(this.task(task), { stopCode: 'InfrastructureHealth', stoppedReason });
  }

  /** By id or ARN; throws when there is none. */
  task(given: string): TaskRecord {
    const found = [...this.world.tasks.values()].find(({ id, arn }) => {
      return id === given || arn === given;
    });
    if (!found) throw new Error(`No such task: ${given}`);
    return found;
  }

  #clusterView(clusterName: string): object {
    const tasks = this.world.seenTasks(clusterName);
    return {
      clusterName,
      clusterArn: this.world.arn(`cluster/${clusterName}`),
      status: 'ACTIVE',
      capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
      runningTasksCount: tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING').length,
      registeredContainerInstancesCount: [...this.world.instances.values()].filter(
        ({ cluster, status }) => cluster === clusterName && status !== 'INACTIVE',
      ).length,
    };
  }
}

const SIGKILL_EXIT = 137;
