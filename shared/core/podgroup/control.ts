/** What the control plane remembers of a PodGroup: whether it has been whole, and what it held. */
import type { PodGroup } from '../../api/kinds/scheduling.ts';
import type { KubeObject } from '../../api/meta.ts';

export interface GroupControl {
  /** As many of its pods as it needs ran at a time: what is lost afterwards ends nothing. */
  readonly started?: boolean;
  /** Since when pods of it hold room while it is not whole. */
  readonly heldSinceMs?: number;
  /** How often it has given its room back since it was last whole. */
  readonly releases?: number;
  /** It is not tried before. */
  readonly retryAtMs?: number;
}

/** Others remember things beside it (control/trace.ts). */
type AnyControl = GroupControl & { readonly auditId?: string };

function controlOf(group: PodGroup): AnyControl {
  const { control }: KubeObject = group;
  return (control as AnyControl | undefined) ?? {};
}

export function groupControl(group: PodGroup): GroupControl {
  const { auditId: _, ...control } = controlOf(group);
  return control;
}

export function withGroupControl(group: PodGroup, control: GroupControl): PodGroup {
  const { auditId } = controlOf(group);
  const next: PodGroup & { readonly control: AnyControl } = {
    ...group,
    control: { ...(auditId === undefined ? {} : { auditId }), ...control },
  };
  return next;
}

/** How much longer the group is left alone after it gave its room back; undefined: it is not. */
export function backsOffMs(group: PodGroup, nowMs: number): number | undefined {
  const leftMs = (groupControl(group).retryAtMs ?? 0) - nowMs;
  return leftMs > 0 ? leftMs : undefined;
}
