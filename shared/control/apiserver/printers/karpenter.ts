/** Node pools and node claims, in the columns of Karpenter. */
import { findCondition } from '../../../api/conditions.ts';
import type { NodeClaim, NodePool } from '../../../api/kinds/karpenter.ts';
import { INSTANCE_TYPE_LABEL, NODE_POOL_LABEL } from '../../../api/node-labels.ts';
import { CAPACITY_TYPE_LABEL } from '../../../core/node/virtual-nodes.ts';
import { ZONE_LABEL } from '../../../core/scheduling/cluster.ts';
import { ageColumn, column, nameColumn, printer, wide } from './columns.ts';

const statusOf = ({ status }: NodePool | NodeClaim, type: string) =>
  findCondition(status.conditions, type)?.status ?? '';

export const nodePoolPrinter = printer<NodePool>(
  nameColumn,
  column('NodeClass', 'The class of the nodes.', ({ spec }) => {
    return spec.template.spec.nodeClassRef?.name ?? '';
  }),
  column('Nodes', 'How many nodes there are.', ({ status }) => String(status.nodes)),
  column('Ready', 'Whether nodes can be launched.', (pool) => statusOf(pool, 'Ready')),
  ageColumn,
  wide(column('Weight', 'Pools with more weight come first.', ({ spec }) => spec.weight ?? '')),
  wide(column('CPU', 'What the pool has.', ({ status }) => status.resources?.['cpu'] ?? '')),
  wide(column('Memory', 'What the pool has.', ({ status }) => status.resources?.['memory'] ?? '')),
);

const labelColumn = (name: string, doc: string, label: string) =>
  column<NodeClaim>(name, doc, ({ metadata }) => metadata.labels?.[label] ?? '');

export const nodeClaimPrinter = printer<NodeClaim>(
  nameColumn,
  labelColumn('Type', 'The type of the machine.', INSTANCE_TYPE_LABEL),
  labelColumn('Capacity', 'spot or on-demand.', CAPACITY_TYPE_LABEL),
  labelColumn('Zone', 'Where the machine is.', ZONE_LABEL),
  column('Node', 'The node that the machine became.', ({ status }) => status.nodeName ?? ''),
  column('Ready', 'Whether the node takes pods.', (claim) => statusOf(claim, 'Ready')),
  ageColumn,
  wide(column('ImageID', 'The image that the machine runs.', ({ status }) => status.imageID ?? '')),
  wide(
    column('ID', 'The machine, as its cloud names it.', ({ status }) => {
      return status.providerID ?? '';
    }),
  ),
  wide(labelColumn('NodePool', 'The pool of the node.', NODE_POOL_LABEL)),
  wide(column('NodeClass', 'The class of the node.', ({ spec }) => spec.nodeClassRef?.name ?? '')),
  wide(column('Drifted', 'The pool asks for another node now.', (c) => statusOf(c, 'Drifted'))),
);
