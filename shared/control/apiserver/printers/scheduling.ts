/** Priority classes and pod groups as kubectl shows them. */
import type { PodGroup, PriorityClass } from '../../../api/kinds/scheduling.ts';
import { ageColumn, column, nameColumn, printer } from './columns.ts';

export const priorityClassPrinter = printer<PriorityClass>(
  nameColumn,
  column('Value', 'The priority of the pods.', ({ value }) => value, 'integer'),
  column(
    'Global-Default',
    'Whether pods without a class are of this one.',
    ({ globalDefault }) => globalDefault ?? false,
    'boolean',
  ),
  ageColumn,
  column('PreemptionPolicy', 'Whether the pods may take the place of others.', (object) => {
    return object.preemptionPolicy;
  }),
);

const count = (name: string, doc: string, of: (group: PodGroup) => number | undefined) =>
  column<PodGroup>(name, doc, (group) => of(group) ?? 0, 'integer');

export const podGroupPrinter = printer<PodGroup>(
  nameColumn,
  column('Phase', 'How far the group has got.', ({ status }) => status.phase ?? ''),
  count('MinMember', 'So many pods are placed together.', ({ spec }) => spec.minMember),
  count('Running', 'How many pods run.', ({ status }) => status.running),
  count('Succeeded', 'How many pods have succeeded.', ({ status }) => status.succeeded),
  count('Failed', 'How many pods have failed.', ({ status }) => status.failed),
  ageColumn,
);
