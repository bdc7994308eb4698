/** The Deployment controller: woken by Deployments and by what becomes of their ReplicaSets. */
import { type Change, keyOf } from '../../api/change.ts';
import type { Namespace } from '../../api/kinds/core.ts';
import type { Deployment, ReplicaSet } from '../../api/kinds/workloads.ts';
import type { ObjectKey } from '../../api/meta.ts';
import {
  DEPLOYMENTS,
  type DeploymentSnapshot,
  planDeployment,
} from '../../core/deployment/plan.ts';
import { newSetName } from '../../core/deployment/revisions.ts';
import { REPLICA_SETS } from '../../core/replicaset/plan.ts';
import type { Controller, Reader } from '../controller.ts';
import { adoptersOf, claimable, controllersOf, isOfStatus } from './reads.ts';

export const deploymentController: Controller<DeploymentSnapshot> = {
  name: 'deployment',
  resource: DEPLOYMENTS,
  wakes,
  snapshot,
  plan: planDeployment,
};

async function wakes(change: Change, read: Reader): Promise<readonly ObjectKey[]> {
  if (change.resource === DEPLOYMENTS) {
    const isNews = change.type === 'put' && !isOfStatus(change);
    return isNews ? [keyOf(DEPLOYMENTS, change.object)] : [];
  }
  if (change.resource !== REPLICA_SETS) return [];
  const owners = controllersOf(change, DEPLOYMENTS, 'Deployment');
  return [...owners, ...(await adoptersOf(change, DEPLOYMENTS, read))];
}

async function snapshot(key: ObjectKey, read: Reader): Promise<DeploymentSnapshot | undefined> {
  const deployment = await read.get<Deployment>(key);
  if (!deployment) return undefined;
  const { namespace } = key;
  const name = newSetName(deployment);
  const [sets, namesake, home] = await Promise.all([
    claimable<ReplicaSet>(read, REPLICA_SETS, deployment),
    read.get({ resource: REPLICA_SETS, namespace, name }),
    read.get<Namespace>({ resource: 'namespaces', namespace: '', name: namespace }),
  ]);
  const namespaceTerminating = home?.status.phase === 'Terminating';
  return { deployment, sets, namesake, namespaceTerminating };
}
