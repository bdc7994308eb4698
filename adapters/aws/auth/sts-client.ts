/**
 * One GET of STS: bounded in time and size, no redirects, no retries. Owns the connection; what is
 * asked and what the answer means is the authenticator's.
 */
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export interface StsRequest {
  readonly host: string;
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
}

export interface StsAnswer {
  readonly status: number;
  readonly body: string;
}

/** Rejects when there was no whole answer: no connection, too slow, too large. */
export type AskSts = (request: StsRequest) => Promise<StsAnswer>;

/** An answer has some 500 bytes. */
const MAX_BODY_BYTES = 64 * 1024;
const TIMEOUT_MS = 3_000;
/** A function answers one request at a time; a local server a few. */
const MAX_SOCKETS = 16;

export interface StsClientOptions {
  /** In place of AWS's own: for emulators, on loopback. The Host header stays the one signed. */
  readonly endpoint?: string;
  readonly timeoutMs?: number;
}

/** Throws a RangeError for an endpoint that is not on loopback. */
export function stsClient({ endpoint, timeoutMs = TIMEOUT_MS }: StsClientOptions = {}): AskSts {
  const target = endpoint ? loopback(endpoint) : undefined;
  const isPlain = target?.protocol === 'http:';
  const send = isPlain ? httpRequest : httpsRequest;
  const options = { keepAlive: true, maxSockets: MAX_SOCKETS };
  const agent = isPlain ? new HttpAgent(options) : new HttpsAgent(options);
  return ({ host, path, headers }) =>
    new Promise((resolve, reject) => {
      const outgoing = send({
        agent,
        method: 'GET',
        hostname: target ? target.hostname.replace(/^\[|\]$/g, '') : host,
        ...(target?.port && { port: target.port }),
        path,
        headers: { ...headers, host },
        signal: AbortSignal.timeout(timeoutMs),
      });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => void answerOf(response).then(resolve, reject));
      outgoing.end();
    });
}

async function answerOf(response: IncomingMessage): Promise<StsAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) {
      response.destroy();
      throw new Error('the answer of STS is too large');
    }
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') };
}

const LOOPBACK = /^(localhost|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|\[::1\])$/;

function loopback(endpoint: string): URL {
  const url = URL.parse(endpoint);
  const isPlainOrigin =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.pathname === '/' &&
    `${url.search}${url.hash}${url.username}${url.password}` === '';
  if (isPlainOrigin && LOOPBACK.test(url.hostname)) return url;
  throw new RangeError('an STS endpoint other than AWS’s own must be an origin on loopback');
}
