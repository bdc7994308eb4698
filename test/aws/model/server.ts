/**
 * The model over HTTP, on loopback: the SDK clients' requests, and controls under `/_model/`. A
 * call without an answer breaks its connection. Owns sockets; all else is with the model.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { control, CONTROL_PATH, controls, type Verbs } from './control.ts';
import type { AwsModel } from './model.ts';
import { writeAnswer } from './protocol/route.ts';
import { answerTo } from './request-handler.ts';

export interface ServedModel {
  readonly url: string;
  close(): Promise<void>;
}

/** Above every request that AWS takes. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** `verbs`: further controls. */
export async function serveAwsModel(
  model: AwsModel,
  { port = 0, verbs = {} }: { port?: number; verbs?: Verbs } = {},
): Promise<ServedModel> {
  const all = { ...controls(model), ...verbs };
  const server = createServer((request, response) => {
    serve(model, all, request, response).catch((error: unknown) => {
      // The model never throws of itself: this is a defect, and tests are to see it.
      response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(error instanceof Error ? error.stack : String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${bound}`, close: () => closed(server) };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function serve(
  model: AwsModel,
  verbs: Verbs,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await bodyOf(request);
  const path = request.url ?? '/';
  if (path.startsWith(CONTROL_PATH)) {
    const answer = control(verbs, path, body);
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(answer.body);
    return;
  }
  const { call, outcome } = await answerTo(model, request.headers as Record<string, string>, body);
  const answer = writeAnswer(call.service, call.operation, outcome);
  if (!answer) {
    request.socket.destroy();
    return;
  }
  response.writeHead(answer.status, answer.headers);
  response.end(answer.body);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_BODY_BYTES) throw new Error(`A request is larger than ${MAX_BODY_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
