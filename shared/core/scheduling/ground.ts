/**
 * What a pass stands on: the state that it reads into, and the rules that have a state of their
 * own. Made anew, or taken over from the pass before.
 */
import { comingNodes } from '../capacity/claim/state.ts';
import { FleetPlugin } from '../capacity/fleet-plugin.ts';
import type { Market } from '../capacity/market.ts';
import { capacityShortages } from './capacity-shortages.ts';
import type { Choices } from './choices.ts';
import type { Enabled } from './framework.ts';
import { GangCloseness } from './gang/closeness.ts';
import { type Changed, Pass } from './pass.ts';
import { Preemption } from './preemption.ts';
import { GANG_WEIGHT, MACHINE_WEIGHT } from './registry.ts';
import type { ClusterSnapshot } from './snapshot.ts';

export class Ground {
  readonly pass: Pass;
  readonly closeness = new GangCloseness();
  readonly preemption: Preemption;
  readonly #machines: FleetPlugin;

  constructor(
    snapshot: ClusterSnapshot,
    plugins: readonly Enabled[],
    market: Market,
    choices: Choices,
  ) {
    this.#machines = new FleetPlugin(market.fleet);
    const all = [...plugins, { plugin: this.closeness.plugin, weight: GANG_WEIGHT }];
    this.pass = passWith(snapshot, all, market, this.#machines, choices);
    this.preemption = new Preemption(this.pass, snapshot.budgets ?? [], market.nowMs);
  }

  /** Stands for the next pass, over this snapshot, of which that has changed. */
  follow(
    { budgets = [] }: ClusterSnapshot,
    changed: Changed,
    { fleet, nowMs }: Market,
    choices: Choices,
  ): void {
    this.pass.follow(changed, choices);
    this.preemption.follow(budgets, nowMs);
    this.#machines.serve(fleet);
  }
}

/** A pass over what is there, what is coming, and what could be launched. */
export function passOf(
  snapshot: ClusterSnapshot,
  plugins: readonly Enabled[],
  market: Market,
): Pass {
  return passWith(snapshot, plugins, market, new FleetPlugin(market.fleet));
}

function passWith(
  snapshot: ClusterSnapshot,
  plugins: readonly Enabled[],
  { openLabels, nowMs }: Market,
  machines: FleetPlugin,
  choices?: Choices,
): Pass {
  const coming = comingNodes(snapshot.claims ?? [], snapshot.nodes);
  const all = [
    ...plugins,
    { plugin: capacityShortages(nowMs), weight: 0 },
    { plugin: machines.plugin, weight: MACHINE_WEIGHT },
  ];
  return new Pass(snapshot, all, { coming, openLabels, ...(choices ? { choices } : {}) });
}
