/**
 * Container instances of ECS as registrations: one translation for the answers of
 * DescribeContainerInstances (times are Dates) and for the details of "ECS Container Instance State
 * Change" events (times are ISO texts). Sources: Amazon ECS API reference, ContainerInstance.
 */
import type { Registration } from '../../../shared/api/instance.ts';

/** The parts that are read; any of them may be missing. */
export interface EcsContainerInstance {
  readonly containerInstanceArn?: string | undefined;
  readonly ec2InstanceId?: string | undefined;
  readonly version?: number | undefined;
  readonly status?: string | undefined;
  readonly agentConnected?: boolean | undefined;
  readonly registeredAt?: Date | string | undefined;
  readonly registeredResources?: readonly EcsResource[] | undefined;
  readonly attributes?:
    | readonly { readonly name?: string | undefined; readonly value?: string | undefined }[]
    | undefined;
}

interface EcsResource {
  readonly name?: string | undefined;
  readonly integerValue?: number | undefined;
  readonly stringSetValue?: readonly string[] | undefined;
}

/** What the agent can do is ECS's business; there are some sixty of these. */
const CAPABILITIES = /^(ecs\.capability\.|com\.amazonaws\.)/;

/**
 * Undefined for what has no version or no time, as nothing could be said about its order; and for
 * what does not tell its processors or its memory, which must not be taken for a machine without.
 */
export function registrationOf(told: EcsContainerInstance): Registration | undefined {
  const { containerInstanceArn = '', version, status, agentConnected, registeredAt } = told;
  const registeredAtMs = timeOf(registeredAt);
  const id = containerInstanceArn.split('/').at(-1);
  if (!id || version === undefined || registeredAtMs === undefined) return undefined;
  const [cpuUnits, memoryMiB] = [countOf(told, 'CPU'), countOf(told, 'MEMORY')];
  if (!cpuUnits || !memoryMiB) return undefined;
  return {
    id,
    version,
    registeredAtMs,
    status: statusOf(status),
    agentConnected: agentConnected === true,
    cpuUnits,
    memoryMiB,
    gpus: resourceOf(told, 'GPU')?.stringSetValue?.length ?? 0,
    attributes: attributesOf(told),
  };
}

function timeOf(time: Date | string | undefined): number | undefined {
  const ms = typeof time === 'string' ? Date.parse(time) : time?.getTime();
  return ms === undefined || Number.isNaN(ms) ? undefined : ms;
}

/** What is on its way in or failed there takes no tasks yet; what is on its way out none again. */
function statusOf(status: string | undefined): Registration['status'] {
  switch (status) {
    case 'ACTIVE':
    case 'DRAINING':
      return status;
    case 'REGISTERING':
    case 'REGISTRATION_FAILED':
      return 'REGISTERING';
    default:
      return 'INACTIVE';
  }
}

function resourceOf({ registeredResources }: EcsContainerInstance, name: string) {
  return registeredResources?.find((resource) => resource.name === name);
}

function countOf(told: EcsContainerInstance, name: string): number | undefined {
  return resourceOf(told, name)?.integerValue;
}

function attributesOf({ attributes = [] }: EcsContainerInstance): Registration['attributes'] {
  const kept = attributes.flatMap(({ name = '', value = '' }) =>
    name === '' || CAPABILITIES.test(name) ? [] : [[name, value] as const],
  );
  return Object.fromEntries(kept);
}
