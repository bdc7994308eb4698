/**
 * The SDK's clients, tuned alike: bounded time, one retry of the SDK's own at most (B5: the queue
 * retries, and retries multiply), connections kept. Region, credentials and endpoints come from the
 * environment by the SDK's own rules (`AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_ECS` …),
 * unless they are given. EC2's is in a file of its own, being larger than all others together.
 */
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { HttpHandlerUserInput } from '@smithy/core/protocols';
import { NodeHttpHandler } from '@smithy/node-http-handler';

export interface AwsTarget {
  readonly region?: string;
  readonly endpoint?: string;
  /** In place of the environment's: for emulators and tests. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** In place of the network: for models and for counting. */
  readonly requestHandler?: HttpHandlerUserInput;
  /** In place of two: where waits are not by the clock on the wall. */
  readonly maxAttempts?: number;
}

const MAX_ATTEMPTS = 2;
const CONNECT_TIMEOUT_MS = 1_000;
/** Above what ECS and EC2 take for their slowest calls of ours. */
const REQUEST_TIMEOUT_MS = 10_000;
/**
 * An attempt of a write is over before a watch stops to look back for it: see the store's
 * `OVERLAP_MS`.
 */
const STORE_TIMEOUT_MS = 2_000;
/** As many as the executor has under way at a time. */
const MAX_SOCKETS = 256;

/** What all clients have in common. */
export function settings(target: AwsTarget, requestTimeout = REQUEST_TIMEOUT_MS) {
  const overNetwork = () =>
    new NodeHttpHandler({
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: MAX_SOCKETS },
      httpsAgent: { maxSockets: MAX_SOCKETS },
    });
  const requestHandler = target.requestHandler ?? overNetwork();
  return { maxAttempts: MAX_ATTEMPTS, ...target, requestHandler };
}

/** One attempt only: the adapter repeats writes itself, each under a version of its own. */
export function dynamoDbClient(target: AwsTarget = {}): DynamoDBClient {
  return new DynamoDBClient({ ...settings(target, STORE_TIMEOUT_MS), maxAttempts: 1 });
}

/** The queue's URL says where its messages are, not where the service is: emulators need that. */
export function sqsClient(target: AwsTarget = {}): SQSClient {
  return new SQSClient({ ...settings(target), useQueueUrlAsEndpoint: false });
}

export function ecsClient(target: AwsTarget = {}): ECSClient {
  return new ECSClient(settings(target));
}

export function logsClient(target: AwsTarget = {}): CloudWatchLogsClient {
  return new CloudWatchLogsClient(settings(target));
}

export function ssmClient(target: AwsTarget = {}): SSMClient {
  return new SSMClient(settings(target));
}
