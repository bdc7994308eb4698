/**
 * Starts local mode: identity, runtime, nodes, plane, HTTPS. Owns the files beside the state file
 * (`identity.json`, `audit.log`) and what a person is told; the plane itself is plane.ts.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
  type WriteStream,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type RunningServer, startHttpsServer } from '../adapters/node/https-server.ts';
import { JsonRecorder } from '../adapters/node/json-recorder.ts';
import { kubeconfig } from '../adapters/node/kubeconfig.ts';
import { SystemClock } from '../adapters/node/system-clock.ts';
import { createTlsIdentity, isCurrent, type TlsIdentity } from '../adapters/node/tls.ts';
import { tokenAuthenticator } from '../adapters/node/token.ts';
import type { Change } from '../shared/api/change.ts';
import type { ApiHandler } from '../shared/api/http.ts';
import { openJournal } from './journal.ts';
import { LocalMachines, type MachineRecord } from './machines.ts';
import { passRecorder } from './pass-recorder.ts';
import { ensureNodes, NodeSimulation } from './node-setup.ts';
import type { LocalOptions } from './options.ts';
import { startPlane } from './plane.ts';
import { chooseRuntime } from './runtimes.ts';

export interface StartOptions extends LocalOptions {
  /** Simulated tasks start and stop at once; for benchmarks. */
  readonly simulatedDelays?: 'none';
  readonly onChange?: (change: Change) => void;
}

export interface LocalNullplane {
  readonly server: string;
  readonly caPem: string;
  readonly token: string;
  readonly kubeconfigPath: string;
  readonly dataPath: string;
  /** What tasks are, for people: `Docker containers` or `simulated (Docker does not answer: …)`. */
  readonly tasks: string;
  readonly nodeSummary: string;
  /** Ends a running task from outside, as a crash would. */
  killTask(taskId: string): Promise<void>;
  close(): Promise<void>;
}

interface Identity extends TlsIdentity {
  readonly token: string;
  /** Tells our containers from those of another installation on the same engine. */
  readonly instance: string;
}

const TOKEN_BYTES = 24;
const OWNER_ONLY = 0o600;

export async function startLocal(options: StartOptions): Promise<LocalNullplane> {
  const dataPath = resolve(options.dataPath);
  const kubeconfigPath = resolve(options.kubeconfigPath);
  mkdirSync(dirname(dataPath), { recursive: true });
  const identity = await loadIdentity(`${dataPath}.identity.json`);
  const audit = await openAuditLog(`${dataPath}.audit.log`);
  const recorder = new JsonRecorder({
    clock: new SystemClock(),
    logs: process.stderr,
    audits: audit,
    level: options.verbose ? 'debug' : 'error',
  });
  const chosen = await chooseRuntime(options, `${dataPath}.tasks.db`, identity.instance);
  const nodes = new NodeSimulation();
  const admin = { name: 'local-admin', groups: ['system:masters', 'system:authenticated'] };
  const plane = await startPlane({
    dataPath,
    caPem: identity.caPem,
    ...(options.recordPath ? { recordPass: passRecorder(options.recordPath, recorder) } : {}),
    authenticate: tokenAuthenticator(identity.token, admin),
    recorder,
    runtime: async (emit) => {
      const runtime = await chosen.start(emit);
      nodes.connect(emit, chosen.simulated());
      return runtime;
    },
    machines: (emit) => {
      const machines = new LocalMachines({
        clock: new SystemClock(),
        journal: openJournal<MachineRecord>(`${dataPath}.machines.db`),
        emit,
        runtime: chosen.simulated(),
      });
      nodes.machines = machines;
      const { types: machineTypes } = machines;
      return { instances: machines, machineTypes, close: () => machines.close() };
    },
    onChange: (change) => {
      nodes.onChange(change);
      if (change.resource === 'pods' && change.type === 'delete') {
        chosen.forgetPod(change.object.metadata.uid);
      }
      options.onChange?.(change);
    },
  });
  const closePlane = async () => {
    await plane.close();
    await new Promise<void>((ended) => audit.end(() => ended()));
  };
  let closing = closePlane;
  try {
    const nodeSummary = await ensureNodes(plane.effects, options.nodeGroups, nodes);
    const https = await serve(plane.handle, identity, options.port);
    const closeAll = () => https.close().then(closePlane);
    const server = `https://127.0.0.1:${https.port}`;
    closing = closeAll;
    writeKubeconfig(kubeconfigPath, server, identity);
    return {
      ...{ server, kubeconfigPath, dataPath, nodeSummary },
      ...{ caPem: identity.caPem, token: identity.token, tasks: chosen.description },
      killTask: (taskId) => chosen.kill(taskId),
      close: closeAll,
    };
  } catch (error) {
    // What runs already would keep the process alive, serving nobody.
    await closing();
    throw error;
  }
}

/** Throws an Error that says what to do when the port can't be had. */
async function serve(
  handle: ApiHandler,
  { certPem, keyPem }: Identity,
  port: number,
): Promise<RunningServer> {
  try {
    return await startHttpsServer({ handle, certPem, keyPem, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new Error(`port ${port} is in use: end what listens there, or choose another --port`);
    }
    if (code === 'EACCES') {
      throw new Error(`no permission to listen on port ${port}: choose one above 1023 with --port`);
    }
    throw error;
  }
}

function writeKubeconfig(path: string, server: string, { caPem, token }: Identity): void {
  mkdirSync(dirname(path), { recursive: true });
  const config = kubeconfig({ server, caPem, token, name: 'nullplane' });
  writeFileSync(path, config, { mode: OWNER_ONLY });
}

/** Open before anything is written: a start that can't audit fails, and says so. */
async function openAuditLog(path: string): Promise<WriteStream> {
  const log = createWriteStream(path, { flags: 'a', mode: OWNER_ONLY });
  await once(log, 'open');
  // A disk that fills up later must not take the control plane down.
  log.on('error', (error) => process.stderr.write(`audit log: ${error.message}\n`));
  return log;
}

/**
 * The identity of an earlier start, or a new one when there is none or its certificate ends soon.
 */
async function loadIdentity(path: string): Promise<Identity> {
  const clock = new SystemClock();
  const known = existsSync(path) ? readIdentity(path) : undefined;
  if (known && isCurrent(known, clock)) return known;
  const identity: Identity = {
    ...(await createTlsIdentity(clock)),
    token: known?.token ?? randomBytes(TOKEN_BYTES).toString('base64url'),
    instance: known?.instance ?? randomUUID(),
  };
  writeFileSync(path, JSON.stringify(identity), { mode: OWNER_ONLY });
  return identity;
}

/**
 * A damaged identity is not replaced in silence: with another instance id, running containers would
 * no longer be known as ours.
 */
function readIdentity(path: string): Identity {
  try {
    const identity = JSON.parse(readFileSync(path, 'utf8')) as Partial<Identity> | null;
    const { caPem, certPem, keyPem, token, instance } = identity ?? {};
    if (caPem && certPem && keyPem && token && instance) {
      return { caPem, certPem, keyPem, token, instance };
    }
  } catch {
    // Said below, with what to do about it.
  }
  throw new Error(`${path} is damaged; restore it, or delete it to get a new token and identity`);
}
