/**
 * The pool of instances, for who launches, ends and sweeps machines. EC2's client is larger than
 * all else in a bundle and most installations have no machines: it is loaded when it is first asked
 * for.
 */
import { ecsClient } from '../../adapters/aws/clients.ts';
import { allControllers } from '../../shared/control/registry.ts';
import type { MachineType } from '../../shared/core/capacity/machine-type.ts';
import type { InstancePool } from '../../shared/ports/instances.ts';
import type { Config } from './config.ts';
import type { Plane } from './plane.ts';

export function withInstances(config: Config, { effects, routes, ...plane }: Plane): Plane {
  const instances = loadedLate(() => pool(config));
  const machineTypes = remembered(() => typesIn(instances, config));
  // The gateway's certificate is of a public authority: clients need none of ours.
  const controllers = allControllers({ caPem: '', machineTypes });
  return {
    ...plane,
    effects: { ...effects, instances, machineTypes },
    routes: { ...routes, controllers },
  };
}

/** The catalogue is large, and of use only where there is a node pool. */
async function typesIn(
  instances: InstancePool,
  { region, awsvpcTrunking }: Config,
): Promise<readonly MachineType[]> {
  const { machineTypes } = await import('../../shared/core/capacity/catalogue/machine-types.ts');
  return machineTypes({ region, zones: await instances.zones(), awsvpcTrunking });
}

async function pool(settings: Config): Promise<InstancePool> {
  const { ec2Client } = await import('../../adapters/aws/ec2/client.ts');
  const { Ec2Instances } = await import('../../adapters/aws/ec2/ec2-instances.ts');
  const { instanceType } = await import('../../shared/core/capacity/catalogue/types.ts');
  return new Ec2Instances({
    ...{ ec2: ec2Client(), ecs: ecsClient(), settings },
    shapeOf: instanceType,
  });
}

function loadedLate(load: () => Promise<InstancePool>): InstancePool {
  const loaded = remembered(load);
  return {
    launch: async (request) => (await loaded()).launch(request),
    terminate: async (ids) => (await loaded()).terminate(ids),
    describe: async (ids) => (await loaded()).describe(ids),
    list: async () => (await loaded()).list(),
    zones: async () => (await loaded()).zones(),
  };
}

/** Asked for once; again after a failure. */
function remembered<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
