/**
 * Decisions of a pass, as they are kept with pods: assembled out of what the pass noted. Owns what
 * is in a record and its bound; the form is api/kinds/decision.ts, and its words for people are
 * core/pod/assigned.ts.
 *
 * Invariants:
 *  N1 A record has at most MAX_DECISION_CHARS characters as JSON.
 *  N2 The same snapshot at the same time gives the same record.
 */
import type { CapacityType } from '../../api/instance.ts';
import type {
  Decision,
  DecisionCandidate,
  DecisionCost,
  DecisionReason,
} from '../../api/kinds/decision.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { INSTANCE_TYPE_LABEL } from '../../api/node-labels.ts';
import { UNITS_PER_VCPU } from '../../api/fargate-sizes.ts';
import { fargatePrice } from '../capacity/catalogue/fargate-prices.ts';
import type { PlannedMachine } from '../capacity/claim/draft.ts';
import { CLAIM_LABEL, claimControl } from '../capacity/claim/state.ts';
import type { MachineType } from '../capacity/machine-type.ts';
import { CAPACITY_TYPE_LABEL } from '../node/virtual-nodes.ts';
import type { Requests } from '../pod/requests.ts';
import type { Choice, Choices } from './choices.ts';
import { isVirtualNode, ZONE_LABEL } from './cluster.ts';
import type { Refused } from './considered.ts';
import type { Scores } from './engine.ts';
import type { Pass } from './pass.ts';
import type { ClusterSnapshot } from './snapshot.ts';
import type { PodShape } from './shape.ts';

/**
 * A pod is kept in one kilobyte on DynamoDB, compressed, and a record takes a sixth of its
 * characters (docs/decisions/0010).
 */
export const MAX_DECISION_CHARS = 1024;

/** Names of so many victims are kept. */
const NAMED_VICTIMS = 3;

export interface DecisionsGiven {
  readonly snapshot: ClusterSnapshot;
  readonly pass: Pass;
  readonly choices: Choices;
  readonly types: readonly MachineType[];
  readonly nowMs: number;
  /** The digest of the snapshot. */
  readonly input: () => string;
}

export class Decisions {
  readonly #given: DecisionsGiven;
  readonly #costs = new Map<string, DecisionCost | undefined>();
  readonly #refused = new Map<string, Refusals>();
  /** Pods one after the other are mostly refused by as many nodes as the last. */
  #lastRefused: { readonly of: readonly Refused[]; readonly as: ByFilter } | undefined;
  #input: string | undefined;
  #claims: ReadonlyMap<string, DecisionCost> | undefined;

  constructor(given: DecisionsGiven) {
    this.#given = given;
  }

