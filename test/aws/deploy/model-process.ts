/** The model of ECS, EC2 and CloudWatch Logs as a process beside the emulator, in real time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from '../support/emulators.ts';

const MAIN = join(import.meta.dirname, '../model/main.ts');
const START_TIMEOUT_MS = 15_000;
const LOOK_EVERY_MS = 50;

export class ModelProcess {
  readonly url: string;
  readonly #child: ChildProcess;

  constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  /** Ends a task's containers, as a crash does. */
  async kill(taskArn: string): Promise<void> {
    await this.#control('kill-task', { taskArn });
  }

  /** Where its events go from now on. */
  async tellHealthTo(queueUrl: string, endpoint: string): Promise<void> {
    await this.#control('health-queue', { queueUrl, endpoint });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exit = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await exit;
  }

  async #control(verb: string, body: object): Promise<unknown> {
    const answer = await fetch(`${this.url}/_model/${verb}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`model ${verb}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}

/** `args` as the model's `main.ts` takes them. */
export async function startModel(...args: readonly string[]): Promise<ModelProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [MAIN, '--port', String(port), ...args], {
    stdio: 'inherit',
  });
  const untilMs = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < untilMs && child.exitCode === null) {
    if ((await fetch(`${url}/_model/calls`).catch(() => undefined))?.ok) {
      return new ModelProcess(url, child);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  child.kill();
  throw new Error(`the model did not answer at ${url}`);
}
