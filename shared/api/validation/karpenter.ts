/**
 * Node pools and node claims: what Karpenter's schema rules refuse, and what can be seen from the
 * object alone to have no answer, such as requirements that contradict each other.
 */
import { type Cron, parseCron } from '../cron.ts';
import { isPlainDuration, NEVER, parseDuration } from '../duration.ts';
import type { NodeClaim, NodePool, NodePoolBudget, NodeTemplateSpec } from '../kinds/karpenter.ts';
import type { Labels } from '../meta.ts';
import { labelValue, qualifiedName } from '../names.ts';
import { CELL_LABEL, presentName, restriction } from '../node-labels.ts';
import {
  intersect,
  isPossible,
  type Requirement,
  type RequirementExpression,
  requirementOf,
  requirementText,
  valueCount,
  valueRequirement,
} from '../requirement.ts';
import type { Faults } from './faults.ts';
import { checkAnnotations, checkImmutable, checkLabels } from './metadata.ts';
import { checkAmounts, checkTaints } from './node.ts';
import { checkValues } from './selector.ts';

/** As Karpenter bounds them. */
const MAX_REQUIREMENTS = 100;
const MAX_LABELS = 100;
const MAX_BUDGETS = 50;
const MAX_MIN_VALUES = 50;

export function checkNodePool({ spec }: NodePool, faults: Faults): void {
  const { template, disruption } = spec;
  const { labels, annotations } = template.metadata ?? {};
  const field = 'spec.template.metadata';
  checkTemplateLabels(labels, `${field}.labels`, faults);
  checkAnnotations(annotations, `${field}.annotations`, faults);
  checkTemplateSpec(template.spec, labels, 'spec.template.spec', faults);
  checkDuration(disruption.consolidateAfter, 'spec.disruption.consolidateAfter', true, faults);
  checkBudgets(disruption.budgets, 'spec.disruption.budgets', faults);
  faults.between('spec.weight', spec.weight, 1, 100);
  checkAmounts(spec.limits, 'spec.limits', faults);
}

/** Machines stay in the cell that they were launched in, and so does who looks after them. */
export function checkNodePoolUpdate(next: NodePool, old: NodePool, faults: Faults): void {
  const cellOf = ({ spec }: NodePool) => spec.template.metadata?.labels?.[CELL_LABEL];
  const field = `spec.template.metadata.labels[${CELL_LABEL}]`;
  checkImmutable(field, cellOf(next), cellOf(old), faults);
}

export function checkNodeClaim({ spec }: NodeClaim, faults: Faults): void {
  checkTemplateSpec(spec, undefined, 'spec', faults);
  checkAmounts(spec.resources.requests, 'spec.resources.requests', faults);
}

/** What was asked for is what was launched, and stays as it was asked for. */
export function checkNodeClaimUpdate(next: NodeClaim, old: NodeClaim, faults: Faults): void {
  checkImmutable('spec', next.spec, old.spec, faults);
}

function checkTemplateLabels(labels: Labels | undefined, field: string, faults: Faults): void {
  checkLabels(labels, field, faults);
  const keys = Object.keys(labels ?? {});
  if (keys.length > MAX_LABELS) faults.tooMany(field, keys.length, MAX_LABELS);
  for (const key of keys) {
    const why = key === CELL_LABEL ? undefined : restriction(key);
    if (why !== undefined) faults.invalid(field, key, why);
  }
}

function checkTemplateSpec(
  spec: NodeTemplateSpec,
  labels: Labels | undefined,
  field: string,
  faults: Faults,
): void {
  checkRequirements(spec.requirements, labels ?? {}, `${field}.requirements`, faults);
  checkTaints(spec.taints ?? [], `${field}.taints`, faults);
  checkTaints(spec.startupTaints ?? [], `${field}.startupTaints`, faults);
  checkDuration(spec.expireAfter, `${field}.expireAfter`, true, faults);
  const grace = spec.terminationGracePeriod;
  checkDuration(grace, `${field}.terminationGracePeriod`, false, faults);
}

function checkRequirements(
  requirements: readonly RequirementExpression[],
  labels: Labels,
  field: string,
  faults: Faults,
): void {
  if (requirements.length > MAX_REQUIREMENTS) {
    faults.tooMany(field, requirements.length, MAX_REQUIREMENTS);
    return;
  }
  const before = faults.causes.length;
  for (const [index, requirement] of requirements.entries()) {
    checkRequirement(requirement, `${field}[${index}]`, faults);
  }
  // What one alone means has to be clear before they are held against each other.
  if (faults.causes.length === before) checkTogether(requirements, labels, field, faults);
}

