/**
 * TLS in front of an emulator's API: kubectl sends its token over HTTPS only, and names like
 * `<id>.execute-api.<region>.amazonaws.com` lead to AWS. Passes requests on as they are, under the
 * host name by which the emulator knows the API.
 */
import { request } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SystemClock } from '../../../adapters/node/system-clock.ts';
import { createTlsIdentity } from '../../../adapters/node/tls.ts';

export interface Front {
  readonly url: string;
  readonly caPem: string;
  close(): Promise<void>;
}

export async function startFront(emulator: string, apiUrl: string): Promise<Front> {
  const identity = await createTlsIdentity(new SystemClock());
  const target = new URL(emulator);
  const api = new URL(apiUrl);
  const host = `${api.hostname.split('.')[0]}.execute-api.localhost:${target.port}`;
  const prefix = api.pathname.replace(/\/$/, '');
  const server = createServer({ cert: identity.certPem, key: identity.keyPem }, (from, to) =>
    pass(from, to, { target, host, prefix }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${portOf(server)}`,
    caPem: identity.caPem,
    close: () => end(server),
  };
}

interface Where {
  readonly target: URL;
  readonly host: string;
  readonly prefix: string;
}

function pass(from: IncomingMessage, to: ServerResponse, { target, host, prefix }: Where): void {
  const onward = request(
    {
      host: target.hostname,
      port: target.port,
      method: from.method,
      path: prefix + (from.url ?? '/'),
      headers: { ...from.headers, host },
    },
    (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    },
  );
  onward.on('error', (error) => {
    if (!to.headersSent) to.writeHead(502);
    to.end(String(error));
  });
  to.on('close', () => onward.destroy());
  from.pipe(onward);
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the front has no port');
  return address.port;
}

async function end(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
