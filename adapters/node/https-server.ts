/**
 * HTTPS in front of a pure handler: sockets, TLS, bounds while reading, back-pressure while
 * writing. Owns transport; knows nothing of what is served.
 *
 * Invariants:
 *  H1 No more of a body is held than the limit, however it is sent.
 *  H2 A stream is pulled only as fast as the client reads, and ends when the client is gone.
 */
import { once } from 'node:events';
import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type ApiHandler,
  type ApiRequest,
  type ApiResponse,
  MAX_BODY_BYTES,
} from '../../shared/api/http.ts';
import { runWebSocket } from './websocket.ts';

export interface HttpsServerOptions {
  readonly handle: ApiHandler;
  readonly certPem: string;
  readonly keyPem: string;
  /** Loopback unless it is said otherwise: what listens wider is a choice. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Told of errors of the transport, which no client can be told of. */
  readonly onError?: (error: Error) => void;
}

export interface RunningServer {
  readonly server: Server;
  readonly host: string;
  readonly port: number;
  /** Ends all streams and stops listening. */
  close(): Promise<void>;
}

const DEFAULT_HOST = '127.0.0.1';
/** A client that needs longer to say what it wants is not one (slowloris). */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** Above the 60 s of common load balancers, so that it is not us who closes first. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_HEADERS = 100;
/** Watches of kubectl and of many informers; beyond it something is wrong. */
const MAX_CONNECTIONS = 4096;

export async function startHttpsServer(options: HttpsServerOptions): Promise<RunningServer> {
  const stopping = new AbortController();
  const onError = options.onError ?? (() => {});
  const server = createServer({
    cert: options.certPem,
    key: options.keyPem,
    minVersion: 'TLSv1.2',
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    insecureHTTPParser: false,
  });
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = MAX_CONNECTIONS;
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    serve(options.handle, request, response, stopping.signal).catch((error: unknown) => {
      onError(error as Error);
      response.destroy();
    });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    upgrade(options.handle, request, socket, head, stopping.signal).catch((error: unknown) => {
      onError(error as Error);
      socket.destroy();
    });
  });
  server.on('clientError', (_error, socket) => refuseMalformed(socket as Socket));
  server.on('tlsClientError', () => {}); // port scanners and clients of another authority
  server.listen(options.port, options.host ?? DEFAULT_HOST);
  await once(server, 'listening');
  server.on('error', onError);
  const { address, port } = server.address() as AddressInfo;
  return { server, host: address, port, close: () => close(server, stopping) };
}

async function close(server: Server, stopping: AbortController): Promise<void> {
  stopping.abort();
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

async function serve(
  handle: ApiHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  stopping: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  outgoing.on('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, stopping]);
  const body = await readBody(incoming);
  if (body === undefined) return refuseTooLarge(outgoing);
  const request = toApiRequest(incoming, body, signal);
  if (request === undefined) return sendStatus(outgoing, 400, 'BadRequest', 'malformed request');
  await send(await handle(request), incoming.method === 'HEAD', outgoing, signal);
}

/** A request to speak another protocol from here on: granted by a response that has an upgrade. */
async function upgrade(
  handle: ApiHandler,
  incoming: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  stopping: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  socket.on('close', () => gone.abort());
  stopping.addEventListener('abort', () => socket.destroy(), { once: true });
  const signal = AbortSignal.any([gone.signal, stopping]);
  const request = toApiRequest(incoming, new Uint8Array(), signal);
  if (request === undefined)
    return void socket.end(rawResponse(400, statusText(400, 'BadRequest', 'malformed request')));
  const response = await handle(request);
  if (response.upgrade) return runWebSocket(incoming, socket, head, response.upgrade);
  const body = typeof response.body === 'string' ? response.body : '';
  socket.end(rawResponse(response.status, body));
}

/** An answer on a connection that Node no longer writes answers to. */
function rawResponse(status: number, body: string): string {
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: application/json\r\n` +
    `connection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

/** The body; undefined as soon as it is larger than the limit. */
async function readBody(incoming: IncomingMessage): Promise<Uint8Array | undefined> {
  if (Number(incoming.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function toApiRequest(
  incoming: IncomingMessage,
  body: Uint8Array,
  signal: AbortSignal,
): ApiRequest | undefined {
  const target = incoming.url ?? '';
  if (!target.startsWith('/')) return undefined;
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  const query = new URLSearchParams(at < 0 ? '' : target.slice(at + 1));
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
  );
  return { method: incoming.method ?? '', path, query, headers, body, signal };
}

async function send(
  { status, headers, body }: ApiResponse,
  headOnly: boolean,
  outgoing: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  if (typeof body === 'string') {
    outgoing.writeHead(status, {
      ...(headers as OutgoingHttpHeaders),
      'content-length': Buffer.byteLength(body),
    });
    outgoing.end(headOnly ? undefined : body);
    return;
  }
  outgoing.writeHead(status, headers as OutgoingHttpHeaders);
  outgoing.flushHeaders();
  if (!headOnly) await pump(body, outgoing, signal);
  outgoing.end();
}

async function pump(
  body: AsyncIterable<string | Uint8Array>,
  outgoing: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of body) {
    if (signal.aborted) return;
    if (outgoing.write(chunk)) continue;
    // Aborted waits end the loop at its next turn.
    await once(outgoing, 'drain', { signal }).catch(() => undefined);
  }
}

/** What is left of the body is not read: the connection ends with the answer. */
function refuseTooLarge(outgoing: ServerResponse): void {
  outgoing.setHeader('connection', 'close');
  const message = `Request entity too large: limit is ${MAX_BODY_BYTES}`;
  sendStatus(outgoing, 413, 'RequestEntityTooLarge', message);
}

function sendStatus(outgoing: ServerResponse, code: number, reason: string, message: string): void {
  const body = statusText(code, reason, message);
  outgoing.writeHead(code, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  outgoing.end(body);
}

function statusText(code: number, reason: string, message: string): string {
  const kind = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' };
  return `${JSON.stringify({ ...kind, message, reason, code })}\n`;
}

/** What is no HTTP has no response object: the answer is written by hand. */
function refuseMalformed(socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  socket.end(rawResponse(400, statusText(400, 'BadRequest', 'the request is not valid HTTP')));
}
