/**
 * The container instances of a cluster, by their EC2 instance. Pages and batches are bounded: what
 * is more than a cluster may have is an error, never a shorter list.
 */
import {
  DescribeContainerInstancesCommand,
  type ECSClient,
  ListContainerInstancesCommand,
} from '@aws-sdk/client-ecs';
import { INSTANCE_ID, type Registration } from '../../../shared/api/instance.ts';
import { InstancesUnavailable } from '../../../shared/ports/instances.ts';
import { calling } from './errors.ts';
import { registrationOf } from './registration.ts';

/** As many as both calls take. */
const PAGE = 100;
/** Twice the 5,000 container instances that a cluster may have. */
const MAX_PAGES = 100;
/** Ids in one filter: the expression has a bound that is nowhere stated. */
const FILTERED_AT_A_TIME = 20;

type ByInstance = ReadonlyMap<string, Registration>;

export class Registrations {
  readonly #ecs: ECSClient;
  readonly #cluster: string;

  constructor(ecs: ECSClient, cluster: string) {
    this.#ecs = ecs;
    this.#cluster = cluster;
  }

  /** Of all instances of the cluster. */
  async all(): Promise<ByInstance> {
    return this.#described(await this.#arns());
  }

  /** Of these instances, as far as they have one. */
  async of(instanceIds: readonly string[]): Promise<ByInstance> {
    const arns: string[] = [];
    for (let from = 0; from < instanceIds.length; from += FILTERED_AT_A_TIME) {
      const ids = instanceIds.slice(from, from + FILTERED_AT_A_TIME);
      arns.push(...(await this.#arns(`ec2InstanceId in [${ids.join(', ')}]`)));
    }
    return this.#described(arns);
  }

  async #arns(filter?: string): Promise<string[]> {
    const arns: string[] = [];
    let nextToken: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const command = new ListContainerInstancesCommand({
        cluster: this.#cluster,
        maxResults: PAGE,
        ...(filter === undefined ? {} : { filter }),
        ...(nextToken ? { nextToken } : {}),
      });
      const answer = await calling(() => this.#ecs.send(command));
      arns.push(...(answer.containerInstanceArns ?? []));
      nextToken = answer.nextToken;
      if (!nextToken) return arns;
    }
    throw new InstancesUnavailable(`container instances fill more than ${MAX_PAGES} pages`);
  }

  /** One that was deregistered meanwhile is a failure with the reason MISSING, and none of ours. */
  async #described(arns: readonly string[]): Promise<ByInstance> {
    const byInstance = new Map<string, Registration>();
    for (let from = 0; from < arns.length; from += PAGE) {
      const containerInstances = arns.slice(from, from + PAGE);
      const command = new DescribeContainerInstancesCommand({
        cluster: this.#cluster,
        containerInstances,
      });
      const { containerInstances: told = [] } = await calling(() => this.#ecs.send(command));
      for (const one of told) {
        const registration = registrationOf(one);
        const id = one.ec2InstanceId ?? '';
        const before = byInstance.get(id);
        const isLater =
          registration && registration.registeredAtMs >= (before?.registeredAtMs ?? 0);
        if (INSTANCE_ID.test(id) && isLater) byInstance.set(id, registration);
      }
    }
    return byInstance;
  }
}
