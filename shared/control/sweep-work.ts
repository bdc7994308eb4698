/**
 * The sweep as messages of the reconcile queue: `sweep <when it was due>` begins one, and each part
 * of it is a message of its own, so that a function's time bounds a page and not the whole.
 *
 * Invariants:
 *  V1 One sweep at a time: the beginnings share a group, and so do the parts of a kind.
 *  V2 A sweep that comes late is dropped: the next is due, and sweeps that queue up during an
 *     outage are a recovery's thundering herd (architecture D8).
 */
import { isJsonObject } from '../api/json.ts';
import { parseTime } from '../api/time.ts';
import { RESOURCES } from '../api/resources.ts';
import type { WorkMessage } from '../ports/queue.ts';
import type { Outcome } from './controller.ts';
import type { Effects } from './effects.ts';
import { outcomeOf } from './outcome.ts';
import type { Routes } from './router.ts';
import { sweepPart, type SweepPart, sweepParts } from './sweep.ts';

/** The group of the messages that begin a sweep; whoever schedules sweeps sends into it. */
export const SWEEP_GROUP = 'sweep';

const BEGIN = 'sweep ';
const PART = 'sweep-part ';

/** Less than half the time between two sweeps. */
const LATE_MS = 120_000;

const DONE: Outcome = { type: 'done' };

export function isSweepWork(body: string): boolean {
  return body.startsWith(BEGIN) || body.startsWith(PART);
}

/** Begins a sweep, or does a part of one. Never throws. */
export async function workOnSweep(
  body: string,
  effects: Effects,
  routes: Routes,
): Promise<Outcome> {
  try {
    if (body.startsWith(BEGIN)) await begin(body.slice(BEGIN.length), effects, routes);
    else await goOn(body.slice(PART.length), effects, routes);
    return DONE;
  } catch (thrown) {
    const outcome = outcomeOf(thrown);
    const fields = { body, error: String(thrown) };
    effects.recorder.log({ level: 'warn', message: 'sweep interrupted', fields });
    return outcome;
  }
}

/** `due` is an RFC 3339 time. What is none is taken for now: a person may ask for a sweep. */
async function begin(due: string, { clock, recorder }: Effects, routes: Routes): Promise<void> {
  const nowMs = clock.nowMs();
  if (nowMs - (parseTime(due) ?? nowMs) > LATE_MS) {
    recorder.log({ level: 'warn', message: 'late sweep dropped', fields: { due } });
    return;
  }
  await routes.reconcileQueue.send(sweepParts().map(partMessage));
}

async function goOn(text: string, effects: Effects, routes: Routes): Promise<void> {
  const part = parsePart(text);
  if (!part) {
    effects.recorder.log({ level: 'warn', message: 'unknown work dropped', fields: { text } });
    return;
  }
  const left = await sweepPart(part, effects, routes);
  if (left) await routes.reconcileQueue.send([partMessage(left)]);
}

function partMessage(part: SweepPart): WorkMessage {
  const of = part.part === 'resource' ? part.resource : part.part;
  return { group: PART + of, body: PART + JSON.stringify(part) };
}

function parsePart(text: string): SweepPart | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { part, resource, after } = value;
  if (isWhole(part)) return { part };
  if (part !== 'resource' || !RESOURCES.some(({ name }) => name === resource)) return undefined;
  const from = typeof after === 'string' ? { after } : {};
  return { part, resource: resource as string, ...from };
}

function isWhole(part: unknown): part is Exclude<SweepPart['part'], 'resource'> {
  return part === 'machines' || part === 'tasks' || part === 'cells' || part === 'vault';
}
