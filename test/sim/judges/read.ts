/** What judges read of an object. */
import { indexValues } from '../../../shared/api/change.ts';
import { findCondition } from '../../../shared/api/conditions.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { AnyObject, KubeObject } from '../../../shared/api/meta.ts';
import type { TaskState } from '../../../shared/api/task.ts';

/** What a task that was started with others does not say itself. */
export type BatchOwner = Pick<TaskState, 'podUid' | 'podName' | 'nodeName'>;

export function batchOwner({ metadata, spec }: Pod): BatchOwner {
  return { podUid: metadata.uid, podName: metadata.name, nodeName: spec.nodeName ?? '' };
}

export function isEvicted(object: AnyObject): boolean {
  const { conditions } = (object as unknown as Pod).status;
  return findCondition(conditions, 'DisruptionTarget')?.reason === 'EvictionByEvictionAPI';
}

export function restarts({ status }: Pod): number {
  return (status.containerStatuses ?? []).reduce((sum, c) => sum + c.restartCount, 0);
}

export function indexEntries(resource: string, object: KubeObject): readonly string[] {
  return (['owner', 'node'] as const).flatMap((index) =>
    indexValues(index, resource, object).map((value) =>
      indexEntry(object.metadata.uid, index, value),
    ),
  );
}

export function indexEntry(uid: string, index: string, value: string): string {
  return `${uid}/${index}/${value}`;
}
