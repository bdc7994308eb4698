/** A pod with scheduling gates waits until the last of them is taken away. */
import type { Plugin } from '../framework.ts';

export const SCHEDULING_GATED = {
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
};

export const schedulingGates: Plugin = {
  name: 'SchedulingGates',
  helpedBy: ['podPending'],
  gate: (pod) => ((pod.spec.schedulingGates ?? []).length > 0 ? SCHEDULING_GATED : undefined),
};
