/** The node that a machine of a kind would be, but for what follows from its type. */
import type { Node } from '../../api/kinds/node.ts';
import { draftMeta } from '../../api/meta.ts';
import { NODE_POOL_LABEL } from '../../api/node-labels.ts';
import { MACHINE_COMPUTE } from '../node/machine.ts';
import { CAPACITY_TYPE_LABEL } from '../node/virtual-nodes.ts';
import { COMPUTE_LABEL, HOSTNAME_LABEL, ZONE_LABEL } from '../scheduling/cluster.ts';
import type { Kind } from './fleet.ts';

export function templateNode({ pool, zone, capacityType }: Kind, name: string): Node {
  const labels = {
    'kubernetes.io/os': 'linux',
    ...pool.labels,
    [NODE_POOL_LABEL]: pool.name,
    [COMPUTE_LABEL]: MACHINE_COMPUTE,
    [CAPACITY_TYPE_LABEL]: capacityType,
    [ZONE_LABEL]: zone,
    [HOSTNAME_LABEL]: name,
  };
  const { taints } = pool;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: draftMeta({ name, uid: name, labels }),
    spec: taints.length > 0 ? { taints } : {},
    status: { allocatable: {} },
  };
}
