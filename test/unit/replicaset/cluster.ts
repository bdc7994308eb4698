/**
 * A model of a store for plans: conditional writes, derived names, nothing else. A plan may be
 * carried out in part, late or twice, as by a process that crashes.
 */
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { Deployment, ReplicaSet } from '../../../shared/api/kinds/workloads.ts';
import { keyOf } from '../../../shared/api/change.ts';
import {
  type AnyObject,
  controllerOf,
  keyText,
  type KubeObject,
} from '../../../shared/api/meta.ts';
import { rfc3339 } from '../../../shared/api/time.ts';
import type { Action, Plan } from '../../../shared/core/plan.ts';

export const START_MS = 1_000_000_000;

export class Cluster {
  nowMs = START_MS;
  writes = 0;
  readonly #objects = new Map<string, { resource: string; object: AnyObject }>();
  #version = 0;
  #uid = 0;

  /** Carries out the plan; with `actions`, only that many of them. What conflicts is left out. */
  apply(plan: Plan, actions = Infinity): void {
    let left = actions;
    for (const stage of plan.stages) {
      let failed = false;
      for (const action of stage) {
        if (left-- <= 0) return;
        failed = !this.#perform(action) || failed;
      }
      if (failed) return;
    }
  }

  put(resource: string, object: KubeObject): void {
    const { metadata } = object;
    const stored = {
      ...object,
      metadata: {
        ...metadata,
        uid: metadata.uid || `uid-${++this.#uid}`,
        creationTimestamp: metadata.creationTimestamp || rfc3339(this.nowMs),
        resourceVersion: String(++this.#version),
      },
    } as AnyObject;
    this.writes++;
    this.#objects.set(keyText(keyOf(resource, stored)), { resource, object: stored });
  }

  delete(resource: string, object: KubeObject): void {
    this.#objects.delete(keyText(keyOf(resource, object)));
  }

  list<T extends KubeObject>(resource: string): readonly T[] {
    const all = [...this.#objects.values()].filter((entry) => entry.resource === resource);
    return all.map((entry) => entry.object as unknown as T);
  }

  get pods(): readonly Pod[] {
    return this.list<Pod>('pods');
  }

  get sets(): readonly ReplicaSet[] {
    return this.list<ReplicaSet>('replicasets.apps');
  }

  get deployment(): Deployment {
    const [deployment] = this.list<Deployment>('deployments.apps');
    if (!deployment) throw new Error('there is no deployment');
    return deployment;
  }

  podsOf(owner: KubeObject): readonly Pod[] {
    return this.pods.filter((pod) => controllerOf(pod)?.uid === owner.metadata.uid);
  }

  #perform(action: Action): boolean {
    if (action.kind === 'create') {
      const taken = this.#objects.get(keyText(keyOf(action.resource, action.object)))?.object;
      if (!taken) this.put(action.resource, action.object);
      return !taken || controllerOf(taken)?.uid === controllerOf(action.object)?.uid;
    }
    if (action.kind === 'update') {
      const same = this.#isAt(
        keyText(keyOf(action.resource, action.object)),
        action.object.metadata,
      );
      if (same) this.put(action.resource, action.object);
      return same;
    }
    if (action.kind === 'remove' && this.#isAt(keyText(action.key), action.expected)) {
      this.writes++;
      this.#objects.delete(keyText(action.key));
    }
    return true;
  }

  #isAt(key: string, expected: { uid: string; resourceVersion: string }): boolean {
    const current = this.#objects.get(key)?.object.metadata;
    return current?.uid === expected.uid && current.resourceVersion === expected.resourceVersion;
  }
}

/** The pod as its runtime would have it. */
export function ready(pod: Pod, nowMs: number, isReady = true): Pod {
  const lastTransitionTime = rfc3339(nowMs);
  const status = isReady ? ('True' as const) : ('False' as const);
  return {
    ...pod,
    spec: { ...pod.spec, nodeName: 'node' },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status, lastTransitionTime }] },
  };
}

export function failed(pod: Pod): Pod {
  return { ...pod, status: { phase: 'Failed', conditions: [] } };
}
