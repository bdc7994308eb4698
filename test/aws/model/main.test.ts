/** The model as a process: real time, real clients, and its events as messages in a queue. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ECSClient, RegisterTaskDefinitionCommand, RunTaskCommand } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../support/emulators.ts';
import type { Envelope } from './events.ts';
import { MODEL_CLIENT } from './request-handler.ts';

const LOOK_EVERY_MS = 20;
const QUEUE_URL = 'http://127.0.0.1/000000000000/health';

const sent: Envelope[] = [];
let queue: Server;
let model: ChildProcess;
let url: string;

/** As much of SQS as takes messages; the SDK checks the digest that it answers. */
function queueServer(): Server {
  return createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString('utf8')));
    request.on('end', () => {
      const { QueueUrl, MessageBody } = JSON.parse(body) as Record<string, string>;
      expect(QueueUrl).toBe(QUEUE_URL);
      sent.push(JSON.parse(MessageBody ?? '') as Envelope);
      const MD5OfMessageBody = createHash('md5')
        .update(MessageBody ?? '')
        .digest('hex');
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ MessageId: '1', MD5OfMessageBody }));
    });
  });
}

async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
}

beforeAll(async () => {
  queue = queueServer();
  await new Promise<void>((resolve) => queue.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(queue.address() as AddressInfo).port}`;
  const port = String(await freePort());
  url = `http://127.0.0.1:${port}`;
  const main = join(import.meta.dirname, 'main.ts');
  const args = ['--port', port, '--health-queue', QUEUE_URL, '--endpoint', endpoint];
  model = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  await eventually(async () => {
    if (model.exitCode !== null) throw new Error(`The model ended with ${model.exitCode}`);
    return (await fetch(`${url}/_model/health`).catch(() => undefined))?.ok ?? false;
  });
});

afterAll(async () => {
  const exit = new Promise((resolve) => model.once('exit', resolve));
  model.kill('SIGTERM');
  await exit;
  await new Promise((resolve) => queue.close(resolve));
});

it('runs a task to its end and tells the queue of it', async () => {
  const ecs = new ECSClient({ ...MODEL_CLIENT, endpoint: url });
  await ecs.send(
    new RegisterTaskDefinitionCommand({
      family: 'shape',
      networkMode: 'awsvpc',
      cpu: '256',
      memory: '512',
      containerDefinitions: [
        { name: 'app', image: 'a', command: ['nullplane-test', '{"exitCode":3}'] },
      ],
    }),
  );
  const { tasks = [] } = await ecs.send(
    new RunTaskCommand({
      cluster: 'nullplane',
      taskDefinition: 'shape',
      launchType: 'FARGATE',
      networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-a'] } },
    }),
  );
  await eventually(() => sent.some(({ detail }) => detail.lastStatus === 'STOPPED'));
  const last = sent.find(({ detail }) => detail.lastStatus === 'STOPPED');
  expect(last).toMatchObject({
    'detail-type': 'ECS Task State Change',
    resources: [tasks[0]?.taskArn],
    detail: { stopCode: 'EssentialContainerExited', containers: [{ exitCode: 3 }] },
  });
});