  /** Of a pod that is bound to the node; `couldLaunch`: machines could have been launched. */
  placed(pod: Pod, node: Node, couldLaunch: boolean): Decision {
    const { pass, choices } = this.#given;
    const choice = choices.of(pod, pass.engine.cluster.nodeNamed(node.metadata.name));
    const reason = this.#reasonOf(pod, choice, node, couldLaunch);
    const cost = this.#costOn(node, pass.shapeOf(pod));
    const { nominated, victims } = pod.control?.decision ?? {};
    const gaveWay = nominated === node.metadata.name && victims ? { victims } : {};
    return bounded({
      ...this.#begun('placed'),
      ...(reason ? { reason } : {}),
      ...(choice ? this.#choiceOf(choice) : {}),
      ...(cost ? { cost } : {}),
      ...gaveWay,
    });
  }

  /** Of pods that wait for a machine that is asked for under this name. */
  launching(planned: PlannedMachine, claim: string): Decision {
    const { kind, cheapest } = planned.machine;
    const cost: DecisionCost = {
      of: kind.types.types[cheapest]?.name ?? '',
      usdPerHour: rounded(kind.types.prices[cheapest] ?? 0),
      capacityType: kind.capacityType,
      zone: kind.zone,
      pods: planned.pods.length,
    };
    return bounded({ ...this.#begun('launching'), claim, cost });
  }

  /** Of a pod for which others have to go. */
  nominated(node: string, victims: readonly Pod[]): Decision {
    const names = victims.slice(0, NAMED_VICTIMS).map(nameOf);
    const gone = { count: victims.length, names };
    return bounded({ ...this.#begun('nominated'), nominated: node, victims: gone });
  }

  /** Of a pod that no node takes as the pass ends. */
  unschedulable(pod: Pod): Decision {
    const shape = this.#given.pass.shapeOf(pod);
    let counted = this.#refused.get(shape.key);
    if (!counted) {
      counted = this.#refusalsOf(shape);
      this.#refused.set(shape.key, counted);
    }
    return bounded({ ...this.#begun('unschedulable'), ...counted });
  }

  #begun(outcome: Decision['outcome']): Pick<Decision, 'outcome' | 'atMs' | 'input'> {
    this.#input ??= this.#given.input();
    return { outcome, atMs: this.#given.nowMs, input: this.#input };
  }

  #reasonOf(
    { metadata }: Pod,
    choice: Choice | undefined,
    node: Node,
    couldLaunch: boolean,
  ): DecisionReason | undefined {
    if (couldLaunch && isVirtualNode(node)) return 'cheaper';
    if (choice) return undefined;
    const ledger = this.#given.pass.ledgers.get(node.metadata.name);
    const isReserved = ledger?.allocations.some(({ podUid }) => podUid === metadata.uid);
    return isReserved ? 'reserved' : 'packed';
  }

  #choiceOf({ nodes, open, refused, best, scores }: Choice) {
    const { pass } = this.#given;
    const candidates = best.map(([node, score]): DecisionCandidate => {
      const parts = partsOf(scores?.get(node));
      return { node: pass.nameOf(node), score: rounded(score), ...(parts ? { parts } : {}) };
    });
    if (this.#lastRefused?.of !== refused)
      this.#lastRefused = { of: refused, as: byFilter(refused) };
    const counted = open === undefined ? {} : { open };
    return { nodes, ...counted, ...this.#lastRefused.as, candidates };
  }

  #refusalsOf(shape: PodShape): Refusals {
    const { engine, nodeCount } = this.#given.pass;
    const counts = new Map<string, number>();
    for (const filter of engine.refusers(shape).slice(0, nodeCount)) {
      if (filter !== undefined) counts.set(filter, (counts.get(filter) ?? 0) + 1);
    }
    return { nodes: nodeCount, open: 0, ...byFilter([...counts]) };
  }

  #costOn(node: Node, shape: PodShape): DecisionCost | undefined {
    const isVirtual = isVirtualNode(node);
    const key = `${node.metadata.name} ${isVirtual ? shape.spec.key : ''}`;
    if (!this.#costs.has(key)) {
      this.#costs.set(
        key,
        isVirtual ? fargateCost(shape.spec.requests, node) : this.#machineCost(node),
      );
    }
    return this.#costs.get(key);
  }

  #machineCost({ metadata: { labels = {} } }: Node): DecisionCost | undefined {
    const type = this.#given.types.find(({ name }) => name === labels[INSTANCE_TYPE_LABEL]);
    const [zone, capacityType] = [labels[ZONE_LABEL], labels[CAPACITY_TYPE_LABEL]];
    const offer = type?.offerings.find(
      (one) => one.zone === zone && one.capacityType === capacityType,
    );
    if (!type || !offer) return this.#ofClaims().get(labels[CLAIM_LABEL] ?? '');
    const { usdPerHour, ...place } = offer;
    return { of: type.name, usdPerHour: rounded(usdPerHour), ...place };
  }

  #ofClaims(): ReadonlyMap<string, DecisionCost> {
    this.#claims ??= new Map(
      (this.#given.snapshot.claims ?? []).flatMap((claim) => {
        const control = claimControl(claim);
        if (!control) return [];
        const { usdPerHour, capacityType, launchedType, launchedZone } = control;
        const of = control.types[0] ?? '';
        // The price is of the cheapest, and another may have been launched.
        if (launchedType !== undefined && launchedType !== of) return [];
        const zone = launchedZone ?? control.zones[0];
        const cost: DecisionCost = {
          ...{ of, usdPerHour: rounded(usdPerHour), capacityType },
          ...(zone === undefined ? {} : { zone }),
        };
        return [[claim.metadata.name, cost] as const];
      }),
    );
    return this.#claims;
  }
}

