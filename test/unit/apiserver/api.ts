/** The API server on the in-memory store, as tests call it. */
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Status } from '../../../shared/api/errors.ts';
import type { ApiResponse, User } from '../../../shared/api/http.ts';
import type { ApiServerDeps, Attributes } from '../../../shared/control/apiserver/context.ts';
import { createApiServer } from '../../../shared/control/apiserver/server.ts';
import { ensureSystemObjects } from '../../../shared/control/apiserver/system-objects.ts';

export const VERSION = {
  major: '1',
  minor: '33',
  gitVersion: 'v1.33.0+nullplane',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: '',
};

export interface Answer {
  readonly code: number;
  readonly headers: ApiResponse['headers'];
  readonly text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers have any shape
  readonly json: any;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: { readonly [name: string]: string };
  readonly signal?: AbortSignal;
}

const TYPES: { readonly [kind: string]: string } = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

export class TestApi {
  readonly clock = new StepClock();
  readonly store = new MemoryStore({ clock: this.clock, changesKept: 50 });
  readonly ids = new SeededIds(7);
  readonly recorder = new MemoryRecorder();
  user: User | undefined = { name: 'admin', groups: ['system:masters'] };
  allows: (user: User, attributes: Attributes) => boolean = () => false;
  readonly #handle;

  constructor(deps: Partial<ApiServerDeps> = {}) {
    this.#handle = createApiServer({
      store: this.store,
      clock: this.clock,
      ids: this.ids,
      recorder: this.recorder,
      authenticate: () => this.user,
      authorize: (user, attributes) => this.allows(user, attributes),
      version: VERSION,
      ...deps,
    }).handle;
  }

  static async withSystemObjects(deps: Partial<ApiServerDeps> = {}): Promise<TestApi> {
    const api = new TestApi(deps);
    await ensureSystemObjects(api);
    return api;
  }

  raw(method: string, url: string, options: CallOptions = {}): Promise<ApiResponse> {
    const at = url.indexOf('?');
    const { body } = options;
    const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
    return this.#handle({
      method,
      path: at < 0 ? url : url.slice(0, at),
      query: new URLSearchParams(at < 0 ? '' : url.slice(at + 1)),
      headers: { ...(text && { 'content-type': 'application/json' }), ...options.headers },
      body: body instanceof Uint8Array ? body : new TextEncoder().encode(text),
      signal: options.signal ?? new AbortController().signal,
    });
  }

  async call(method: string, url: string, options: CallOptions = {}): Promise<Answer> {
    const { status, headers, body } = await this.raw(method, url, options);
    const text = typeof body === 'string' ? body : await textOf(body);
    return { code: status, headers, text, json: parsed(text) };
  }

  get = (url: string, accept?: string) =>
    this.call('GET', url, accept === undefined ? {} : { headers: { accept } });
  post = (url: string, body: unknown) => this.call('POST', url, { body });
  put = (url: string, body: unknown) => this.call('PUT', url, { body });
  delete = (url: string, body?: unknown) => this.call('DELETE', url, { body });
  patch = (url: string, kind: keyof typeof TYPES, body: unknown) =>
    this.call('PATCH', url, { body, headers: { 'content-type': TYPES[kind] ?? '' } });
}

async function textOf(body: AsyncIterable<string | Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
  }
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a failed answer says, in the few words that tables of tests compare. */
export function failure({ code, json }: Answer): Pick<Status, 'code' | 'reason' | 'message'> {
  const { reason, message } = json as Status;
  return { code, ...(reason && { reason }), ...(message && { message }) };
}

export const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
export const PODS = '/api/v1/namespaces/default/pods';
export const SERVICES = '/api/v1/namespaces/default/services';
export const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

export function configMap(name: string, data: object = { a: '1' }, metadata: object = {}) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

export function pod(name: string, spec: object = {}, metadata: object = {}) {
  const containers = [{ name: 'app', image: 'app:1' }];
  const meta = { name, labels: { app: 'x' }, ...metadata };
  return { apiVersion: 'v1', kind: 'Pod', metadata: meta, spec: { containers, ...spec } };
}

export function deployment(name: string, spec: object = {}) {
  const labels = { app: name };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: 'app', image: 'app:1' }] },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas: 2, selector: { matchLabels: labels }, template, ...spec },
  };
}

export function service(name: string, spec: object = {}) {
  const ports = [{ port: 80 }];
  const given = { selector: { app: 'x' }, ports, ...spec };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: given };
}
