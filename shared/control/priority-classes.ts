/** The priority classes that may count for a pod, read for core/priority. */
import type { PriorityClass } from '../api/kinds/scheduling.ts';
import type { Reader } from './controller.ts';
import { listAll } from './list-all.ts';

export const PRIORITY_CLASSES = 'priorityclasses.scheduling.k8s.io';

/** The class of this name, if there is one; without a name all of them: one may be the default. */
export async function classesFor(
  name: string | undefined,
  read: Reader,
): Promise<readonly PriorityClass[]> {
  if (!name) return listAll<PriorityClass>(read, { resource: PRIORITY_CLASSES });
  const found = await read.get<PriorityClass>({ resource: PRIORITY_CLASSES, namespace: '', name });
  return found ? [found] : [];
}
