/**
 * What people are told of a pod's node: kube-scheduler's words, and after them how the choice came
 * about, out of the record that is kept with the pod.
 */
import type { Decision } from '../../api/kinds/decision.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { usdText } from '../capacity/usd.ts';

/** Of the filters that refused nodes, so many are named: those that refused most. */
const NAMED_FILTERS = 3;

/** Of a pod that has a node; begins as kube-scheduler's message does. */
export function assignedMessage({ metadata, spec, control }: Pod): string {
  const { namespace = '', name } = metadata;
  const assigned = `Successfully assigned ${namespace}/${name} to ${spec.nodeName ?? ''}`;
  const { decision } = control ?? {};
  const how = decision?.outcome === 'placed' ? howPlaced(decision) : [];
  return how.length > 0 ? `${assigned}: ${how.join(', ')}` : assigned;
}

function howPlaced(decision: Decision): readonly string[] {
  const { reason, victims, cost } = decision;
  return [
    ...choiceText(decision),
    ...(reason === 'cheaper' ? ['no machine would cost less'] : []),
    ...(victims ? [`${podsText(victims.count)} of lower priority made room`] : []),
    ...(cost ? [costText(cost)] : []),
  ];
}

function choiceText({ reason, nodes, open, refused = {} }: Decision): readonly string[] {
  if (reason === 'reserved') return ['its room was reserved by an earlier pass'];
  if (reason === 'packed') return ['room was found while machines were planned'];
  if (nodes === undefined) return [];
  const filters = Object.entries(refused).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const named = filters.slice(0, NAMED_FILTERS).map(([filter, n]) => `${n} by ${filter}`);
  const why = named.length > 0 ? ` (refused: ${named.join(', ')})` : '';
  return [`best of ${open === undefined ? '' : `${open} of `}${nodes} nodes${why}`];
}

function podsText(count: number): string {
  return count === 1 ? '1 pod' : `${count} pods`;
}

function costText({ of, usdPerHour, isEstimate, capacityType }: NonNullable<Decision['cost']>) {
  const spot = capacityType === 'spot' ? ' spot' : '';
  return `${of}${spot} at ${isEstimate ? 'about ' : ''}${usdText(usdPerHour)}/h`;
}
