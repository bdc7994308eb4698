/**
 * Defects planted on purpose, each a small change to one part of the product: the simulation is
 * worth what it catches. `seeds` is how many runs at most it takes.
 */
import { delegating } from '../../../shared/control/delegating.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { taskIdOf, type TaskState } from '../../../shared/api/task.ts';
import type { AnyController } from '../../../shared/control/controller.ts';
import type { Effects } from '../../../shared/control/effects.ts';
import type { Action, Plan } from '../../../shared/core/plan.ts';
import { Conflict, type Store } from '../../../shared/ports/store.ts';
import type { FaultRates } from '../faults/faults.ts';
import type { Parts } from '../../world/world.ts';

export interface Defect {
  readonly what: string;
  readonly seeds: number;
  readonly alter: (parts: Parts) => Parts;
  /** Faults that it takes, made more frequent than they are. */
  readonly rates?: FaultRates;
}

export const DEFECTS: { readonly [name: string]: Defect } = {
  blindUpdate: {
    what: 'a write that lost its race is written all the same',
    seeds: 15,
    alter: (parts) => withStore(parts, 'all', blindUpdate),
  },
  randomNames: {
    what: 'pods of a ReplicaSet are named at random, not by slot',
    seeds: 25,
    alter: (parts) => withPlans(parts, 'replicaset', renaming()),
  },
  noVersionGate: {
    what: 'messages about tasks are believed in the order in which they come',
    seeds: 60,
    alter: (parts) => ({ ...parts, health: believeAll(parts.health) }),
  },
  earlyRemoval: {
    what: 'a pod is removed when its task is asked to stop, not when it has stopped',
    seeds: 10,
    alter: (parts) => withPlans(parts, 'pod', removeAtStop),
  },
  forgottenLaunch: {
    what: 'a pod that is deleted before its launch was answered is removed without asking',
    seeds: 100,
    alter: (parts) => withPlans(parts, 'pod', forgetLaunch),
    rates: { lostLaunch: 0.6, healthDelay: 0.5 },
  },
  earlyRelease: {
    what: 'the room of a pod is given away when it is asked to stop, not when it has stopped',
    seeds: 15,
    alter: (parts) => ({
      ...parts,
      schedule: (cell, effects) =>
        parts.schedule(cell, { ...effects, store: hideDeleting(effects.store) }),
    }),
  },
  noFencing: {
    what: 'tasks of a node that is out of reach are taken for ended',
    seeds: 15,
    alter: (parts) => ({ ...parts, health: assumeDead(parts.health) }),
  },
  noSweep: {
    what: 'nothing repairs what lost messages have missed',
    seeds: 25,
    alter: (parts) => ({ ...parts, sweep: async () => {} }),
  },
};

function withStore(parts: Parts, handler: string, change: (store: Store) => Store): Parts {
  const effects = (given: Effects, name: string): Effects => {
    const own = parts.effects(given, name);
    return handler === 'all' || handler === name ? { ...own, store: change(own.store) } : own;
  };
  return { ...parts, effects };
}

function withPlans(
  parts: Parts,
  name: string,
  change: (plan: Plan, nowMs: number, snapshot: unknown) => Plan,
): Parts {
  const altered = (controller: AnyController): AnyController => ({
    ...controller,
    plan: (snapshot: unknown, nowMs) => change(controller.plan(snapshot, nowMs), nowMs, snapshot),
  });
  if (!parts.controllers.some((c) => c.name === name)) throw new Error(`no controller ${name}`);
  const controllers = parts.controllers.map((c) => (c.name === name ? altered(c) : c));
  return { ...parts, controllers };
}

function blindUpdate(store: Store): Store {
  const update: Store['update'] = async (resource, object) => {
    try {
      return await store.update(resource, object);
    } catch (error) {
      if (!(error instanceof Conflict) || !error.current) throw error;
      const { uid, resourceVersion } = error.current.metadata;
      const metadata = { ...object.metadata, uid, resourceVersion };
      return store.update(resource, { ...object, metadata });
    }
  };
  return { ...store, update };
}

function renaming(): (plan: Plan) => Plan {
  let renamed = 0;
  const rename = (action: Action): Action => {
    if (action.kind !== 'create' || action.resource !== 'pods') return action;
    const name = `${action.object.metadata.name}-${++renamed}`;
    const object = { ...action.object, metadata: { ...action.object.metadata, name } };
    return { ...action, object };
  };
  return (plan) => ({ ...plan, stages: plan.stages.map((stage) => stage.map(rename)) });
}

function believeAll(health: Parts['health']): Parts['health'] {
  let version = 1;
  return (message, effects) => {
    if (message.type !== 'task') return health(message, effects);
    const task: TaskState = { ...message.task, version: (version += 1_000) };
    return health({ ...message, task }, effects);
  };
}

function removeAtStop(plan: Plan, _nowMs: number, snapshot: unknown): Plan {
  const stops = plan.stages.flat().some(({ kind }) => kind === 'stopTask');
  return stops ? { ...plan, stages: [...plan.stages, [removalOf(podOf(snapshot))]] } : plan;
}

function forgetLaunch(plan: Plan, _nowMs: number, snapshot: unknown): Plan {
  const pod = podOf(snapshot);
  const unanswered = pod.control?.attempt !== undefined && pod.control.taskVersion === undefined;
  if (pod.metadata.deletionTimestamp === undefined || !unanswered) return plan;
  return { stages: [[removalOf(pod)]], blocked: [] };
}

function removalOf({ metadata }: Pod): Action {
  const { namespace = '', name, uid, resourceVersion } = metadata;
  const key = { resource: 'pods', namespace, name };
  return { kind: 'remove', key, expected: { uid, resourceVersion } };
}

/**
 * The snapshot of the pod's controller is its own business; it holds the pod in one of these ways.
 */
function podOf(snapshot: unknown): Pod {
  const { pod } = snapshot as { readonly pod?: Pod };
  return pod ?? (snapshot as Pod);
}

function hideDeleting(store: Store): Store {
  const list = async (query: Parameters<Store['list']>[0]) => {
    const page = await store.list(query);
    if (query.resource !== 'pods') return page;
    const items = page.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    return { ...page, items };
  };
  return { ...delegating(store), list: list as Store['list'] };
}

function assumeDead(health: Parts['health']): Parts['health'] {
  return async (message, effects) => {
    const outcome = await health(message, effects);
    if (message.type !== 'node' || message.status !== 'disconnected') return outcome;
    const { items } = await effects.store.list<Pod>({ resource: 'pods' });
    for (const pod of items) {
      if (pod.spec.nodeName !== message.nodeName || !pod.control?.attempt) continue;
      await health({ type: 'task', task: ended(pod, pod.control.attempt) }, effects);
    }
    return outcome;
  };
}

function ended({ metadata, spec }: Pod, attempt: number): TaskState {
  return {
    id: taskIdOf(metadata.uid, attempt),
    podUid: metadata.uid,
    attempt,
    namespace: metadata.namespace ?? '',
    podName: metadata.name,
    nodeName: spec.nodeName ?? '',
    version: 1_000_000,
    phase: 'stopped',
    initContainers: [],
    containers: [],
    reason: 'NodeLost',
  };
}
