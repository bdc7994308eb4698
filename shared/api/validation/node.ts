/** Nodes and node pools. */
import type { Taint } from '../kinds/affinity.ts';
import type { Node, NodePool } from '../kinds/node.ts';
import { labelValue, qualifiedName } from '../names.ts';
import { milliValue } from '../quantity.ts';
import type { Faults } from './faults.ts';
import { checkLabels } from './metadata.ts';
import { checkValues } from './selector.ts';

export function checkNode({ spec, status }: Node, faults: Faults): void {
  checkTaints(spec.taints ?? [], 'spec.taints', faults);
  checkAmounts(status.capacity, 'status.capacity', faults);
  checkAmounts(status.allocatable, 'status.allocatable', faults);
}

export function checkNodeUpdate(next: Node, old: Node, faults: Faults): void {
  const before = old.spec.providerID;
  if (before && next.spec.providerID !== before) {
    faults.forbidden(
      'spec.providerID',
      'node updates may not change providerID except from "" to valid',
    );
  }
}

export function checkNodePool({ spec }: NodePool, faults: Faults): void {
  const field = 'spec.template.spec';
  const { template } = spec;
  checkLabels(template.metadata?.labels, 'spec.template.metadata.labels', faults);
  for (const [index, requirement] of template.spec.requirements.entries()) {
    const path = `${field}.requirements[${index}]`;
    faults.complaints(`${path}.key`, requirement.key, qualifiedName(requirement.key));
    checkValues(requirement, path, faults);
    if (requirement.minValues !== undefined) {
      faults.between(`${path}.minValues`, requirement.minValues, 1, 50);
    }
  }
  checkTaints(template.spec.taints ?? [], `${field}.taints`, faults);
  checkTaints(template.spec.startupTaints ?? [], `${field}.startupTaints`, faults);
  faults.between('spec.weight', spec.weight, 1, 100);
  checkAmounts(spec.limits, 'spec.limits', faults);
}

function checkTaints(taints: readonly Taint[], field: string, faults: Faults): void {
  faults.unique(
    (index) => `${field}[${index}]`,
    taints.map((taint) => `${taint.key}:${taint.effect}`),
  );
  for (const [index, taint] of taints.entries()) {
    const path = `${field}[${index}]`;
    faults.complaints(`${path}.key`, taint.key, qualifiedName(taint.key));
    if (taint.value) faults.complaints(`${path}.value`, taint.value, labelValue(taint.value));
  }
}

type Amounts = { readonly [name: string]: string } | undefined;

function checkAmounts(amounts: Amounts, field: string, faults: Faults): void {
  for (const [name, amount] of Object.entries(amounts ?? {})) {
    if (milliValue(amount) < 0) {
      faults.invalid(`${field}[${name}]`, amount, 'must be greater than or equal to 0');
    }
  }
}
