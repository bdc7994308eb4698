/**
 * The stack, deployed: the emulator, the model of ECS beside it, TLS in front, and kubectl with a
 * token of its own making.
 */
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import {
  DescribeTasksCommand,
  type DesiredStatus,
  ECSClient,
  ListTasksCommand,
  type Task,
} from '@aws-sdk/client-ecs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeSts } from '../../unit/auth/fake-sts.ts';
import { Cdk, type Outputs, REGION } from './cdk.ts';
import { type Front, startFront } from './front.ts';
import { type ModelProcess, startModel } from './model-process.ts';
import { startTarget, type Target } from './target.ts';

const ROOT = join(import.meta.dirname, '../../..');
const CLI = join(ROOT, 'cli/main.ts');
const NAME = 'nullplane';
const KUBECTL_TIMEOUT_MS = 180_000;
const LOOK_EVERY_MS = 250;
const WAIT_MS = 90_000;

/** Emulators hold no streaming REST API, nor all of ECS, and nobody may put `aws.*` events. */
const CONTEXT = {
  installation: NAME,
  admins: 'arn:aws:iam::000000000000:role/admin',
  api: 'http',
  fargateProviders: 'false',
  deletionProtection: 'false',
  gatewayLogRole: 'false',
};

/** Who kubectl is. Emulators' own STS vouches for anybody: ours checks the signature. */
const ADMIN = {
  accessKeyId: 'AKIALANEADMIN0000000',
  secret: 'lane-secret',
  arn: 'arn:aws:sts::000000000000:assumed-role/admin/lane',
  userId: 'AROALANEADMIN:lane',
};

interface Parts {
  readonly cdk: Cdk;
  readonly outputs: Outputs;
  readonly target: Target;
  readonly front: Front;
  readonly model: ModelProcess;
  readonly sts: FakeSts;
}

export class Lane {
  readonly cdk: Cdk;
  readonly outputs: Outputs;
  readonly model: ModelProcess;
  readonly #folder = mkdtempSync(join(tmpdir(), 'nullplane-lane-'));
  readonly #target: Target;
  readonly #front: Front;
  readonly #sts: FakeSts;
  readonly #ecs: ECSClient;
  #token: string | undefined;

  static async deploy(): Promise<Lane> {
    const model = await startModel('--cluster', NAME, '--log-group', `/nullplane/${NAME}/tasks`);
    const sts = await FakeSts.start(() => Date.now());
    sts.accounts.set(ADMIN.accessKeyId, ADMIN);
    const target = await startTarget(model.url, { NULLPLANE_STS_ENDPOINT: sts.endpoint });
    const cdk = new Cdk(target.endpoint, CONTEXT);
    await cdk.bootstrap();
    const outputs = await cdk.deploy();
    await model.tellHealthTo(outputs['HealthQueueUrl'] ?? '', target.endpoint);
    const front = await startFront(target.endpoint, outputs['ApiUrl'] ?? '');
    const lane = new Lane({ cdk, outputs, target, front, model, sts });
    await lane.#writeKubeconfig();
    return lane;
  }

  private constructor({ cdk, outputs, target, front, model, sts }: Parts) {
    this.cdk = cdk;
    this.outputs = outputs;
    this.model = model;
    this.#target = target;
    this.#front = front;
    this.#sts = sts;
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    this.#ecs = new ECSClient({ endpoint: model.url, region: REGION, credentials });
    writeFileSync(this.#path('ca.pem'), front.caPem);
  }

  /** Writes an object as a client does that is no kubectl; one token serves all requests. */
  async post(path: string, body: object): Promise<void> {
    this.#token ??= await this.#newToken();
    const asked = request(`${this.#front.url}${path}`, {
      method: 'POST',
      ca: this.#front.caPem,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
    });
    asked.end(JSON.stringify(body));
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const text = (await answer.toArray()).join('');
    if (answer.statusCode !== 201) throw new Error(`${path}: ${answer.statusCode} ${text}`);
  }

  /** The tables of the account. */
  async tables(): Promise<readonly string[]> {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = new DynamoDBClient({
      endpoint: this.#target.endpoint,
      region: REGION,
      credentials,
    });
    return (await client.send(new ListTablesCommand({}))).TableNames ?? [];
  }

  async destroy(): Promise<void> {
    if (this.#target.name === 'ministack') await this.cdk.deleteByName(NAME);
    else await this.cdk.destroy();
  }

  async close(): Promise<void> {
    await this.#front.close();
    await this.model.stop(); // before what it tells of its tasks
    await this.#target.stop();
    await this.#sts.close();
    this.cdk.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get apiUrl(): string {
    return this.#front.url;
  }

  /** What kubectl printed. Throws an Error with all that it said when it fails. */
  kubectl(...args: readonly string[]): Promise<string> {
    return this.#run('kubectl', args);
  }

  apply(...manifests: readonly object[]): Promise<string> {
    const items = { apiVersion: 'v1', kind: 'List', items: manifests };
    return this.#run('kubectl', ['apply', '-f', '-'], JSON.stringify(items));
  }

  /** The tasks that ECS has, as it says itself. */
  async tasks(desiredStatus: DesiredStatus = 'RUNNING'): Promise<readonly Task[]> {
    const cluster = this.outputs['ClusterName'] ?? '';
    const arns: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await this.#ecs.send(
        new ListTasksCommand({ cluster, desiredStatus, ...(nextToken ? { nextToken } : {}) }),
      );
      arns.push(...(page.taskArns ?? []));
      nextToken = page.nextToken;
    } while (nextToken);
    if (arns.length === 0) return [];
    const { tasks = [] } = await this.#ecs.send(new DescribeTasksCommand({ cluster, tasks: arns }));
    return tasks;
  }

  /** Looks until it holds; throws an Error with what was seen last. */
  async until<T>(
    what: string,
    look: () => Promise<T> | T,
    holds: (seen: T) => boolean,
  ): Promise<T> {
    const untilMs = Date.now() + WAIT_MS;
    let seen = await look();
    while (!holds(seen)) {
      if (Date.now() > untilMs) throw new Error(`not ${what}: ${JSON.stringify(seen)}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      seen = await look();
    }
    return seen;
  }

  /**
   * Runs a command beside this process, which is busy with passing on what the command asks for.
   */
  async #run(command: string, args: readonly string[], input = ''): Promise<string> {
    const child = spawn(command, args, { env: this.#env(), timeout: KUBECTL_TIMEOUT_MS });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.end(input);
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  async #newToken(): Promise<string> {
    const printed = await this.#run(process.execPath, [CLI, 'token', '--cluster-id', NAME]);
    return (JSON.parse(printed) as { status: { token: string } }).status.token;
  }

  async #writeKubeconfig(): Promise<void> {
    const where = ['--endpoint', this.#front.url, '--cluster-id', NAME];
    const files = ['--ca-file', this.#path('ca.pem'), '--path', this.#path('kubeconfig')];
    await this.#run(process.execPath, [CLI, 'kubeconfig', ...where, ...files]);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  /** kubectl keeps a cache of discovery under HOME, and the token is kept there too. */
  #env(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      HOME: this.#folder,
      PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
      KUBECONFIG: this.#path('kubeconfig'),
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: ADMIN.accessKeyId,
      AWS_SECRET_ACCESS_KEY: ADMIN.secret,
    };
  }
}
