/**
 * An installation: one stack, composed. Owns the order of things and the outputs; each part is next
 * door.
 */
import { CfnOutput, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Bundles } from './bundling.ts';
import { Cluster } from './cluster.ts';
import { Events } from './events.ts';
import { Functions } from './functions.ts';
import { Gateway } from './gateway.ts';
import { Monitoring } from './monitoring.ts';
import { Network } from './network.ts';
import type { Options } from './options.ts';
import type { Resources } from './permissions/functions.ts';
import { INSTALLATION_TAG } from './permissions/instances.ts';
import { QUEUE_NAMES, Queues, capital } from './queues.ts';
import { Storage } from './storage.ts';

export interface NullplaneStackProps extends StackProps {
  readonly options: Options;
  readonly bundles: Bundles;
}

export class NullplaneStack extends Stack {
  constructor(scope: Construct, id: string, props: NullplaneStackProps) {
    super(scope, id, props);
    const { options, bundles } = props;
    const storage = new Storage(this, 'Storage', options);
    const queues = new Queues(this, 'Queues', options.installation);
    const network = new Network(this, 'Network', options);
    const cluster = new Cluster(this, 'Cluster', network, options);
    const resources = { storage, queues, cluster };
    const functions = new Functions(this, 'Functions', { options, bundles, resources });
    new Events(this, 'Events', { options, functions, resources });
    const gateway = new Gateway(this, 'Gateway', functions.of.api, options);
    if (options.monitoring)
      new Monitoring(this, 'Monitoring', { options, queues, functions, gateway });
    // Last: by then the role that creating the cluster makes has reached all of ECS.
    cluster.providers?.node.addDependency(functions);
    Tags.of(this).add(INSTALLATION_TAG, options.installation);
    this.#outputs(options, gateway, resources);
  }

  #outputs({ installation }: Options, { url }: Gateway, resources: Resources): void {
    const { storage, queues, cluster } = resources;
    const outputs: { [name: string]: string } = {
      ApiUrl: url,
      Installation: installation,
      TableName: storage.tableName,
      ClusterName: cluster.clusterName,
      ClusterArn: cluster.clusterArn,
      FailuresUrl: queues.failures.queueUrl,
    };
    for (const name of QUEUE_NAMES) {
      outputs[`${capital(name)}QueueUrl`] = queues.work[name].queueUrl;
      outputs[`${capital(name)}DeadLettersUrl`] = queues.deadLetters[name].queueUrl;
    }
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}
