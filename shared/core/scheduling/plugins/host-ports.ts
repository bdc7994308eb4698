/** Two pods of a node can't have the same port of the host. */
import { type HostPort, ANY_IP, type SpecShape } from '../shape.ts';
import type { Judge, Plugin } from '../framework.ts';

export const NO_FREE_PORTS = "node(s) didn't have free ports for the requested pod ports";

export const hostPorts: Plugin = {
  name: 'NodePorts',
  helpedBy: ['podPending', 'podGone', 'nodeAdded'],
  begin: judge,
};

function judge(): Judge {
  /**
   * The ports in use on each node that has any; a list, since pods that are placed by hand may
   * share one.
   */
  const inUse = new Map<number, HostPort[]>();
  return {
    nodeFilter(spec: SpecShape) {
      const wanted = spec.hostPorts;
      if (wanted.length === 0) return undefined;
      return {
        allows: (node) =>
          !inUse.get(node)?.some((used) => wanted.some((port) => clash(used, port))),
        reasons: () => [NO_FREE_PORTS],
      };
    },
    track({ spec }) {
      if (spec.hostPorts.length === 0) return undefined;
      return (node, sign) => {
        const used = inUse.get(node) ?? [];
        inUse.set(node, sign > 0 ? [...used, ...spec.hostPorts] : without(used, spec.hostPorts));
      };
    },
  };
}

function clash(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.protocol !== b.protocol) return false;
  return a.ip === b.ip || a.ip === ANY_IP || b.ip === ANY_IP;
}

/** One of each of `gone` less. */
function without(used: readonly HostPort[], gone: readonly HostPort[]): HostPort[] {
  const left = [...used];
  for (const port of gone) left.splice(left.indexOf(port), 1);
  return left;
}
