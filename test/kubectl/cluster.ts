/**
 * A server on loopback with the in-memory store, and every kubectl of this machine to talk to it.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { MemoryRecorder } from '../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../adapters/memory/seeded-ids.ts';
import { startHttpsServer } from '../../adapters/node/https-server.ts';
import { kubeconfig } from '../../adapters/node/kubeconfig.ts';
import { createTlsIdentity } from '../../adapters/node/tls.ts';
import { tokenAuthenticator } from '../../adapters/node/token.ts';
import type { ExecOptions, ExecSession } from '../../shared/ports/runtime.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { createApiServer } from '../../shared/control/apiserver/server.ts';
import { ensureSystemObjects } from '../../shared/control/apiserver/system-objects.ts';
import { VERSION } from '../unit/apiserver/api.ts';

/** Real time: kubectl lives in it. */
const clock: Clock = {
  nowMs: () => Date.now(),
  delay: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(ms, 2 ** 31 - 1));
      timer.unref();
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    }),
};

const LOG_TEXT = 'hello from the container\n';

async function* logText() {
  yield new TextEncoder().encode(LOG_TEXT);
}

/** A container whose commands say what they were, then what they were told, and exit with 3. */
async function runCommand(
  _task: string,
  _name: string,
  options: ExecOptions,
): Promise<ExecSession> {
  const exit = Promise.withResolvers<number>();
  const told: Uint8Array[] = [];
  const input = Promise.withResolvers<void>();
  async function* output() {
    const encode = (text: string) => new TextEncoder().encode(text);
    yield { stream: 'stdout' as const, data: encode(`${options.command.join(' ')}\n`) };
    yield { stream: 'stderr' as const, data: encode('on stderr\n') };
    if (options.stdin) await input.promise;
    for (const data of told) yield { stream: 'stdout' as const, data };
    exit.resolve(3);
  }
  return {
    output: output(),
    write: async (data) => void told.push(data),
    closeStdin: async () => input.resolve(),
    resize: async () => {},
    exitCode: exit.promise,
  };
}

export interface Cluster {
  readonly store: MemoryStore;
  readonly kubeconfigPath: string;
  readonly folder: string;
  close(): Promise<void>;
}

export async function startCluster(): Promise<Cluster> {
  const store = new MemoryStore({ clock });
  const ids = new SeededIds('kubectl');
  await ensureSystemObjects({ store, clock, ids });
  const { handle } = createApiServer({
    store,
    clock,
    ids,
    recorder: new MemoryRecorder(),
    runtime: { logs: logText, exec: runCommand },
    authenticate: tokenAuthenticator('secret', { name: 'admin', groups: ['system:masters'] }),
    authorize: () => false,
    version: VERSION,
  });
  const identity = await createTlsIdentity(clock);
  const server = await startHttpsServer({ handle, ...identity, port: 0 });
  const folder = mkdtempSync(join(tmpdir(), 'nullplane-kubectl-'));
  const kubeconfigPath = join(folder, 'kubeconfig');
  const address = `https://127.0.0.1:${server.port}`;
  const { caPem } = identity;
  writeFileSync(
    kubeconfigPath,
    kubeconfig({ server: address, caPem, token: 'secret', name: 'test' }),
  );
  const close = async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { store, kubeconfigPath, folder, close };
}

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command that takes longer hangs. */
const TIMEOUT_MS = 20_000;

export interface RunOptions {
  readonly input?: string;
  readonly env?: { readonly [name: string]: string };
  /** Ends the command once it has printed this; what it printed until then counts. */
  readonly until?: RegExp;
  /** Told of what is printed, as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** A kubectl with its own home (it caches discovery there) and a namespace for itself. */
export class Kubectl {
  readonly path: string;
  readonly namespace: string;
  readonly #cluster: Cluster;
  readonly #home: string;

  constructor(path: string, cluster: Cluster, namespace: string) {
    this.path = path;
    this.namespace = namespace;
    this.#cluster = cluster;
    this.#home = mkdtempSync(join(cluster.folder, 'home-'));
  }

  /**
   * Runs a command line; arguments are split at spaces, so that commands read as they are typed.
   */
  run(line: string, options: RunOptions = {}): Promise<Result> {
    return this.runWords(line.split(' '), options);
  }

  runWords(words: readonly string[], options: RunOptions = {}): Promise<Result> {
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: this.#home,
      KUBECONFIG: this.#cluster.kubeconfigPath,
      ...options.env,
    };
    const { promise, resolve } = Promise.withResolvers<Result>();
    const child = execFile(
      this.path,
      ['--namespace', this.namespace, ...words],
      { env, timeout: TIMEOUT_MS },
      (error, out, err) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, out, err });
      },
    );
    child.stdin?.end(options.input ?? '');
    let printed = '';
    child.stdout?.on('data', (text: string) => {
      printed += text;
      options.onOutput?.(printed);
      if (options.until?.test(printed)) child.kill();
    });
    return promise;
  }

  /** Runs a command that must succeed, and gives what it printed. */
  async ok(line: string, options: RunOptions = {}): Promise<string> {
    return this.okWords(line.split(' '), options);
  }

  async okWords(words: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, out, err } = await this.runWords(words, options);
    if (code !== 0) throw new Error(`kubectl ${words.join(' ')} exited with ${code}: ${err}${out}`);
    return out;
  }
}

const VERSIONED = /^kubectl\.1\.\d+$/;

/** Every kubectl: those in $KUBECTLS, those beside where kubectl points, or at least that one. */
export function findKubectls(): readonly string[] {
  const given = (process.env['KUBECTLS'] ?? '').split(delimiter).filter(Boolean);
  if (given.length > 0) return given;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const plain = folders.map((folder) => join(folder, 'kubectl')).find((path) => existsSync(path));
  if (!plain) return [];
  const folder = dirname(realpathSync(plain));
  const versioned = readdirSync(folder).filter((name) => VERSIONED.test(name));
  if (versioned.length === 0) return [plain];
  return versioned.sort().map((name) => join(folder, name));
}

/** Every other kubectl, beginning with the one at `first`; says so when there is none at all. */
export function everyOtherKubectl(first: 0 | 1): readonly string[] {
  const found = findKubectls();
  if (found.length === 0) {
    console.warn('SKIPPED: no kubectl on this machine, the contract with it is not tested');
  }
  return found.filter((_path, index) => index % 2 === first);
}
