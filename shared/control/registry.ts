/** The controllers, as data. A controller runs because it stands here. */
import type { AnyController } from './controller.ts';
import { deploymentController } from './controllers/deployment.ts';
import { disruptionController } from './controllers/disruption.ts';
import { endpointSliceController } from './controllers/endpointslice.ts';
import { gcController } from './controllers/gc.ts';
import { namespaceController } from './controllers/namespace.ts';
import { nodeController } from './controllers/node.ts';
import { podController } from './controllers/pod.ts';
import { podGroupController } from './controllers/podgroup.ts';
import { replicaSetController } from './controllers/replicaset.ts';
import { serviceAccountController } from './controllers/service-account.ts';

export interface ControllerOptions {
  /** The certificate authority that pods trust the API by, in PEM form; public. */
  readonly caPem: string;
}

export function allControllers({ caPem }: ControllerOptions): readonly AnyController[] {
  return [
    deploymentController,
    replicaSetController,
    podController,
    nodeController,
    disruptionController,
    podGroupController,
    endpointSliceController,
    gcController,
    namespaceController,
    serviceAccountController(caPem),
  ];
}
