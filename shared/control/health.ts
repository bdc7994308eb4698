/**
 * What runtimes and agents tell: task states are folded into pods, node states into nodes. Messages
 * come late, twice, out of order or not at all; the folds are gated by version or time, and what
 * got lost is found by the sweep. They come from outside: what is malformed is dropped with a log
 * line, since no repeat could mend it.
 *
 * Invariant: a live task without a live pod attempt to its name is told to stop (L2).
 */
import type { Node } from '../api/kinds/node.ts';
import type { Pod } from '../api/kinds/pod.ts';
import {
  type HealthMessage,
  NO_CAPACITY_REASON,
  type NodeMessage,
  type TaskState,
} from '../api/task.ts';
import { parseHealthMessage } from '../core/health/message.ts';
import { observeCondition } from '../core/node/conditions.ts';
import { observeRegistration } from '../core/node/from-instance.ts';
import { observeInterruption, observeNode } from '../core/node/observe.ts';
import { isSuperseded } from '../core/pod/attempt.ts';
import { lackedCapacity, observeTask } from '../core/pod/observe.ts';
import type { Outcome } from './controller.ts';
import type { Effects } from './effects.ts';
import { foldIntoPod } from './fold.ts';
import { foldIntoNode, meetInstance } from './fold-node.ts';
import { noteShortage } from './note-shortage.ts';
import { isSurprising, outcomeOf } from './outcome.ts';
import { ownerOf } from './task-owner.ts';

/** Nobody waits for a task that belongs to nobody. */
const ORPHAN_GRACE_SECONDS = 30;

/**
 * A clock that goes ahead by more than this is wrong: what it says counts as said now, or nothing
 * said after it would count for as long.
 */
const MAX_SKEW_MS = 60_000;

const DONE: Outcome = { type: 'done' };

/** Never throws. `message` is whatever came; only what is well-formed has an effect. */
export async function handleHealth(message: unknown, effects: Effects): Promise<Outcome> {
  const parsed = parseHealthMessage(message);
  if (typeof parsed === 'string') {
    const fields = { problem: parsed };
    effects.recorder.log({ level: 'warn', message: 'health message dropped', fields });
    return DONE;
  }
  try {
    await apply(parsed, effects);
    return DONE;
  } catch (thrown) {
    const outcome = outcomeOf(thrown);
    if (outcome.type === 'retry' || outcome.type === 'terminal') report(parsed, outcome, effects);
    return outcome;
  }
}

function apply(message: HealthMessage, effects: Effects): Promise<void> {
  if (message.type === 'task') return applyToPod(message.task, effects);
  return applyToNode(message, effects);
}

async function applyToPod(task: TaskState, effects: Effects): Promise<void> {
  const owner = await ownerOf(task, effects.store);
  // The sweep compares with all pods, and ends what is nobody's.
  if (owner === 'unknown') return;
  let superseded = false;
  let nodeName: string | undefined;
  const fold = (pod: Pod, nowMs: number) => {
    nodeName = pod.spec.nodeName;
    superseded = isSuperseded(pod, task.attempt);
    return observeTask(pod, task, nowMs);
  };
  const folded =
    owner === 'nobody' ? 'missing' : await foldIntoPod(owner.key, owner.uid, fold, effects);
  if (folded === 'written' && lackedCapacity(task)) {
    await noteShortage(nodeName, task.message ?? NO_CAPACITY_REASON, effects);
  }
  const isOrphan = folded === 'missing' || superseded;
  if (isOrphan && (task.phase === 'pending' || task.phase === 'running')) {
    await effects.runtime.stop(task.id, ORPHAN_GRACE_SECONDS, task.handle);
  }
}

/** A machine that nobody has met yet may have joined: what it is says the pool, not the event. */
async function applyToNode(message: NodeMessage, effects: Effects): Promise<void> {
  const { nodeName } = message;
  const fold = (node: Node, nowMs: number) => {
    const atMs = Math.min(message.atMs, nowMs + MAX_SKEW_MS);
    return observe(node, { ...message, atMs }, nowMs);
  };
  const folded = await foldIntoNode(nodeName, fold, effects);
  if (folded === 'missing' && message.type === 'node-registration') {
    await meetInstance(nodeName, effects);
  }
}

function observe(node: Node, message: NodeMessage, nowMs: number): Node | undefined {
  switch (message.type) {
    case 'node':
      return observeNode(node, message, nowMs);
    case 'node-registration':
      return observeRegistration(node, message, nowMs);
    case 'node-interruption':
      return observeInterruption(node, message, nowMs);
    case 'node-condition':
      return observeCondition(node, message, nowMs);
  }
}

function report(
  message: HealthMessage,
  { type, error }: Extract<Outcome, { error: Error }>,
  { recorder }: Effects,
): void {
  const about = message.type === 'task' ? { task: message.task.id } : { node: message.nodeName };
  recorder.log({
    level: isSurprising(error) ? 'error' : 'debug',
    message: 'health message not applied',
    fields: { ...about, outcome: type, error: String(error) },
  });
}
