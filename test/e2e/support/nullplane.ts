/**
 * Nullplane as a process of its own, driven by real kubectl: what a person has in two terminals.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = new URL('../../../local/main.ts', import.meta.url).pathname;

/** A control plane that does not serve by then is broken. */
const START_TIMEOUT_MS = 20_000;
const KUBECTL_TIMEOUT_MS = 90_000;

export class NullplaneProcess {
  readonly #folder = mkdtempSync(join(tmpdir(), 'nullplane-e2e-'));
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  constructor(...args: readonly string[]) {
    this.#args = args;
  }

  /** Starts it, or starts it again on the state that it has; resolves when it serves. */
  async start(): Promise<void> {
    const { path } = this;
    const files = ['--data', path('state.db'), '--kubeconfig', path('kubeconfig'), '--port', '0'];
    const child = spawn(process.execPath, [MAIN, ...files, ...this.#args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    let output = '';
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => fail('did not serve in time'), START_TIMEOUT_MS);
      const fail = (why: string): void => {
        clearTimeout(timer);
        reject(new Error(`Nullplane ${why}: ${output}`));
      };
      const read = (text: string): void => {
        output += text;
        if (!output.includes('export KUBECONFIG=')) return;
        clearTimeout(timer);
        resolve();
      };
      child.stdout.setEncoding('utf8').on('data', read);
      child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
      child.once('exit', (code) => fail(`ended with ${code}`));
    });
  }

  /** SIGKILL: no farewell, as when a machine loses power. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** What kubectl printed. Throws an Error with all that it said when it fails. */
  kubectl(...args: readonly string[]): string {
    const { status, stdout, stderr } = this.tryKubectl(...args);
    if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  tryKubectl(...args: readonly string[]): { status: number; stdout: string; stderr: string } {
    const { status, stdout, stderr } = spawnSync('kubectl', args, {
      encoding: 'utf8',
      timeout: KUBECTL_TIMEOUT_MS,
      env: this.env(),
    });
    return { status: status ?? -1, stdout, stderr };
  }

  /** Runs beside what the test goes on to do; resolves with what it printed. */
  async kubectlInBackground(...args: readonly string[]): Promise<string> {
    const child = spawn('kubectl', args, { env: this.env(), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [code] = (await once(child, 'close')) as [number];
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${output}`);
    return output;
  }

  apply(manifest: object): string {
    const input = JSON.stringify(manifest);
    const { status, stdout, stderr } = spawnSync('kubectl', ['apply', '-f', '-'], {
      input,
      encoding: 'utf8',
      timeout: KUBECTL_TIMEOUT_MS,
      env: this.env(),
    });
    if (status !== 0) throw new Error(`kubectl apply: ${stdout}${stderr}`);
    return stdout;
  }

  /** Which installation its containers belong to: others may share the engine. */
  get instance(): string {
    const identity = readFileSync(this.path('state.db.identity.json'), 'utf8');
    return (JSON.parse(identity) as { instance: string }).instance;
  }

  readonly path = (name: string): string => join(this.#folder, name);

  /** kubectl keeps a cache of discovery under HOME: each Nullplane has its own. */
  private env(): NodeJS.ProcessEnv {
    return { ...process.env, HOME: this.#folder, KUBECONFIG: this.path('kubeconfig') };
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.removeAllListeners('exit');
    child.kill(signal);
    await once(child, 'exit');
  }
}

/** Whether there is a kubectl; where there is none, tests skip and say so, and fail in CI. */
export function hasKubectl(): boolean {
  const found = spawnSync('kubectl', ['version', '--client'], { encoding: 'utf8' }).status === 0;
  if (found) return true;
  if (process.env['CI']) throw new Error('kubectl is not on the PATH');
  console.warn('SKIPPED: kubectl is not on the PATH');
  return false;
}
