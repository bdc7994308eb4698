/**
 * Reads an installation's API as a kubeconfig says: server, authority, and a token, a client
 * certificate, or a program that makes tokens. Reads only.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { AnyObject } from '../shared/api/meta.ts';
import { resourceType } from '../shared/api/resources.ts';
import { type Io, UsageError } from './io.ts';

const REQUEST_TIMEOUT_MS = 30_000;
const EXEC_TIMEOUT_MS = 60_000;
/** Objects a page, and pages a list: of more pods than an installation has. */
const PAGE = 500;
const MAX_PAGES = 1_000;

export interface ClusterAccess {
  readonly server: string;
  readonly caPem?: string;
  readonly certPem?: string;
  readonly keyPem?: string;
  readonly token?: string;
}

type Fields = { readonly [field: string]: unknown };

interface Config {
  readonly 'current-context'?: string;
  readonly contexts?: readonly { readonly name: string; readonly context: Fields }[];
  readonly clusters?: readonly { readonly name: string; readonly cluster: Fields }[];
  readonly users?: readonly { readonly name: string; readonly user: Fields }[];
}

/** The kubeconfig that is given, or that kubectl would take. */
export function kubeconfigPath(given: string | undefined, { env, home }: Io): string {
  const [first = ''] = (env['KUBECONFIG'] ?? '').split(':');
  return given ?? (first || join(home, '.kube', 'config'));
}

/** `context`: the current one when undefined. Throws UsageError on what it can't read. */
export function clusterAccess(path: string, context: string | undefined, io: Io): ClusterAccess {
  const config = readConfig(path);
  const name = context ?? config['current-context'];
  const found = config.contexts?.find((one) => one.name === name)?.context;
  if (!found) throw new UsageError(`${path} has no context ${JSON.stringify(name ?? '')}`);
  const cluster = config.clusters?.find((one) => one.name === found['cluster'])?.cluster;
  const user = config.users?.find((one) => one.name === found['user'])?.user ?? {};
  const server = cluster?.['server'];
  if (!cluster || typeof server !== 'string' || !server.startsWith('https://')) {
    throw new UsageError(`${path}: the cluster of ${name} has no https server`);
  }
  const from = dirname(resolve(path));
  const caPem = contents(cluster, 'certificate-authority', from);
  const certPem = contents(user, 'client-certificate', from);
  const keyPem = contents(user, 'client-key', from);
  const token = tokenOf(user, from, io);
  return {
    server,
    ...(caPem ? { caPem } : {}),
    ...(certPem && keyPem ? { certPem, keyPem } : {}),
    ...(token ? { token } : {}),
  };
}

function readConfig(path: string): Config {
  try {
    return (parse(readFileSync(path, 'utf8')) ?? {}) as Config;
  } catch (error) {
    throw new UsageError(`the kubeconfig can not be read: ${(error as Error).message}`);
  }
}

/** `x-data` in base 64, or the file that `x` names. */
function contents(of: Fields, field: string, from: string): string | undefined {
  const data = of[`${field}-data`];
  if (typeof data === 'string') return Buffer.from(data, 'base64').toString('utf8');
  const file = of[field];
  return typeof file === 'string' ? readFileSync(resolve(from, file), 'utf8') : undefined;
}

function tokenOf(user: Fields, from: string, io: Io): string | undefined {
  if (typeof user['token'] === 'string') return user['token'];
  const file = user['tokenFile'];
  if (typeof file === 'string') return readFileSync(resolve(from, file), 'utf8').trim();
  const exec = user['exec'] as Fields | undefined;
  return exec ? tokenFrom(exec, io) : undefined;
}

/** As kubectl asks a credential plugin. */
function tokenFrom({ command, args, env, apiVersion }: Fields, io: Io): string {
  const info = { kind: 'ExecCredential', apiVersion, spec: { interactive: false } };
  const named = ((env ?? []) as readonly { readonly name: string; readonly value: string }[]).map(
    ({ name, value }) => [name, value] as const,
  );
  const text = execFileSync(String(command), (args ?? []) as string[], {
    encoding: 'utf8',
    timeout: EXEC_TIMEOUT_MS,
    env: {
      ...io.env,
      KUBERNETES_EXEC_INFO: JSON.stringify(info),
      ...Object.fromEntries(named),
    },
  });
  const { status } = JSON.parse(text) as { status?: { token?: string } };
  if (!status?.token) throw new Error(`${String(command)} gave no token`);
  return status.token;
}

export class ClusterReader {
  readonly #access: ClusterAccess;

  constructor(access: ClusterAccess) {
    this.#access = access;
  }

  /** All objects of the type, in all namespaces. */
  async list(resource: string): Promise<readonly AnyObject[]> {
    const { group, version, plural, kind } = resourceType(resource);
    const apiVersion = group ? `${group}/${version}` : version;
    const root = group ? `/apis/${apiVersion}` : `/api/${version}`;
    const items: AnyObject[] = [];
    let next = '';
    for (let page = 0; page < MAX_PAGES; page++) {
      const query = `limit=${PAGE}${next && `&continue=${encodeURIComponent(next)}`}`;
      const answer = (await this.get(`${root}/${plural}?${query}`)) as {
        readonly metadata: { readonly continue?: string };
        readonly items: readonly AnyObject[];
      };
      // Items of a list do not say what they are.
      items.push(...answer.items.map((item) => ({ ...item, apiVersion, kind })));
      next = answer.metadata.continue ?? '';
      if (!next) break;
    }
    return items;
  }

  /** Throws an Error with the message of the server's Status. */
  async get(path: string): Promise<unknown> {
    const { status, text } = await this.#request(path);
    const value = parsed(text);
    if (status < 400) return value;
    throw new Error((value as { message?: string } | undefined)?.message ?? `HTTP ${status}`);
  }

  #request(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const { server, caPem, certPem, keyPem, token } = this.#access;
    const options = {
      timeout: REQUEST_TIMEOUT_MS,
      headers: {
        accept: 'application/json',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      ...(caPem ? { ca: caPem } : {}),
      ...(certPem && keyPem ? { cert: certPem, key: keyPem } : {}),
    };
    return new Promise((done, failed) => {
      const request = get(`${server.replace(/\/+$/, '')}${path}`, options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => void (text += part));
        response.on('end', () => done({ status: response.statusCode ?? 500, text }));
        response.on('error', failed);
      });
      request.on('timeout', () => request.destroy(new Error(`${server} does not answer`)));
      request.on('error', failed);
    });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
