/**
 * Launches that are asked for together (core/pod/batch.ts): who the members are at this moment is
 * read just before the question, and what came of it is folded into each of them.
 */
import type { LaunchBatch, Pod } from '../api/kinds/pod.ts';
import { keyOf } from '../api/change.ts';
import { batchToAskFor, BINDING_MS, memberState } from '../core/pod/batch.ts';
import {
  type BatchAnswer,
  type BatchPlace,
  NoCapacity,
  RuntimeUnavailable,
  TaskRejected,
} from '../ports/runtime.ts';
import type { Effects } from './effects.ts';
import { foldIntoPod } from './fold.ts';
import { inParallel } from './in-parallel.ts';
import { learned } from './learned.ts';
import { invariant } from './outcome.ts';
import { resolveTaskSpec } from './task-spec.ts';

/** As many as a batch has members. */
const AT_A_TIME = 10;

/** Asks for the first attempt of a pod in a batch, and for those of its members if it is to. */
export async function runBatch(pod: Pod, effects: Effects): Promise<void> {
  const batch = batchToAskFor(pod);
  const others = batch ? await membersOf(pod, batch, effects) : [];
  const members = [pod, ...others];
  const answers = await ask(pod, members, effects);
  const errors: unknown[] = [];
  await inParallel(
    members.map((member, i) => [member, answers[i]] as const),
    AT_A_TIME,
    ([member, answer]) => tell(member, answer, effects),
    (error) => void errors.push(error),
  );
  if (errors.length > 0) throw errors[0];
}

/** Those that want their task now. Throws `RuntimeUnavailable` while some are yet to be bound. */
async function membersOf(
  pod: Pod,
  { token, with: names = [] }: LaunchBatch,
  { store, clock }: Effects,
): Promise<readonly Pod[]> {
  const { namespace = '' } = pod.metadata;
  const read = (name: string) => store.get<Pod>({ resource: 'pods', namespace, name });
  const members = await Promise.all(names.map(read));
  const isUnbound = members.some((member) => memberState(member, token) === 'unbound');
  if (isUnbound && clock.nowMs() - (pod.control?.intentAtMs ?? 0) < BINDING_MS) {
    throw new RuntimeUnavailable('others of the batch are still being bound');
  }
  return members.flatMap((member) =>
    member && memberState(member, token) === 'wants' ? [member] : [],
  );
}

async function ask(
  pod: Pod,
  members: readonly Pod[],
  { store, runtime }: Effects,
): Promise<readonly BatchAnswer[]> {
  invariant(runtime.runAlike !== undefined, 'S1: a batch needs a runtime that can ask for it');
  try {
    return await runtime.runAlike(await resolveTaskSpec(pod, store), members.map(placeOf));
  } catch (error) {
    // They are alike: what is refused to one is refused to all.
    if (!(error instanceof TaskRejected || error instanceof NoCapacity)) throw error;
    return members.map(() => error);
  }
}

function placeOf({ spec, control }: Pod): BatchPlace {
  return { nodeName: spec.nodeName ?? '', at: control?.batch?.at ?? '' };
}

async function tell(pod: Pod, answer: BatchAnswer | undefined, effects: Effects): Promise<void> {
  invariant(answer !== undefined, 'S1: a runtime answers for each place');
  const fold = learned(pod, 1, answer, effects);
  await foldIntoPod(keyOf('pods', pod), pod.metadata.uid, fold, effects);
}
