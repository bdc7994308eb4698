/** A service that had no room a moment ago is not asked again for some minutes. */
import type { Node } from '../../api/kinds/node.ts';
import { shortForMs } from '../node/shortage.ts';
import type { Plugin } from './framework.ts';

export const NO_CAPACITY_LATELY = 'node(s) had no capacity a moment ago';

/** The nodes that are short, as one text. */
export function shortNames(nodes: readonly Node[], nowMs: number): string {
  const short = nodes.filter((node) => shortForMs(node, nowMs) !== undefined);
  return short.map(({ metadata }) => metadata.name).join();
}

/** Of a pass: what is short at its time. */
export function capacityShortages(nowMs: number): Plugin {
  return {
    name: 'CapacityShortages',
    helpedBy: ['capacityBack'],
    begin: (cluster) => {
      const isShort = (node: number) => {
        const known = cluster.nodes[node];
        return known !== undefined && shortForMs(known, nowMs) !== undefined;
      };
      // A pass is short: what is short at its begin stays so.
      const short = new Set([...cluster.nodes.keys()].filter(isShort));
      return {
        nodeFilter: () =>
          short.size === 0
            ? undefined
            : { allows: (node) => !short.has(node), reasons: () => [NO_CAPACITY_LATELY] },
      };
    },
  };
}
