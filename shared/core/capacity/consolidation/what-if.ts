/**
 * What it would take if some nodes went: their pods are taken off, and put elsewhere by the solver
 * that provisions, on the state of a pass. Nothing is decided here, and the state is as before when
 * it was asked.
 *
 * Invariants:
 *  Y1 The pods go to machines only. Fargate always has room, so that every node could go; who chose
 *     machines, chose them for their price.
 *  Y2 No pod goes to a node that is about to go itself.
 */
import type { NodeClaim, NodePool } from '../../../api/kinds/karpenter.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import { PLUGINS } from '../../scheduling/registry.ts';
import type { Pass } from '../../scheduling/pass.ts';
import { passOf } from '../../scheduling/ground.ts';
import type { ClusterSnapshot } from '../../scheduling/snapshot.ts';
import { Assignment } from '../assignment.ts';
import type { PlannedMachine } from '../claim/draft.ts';
import { claimControl, isEnding } from '../claim/state.ts';
import type { MachineType } from '../machine-type.ts';
import { Market } from '../market.ts';
import { closeVirtual, plannedMachines } from '../provision.ts';
import { solveInto } from '../solve.ts';
import type { Candidate } from './candidates.ts';

/** Machines that would have to be launched for all pods to have a place. */
export interface Needed {
  readonly machines: readonly PlannedMachine[];
  readonly usdPerHour: number;
}

export class WhatIf {
  readonly #market: Market;
  readonly #pass: Pass;
  readonly #pools: readonly NodePool[];

  constructor(snapshot: ClusterSnapshot, types: readonly MachineType[], nowMs: number) {
    this.#market = new Market(snapshot, types, nowMs);
    this.#pass = passOf(snapshot, PLUGINS, this.#market);
    this.#pools = snapshot.pools ?? [];
    this.#market.fleet.offerTemplates();
    closeVirtual(this.#pass, true);
    for (const claim of (snapshot.claims ?? []).filter(isEnding)) this.#close(claim);
  }

  /** Undefined when some of the pods would find no place at all. */
  without(candidates: readonly Candidate[]): Needed | undefined {
    const pass = this.#pass;
    const { engine } = pass;
    const mark = pass.mark();
    const nodes = candidates.map(({ node }) => engine.cluster.nodeNamed(node.metadata.name) ?? -1);
    for (const node of nodes) {
      for (const pod of [...pass.podsOn(node).keys()]) pass.expel(pod, node);
      engine.close(node);
    }
    const assignment = new Assignment(engine, this.#market.fleet);
    const left = solveInto(
      candidates.flatMap(({ pods }) => pods.map(unbound)),
      assignment,
    );
    const machines =
      left.length > 0 ? [] : plannedMachines(assignment, this.#pools, pass).map(asIs);
    const { usdPerHour } = assignment;
    this.#putBack(assignment);
    for (const node of nodes) engine.open(node);
    pass.rollBack(mark);
    return left.length > 0 ? undefined : { machines, usdPerHour };
  }

  #close(claim: NodeClaim): void {
    const { engine } = this.#pass;
    const node = engine.cluster.nodeNamed(claimControl(claim)?.instanceId ?? '');
    if (node !== undefined) engine.close(node);
  }

  #putBack(assignment: Assignment): void {
    const { engine } = this.#pass;
    const { opened } = this.#market.fleet;
    for (const solved of assignment.placed) assignment.leave(solved);
    for (const { node } of opened) engine.close(node);
  }
}

/** Kept as it is now: the machine is emptied when the question is answered. */
function asIs(planned: PlannedMachine): PlannedMachine {
  return { ...planned, machine: { ...planned.machine } };
}

/** The pod as its owner would make it again: it asks for no node. */
function unbound(pod: Pod): Pod {
  const { nodeName: _, ...spec } = pod.spec;
  return { ...pod, spec };
}
