/**
 * What people do at last, so that there is a state in which everything can be well: mend what can't
 * run, and bring room.
 */
import type { Deployment } from '../../../shared/api/kinds/workloads.ts';
import { type AnyObject, controllerOf, type ObjectKey } from '../../../shared/api/meta.ts';
import { CELL_LABEL } from '../../../shared/api/node-labels.ts';
import { deployment, podGroup, priorityClass } from '../../world/manifests.ts';
import { AT_ONCE, type Behaviour, type Ground } from './ground.ts';
import type { Machines } from './machines.ts';
import type { People } from './people.ts';

/** Asks for more than any node has. */
export const HUGE = 'huge';
export const GANG = 'gang';
export const GANG_SIZE = 3;
export const URGENT = 'urgent';
export const URGENT_PRIORITY = 1_000;

/** The annotation that tells a simulated task what to do. */
const SIMULATE = 'nullplane.io/simulate';

/** In the behaviour of a task that ends by itself, and again, however well it runs now. */
const ENDS_BY_ITSELF: keyof Behaviour = 'exitAfterMs';

/** Things that no node is large enough for: they wait, and nothing else is expected of them. */
export function isUnfit({ metadata }: AnyObject): boolean {
  return metadata.labels?.['app'] === HUGE;
}

export interface Mending {
  readonly people: People;
  readonly machines: Machines;
  readonly ground: Ground;
  /** What was spoilt, to be deleted. */
  readonly spoilt: readonly ObjectKey[];
  /** Whether Deployments may be such as can't run, and are replaced. */
  readonly replaces: boolean;
}

/** Lets everything be able to run, whatever was done before. */
export async function mend(mending: Mending): Promise<void> {
  const { people, machines, ground, spoilt, replaces } = mending;
  for (const name of machines.names) machines.reconnect(name);
  await ground.addSpare();
  for (const { metadata } of await people.list('nodes')) await people.cordon(metadata.name, false);
  await leaveCells(people);
  for (const key of spoilt) await people.deleteKey(key);
  if (replaces) await replaceAll(people, ground);
  await deleteOrphans(people);
}

/** The machine that is brought is of the default cell. */
async function leaveCells(people: People): Promise<void> {
  for (const { metadata } of await people.list('namespaces')) {
    if (metadata.labels?.[CELL_LABEL] === undefined) continue;
    await people.patch('namespaces', undefined, metadata.name, inCell(null));
  }
}

/** The patch that gives a machine, or the pods of a namespace, to a cell, or to the default one. */
export function inCell(cell: string | null): object {
  return { metadata: { labels: { [CELL_LABEL]: cell } } };
}

async function replaceAll(people: People, ground: Ground): Promise<void> {
  for (const object of await people.list('deployments.apps')) {
    const { metadata, spec } = object;
    const { namespace: ns = '', name } = metadata;
    // Whose creation was not answered.
    if (name === GANG) await people.create(podGroup(GANG, ns, GANG_SIZE));
    if (name === URGENT) await people.create(priorityClass(URGENT, URGENT_PRIORITY));
    if (name === HUGE || name === GANG || name === URGENT || isWell(object)) continue;
    const { replicas = 1 } = (spec ?? {}) as { readonly replicas?: number };
    await people.replace(deployment(name, ns, { replicas, ...ground.shapeOf(AT_ONCE) }));
  }
}

/** All that it asks for runs, and will: nobody touches it, so that it is seen to stay so. */
function isWell(object: AnyObject): boolean {
  const { metadata, spec, status } = object as Deployment;
  const { replicas, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  const counts = [replicas ?? 0, updatedReplicas, readyReplicas, availableReplicas];
  return (
    status.observedGeneration === metadata.generation &&
    !spec.paused &&
    counts.every((count) => count === (spec.replicas ?? 1)) &&
    !JSON.stringify(spec.template).includes(ENDS_BY_ITSELF)
  );
}

/** What was orphaned may have a template that can't run, and nobody mends it. */
async function deleteOrphans(people: People): Promise<void> {
  for (const resource of ['replicasets.apps', 'pods']) {
    const [word = ''] = resource.split('.');
    for (const object of await people.list(resource)) {
      const { namespace: ns, name } = object.metadata;
      if (!controllerOf(object)) await people.delete(word, ns, name);
    }
  }
}

/** The patch that gives a Deployment's pods another image and behaviour. */
export function templateChange(image: string, shape: ReturnType<Ground['shapeOf']>) {
  const { behaviour, command } = shape;
  const annotations = behaviour && { [SIMULATE]: JSON.stringify(behaviour) };
  const container = { name: 'main', image, ...(command ? { command } : {}) };
  const metadata = annotations ? { annotations } : {};
  return { spec: { template: { metadata, spec: { containers: [container] } } } };
}
