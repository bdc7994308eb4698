/** Disruption budgets as kubectl shows them. */
import type { PodDisruptionBudget } from '../../../api/kinds/policy.ts';
import { ageColumn, column, nameColumn, printer } from './columns.ts';

const part = (value: number | string | undefined) => (value === undefined ? 'N/A' : String(value));

export const podDisruptionBudgetPrinter = printer<PodDisruptionBudget>(
  nameColumn,
  column('Min Available', 'So many must stay.', ({ spec }) => part(spec.minAvailable)),
  column('Max Unavailable', 'So many may be missing.', ({ spec }) => part(spec.maxUnavailable)),
  column(
    'Allowed Disruptions',
    'How many more pods may go now.',
    ({ status }) => status.disruptionsAllowed,
    'integer',
  ),
  ageColumn,
);
