/** Which nodes are written for together: those that pods of one gang are placed on, and so on. */
import type { Pod } from '../../../api/kinds/pod.ts';
import { gangKeyOf } from './membership.ts';

interface OnNode {
  readonly pods: readonly Pod[];
}

/** Groups of nodes that share no gang with nodes of another group. */
export function togetherByGang<T extends OnNode>(placed: readonly T[]): readonly (readonly T[])[] {
  const groupOf = new Map<string, T[]>();
  const groups = new Set<T[]>();
  for (const node of placed) {
    const gangs = new Set(node.pods.flatMap((pod) => gangKeyOf(pod) ?? []));
    const joined = new Set([...gangs].flatMap((gang) => single(groupOf.get(gang))));
    const group = [...[...joined].flat(), node];
    for (const one of joined) groups.delete(one);
    groups.add(group);
    for (const [gang, one] of groupOf) if (joined.has(one)) groupOf.set(gang, group);
    for (const gang of gangs) groupOf.set(gang, group);
  }
  return [...groups];
}

function single<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}
