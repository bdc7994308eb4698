/**
 * The CDK's command line against an emulator. CDK remembers which account an access key belongs to:
 * each deployment has a home folder of its own, so that no emulator's account is taken for another.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');
const CDK = join(ROOT, 'node_modules/aws-cdk/bin/cdk');
const ACCOUNT = '000000000000';
export const REGION = 'us-east-1';

export type Outputs = { readonly [name: string]: string };

export class Cdk {
  readonly #endpoint: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'nullplane-cdk-'));
  readonly #context: readonly string[];

  /** What emulators lack or need otherwise is said by `context`. */
  constructor(endpoint: string, context: { readonly [name: string]: string }) {
    this.#endpoint = endpoint;
    this.#context = contextArgs(context);
  }

  async bootstrap(): Promise<void> {
    await this.#run('bootstrap', `aws://${ACCOUNT}/${REGION}`);
  }

  async deploy(changed: { readonly [name: string]: string } = {}): Promise<Outputs> {
    const file = join(this.#folder, 'outputs.json');
    const flags = ['--require-approval', 'never', '--outputs-file', file];
    await this.#run('deploy', ...flags, ...contextArgs(changed));
    const stacks = JSON.parse(readFileSync(file, 'utf8')) as { [stack: string]: Outputs };
    const [outputs] = Object.values(stacks);
    if (!outputs) throw new Error('the deployment has no outputs');
    return outputs;
  }

  async destroy(): Promise<void> {
    await this.#run('destroy', '--force');
  }

  /**
   * For MiniStack, which does nothing when a stack is to be deleted by its ARN, as the CDK asks.
   */
  async deleteByName(stack: string): Promise<void> {
    const body = new URLSearchParams({ Action: 'DeleteStack', StackName: stack });
    const scope = `20260101/${REGION}/cloudformation/aws4_request`;
    const authorization = `AWS4-HMAC-SHA256 Credential=test/${scope}`;
    const answer = await fetch(this.#endpoint, {
      method: 'POST',
      body,
      headers: { authorization },
    });
    if (!answer.ok) throw new Error(`the stack was not deleted: ${await answer.text()}`);
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #run(...args: readonly string[]): Promise<void> {
    const out = ['--output', join(this.#folder, 'cdk.out')];
    const child = spawn(
      process.execPath,
      [CDK, ...args, ...this.#context, ...out, '--no-notices'],
      {
        cwd: ROOT,
        env: this.#env(),
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`cdk ${args.join(' ')} ended with ${code}:\n${output}`);
  }

  #env(): NodeJS.ProcessEnv {
    const bin = join(ROOT, 'node_modules/.bin');
    return {
      ...process.env,
      HOME: this.#folder,
      PATH: `${bin}:${process.env.PATH ?? ''}`,
      AWS_ENDPOINT_URL: this.#endpoint,
      AWS_ENDPOINT_URL_S3: this.#endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      CDK_DEFAULT_ACCOUNT: ACCOUNT,
      CDK_DEFAULT_REGION: REGION,
    };
  }
}

function contextArgs(context: { readonly [name: string]: string }): string[] {
  return Object.entries(context).flatMap(([name, value]) => ['--context', `${name}=${value}`]);
}
