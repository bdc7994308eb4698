/**
 * The model as a process in real time: `node test/aws/model/main.ts --port N`, with events as
 * EventBridge envelopes into a queue, `--health-queue URL [--endpoint URL of SQS]`, which
 * `POST /_model/health-queue {"queueUrl", "endpoint"}` names later as well. Events that come before
 * there is a queue are dropped, as those without a rule are.
 */
import { parseArgs } from 'node:util';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import type { Envelope } from './events.ts';
import { AwsModel } from './model.ts';
import { serveAwsModel } from './server.ts';
import { AWS_LATENCIES, DEFAULT_SETTINGS, FAST_LATENCIES } from './settings.ts';
import { realTimers } from './timers.ts';

interface Target {
  readonly queueUrl: string;
  readonly endpoint?: string | undefined;
}

/** EventBridge tries for a day; an emulator on loopback answers, or is gone. */
const SEND_ATTEMPTS = 5;

const { values: args } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    'health-queue': { type: 'string' },
    /** Where SQS is. */
    endpoint: { type: 'string' },
    region: { type: 'string', default: DEFAULT_SETTINGS.region },
    account: { type: 'string', default: DEFAULT_SETTINGS.accountId },
    cluster: { type: 'string', multiple: true },
    'log-group': { type: 'string', multiple: true },
    /** `fast`: tenths of a second; `aws`: as long as AWS takes. */
    latencies: { type: 'string', default: 'fast' },
    seed: { type: 'string', default: '1' },
  },
});

const EMULATOR_CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

class HealthQueue {
  #target: (Target & { client: SQSClient }) | undefined;

  tell(target: Target): void {
    const { endpoint } = target;
    const client = new SQSClient({
      region: args.region,
      // An emulator takes any.
      ...(endpoint !== undefined && { endpoint, credentials: EMULATOR_CREDENTIALS }),
      useQueueUrlAsEndpoint: false,
      maxAttempts: SEND_ATTEMPTS,
    });
    this.#target?.client.destroy();
    this.#target = { ...target, client };
  }

  send(event: Envelope): void {
    if (!this.#target) return;
    const { client, queueUrl } = this.#target;
    const message = { QueueUrl: queueUrl, MessageBody: JSON.stringify(event) };
    client.send(new SendMessageCommand(message)).catch((error: unknown) => {
      console.error('An event was not sent:', error);
    });
  }
}

const queue = new HealthQueue();
const queueUrl = args['health-queue'];
if (queueUrl !== undefined) queue.tell({ queueUrl, endpoint: args.endpoint });

const model = new AwsModel({
  timers: realTimers(),
  random: new SeededRandom(args.seed),
  emit: (event) => queue.send(event),
  settings: {
    region: args.region,
    accountId: args.account,
    latencies: args.latencies === 'aws' ? AWS_LATENCIES : FAST_LATENCIES,
    ...(args.cluster && { clusters: args.cluster }),
    ...(args['log-group'] && { logGroups: args['log-group'] }),
  },
});
const served = await serveAwsModel(model, {
  port: Number(args.port),
  verbs: {
    'health-queue': (target: Target) => {
      queue.tell(target);
      return { done: true };
    },
  },
});
console.log(`The model of ECS, EC2 and CloudWatch Logs is at ${served.url}`);
process.once('SIGTERM', () => void served.close());
process.once('SIGINT', () => void served.close());
