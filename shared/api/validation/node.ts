/** Nodes; and taints and amounts, which others have too. */
import type { Taint } from '../kinds/affinity.ts';
import type { Node } from '../kinds/node.ts';
import { labelValue, qualifiedName } from '../names.ts';
import { milliValue } from '../quantity.ts';
import type { Faults } from './faults.ts';

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

export function checkTaints(taints: readonly Taint[], field: string, faults: Faults): void {
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

export type Amounts = { readonly [name: string]: string } | undefined;

export function checkAmounts(amounts: Amounts, field: string, faults: Faults): void {
  for (const [name, amount] of Object.entries(amounts ?? {})) {
    if (milliValue(amount) < 0) {
      faults.invalid(`${field}[${name}]`, amount, 'must be greater than or equal to 0');
    }
  }
}
