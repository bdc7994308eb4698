/**
 * The executor: one case an action, no choices (architecture D2).
 *
 * Owns: how each action reaches a port, and which repeat counts as already done. Does not own: what
 * is to be done (core), or what an error means for the work (outcome.ts).
 *
 * Invariants:
 *  E1 A plan carried out twice, by two at once, or in half and then again, has the effects of once.
 *  E2 Stages in order; when an action fails, its stage is finished and the next is not begun.
 */
import type { Action, Plan } from '../core/plan.ts';
import { Conflict } from '../ports/store.ts';
import { createObject } from './create-object.ts';
import type { Effects } from './effects.ts';
import { inParallel } from './in-parallel.ts';
import { lookUpTask, runTask } from './launch.ts';
import { launchInstance } from './launch-instance.ts';
import { invariant } from './outcome.ts';
import { recordEvent } from './record-event.ts';

/** Enough to fill a store's group commit or a batch of launches, few enough to bound memory. */
const CONCURRENT_ACTIONS = 256;

/** Carries a plan out. Throws the first error of a stage, after the stage has settled. */
export async function execute(plan: Plan, effects: Effects): Promise<void> {
  for (const stage of plan.stages) await executeStage(stage, effects);
}

async function executeStage(stage: readonly Action[], effects: Effects): Promise<void> {
  const failures: unknown[] = [];
  await inParallel(
    stage,
    CONCURRENT_ACTIONS,
    (action) => perform(action, effects),
    (error) => void failures.push(error),
  );
  if (failures.length > 0) throw failures[0];
}

function perform(action: Action, effects: Effects): Promise<void> {
  switch (action.kind) {
    case 'create':
      return createObject(action.resource, action.object, effects);
    case 'update':
      return effects.store.update(action.resource, action.object).then(noResult);
    case 'remove':
      return remove(action, effects);
    case 'runTask':
      return runTask(action, effects);
    case 'stopTask':
      return effects.runtime.stop(action.taskId, action.graceSeconds, action.handle);
    case 'lookUpTask':
      return lookUpTask(action, effects);
    case 'launchInstance':
      return launchInstance(action, effects);
    case 'terminateInstance':
      return terminateInstance(action.instanceId, effects);
    case 'event':
      return recordEvent(action, effects);
  }
}

function noResult(): void {}

function terminateInstance(instanceId: string, { instances }: Effects): Promise<void> {
  invariant(instances !== undefined, `no pool of instances knows ${instanceId}`);
  return instances.terminate([instanceId]);
}

async function remove(
  action: Extract<Action, { kind: 'remove' }>,
  { store }: Effects,
): Promise<void> {
  try {
    await store.remove(action.key, action.expected);
  } catch (error) {
    const alreadyGone = error instanceof Conflict && error.current === undefined;
    if (!alreadyGone) throw error;
  }
}
