/**
 * Where tasks have their addresses: a VPC of the stack's own, or one that is given. Owns who may
 * reach a task: other tasks, and nobody from outside.
 *
 * Invariant: no NAT gateway, which costs more than an idle installation, unless it is asked for.
 */
import { Fn } from 'aws-cdk-lib';
import {
  GatewayVpcEndpointAwsService,
  type ISecurityGroup,
  IpAddresses,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { Options } from './options.ts';

const RANGE = '10.0.0.0/16';
/** 4,091 addresses a subnet: as many tasks, each with one of its own. */
const SUBNET_BITS = 20;

export class Network extends Construct {
  readonly subnetIds: readonly string[];
  readonly assignPublicIp: boolean;
  readonly tasks: ISecurityGroup;

  constructor(scope: Construct, id: string, options: Options) {
    super(scope, id);
    const isPublic = options.network === 'public';
    const isOwn = options.vpcId === '';
    // A cast, since CDK's classes are not written for exact optional properties.
    const vpc = (isOwn ? this.#own(options, isPublic) : this.#given(options)) as IVpc;
    this.subnetIds = isOwn
      ? vpc.selectSubnets({ subnetType: typeOf(isPublic) }).subnetIds
      : options.subnetIds;
    this.assignPublicIp = isPublic;
    const tasks = new SecurityGroup(this, 'Tasks', {
      vpc,
      description: `pods of ${options.installation}: they reach each other and the internet`,
      allowAllOutbound: true,
    });
    // In a VPC of its own there is nobody but the installation; elsewhere only who is in the group.
    const peer = isOwn ? Peer.ipv4(RANGE) : tasks;
    tasks.addIngressRule(peer, Port.allTraffic(), 'pods reach each other');
    this.tasks = tasks;
  }

  #own({ installation, zones }: Options, isPublic: boolean): Vpc {
    const all = Fn.getAzs();
    const outside = { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: SUBNET_BITS };
    const inside = { name: 'tasks', subnetType: typeOf(false), cidrMask: SUBNET_BITS };
    const vpc = new Vpc(this, 'Vpc', {
      vpcName: installation,
      ipAddresses: IpAddresses.cidr(RANGE),
      availabilityZones: Array.from({ length: zones }, (_, index) => Fn.select(index, all)),
      natGateways: isPublic ? 0 : 1,
      subnetConfiguration: isPublic ? [outside] : [outside, inside],
    });
    // Layers of images come from S3: these two endpoints cost nothing, and a NAT gateway's traffic
    // does.
    vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 });
    vpc.addGatewayEndpoint('DynamoDb', { service: GatewayVpcEndpointAwsService.DYNAMODB });
    return vpc;
  }

  /** Only its id is needed: nothing is looked up, so that a synthesis needs no credentials. */
  #given({ vpcId, subnetIds }: Options): IVpc {
    const availabilityZones = subnetIds.map(() => 'any');
    return Vpc.fromVpcAttributes(this, 'Vpc', { vpcId, availabilityZones });
  }
}

function typeOf(isPublic: boolean): SubnetType {
  return isPublic ? SubnetType.PUBLIC : SubnetType.PRIVATE_WITH_EGRESS;
}
