/** Which taints a pod puts up with. */
import type { Taint, Toleration } from '../../api/kinds/affinity.ts';
import type { Node } from '../../api/kinds/node.ts';

export type Tolerations = readonly Toleration[];

/** The first taint that keeps the pod off the node. */
export function repelling(node: Node | undefined, tolerations: Tolerations): Taint | undefined {
  return node?.spec.taints?.find(
    (taint) => taint.effect !== 'PreferNoSchedule' && !tolerates(tolerations, taint),
  );
}

export function tolerates(tolerations: Tolerations, taint: Taint): boolean {
  return tolerations.some(({ key, operator, value, effect }) => {
    if (effect && effect !== taint.effect) return false;
    if (key ? key !== taint.key : operator !== 'Exists') return false;
    return operator === 'Exists' || (value ?? '') === (taint.value ?? '');
  });
}
