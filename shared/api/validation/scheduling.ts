/** Where a pod wants to be: tolerations, affinity, topology spread, scheduling gates. */
import type {
  Affinity,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from '../kinds/affinity.ts';
import type { PodSpec } from '../kinds/pod.ts';
import { labelValue, qualifiedName } from '../names.ts';
import type { Faults } from './faults.ts';
import { checkLabels } from './metadata.ts';
import { checkNodeTerm, checkSelector } from './selector.ts';

export function checkScheduling(spec: PodSpec, field: string, faults: Faults): void {
  checkLabels(spec.nodeSelector, `${field}.nodeSelector`, faults);
  checkTolerations(spec.tolerations ?? [], `${field}.tolerations`, faults);
  checkAffinity(spec.affinity ?? {}, `${field}.affinity`, faults);
  const spread = spec.topologySpreadConstraints ?? [];
  checkSpread(spread, `${field}.topologySpreadConstraints`, faults);
  checkGates(spec, field, faults);
}

export function checkTolerations(
  tolerations: readonly Toleration[],
  field: string,
  faults: Faults,
): void {
  for (const [index, toleration] of tolerations.entries()) {
    const path = `${field}[${index}]`;
    const { key, operator, value, effect, tolerationSeconds } = toleration;
    if (key) faults.complaints(`${path}.key`, key, qualifiedName(key));
    else if (operator !== 'Exists') {
      const detail =
        'operator must be Exists when `key` is empty, ' +
        'which means "match all values and all keys"';
      faults.invalid(`${path}.operator`, operator ?? '', detail);
    }
    if (operator === 'Exists' && value) {
      faults.invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'");
    }
    if (operator !== 'Exists') {
      faults.complaints(`${path}.value`, value, labelValue(value ?? ''));
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      faults.invalid(`${path}.effect`, effect ?? '', detail);
    }
  }
}

function checkAffinity(affinity: Affinity, field: string, faults: Faults): void {
  checkNodeAffinity(affinity.nodeAffinity ?? {}, `${field}.nodeAffinity`, faults);
  checkPodAffinity(affinity.podAffinity ?? {}, `${field}.podAffinity`, faults);
  checkPodAffinity(affinity.podAntiAffinity ?? {}, `${field}.podAntiAffinity`, faults);
}

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

function checkNodeAffinity(
  affinity: NonNullable<Affinity['nodeAffinity']>,
  field: string,
  faults: Faults,
): void {
  const terms = affinity[REQUIRED]?.nodeSelectorTerms;
  const path = `${field}.${REQUIRED}.nodeSelectorTerms`;
  if (terms?.length === 0) {
    faults.required(path, 'must have at least one node selector term');
  }
  for (const [index, term] of (terms ?? []).entries()) {
    checkNodeTerm(term, `${path}[${index}]`, faults);
  }
  for (const [index, term] of (affinity[PREFERRED] ?? []).entries()) {
    const at = `${field}.${PREFERRED}[${index}]`;
    checkWeight(term.weight, `${at}.weight`, faults);
    checkNodeTerm(term.preference, `${at}.preference`, faults);
  }
}

function checkPodAffinity(
  affinity: NonNullable<Affinity['podAffinity']>,
  field: string,
  faults: Faults,
): void {
  for (const [index, term] of (affinity[REQUIRED] ?? []).entries()) {
    checkPodTerm(term, `${field}.${REQUIRED}[${index}]`, faults);
  }
  for (const [index, term] of (affinity[PREFERRED] ?? []).entries()) {
    const at = `${field}.${PREFERRED}[${index}]`;
    checkWeight(term.weight, `${at}.weight`, faults);
    checkPodTerm(term.podAffinityTerm, `${at}.podAffinityTerm`, faults);
  }
}

function checkPodTerm(term: PodAffinityTerm, field: string, faults: Faults): void {
  checkTopologyKey(term.topologyKey, `${field}.topologyKey`, faults);
  if (term.labelSelector) checkSelector(term.labelSelector, `${field}.labelSelector`, faults);
  if (term.namespaceSelector) {
    checkSelector(term.namespaceSelector, `${field}.namespaceSelector`, faults);
  }
}

function checkWeight(weight: number, field: string, faults: Faults): void {
  if (weight < 1 || weight > 100) faults.invalid(field, weight, 'must be in the range 1-100');
}

function checkTopologyKey(key: string, field: string, faults: Faults): void {
  if (key === '') faults.required(field, 'can not be empty');
  else faults.complaints(field, key, qualifiedName(key));
}

function checkSpread(
  constraints: readonly TopologySpreadConstraint[],
  field: string,
  faults: Faults,
): void {
  faults.unique(
    (index) => `${field}[${index}].{topologyKey, whenUnsatisfiable}`,
    constraints.map((c) => `{${c.topologyKey}, ${c.whenUnsatisfiable}}`),
  );
  for (const [index, constraint] of constraints.entries()) {
    const path = `${field}[${index}]`;
    const { maxSkew, minDomains, labelSelector, topologyKey, whenUnsatisfiable } = constraint;
    if (maxSkew <= 0) faults.invalid(`${path}.maxSkew`, maxSkew, 'must be greater than zero');
    checkTopologyKey(topologyKey, `${path}.topologyKey`, faults);
    if (labelSelector) checkSelector(labelSelector, `${path}.labelSelector`, faults);
    if (minDomains === undefined) continue;
    if (minDomains <= 0) {
      faults.invalid(`${path}.minDomains`, minDomains, 'must be greater than zero');
    }
    if (whenUnsatisfiable !== 'DoNotSchedule') {
      const detail =
        'can only use minDomains if whenUnsatisfiable=DoNotSchedule, ' +
        `not whenUnsatisfiable=${whenUnsatisfiable}`;
      faults.invalid(`${path}.minDomains`, minDomains, detail);
    }
  }
}

function checkGates(spec: PodSpec, field: string, faults: Faults): void {
  const gates = spec.schedulingGates ?? [];
  const path = `${field}.schedulingGates`;
  faults.unique(
    (index) => `${path}[${index}]`,
    gates.map((gate) => gate.name),
  );
  for (const [index, { name }] of gates.entries()) {
    faults.complaints(`${path}[${index}]`, name, qualifiedName(name));
  }
  if (gates.length > 0 && spec.nodeName) {
    const detail = 'cannot be set until all schedulingGates have been cleared';
    faults.forbidden(`${field}.nodeName`, detail);
  }
}