function checkRequirement(requirement: RequirementExpression, field: string, faults: Faults): void {
  const { key, operator, values = [], minValues } = requirement;
  faults.complaints(`${field}.key`, key, qualifiedName(key));
  const why = restriction(key);
  if (why !== undefined) faults.invalid(`${field}.key`, key, why);
  checkValues(requirement, field, faults);
  for (const [index, value] of values.entries()) {
    faults.complaints(`${field}.values[${index}]`, value, labelValue(value));
  }
  const isBound = operator === 'Gt' || operator === 'Lt';
  if (isBound && values.length === 1 && !/^[0-9]{1,15}$/.test(values[0] ?? '')) {
    const rule = `key ${key} with operator ${operator} must have a single positive integer value`;
    faults.invalid(`${field}.values`, values, rule);
  }
  faults.between(`${field}.minValues`, minValues, 1, MAX_MIN_VALUES);
  if (operator === 'In' && new Set(values).size < (minValues ?? 0)) {
    const rule = "requirements with 'minValues' must have at least that many values specified";
    faults.invalid(`${field}.values`, values, `${rule} in the 'values' field`);
  }
}

/** All that is said of a label must leave something, the nodes' own labels included. */
function checkTogether(
  requirements: readonly RequirementExpression[],
  labels: Labels,
  field: string,
  faults: Faults,
): void {
  const known = new Map<string, Requirement>();
  for (const [key, value] of Object.entries(labels)) {
    known.set(presentName(key), valueRequirement(value));
  }
  for (const [index, expression] of requirements.entries()) {
    const key = presentName(expression.key);
    const before = known.get(key);
    const next = requirementOf(expression);
    const both = before ? intersect(before, next) : next;
    known.set(key, both);
    const at = `${field}[${index}]`;
    const [one, other] = [requirementText(key, next), before && requirementText(key, before)];
    if (!isPossible(both)) {
      const why = other === undefined ? 'which is impossible' : `which contradicts ${other}`;
      faults.invalid(at, expression, `${one}, ${why}`);
      return;
    }
    if (valueCount(both) < both.minValues) {
      const left = `leaves ${valueCount(both)} values, and minValues is ${both.minValues}`;
      faults.invalid(at, expression, `${one}${other ? ` together with ${other}` : ''} ${left}`);
      return;
    }
  }
}

function checkDuration(
  value: string | undefined,
  field: string,
  mayBeNever: boolean,
  faults: Faults,
): void {
  if (value === undefined || (mayBeNever && value === NEVER)) return;
  if (isPlainDuration(value) && parseDuration(value) !== undefined) return;
  const choice = mayBeNever ? `, or ${NEVER}` : '';
  faults.invalid(field, value, `must be a duration such as 30s, 1h30m or 720h${choice}`);
}

function checkBudgets(budgets: readonly NodePoolBudget[], field: string, faults: Faults): void {
  if (budgets.length > MAX_BUDGETS) {
    faults.tooMany(field, budgets.length, MAX_BUDGETS);
    return;
  }
  for (const [index, budget] of budgets.entries()) {
    checkBudget(budget, `${field}[${index}]`, faults);
  }
}

function checkBudget(budget: NodePoolBudget, field: string, faults: Faults): void {
  const { nodes, reasons = [], schedule, duration } = budget;
  if (typeof nodes === 'number') faults.notNegative(`${field}.nodes`, nodes);
  else if (!/^((100|[0-9]{1,2})%|[0-9]{1,9})$/.test(nodes)) {
    faults.invalid(`${field}.nodes`, nodes, 'must be a number of nodes, or 0% to 100%');
  }
  faults.unique((index) => `${field}.reasons[${index}]`, reasons);
  if ((schedule === undefined) !== (duration === undefined)) {
    faults.invalid(field, budget, "'schedule' must be set with 'duration'");
  }
  if (schedule !== undefined) {
    const parsed: Cron | string = parseCron(schedule);
    if (typeof parsed === 'string') faults.invalid(`${field}.schedule`, schedule, parsed);
  }
  if (duration !== undefined && !isBudgetDuration(duration)) {
    const rule = 'must be whole hours and minutes, such as 8h, 30m or 1h30m';
    faults.invalid(`${field}.duration`, duration, rule);
  }
}

/** Schedules know no seconds; Go writes none of them all the same. */
function isBudgetDuration(text: string): boolean {
  const ms = isPlainDuration(text) ? parseDuration(text.replace(/(?<=[hm])0s$/, '')) : undefined;
  return ms !== undefined && ms > 0 && /^([0-9]+h)?([0-9]+m)?(0s)?$/.test(text);
}
