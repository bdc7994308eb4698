/** The controllers, as data. A controller runs because it stands here. */
import type { AnyController } from './controller.ts';
import { deploymentController } from './controllers/deployment.ts';
import { disruptionController } from './controllers/disruption.ts';
import { endpointSliceController } from './controllers/endpointslice.ts';
import { gcController } from './controllers/gc.ts';
import { namespaceController } from './controllers/namespace.ts';
import { nodeClaimController } from './controllers/nodeclaim.ts';
import { nodePoolController } from './controllers/nodepool.ts';
import { nodeController } from './controllers/node.ts';
import { podController } from './controllers/pod.ts';
import { podGroupController } from './controllers/podgroup.ts';
import { replicaSetController } from './controllers/replicaset.ts';
import { serviceAccountController } from './controllers/service-account.ts';
import type { MachineTypes } from './effects.ts';

export interface ControllerOptions {
  /** The certificate authority that pods trust the API by, in PEM form; public. */
  readonly caPem: string;
  /** What machines can be had; none where nobody launches machines. */
  readonly machineTypes?: MachineTypes;
}

const NO_MACHINES: MachineTypes = () => Promise.resolve([]);

export function allControllers({
  caPem,
  machineTypes = NO_MACHINES,
}: ControllerOptions): readonly AnyController[] {
  return [
    deploymentController,
    replicaSetController,
    podController,
    nodePoolController(machineTypes),
    nodeClaimController,
    nodeController,
    disruptionController,
    podGroupController,
    endpointSliceController,
    gcController,
    namespaceController,
    serviceAccountController(caPem),
  ];
}
