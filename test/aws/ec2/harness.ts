/** The pool of instances on our model of EC2 and ECS, under virtual time. */
import { DescribeSubnetsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { ECSClient } from '@aws-sdk/client-ecs';
import { Ec2Instances } from '../../../adapters/aws/ec2/ec2-instances.ts';
import { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Envelope } from '../model/events.ts';
import { AwsModel } from '../model/model.ts';
import { MODEL_CLIENT, modelHandler } from '../model/request-handler.ts';
import { NO_LIMITS, type Settings } from '../model/settings.ts';
import { AWS_LATENCIES } from '../model/settings.ts';
import { timersOnClock } from '../model/timers.ts';

const TEMPLATE = 'lt-0123456789abcdef0';
export const SUBNET_ZONES = { 'subnet-a': 'us-east-1a', 'subnet-b': 'us-east-1b' } as const;

/** More than booting and joining take. */
export const BOOT_MS = 110_000;
/** More than shutting down takes. */
export const SHUTDOWN_MS = 41_000;

export interface HarnessOptions {
  /** Whether machines join by themselves once they have booted. */
  readonly registers?: boolean;
  readonly settings?: Partial<Settings>;
}

export class Ec2Harness {
  readonly clock = new StepClock();
  readonly events: Envelope[] = [];
  readonly model: AwsModel;

  constructor({ registers = true, settings = {} }: HarnessOptions = {}) {
    this.model = new AwsModel({
      timers: timersOnClock(this.clock),
      random: new SeededRandom(7),
      emit: (event) => void this.events.push(event),
      settings: {
        rates: NO_LIMITS,
        subnetZones: SUBNET_ZONES,
        latencies: { ...AWS_LATENCIES, instanceLagMs: 0 },
        launchTemplates: {
          [TEMPLATE]: { registers, attributesAtBoot: ({ tags }) => attributesOfTags(tags) },
        },
        ...settings,
      },
    });
  }

  /** One as each cold start makes it. */
  pool(installation = 'nullplane'): Ec2Instances {
    const requestHandler = modelHandler(this.model);
    const ec2 = withSubnets(new EC2Client({ ...MODEL_CLIENT, requestHandler }));
    const ecs = new ECSClient({ ...MODEL_CLIENT, requestHandler });
    const subnets = Object.keys(SUBNET_ZONES);
    const names = { installation, cluster: 'nullplane', launchTemplateId: TEMPLATE };
    return new Ec2Instances({ ec2, ecs, settings: { ...names, subnets } });
  }

  /** Boots a machine, and lets its agent join: for machines that do not by themselves. */
  async join(id: string): Promise<void> {
    await this.clock.advance(BOOT_MS);
    const machine = this.model.ec2.machines.get(id);
    if (!machine) throw new RangeError(`no machine ${id}`);
    this.model.ecs.instances.register({
      ec2InstanceId: id,
      cpu: 2048,
      memoryMiB: 7_700,
      instanceType: machine.type,
      zone: machine.zone,
      attributes: attributesOfTags(machine.tags),
    });
  }

  /** A machine that somebody launched by other means. */
  foreign(): string {
    const of = { type: 'm5.large', zone: 'us-east-1a', subnet: 'subnet-a' };
    const from = { template: 'lt-another', templateVersion: '1', clientToken: '', fleetId: '' };
    const given = { ...of, ...from, lifecycle: 'on-demand' } as const;
    return this.model.ec2.machines.launch(given, new Map()).id;
  }

  async end(id: string): Promise<void> {
    const machine = this.model.ec2.machines.get(id);
    if (machine) this.model.ec2.machines.terminate(machine);
    await this.clock.advance(SHUTDOWN_MS);
  }
}

/** What node-user-data.sh makes of them: the test of it is user-data.test.ts. */
export function attributesOfTags(tags: ReadonlyMap<string, string>): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (let i = 0; ; i++) {
    const pair = tags.get(`nullplane-attribute-${i}`);
    if (pair === undefined) return attributes;
    const [name = '', ...value] = pair.split('=');
    attributes[name] = value.join('=');
  }
}

/** The model has no subnets of its own; where ours are is a setting of it. */
function withSubnets(client: EC2Client): EC2Client {
  const send = client.send.bind(client) as (command: unknown) => Promise<unknown>;
  const answer = {
    Subnets: Object.entries(SUBNET_ZONES).map(([SubnetId, AvailabilityZone]) => ({
      SubnetId,
      AvailabilityZone,
    })),
  };
  client.send = ((command: unknown) =>
    command instanceof DescribeSubnetsCommand
      ? Promise.resolve(answer)
      : send(command)) as typeof client.send;
  return client;
}
