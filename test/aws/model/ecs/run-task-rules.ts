/** The limits of a RunTask request that need no look at the world (aws-semantics.md 3.2, 3.3). */
import type { RunTaskRequest } from '@aws-sdk/client-ecs';
import { type AwsError, clientError, invalid } from '../errors.ts';

const MAX_COUNT = 10;
const MAX_OVERRIDE_CHARS = 8192;
const STARTED_BY = /^[A-Za-z0-9\-/_]{0,128}$/;
const CLIENT_TOKEN = /^[\x21-\x7e]{1,64}$/;
const MAX_CONSTRAINTS = 10;
const MAX_STRATEGIES = 5;
const MAX_PROVIDERS = 20;
const MAX_WEIGHT = 1000;
const MAX_BASE = 100_000;
const MAX_SUBNETS = 16;
const MAX_SECURITY_GROUPS = 5;
const MAX_TAGS = 50;
const MAX_TAG_KEY = 128;
const MAX_TAG_VALUE = 256;

/** Throws the error that AWS answers. */
export function checkRunTask(input: RunTaskRequest): void {
  const error = sizeError(input) ?? targetError(input) ?? networkError(input) ?? tagError(input);
  if (error) throw error;
}

function sizeError(input: RunTaskRequest): AwsError | undefined {
  const { count = 1, overrides, startedBy = '', clientToken } = input;
  if (!input.taskDefinition) return invalid('Task definition can not be blank.');
  if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT) {
    return invalid(`count must be between 1 and ${MAX_COUNT}.`);
  }
  const chars = overrides ? JSON.stringify(overrides).length : 0;
  if (chars > MAX_OVERRIDE_CHARS) {
    return invalid(`Container Overrides length must be at most ${MAX_OVERRIDE_CHARS}`);
  }
  if (!STARTED_BY.test(startedBy)) {
    return invalid('startedBy has at most 128 letters, digits, hyphens, underscores and slashes.');
  }
  if (clientToken !== undefined && !CLIENT_TOKEN.test(clientToken)) {
    return invalid('clientToken has 1 to 64 printable ASCII characters without spaces.');
  }
  return undefined;
}

function targetError(input: RunTaskRequest): AwsError | undefined {
  const { launchType, capacityProviderStrategy: strategy = [] } = input;
  const { placementConstraints = [], placementStrategy = [] } = input;
  if (launchType && strategy.length > 0) {
    return invalid(
      'Specifying both a launch type and capacity provider strategy is not supported.',
    );
  }
  if (launchType && launchType !== 'EC2' && launchType !== 'FARGATE') {
    return clientError(`The model has no launch type ${launchType}.`);
  }
  if (strategy.length > MAX_PROVIDERS) return invalid('Too many capacity providers.');
  const wrong = strategy.some(({ weight = 0, base = 0 }) => {
    return weight < 0 || weight > MAX_WEIGHT || base < 0 || base > MAX_BASE;
  });
  if (wrong) return invalid('A weight is 0 to 1000, a base 0 to 100000.');
  if (strategy.filter(({ base = 0 }) => base > 0).length > 1) {
    return invalid('Only one capacity provider of a strategy can have a base.');
  }
  if (placementConstraints.length > MAX_CONSTRAINTS) return invalid('Too many constraints.');
  if (placementStrategy.length > MAX_STRATEGIES) return invalid('Too many placement strategies.');
  const placed = placementConstraints.length + placementStrategy.length > 0;
  if (placed && (launchType === 'FARGATE' || strategy.length > 0)) {
    return invalid('Placement constraints and strategies are not supported on Fargate.');
  }
  return undefined;
}

function networkError({ launchType, networkConfiguration }: RunTaskRequest): AwsError | undefined {
  const vpc = networkConfiguration?.awsvpcConfiguration;
  if (!vpc) return undefined;
  const { subnets = [], securityGroups = [], assignPublicIp } = vpc;
  if (subnets.length === 0) return invalid('subnets can not be empty.');
  if (subnets.length > MAX_SUBNETS) return invalid(`At most ${MAX_SUBNETS} subnets.`);
  if (securityGroups.length > MAX_SECURITY_GROUPS) {
    return invalid(`At most ${MAX_SECURITY_GROUPS} security groups.`);
  }
  if (launchType === 'EC2' && assignPublicIp === 'ENABLED') {
    return invalid('Assign public IP is not supported for this launch type.');
  }
  return undefined;
}

function tagError({ tags = [] }: RunTaskRequest): AwsError | undefined {
  if (tags.length > MAX_TAGS) return invalid(`At most ${MAX_TAGS} tags.`);
  const wrong = tags.find(({ key = '', value = '' }) => {
    return key === '' || key.length > MAX_TAG_KEY || value.length > MAX_TAG_VALUE;
  });
  return wrong && invalid(`Tag key or value is of the wrong length: ${wrong.key}`);
}
