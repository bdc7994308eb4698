/**
 * What a pass writes: one plan for each node that gets pods, and one for each pod whose condition
 * changes.
 */
import { findCondition, withCondition } from '../../api/conditions.ts';
import { type DevicesByContainer, GPU_DEVICES_ANNOTATION, gpuSharingOf } from '../../api/gpus.ts';
import type { Node, NodeAllocation } from '../../api/kinds/node.ts';
import type { Decision } from '../../api/kinds/decision.ts';
import type { Pod, PodCondition } from '../../api/kinds/pod.ts';
import { draftClaim, type PlannedMachine } from '../capacity/claim/draft.ts';
import { CLAIMS } from '../capacity/claim/state.ts';
import { deletion } from '../deletion.ts';
import { type Action, create, event, eventTarget, type Plan, update } from '../plan.ts';
import { withIntent } from '../pod/attempt.ts';
import type { Batches } from './batches.ts';
import { isVirtualNode } from './cluster.ts';
import type { Decisions } from './decisions.ts';
import type { Gate } from './framework.ts';
import { type Devices, enter, type PodsByUid } from './ledger.ts';

const POD_SCHEDULED = 'PodScheduled';
export const UNSCHEDULABLE = 'Unschedulable';

/** So many victims are named; the record that is kept with the pod names as many. */
const TOLD_VICTIMS = 3;

export interface NodePlacements {
  readonly node: Node;
  readonly ledger: NodeAllocation | undefined;
  readonly pods: readonly Pod[];
}

/** What holds for all bindings of a pass. */
interface Given {
  readonly pods: PodsByUid;
  readonly batches: Batches;
  readonly devices: Devices;
  /** The pods that hold room of the node. */
  readonly podsOn: (node: Node) => Iterable<Pod>;
  readonly nowMs: number;
  readonly decisionOf: (pod: Pod, node: Node) => Decision;
}

/**
 * First the ledgers, then the pods. A ledger that somebody else wrote to stops the rest: nodes that
 * are written for in one plan are those that gangs have in common, so that no member starts where
 * another has lost its room. That a pod was bound its state tells (core/pod/told.ts).
 */
export function bindPlan(placements: readonly NodePlacements[], given: Given): Plan {
  const entries = placements.flatMap(({ node, ledger, pods: placed }) =>
    isVirtualNode(node) ? [] : (enter(node, ledger, placed, given.pods, given) ?? []),
  );
  const bindings = placements.flatMap(({ node, pods: placed }) =>
    placed.map((pod) => update('pods', bound(pod, node, given))),
  );
  const stages: Action[][] = entries.length > 0 ? [entries, bindings] : [bindings];
  return { stages, blocked: [] };
}

/**
 * Binding and the launch intent are one write, so that the pod may be run at once (architecture
 * D4).
 */
function bound(pod: Pod, node: Node, given: Given): Pod {
  const { nowMs, batches, devices, decisionOf } = given;
  const { metadata } = node;
  const batch = batches.get(pod.metadata.uid);
  const gpuDevices = gpuSharingOf(metadata.labels) === 'assigned' ? devices.get(pod) : undefined;
  const { nominatedNodeName: _, ...status } = pod.status;
  const scheduled = { type: POD_SCHEDULED, status: 'True' } as const;
  return {
    ...(gpuDevices ? withDevices(pod, gpuDevices) : pod),
    spec: { ...pod.spec, nodeName: metadata.name },
    status: { ...status, conditions: withCondition(status.conditions, scheduled, nowMs) },
    control: {
      ...withIntent(pod, (pod.control?.attempt ?? 0) + 1, nowMs).control,
      decision: decisionOf(pod, node),
      ...(batch ? { batch } : {}),
      ...(gpuDevices ? { gpuDevices } : {}),
    },
  };
}

