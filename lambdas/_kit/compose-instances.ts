/**
 * The pool of instances, for who launches, ends and sweeps machines. EC2's client is larger than
 * all else in a bundle and most installations have no machines: it is loaded when it is first asked
 * for.
 */
import { ecsClient } from '../../adapters/aws/clients.ts';
import type { InstancePool } from '../../shared/ports/instances.ts';
import type { Config } from './config.ts';
import type { Plane } from './plane.ts';

export function withInstances(config: Config, { effects, ...plane }: Plane): Plane {
  return { ...plane, effects: { ...effects, instances: loadedLate(() => pool(config)) } };
}

async function pool(settings: Config): Promise<InstancePool> {
  const { ec2Client } = await import('../../adapters/aws/ec2/client.ts');
  const { Ec2Instances } = await import('../../adapters/aws/ec2/ec2-instances.ts');
  return new Ec2Instances({ ec2: ec2Client(), ecs: ecsClient(), settings });
}

function loadedLate(load: () => Promise<InstancePool>): InstancePool {
  let loading: Promise<InstancePool> | undefined;
  const loaded = () => (loading ??= load());
  return {
    launch: async (request) => (await loaded()).launch(request),
    terminate: async (ids) => (await loaded()).terminate(ids),
    describe: async (ids) => (await loaded()).describe(ids),
    list: async () => (await loaded()).list(),
  };
}
