/** Deployments and ReplicaSets as kubectl shows them. */
import type { Deployment, ReplicaSet } from '../../../api/kinds/workloads.ts';
import { selectorText } from '../../../api/selectors.ts';
import { ageColumn, column, joined, nameColumn, orNone, printer, wide } from './columns.ts';

interface Templated {
  readonly spec: Pick<Deployment['spec'], 'selector'> & {
    readonly template?: Deployment['spec']['template'];
  };
}

const containers = (object: Templated) => object.spec.template?.spec.containers ?? [];

const templateColumns = [
  wide(
    column<Templated>('Containers', 'Names of the containers of the template.', (object) =>
      joined(containers(object).map(({ name }) => name)),
    ),
  ),
  wide(
    column<Templated>('Images', 'Images of the containers of the template.', (object) =>
      joined(containers(object).map(({ image }) => image ?? '')),
    ),
  ),
  wide(
    column<Templated>('Selector', 'What selects the pods.', (object) =>
      orNone(selectorText(object.spec.selector)),
    ),
  ),
];

const count = <T>(name: string, doc: string, value: (object: T) => number | undefined) =>
  column<T>(name, doc, (object) => value(object) ?? 0, 'integer');

export const deploymentPrinter = printer<Deployment>(
  nameColumn,
  column('Ready', 'Pods that are ready, of those that are wanted.', ({ spec, status }) => {
    return `${status.readyReplicas ?? 0}/${spec.replicas}`;
  }),
  count('Up-to-date', 'Pods of the current template.', ({ status }) => status.updatedReplicas),
  count('Available', 'Pods that are available.', ({ status }) => status.availableReplicas),
  ageColumn,
  ...templateColumns,
);

export const replicaSetPrinter = printer<ReplicaSet>(
  nameColumn,
  count('Desired', 'Pods that are wanted.', ({ spec }) => spec.replicas),
  count('Current', 'Pods that there are.', ({ status }) => status.replicas),
  count('Ready', 'Pods that are ready.', ({ status }) => status.readyReplicas),
  ageColumn,
  ...templateColumns,
);