/** For people: what counts is with the control state, which nobody else writes. */
function withDevices(pod: Pod, devices: DevicesByContainer): Pod {
  const texts = Object.entries(devices).map(([container, ids]) => `${container}=${ids}`);
  if (texts.length === 0) return pod;
  const annotations = { ...pod.metadata.annotations, [GPU_DEVICES_ANNOTATION]: texts.join(' ') };
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

/** Says why the pod has no place; undefined when it says so already. */
export function unschedulablePlan(
  pod: Pod,
  message: string,
  nowMs: number,
  decisions: Decisions,
): Plan | undefined {
  const gate = { reason: UNSCHEDULABLE, message };
  const write = waiting(pod, gate, nowMs, () => decisions.unschedulable(pod));
  if (!write) return undefined;
  const news = event(eventTarget('pods', pod), 'Warning', 'FailedScheduling', message);
  return { stages: [[write], [news]], blocked: [message] };
}

/** Says what the pod waits for, once; undefined when it says so already. */
export function waitingPlan(pod: Pod, message: string, nowMs: number): Plan | undefined {
  const write = waiting(pod, { reason: UNSCHEDULABLE, message }, nowMs);
  return write && { stages: [[write]], blocked: [message] };
}

/**
 * Victims are told to go after the pod has been nominated: a pass that is cut off in between finds
 * the nomination, and chooses again.
 */
export function preemptionPlan(
  {
    pod,
    node,
    victims,
  }: { readonly pod: Pod; readonly node: string; readonly victims: readonly Pod[] },
  nowMs: number,
  decisions: Decisions,
): Plan {
  const message = `waits for room on ${node}: ${goingText(victims)}`;
  const condition = {
    type: POD_SCHEDULED,
    status: 'False',
    reason: UNSCHEDULABLE,
    message,
  } as const;
  const conditions = withCondition(pod.status.conditions, condition, nowMs);
  const status = { ...pod.status, conditions, nominatedNodeName: node };
  const control = { ...pod.control, decision: decisions.nominated(node, victims) };
  const nomination = update('pods', { ...pod, status, control } as Pod);
  const why = 'default-scheduler: preempting to accommodate a higher priority pod';
  const disruption = { reason: 'PreemptionByScheduler', message: why };
  const marks = victims.flatMap((victim) => deletion('pods', victim, { disruption }, nowMs) ?? []);
  const by = `Preempted by pod ${pod.metadata.uid} on node ${node}`;
  const news = [
    event(eventTarget('pods', pod), 'Normal', 'Nominated', message),
    ...victims.map((victim) => event(eventTarget('pods', victim), 'Normal', 'Preempted', by)),
  ];
  return { stages: [[nomination], marks, news], blocked: [] };
}

/** Whose end the pod waits for. */
function goingText(victims: readonly Pod[]): string {
  if (victims.length === 0) return 'pods of lower priority end there already';
  const names = victims.slice(0, TOLD_VICTIMS).map(({ metadata }) => {
    return `${metadata.namespace ?? ''}/${metadata.name}`;
  });
  const more = victims.length - names.length;
  const who = more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
  return `${who}, of lower priority, ${victims.length === 1 ? 'has' : 'have'} to go`;
}

/** The claim, and word of it to the pods that it is for. */
export function claimPlan(machine: PlannedMachine, nowMs: number, decisions: Decisions): Plan {
  const claim = draftClaim(machine);
  const { name } = claim.metadata;
  const decision = decisions.launching(machine, name);
  const told = machine.pods.flatMap((pod) => {
    const gate = { reason: UNSCHEDULABLE, message: waitsFor(name) };
    const write = waiting(pod, gate, nowMs, () => decision);
    const news = `Pod should schedule on: nodeclaim/${name}`;
    const about = eventTarget('pods', pod);
    return [...(write ? [write] : []), event(about, 'Normal', 'Nominated', news)];
  });
  return { stages: [[create(CLAIMS, claim)], told], blocked: [] };
}

export function waitsFor(claim: string): string {
  return `waits for nodeclaim/${claim} to become a node`;
}

/** Says what the pod waits for, without an event: it is as its owner wants it. */
export function gatedPlan(pod: Pod, gate: Gate, nowMs: number): Plan | undefined {
  const write = waiting(pod, gate, nowMs);
  return write && { stages: [[write]], blocked: [gate.message] };
}

export function waiting(
  pod: Pod,
  { reason, message }: Gate,
  nowMs: number,
  decisionOf?: () => Decision,
): Action | undefined {
  const { conditions } = pod.status;
  const old = findCondition(conditions, POD_SCHEDULED);
  if (old?.status === 'False' && old.reason === reason && old.message === message) return undefined;
  const next: PodCondition = { type: POD_SCHEDULED, status: 'False', reason, message };
  const status = { ...pod.status, conditions: withCondition(conditions, next, nowMs) };
  const control = decisionOf && { control: { ...pod.control, decision: decisionOf() } };
  const told: Pod = { ...pod, status, ...control };
  return update('pods', told);
}
