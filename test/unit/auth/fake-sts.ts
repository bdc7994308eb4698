/**
 * An STS of our own that verifies signatures, over HTTP on loopback: AWS's algorithm written down
 * a second time, with Node's crypto alone. It reads a request as loosely as it can (any case, the
 * last of two), so that a verifier that lets two readings through is caught.
 */
import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Account {
  readonly secret: string;
  readonly arn: string;
  readonly userId: string;
  readonly sessionToken?: string;
}

export type Script = (request: IncomingMessage, response: ServerResponse) => void;

const MAX_AGE_MS = 15 * 60_000;

export class FakeSts {
  readonly accounts = new Map<string, Account>();
  readonly asked: { readonly url: string; readonly headers: IncomingMessage['headers'] }[] = [];
  /** In place of an honest answer. */
  script: Script | undefined;
  readonly #nowMs: () => number;
  readonly #server: Server;

  private constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#server = createServer((request, response) => {
      this.asked.push({ url: request.url ?? '', headers: request.headers });
      (this.script ?? ((asked, answer) => this.#answer(asked, answer)))(request, response);
    });
  }

  static async start(nowMs: () => number): Promise<FakeSts> {
    const sts = new FakeSts(nowMs);
    await new Promise<void>((resolve) => sts.#server.listen(0, '127.0.0.1', resolve));
    return sts;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://sts');
    const pick = (name: string) =>
      [...url.searchParams].findLast(([key]) => key.toLowerCase() === name)?.[1] ?? '';
    const [id = '', ...scope] = pick('x-amz-credential').split('/');
    const account = this.accounts.get(id);
    const iso = pick('x-amz-date').replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
    const ageMs = Math.abs(this.#nowMs() - Date.parse(iso));
    if (pick('action') !== 'GetCallerIdentity') return refuse(response, 400, 'InvalidAction');
    if (!account) return refuse(response, 403, 'InvalidClientTokenId');
    if ((account.sessionToken ?? '') !== pick('x-amz-security-token')) {
      return refuse(response, 403, 'InvalidClientTokenId');
    }
    if (!(ageMs < MAX_AGE_MS)) return refuse(response, 403, 'ExpiredToken');
    const expected = signatureOf(request, url, scope, account.secret);
    if (expected !== pick('x-amz-signature')) return refuse(response, 403, 'SignatureDoesNotMatch');
    const [, , , , number = ''] = account.arn.split(':');
    sendJson(response, 200, identity(account.arn, number, account.userId));
  }
}

export function identity(arn: unknown, account: unknown, userId: unknown) {
  return {
    GetCallerIdentityResponse: {
      GetCallerIdentityResult: { Account: account, Arn: arn, UserId: userId },
      ResponseMetadata: { RequestId: 'x' },
    },
  };
}

export function refuse(response: ServerResponse, status: number, code: string): void {
  sendJson(response, status, { Error: { Code: code, Message: 'no', Type: 'Sender' } });
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function signatureOf(request: IncomingMessage, url: URL, scope: string[], secret: string): string {
  const names = (url.searchParams.get('X-Amz-SignedHeaders') ?? '').split(';');
  const canonical = [
    request.method,
    url.pathname,
    canonicalQuery(url),
    ...names.map((name) => `${name}:${String(request.headers[name] ?? '').trim()}`),
    '',
    names.join(';'),
    createHash('sha256').update('').digest('hex'),
  ].join('\n');
  const [day = '', region = '', service = '', end = ''] = scope;
  const text = [
    'AWS4-HMAC-SHA256',
    url.searchParams.get('X-Amz-Date'),
    scope.join('/'),
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n');
  const key = [day, region, service, end].reduce<Buffer>(
    (from, part) => createHmac('sha256', from).update(part).digest(),
    Buffer.from(`AWS4${secret}`),
  );
  return createHmac('sha256', key).update(text).digest('hex');
}

function canonicalQuery(url: URL): string {
  const strict = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  return [...url.searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${strict(name)}=${strict(value)}`)
    .sort()
    .join('&');
}
