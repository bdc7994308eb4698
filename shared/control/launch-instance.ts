/**
 * Launching the machine of a claim. What the pool of instances answers is folded into the claim,
 * and what it could not give into the node pool, so that the next pass chooses something else.
 *
 * Invariant: shortages are remembered before the claim is told that it got nothing. Told first and
 * then cut off, the next pass would ask for the same again.
 */
import { keyOf } from '../api/change.ts';
import type { NodeClaim, NodePool } from '../api/kinds/karpenter.ts';
import { NODE_POOL_LABEL } from '../api/node-labels.ts';
import type { MachineType } from '../core/capacity/machine-type.ts';
import { observeLaunch, observeNoLaunch } from '../core/capacity/claim/observe.ts';
import {
  CLAIM_LABEL,
  claimControl,
  type ClaimControl,
  CLAIMS,
  POOLS,
} from '../core/capacity/claim/state.ts';
import { withRefusal, withShortages } from '../core/capacity/shortages.ts';
import type { Action } from '../core/plan.ts';
import {
  type Launched,
  type LaunchFailure,
  LaunchRejected,
  type LaunchRequest,
} from '../ports/instances.ts';
import type { Effects } from './effects.ts';
import { foldInto } from './fold.ts';
import { invariant } from './outcome.ts';

type LaunchAction = Extract<Action, { kind: 'launchInstance' }>;

/** As many combinations of type and zone as EC2 takes in one request for a fleet. */
const MAX_COMBINATIONS = 300;

/** Launches, unless the claim has moved on since that was decided. */
export async function launchInstance(action: LaunchAction, effects: Effects): Promise<void> {
  const { store, instances } = effects;
  const claim = await store.get<NodeClaim>(action.claim);
  if (claim?.metadata.uid !== action.claimUid || claim.metadata.deletionTimestamp) return;
  const control = claimControl(claim);
  if (!control || control.instanceId !== undefined) return;
  invariant(instances !== undefined, 'no pool of instances could launch a claim');
  const answer = await answerOf(() => instances.launch(requestOf(claim, control)));
  if (answer instanceof LaunchRejected) return refused(claim, answer, effects);
  await rememberShortages(claim, answer.failed, effects);
  const [machine] = answer.instances;
  if (machine) return launched(claim, machine, effects);
  await nothingLaunched(claim, whyOf(answer.failed), effects);
}

async function answerOf<T>(launch: () => Promise<T>): Promise<T | LaunchRejected> {
  try {
    return await launch();
  } catch (error) {
    if (error instanceof LaunchRejected) return error;
    throw error;
  }
}

function requestOf({ metadata, spec }: NodeClaim, control: ClaimControl): LaunchRequest {
  const { types, zones, capacityType } = control;
  const { labels = {}, name, uid } = metadata;
  const pool = labels[NODE_POOL_LABEL] ?? '';
  const { taints = [], startupTaints = [] } = spec;
  return {
    ...{ claimUid: uid, count: 1, zones, capacityType },
    types: types.slice(0, Math.max(1, Math.floor(MAX_COMBINATIONS / zones.length))),
    labels: { ...ownLabels(labels), [CLAIM_LABEL]: name },
    taints: [...taints, ...startupTaints],
    tags: { Name: `${pool}/${name}`, [NODE_POOL_LABEL]: pool },
  };
}

/** Those that the machine does not have by its type and place; an attribute can't be empty. */
function ownLabels(labels: { readonly [key: string]: string }): { [key: string]: string } {
  return Object.fromEntries(
    Object.entries(labels).filter(
      ([key, value]) => value !== '' && !key.startsWith('karpenter.k8s.aws/'),
    ),
  );
}

async function launched(claim: NodeClaim, machine: Launched, effects: Effects): Promise<void> {
  const { name } = claim.metadata;
  const fields = { claim: name, ...machine };
  effects.recorder.log({ level: 'info', message: 'instance launched', fields });
  effects.recorder.measure({ name: 'InstancesLaunched', value: 1, unit: 'Count' });
  const types = (await effects.machineTypes?.()) ?? [];
  const type = types.find((one: MachineType) => one.name === machine.type);
  const fold = (current: NodeClaim, nowMs: number) => observeLaunch(current, machine, type, nowMs);
  await foldIntoClaim(claim, fold, effects);
}

async function refused(claim: NodeClaim, { message }: Error, effects: Effects): Promise<void> {
  await foldIntoPool(claim, (pool, nowMs) => withRefusal(pool, message, nowMs), effects);
  await nothingLaunched(claim, { reason: 'LaunchRejected', message }, effects);
}

async function rememberShortages(
  claim: NodeClaim,
  failed: readonly LaunchFailure[],
  effects: Effects,
): Promise<void> {
  if (failed.length === 0) return;
  const met = failed.map(({ type, zone, capacityType }) => ({ type, zone, capacityType }));
  await foldIntoPool(claim, (pool, nowMs) => withShortages(pool, met, nowMs), effects);
}

interface Why {
  readonly reason: string;
  readonly message: string;
}

const REASONS = {
  capacity: 'InsufficientCapacity',
  quota: 'QuotaExceeded',
  configuration: 'LaunchRejected',
} as const;

/** What the first combination met; the others mostly met the same. */
function whyOf(failed: readonly LaunchFailure[]): Why {
  const [first] = failed;
  if (!first) return { reason: REASONS.capacity, message: 'nothing was launched' };
  const others = failed.length > 1 ? ` (and ${failed.length - 1} more combinations)` : '';
  const where = `${first.type} in ${first.zone}, ${first.capacityType}`;
  return { reason: REASONS[first.kind], message: `${first.message}: ${where}${others}` };
}

async function nothingLaunched(
  claim: NodeClaim,
  { reason, message }: Why,
  effects: Effects,
): Promise<void> {
  const fields = { claim: claim.metadata.name, reason, problem: message };
  effects.recorder.log({ level: 'info', message: 'instance not launched', fields });
  const dimensions = { Reason: reason };
  effects.recorder.measure({ name: 'LaunchFailures', value: 1, unit: 'Count', dimensions });
  await foldIntoClaim(
    claim,
    (current, nowMs) => observeNoLaunch(current, reason, message, nowMs),
    effects,
  );
}

async function foldIntoClaim(
  claim: NodeClaim,
  fold: (claim: NodeClaim, nowMs: number) => NodeClaim | undefined,
  effects: Effects,
): Promise<void> {
  const { uid } = claim.metadata;
  const ofThis = (current: NodeClaim, nowMs: number) =>
    current.metadata.uid === uid ? fold(current, nowMs) : undefined;
  await foldInto<NodeClaim>(keyOf(CLAIMS, claim), ofThis, effects);
}

async function foldIntoPool(
  { metadata }: NodeClaim,
  fold: (pool: NodePool, nowMs: number) => NodePool,
  effects: Effects,
): Promise<void> {
  const name = metadata.labels?.[NODE_POOL_LABEL] ?? '';
  await foldInto<NodePool>({ resource: POOLS, namespace: '', name }, fold, effects);
}
