/**
 * Requirements: what pods want of a node and what pools and machines offer, by label. Owns how they
 * are made from specs and whether an offer meets a wish; what one label's requirement allows is
 * api/requirement.ts. Pure, and no more than maps of sets, so that a provisioner may hold thousands
 * of them against each other.
 *
 * Invariants:
 *  C1 A map lacks a label of which nothing is required; every label in it is under its present
 *     name.
 *  C2 Labels satisfy an intersection if they satisfy both (`satisfies`).
 *  C3 A wish that an offer is compatible with leaves something possible of every label of both.
 *
 * Source: Karpenter, "Scheduling" and its scheduling.Requirements.
 */
import type { NodeSelectorTerm } from '../../api/kinds/affinity.ts';
import type { NodePool } from '../../api/kinds/karpenter.ts';
import type { PodSpec } from '../../api/kinds/pod.ts';
import type { Labels } from '../../api/meta.ts';
import {
  NODE_POOL_LABEL,
  presentName,
  WELL_KNOWN_LABELS,
  withoutCell,
} from '../../api/node-labels.ts';
import {
  allows,
  ANYTHING,
  expressionsOf,
  intersect,
  intersects,
  isPossible,
  type Requirement,
  type RequirementExpression,
  requirementOf,
  requirementText,
  valueRequirement,
} from '../../api/requirement.ts';

export type Requirements = ReadonlyMap<string, Requirement>;

/** Nothing is required. */
export const NO_REQUIREMENTS: Requirements = new Map();

/** All of the expressions must hold. Labels keep their names, as those of pods have to. */
export function requirementsOf(expressions: readonly RequirementExpression[]): Requirements {
  const made = new Map<string, Requirement>();
  for (const expression of expressions) add(made, expression.key, requirementOf(expression));
  return made;
}

/** Each of the labels must be there, with its value. */
export function labelRequirements(labels: Labels | undefined): Requirements {
  const made = new Map<string, Requirement>();
  for (const key in labels) made.set(key, valueRequirement(labels[key] ?? ''));
  return made;
}

function add(made: Map<string, Requirement>, key: string, requirement: Requirement): void {
  const before = made.get(key);
  made.set(key, before ? intersect(before, requirement) : requirement);
}

/** What both require. */
export function intersection(a: Requirements, b: Requirements): Requirements {
  if (a.size === 0) return b;
  if (b.size === 0) return a;
  const made = new Map(a);
  for (const [key, requirement] of b) add(made, key, requirement);
  return made;
}

/** The requirement on a label: anything will do where there is none. */
export function requirementOn(requirements: Requirements, label: string): Requirement {
  return requirements.get(label) ?? ANYTHING;
}

/** Whether this value of the label will do. */
export function hasValue(requirements: Requirements, label: string, value: string): boolean {
  return allows(requirementOn(requirements, label), value);
}

/** Whether a node with these labels meets all requirements. */
export function satisfies(labels: Labels | undefined, requirements: Requirements): boolean {
  for (const [key, requirement] of requirements) {
    // Own fields only: every object has a `constructor`, which is no label.
    const value = labels && Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (!allows(requirement, value)) return false;
  }
  return true;
}

/**
 * Whether nodes of the offer can be what is wanted. A label of which the offer says nothing will
 * be on a node only if it is one of `known`: those that machines bring along.
 */
export function compatible(
  offer: Requirements,
  wanted: Requirements,
  known: ReadonlySet<string> = WELL_KNOWN_LABELS,
): boolean {
  for (const [key, want] of wanted) if (!isCompatible(offer, key, want, known)) return false;
  return true;
}

function isCompatible(
  offer: Requirements,
  key: string,
  want: Requirement,
  known: ReadonlySet<string>,
): boolean {
  const have = offer.get(key);
  if (have) return intersects(have, want);
  return want.absent || (known.has(key) && isPossible(want));
}

/** Why nodes of the offer can't be what is wanted, by the first label that says so, for people. */
export function conflictOf(
  offer: Requirements,
  wanted: Requirements,
  known: ReadonlySet<string> = WELL_KNOWN_LABELS,
): string | undefined {
  for (const [key, want] of wanted) {
    if (isCompatible(offer, key, want, known)) continue;
    const have = offer.get(key);
    if (!have) return `label ${JSON.stringify(key)} does not have known values`;
    return `${requirementText(key, want)} is incompatible with ${requirementText(key, have)}`;
  }
  return undefined;
}

/** The first label of which nothing is possible; undefined when all can be met. */
export function impossibleLabel(requirements: Requirements): string | undefined {
  for (const [key, requirement] of requirements) if (!isPossible(requirement)) return key;
  return undefined;
}

/**
 * The labels of which too few values are left: fewer than `minValues` of those of the machines that
 * may be launched. `valuesOf` gives these values by label.
 */
export function lackingValues(
  requirements: Requirements,
  valuesOf: (label: string) => Iterable<string>,
): readonly string[] {
  const lacking: string[] = [];
  for (const [key, requirement] of requirements) {
    if (requirement.minValues === 0) continue;
    const left = new Set<string>();
    for (const value of valuesOf(key)) if (allows(requirement, value)) left.add(value);
    if (left.size < requirement.minValues) lacking.push(key);
  }
  return lacking;
}

/** The requirements as a NodeClaim writes them, in the order of labels. */
export function claimExpressions(requirements: Requirements): readonly RequirementExpression[] {
  const keys = [...requirements.keys()].sort();
  return keys.flatMap((key) => expressionsOf(key, requirementOn(requirements, key)));
}

/** What every node of the pool is: its requirements, its labels, and that it is of the pool. */
export function poolRequirements({ metadata, spec }: NodePool): Requirements {
  const { template } = spec;
  const labels = { ...template.metadata?.labels, [NODE_POOL_LABEL]: metadata.name };
  const own = new Map<string, Requirement>();
  for (const [key, value] of Object.entries(labels)) {
    add(own, presentName(key), valueRequirement(value));
  }
  for (const expression of template.spec.requirements) {
    add(own, presentName(expression.key), requirementOf(expression));
  }
  return own;
}

/**
 * How the pod's required terms name a node itself. No machine has its name before it is launched,
 * and no label has a colon in its key: an offer never meets such a wish.
 */
export const NODE_NAME_FIELD = 'field:metadata.name';

/**
 * What the pod requires of its node: one of these will do. None, where its terms select nothing.
 * Preferences are not in it.
 */
export function podAlternatives({
  nodeSelector,
  affinity,
}: Pick<PodSpec, 'nodeSelector' | 'affinity'>): readonly Requirements[] {
  const selected = labelRequirements(withoutCell(nodeSelector));
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (!required) return [selected];
  return required.nodeSelectorTerms
    .filter((term) => countOf(term) > 0)
    .map((term) => intersection(selected, termRequirements(term)));
}

function countOf({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm): number {
  return matchExpressions.length + matchFields.length;
}

/** All that a term of a node selector requires. A term without any selects nothing: see above. */
export function termRequirements({
  matchExpressions = [],
  matchFields = [],
}: NodeSelectorTerm): Requirements {
  const fields = matchFields.map((one) => ({ ...one, key: `field:${one.key}` }));
  return requirementsOf([...matchExpressions, ...fields]);
}
