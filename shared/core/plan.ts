/**
 * The plan: all effects that a decision may have, as data. A plan is complete and immutable; the
 * executor has one case an action and chooses nothing (architecture D2).
 *
 * Invariants:
 *  P1 A plan is decided from one snapshot. Every write in it names the uid and version it was
 *     decided from, so that a plan that is carried out late, twice or in half does nothing that its
 *     repeat would not do.
 *  P2 Stages are carried out in order, each only if the one before succeeded; actions of a stage
 *     are independent.
 *  P3 What was not done is said too: `blocked` has a reason for each thing that the plan leaves.
 */
import type { Expected } from '../api/change.ts';
import type { AnyObject, KubeObject, ObjectKey, ResourceName } from '../api/meta.ts';

export type Action =
  /**
   * Makes an object unless one of its name exists; a repeat is harmless since names are derived.
   */
  | { readonly kind: 'create'; readonly resource: ResourceName; readonly object: AnyObject }
  /** Writes the object if uid and version in its metadata are those stored. */
  | { readonly kind: 'update'; readonly resource: ResourceName; readonly object: AnyObject }
  /** Removes the object for good. Only for objects without finalizers whose time has come. */
  | { readonly kind: 'remove'; readonly key: ObjectKey; readonly expected: Expected }
  /** Starts the task of a pod's attempt. The intent is on the pod already. */
  | {
      readonly kind: 'runTask';
      readonly pod: ObjectKey;
      readonly podUid: string;
      readonly attempt: number;
    }
  | {
      readonly kind: 'stopTask';
      readonly taskId: string;
      readonly graceSeconds: number;
      readonly handle?: string;
    }
  /** Looks up what became of a pod's attempt, and has the answer observed. */
  | {
      readonly kind: 'lookUpTask';
      readonly pod: ObjectKey;
      readonly podUid: string;
      readonly attempt: number;
      readonly taskId: string;
    }
  /** Launches the machine that a claim asks for, once for all repeats. */
  | { readonly kind: 'launchInstance'; readonly claim: ObjectKey; readonly claimUid: string }
  /** Ends the machine of a node. Nothing that matters runs on it any more. */
  | { readonly kind: 'terminateInstance'; readonly instanceId: string }
  /** Tells people. Best effort: a lost event is not an error. */
  | {
      readonly kind: 'event';
      readonly about: EventTarget;
      readonly type: 'Normal' | 'Warning';
      readonly reason: string;
      readonly message: string;
    };

export interface EventTarget {
  readonly resource: ResourceName;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface Plan {
  readonly stages: readonly (readonly Action[])[];
  /** Look again after this long, for what time alone will change. */
  readonly againAfterMs?: number;
  /** Why nothing, or not more, is done; for transcripts and logs. */
  readonly blocked: readonly string[];
}

export const NOTHING: Plan = { stages: [], blocked: [] };

/** A plan of one action after the other. */
export function inOrder(...actions: readonly Action[]): Plan {
  return { stages: actions.map((action) => [action]), blocked: [] };
}

/** A plan that does nothing, and why. */
export function blocked(...reasons: readonly string[]): Plan {
  return { stages: [], blocked: reasons };
}

/**
 * One plan after the other; the nearest `againAfterMs` counts. Not called `then`: a module that
 * exports a `then` is a thenable, so that importing it dynamically would never end.
 */
export function sequence(...plans: readonly Plan[]): Plan {
  const times = plans.flatMap((plan) => plan.againAfterMs ?? []);
  return {
    stages: plans.flatMap((plan) => plan.stages),
    blocked: plans.flatMap((plan) => plan.blocked),
    ...(times.length > 0 ? { againAfterMs: Math.min(...times) } : {}),
  };
}

/** The update action of an object whose typed form is known. */
export function update(resource: ResourceName, object: KubeObject): Action {
  return { kind: 'update', resource, object: object as AnyObject };
}

export function create(resource: ResourceName, object: KubeObject): Action {
  return { kind: 'create', resource, object: object as AnyObject };
}

export function eventTarget(resource: ResourceName, object: KubeObject): EventTarget {
  return {
    resource,
    apiVersion: object.apiVersion,
    kind: object.kind,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
    uid: object.metadata.uid,
  };
}

export type EventAction = Extract<Action, { kind: 'event' }>;

export function event(
  about: EventTarget,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): EventAction {
  return { kind: 'event', about, type, reason, message };
}
