/**
 * A small client of our own API, for the demo and the benchmarks: requests, lists and watches over
 * HTTPS.
 */
import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { parseAllDocuments } from 'yaml';
import type { AnyObject } from '../shared/api/meta.ts';
import { type ResourceType, resourceTypeOf } from '../shared/api/resources.ts';

const JSON_TYPE = 'application/json';

export interface ClientOptions {
  readonly server: string;
  readonly caPem: string;
  readonly token: string;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: AnyObject;
}

export class ApiClient {
  readonly #options: ClientOptions;
  readonly #agent: Agent;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#agent = new Agent({ ca: options.caPem, keepAlive: true, maxSockets: 64 });
  }

  /** The answer as JSON. Throws an Error with the Status message when the server says no. */
  async json<T = AnyObject>(
    method: string,
    path: string,
    body?: unknown,
    type = JSON_TYPE,
    accept = JSON_TYPE,
  ): Promise<T> {
    const response = await this.#send(method, path, body, type, accept);
    const text = await textOf(response);
    const value = JSON.parse(text) as T & { message?: string };
    if ((response.statusCode ?? 500) >= 400) {
      throw new Error(`${method} ${path}: ${value.message ?? text}`);
    }
    return value;
  }

  async text(path: string): Promise<string> {
    return textOf(await this.#send('GET', path));
  }

  async list(path: string): Promise<readonly AnyObject[]> {
    const { items } = await this.json<{ items: AnyObject[] }>('GET', path);
    return items;
  }

  /** Events of a watch until `signal` aborts or the server ends it. */
  async *watch(path: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const separator = path.includes('?') ? '&' : '?';
    const response = await this.#send('GET', `${path}${separator}watch=true`);
    const lines = createInterface({ input: response });
    const end = (): void => {
      lines.close();
      response.destroy();
    };
    signal.addEventListener('abort', end, { once: true });
    try {
      for await (const line of lines) {
        if (line !== '') yield JSON.parse(line) as WatchEvent;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }

  /** Server-side apply of every document of a YAML text. Returns what is stored now. */
  async apply(yaml: string, namespace = 'default'): Promise<readonly AnyObject[]> {
    const applied: AnyObject[] = [];
    for (const document of parseAllDocuments(yaml)) {
      const object = document.toJS() as AnyObject | null;
      if (object === null) continue;
      const path = `${objectPath(object, namespace)}?fieldManager=nullplane-demo&force=true`;
      applied.push(await this.json('PATCH', path, object, 'application/apply-patch+yaml'));
    }
    return applied;
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(
    method: string,
    path: string,
    body?: unknown,
    type = JSON_TYPE,
    accept = JSON_TYPE,
  ): Promise<IncomingMessage> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, this.#options.server),
        {
          method,
          agent: this.#agent,
          headers: {
            authorization: `Bearer ${this.#options.token}`,
            accept,
            ...(payload === undefined ? {} : { 'content-type': type }),
          },
        },
        resolve,
      );
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const part of response) text += String(part);
  return text;
}

/** The path of an object, from its apiVersion and kind. */
export function objectPath(object: AnyObject, defaultNamespace = 'default'): string {
  const type = typeOf(object);
  const { namespace = defaultNamespace, name } = object.metadata;
  return `${collectionPath(type, namespace)}/${name}`;
}

export function collectionPath(type: ResourceType, namespace: string): string {
  const root = type.group ? `/apis/${type.group}/${type.version}` : `/api/${type.version}`;
  return type.namespaced
    ? `${root}/namespaces/${namespace}/${type.plural}`
    : `${root}/${type.plural}`;
}

function typeOf(object: AnyObject): ResourceType {
  const type = resourceTypeOf(object);
  if (!type) {
    throw new Error(`no matches for kind "${object.kind}" in version "${object.apiVersion}"`);
  }
  return type;
}
