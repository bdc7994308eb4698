/** Label selectors and node selectors, as specs carry them. */
import type { LabelSelector, NodeRequirement, NodeSelectorTerm } from '../kinds/affinity.ts';
import { labelValue, qualifiedName } from '../names.ts';
import type { Faults } from './faults.ts';
import { checkLabels } from './metadata.ts';

export function checkSelector(selector: LabelSelector, field: string, faults: Faults): void {
  checkLabels(selector.matchLabels, `${field}.matchLabels`, faults);
  for (const [index, requirement] of (selector.matchExpressions ?? []).entries()) {
    const path = `${field}.matchExpressions[${index}]`;
    checkValues(requirement, path, faults);
    faults.complaints(`${path}.key`, requirement.key, qualifiedName(requirement.key));
    for (const [i, value] of (requirement.values ?? []).entries()) {
      faults.complaints(`${path}.values[${i}]`, value, labelValue(value));
    }
  }
}

export function checkNodeTerm(term: NodeSelectorTerm, field: string, faults: Faults): void {
  for (const [index, requirement] of (term.matchExpressions ?? []).entries()) {
    const path = `${field}.matchExpressions[${index}]`;
    checkValues(requirement, path, faults);
    faults.complaints(`${path}.key`, requirement.key, qualifiedName(requirement.key));
  }
  for (const [index, requirement] of (term.matchFields ?? []).entries()) {
    const path = `${field}.matchFields[${index}]`;
    checkValues(requirement, path, faults);
    if (requirement.key !== 'metadata.name') {
      faults.invalid(`${path}.key`, requirement.key, 'not a valid field selector key');
    }
  }
}

/** What an operator demands of the values. */
export function checkValues(
  requirement: Pick<NodeRequirement, 'values'> & { readonly operator: string },
  field: string,
  faults: Faults,
): void {
  const count = requirement.values?.length ?? 0;
  switch (requirement.operator) {
    case 'In':
    case 'NotIn':
      if (count === 0) {
        faults.required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
      }
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (count > 0) {
        const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
        faults.forbidden(`${field}.values`, detail);
      }
      break;
    default:
      if (count !== 1) {
        faults.required(
          `${field}.values`,
          "must be specified single value when `operator` is 'Lt' or 'Gt'",
        );
      }
  }
}
