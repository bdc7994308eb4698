/**
 * A Deployment in a model of a cluster: its own plans and those of its ReplicaSets, step by step.
 */
import type {
  Deployment,
  DeploymentSpec,
  ReplicaSet,
} from '../../../shared/api/kinds/workloads.ts';
import { controllerOf, draftMeta } from '../../../shared/api/meta.ts';
import { rfc3339 } from '../../../shared/api/time.ts';
import { planDeployment } from '../../../shared/core/deployment/plan.ts';
import { newSetName } from '../../../shared/core/deployment/revisions.ts';
import type { Plan } from '../../../shared/core/plan.ts';
import { podIsActive, podIsReady } from '../../../shared/core/pod/predicates.ts';
import { planReplicaSet } from '../../../shared/core/replicaset/plan.ts';
import { Cluster, ready } from '../replicaset/cluster.ts';
import { template } from '../replicaset/fixtures.ts';

const DEPLOYMENTS = 'deployments.apps';

export class Rollout extends Cluster {
  /** What people were told, oldest first. */
  readonly told: string[] = [];

  constructor(spec: Partial<DeploymentSpec> = {}) {
    super();
    this.put(DEPLOYMENTS, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: draftMeta({ name: 'web', namespace: 'd' }),
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web' } },
        template: template(),
        strategy: { type: 'RollingUpdate' },
        minReadySeconds: 0,
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        ...spec,
      },
      status: {},
    } as Deployment);
  }

  /** A user's change of the spec. */
  change(spec: Partial<DeploymentSpec>): void {
    const { deployment } = this;
    const generation = (deployment.metadata.generation ?? 0) + 1;
    const metadata = { ...deployment.metadata, generation };
    this.put(DEPLOYMENTS, {
      ...deployment,
      metadata,
      spec: { ...deployment.spec, ...spec },
    } as Deployment);
  }

  /** One look of the Deployment. */
  step(): Plan {
    const plan = this.planned();
    this.apply(plan);
    for (const action of plan.stages.flat())
      if (action.kind === 'event') this.told.push(action.message);
    return plan;
  }

  planned(): Plan {
    const { deployment } = this;
    const name = newSetName(deployment);
    const sets = this.sets.filter((set) => controllerOf(set)?.uid === deployment.metadata.uid);
    const namesake = this.sets.find((set) => set.metadata.name === name) as never;
    const snapshot = { deployment, sets, namesake, namespaceTerminating: false };
    return planDeployment(snapshot, this.nowMs);
  }

  stepSet(set: ReplicaSet): void {
    const snapshot = { set, pods: this.podsOf(set), namespace: undefined };
    this.apply(planReplicaSet(snapshot, this.nowMs));
  }

  stepSets(): void {
    for (const set of this.sets) this.stepSet(set);
  }

  /** Makes every pod ready, but for those of this image. */
  readyAll(except?: string): void {
    for (const pod of this.pods) {
      const image = pod.spec.containers[0]?.image;
      if (!podIsReady(pod) && image !== except) this.put('pods', ready(pod, this.nowMs));
    }
  }

  /** Everybody looks until nobody has anything to do. */
  settle(except?: string): void {
    for (let i = 0; i < 200; i++) {
      const before = this.writes;
      this.step();
      this.stepSets();
      this.readyAll(except);
      if (this.writes === before) return;
    }
    throw new Error('it does not come to rest');
  }

  get activePods(): number {
    return this.pods.filter(podIsActive).length;
  }

  get readyPods(): number {
    return this.pods.filter((pod) => podIsActive(pod) && podIsReady(pod)).length;
  }

  /** Sizes by image, as `v1=3`. */
  get sizes(): string {
    const sizes = this.sets.map(
      ({ spec }) => `${spec.template?.spec.containers[0]?.image}=${spec.replicas}`,
    );
    return sizes.toSorted().join(' ');
  }

  condition(type: string) {
    const found = this.deployment.status.conditions?.find((c) => c.type === type);
    return found && `${found.status} ${found.reason}`;
  }

  wait(seconds: number): void {
    this.nowMs += seconds * 1000;
  }

  get now(): string {
    return rfc3339(this.nowMs);
  }
}

export const rolling = (
  maxSurge: number | string,
  maxUnavailable: number | string,
): DeploymentSpec['strategy'] => ({
  type: 'RollingUpdate',
  rollingUpdate: { maxSurge, maxUnavailable },
});