type Refusals = Pick<Decision, 'nodes' | 'open' | 'refused'>;

type ByFilter = Pick<Decision, 'refused'>;

function byFilter(refused: readonly Refused[]): ByFilter {
  return refused.length > 0 ? { refused: Object.fromEntries(refused) } : {};
}

function nameOf({ metadata }: Pod): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

const MIB_PER_GIB = 1024;

/** What is paid for a pod that asks for so much on the virtual node. */
export function fargateCost(requests: Requests, { metadata }: Node): DecisionCost | undefined {
  const { cpu = 0, memory = 0, 'ephemeral-storage': storageBytes = 0 } = requests;
  const capacityType = (metadata.labels?.[CAPACITY_TYPE_LABEL] ?? 'on-demand') as CapacityType;
  const price = fargatePrice(cpu, memory, capacityType, { storageBytes });
  if (!price) return undefined;
  const { size, usdPerHour, isEstimate } = price;
  const of = `${size.cpu / UNITS_PER_VCPU} vCPU and ${size.memoryMiB / MIB_PER_GIB} GiB`;
  const listed = { of, usdPerHour: rounded(usdPerHour), capacityType };
  return isEstimate ? { ...listed, isEstimate } : listed;
}

function partsOf(scores: Scores | undefined): DecisionCandidate['parts'] {
  let parts: Record<string, number> | undefined;
  for (const plugin in scores?.parts) {
    const value = scores.parts[plugin] ?? 0;
    if (value !== 0) (parts ??= {})[plugin] = rounded(value);
  }
  return parts;
}

/** Five digits tell prices and scores apart, and are short. */
function rounded(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}

/** Names are as long as people make them: what explains least is left out first (N1). */
function bounded(decision: Decision): Decision {
  if (charsAtMost(decision) <= MAX_DECISION_CHARS || fits(decision)) return decision;
  const { candidates: [first, ...others] = [], victims } = decision;
  const smaller: readonly Decision[] = [
    ...(first ? [{ ...decision, candidates: [first, ...others.map(withoutParts)] }] : []),
    ...(first ? [{ ...decision, candidates: [withoutParts(first)] }] : []),
    ...(victims ? [{ ...decision, victims: { ...victims, names: [] } }] : []),
  ];
  const fitting = smaller.find(fits);
  if (fitting) return fitting;
  const { candidates: _c, refused: _r, cost: _cost, ...least } = decision;
  return victims ? { ...least, victims: { ...victims, names: [] } } : least;
}

/** Of all but candidates, filters and victims: their names, a cost and the rest. */
const CHARS_OF_THE_REST = 400;
/** Of a candidate, without the name of its node and its parts. */
const CHARS_OF_A_CANDIDATE = 50;
/** Of a number with its colon, its comma and the quotes of its name. */
const CHARS_OF_A_NUMBER = 20;

/** So many characters or fewer: most records need not be printed to be measured. */
function charsAtMost({ candidates = [], victims, refused, claim = '' }: Decision): number {
  if (victims) return Infinity;
  let chars = CHARS_OF_THE_REST + claim.length + charsOfNumbers(refused);
  for (const { node, parts } of candidates) {
    chars += CHARS_OF_A_CANDIDATE + node.length + charsOfNumbers(parts);
  }
  return chars;
}

function charsOfNumbers(numbers: { readonly [name: string]: number } | undefined): number {
  let chars = 0;
  for (const name in numbers) chars += CHARS_OF_A_NUMBER + name.length;
  return chars;
}

function fits(decision: Decision): boolean {
  return JSON.stringify(decision).length <= MAX_DECISION_CHARS;
}

function withoutParts({ node, score }: DecisionCandidate): DecisionCandidate {
  return { node, score };
}
