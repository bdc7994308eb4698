/**
 * The model in place of the network: an SDK request handler, so that real clients write requests
 * and read answers with no socket, also under virtual time.
 *
 *   new ECSClient({ region, credentials, requestHandler: modelHandler(model) })
 *
 * The SDK waits on the wall clock between its own attempts: under virtual time give the client
 * `maxAttempts: 1`.
 */
import type { HttpHandlerOptions } from '@smithy/types';
import { HttpResponse, type HttpHandler, type HttpRequest } from '@smithy/core/protocols';
import { AwsError } from './errors.ts';
import type { AwsModel, Outcome } from './model.ts';
import { type HttpCall, readCall, writeAnswer } from './protocol/route.ts';

/** Credentials and settings for clients on the model. */
export const MODEL_CLIENT = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'model', secretAccessKey: 'model' },
  maxAttempts: 1,
} as const;

export function modelHandler(model: AwsModel): HttpHandler {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: async (request: HttpRequest, options: HttpHandlerOptions = {}) => {
      const aborted = options.abortSignal as AbortSignal | undefined;
      if (aborted?.aborted) throw aborted.reason as Error;
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
      );
      return { response: await respond(model, headers, textOf(request.body)) };
    },
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
    destroy: () => {},
  };
}

async function respond(
  model: AwsModel,
  headers: Record<string, string>,
  body: string,
): Promise<HttpResponse> {
  const { call, outcome } = await answerTo(model, headers, body);
  const answer = writeAnswer(call.service, call.operation, outcome);
  if (!answer) {
    const error = new Error(`No answer to ${call.operation}`);
    error.name = 'TimeoutError';
    throw error;
  }
  const { status, headers: answered, body: text } = answer;
  return new HttpResponse({
    statusCode: status,
    headers: answered,
    body: new TextEncoder().encode(text),
  });
}

/** What both fronts do with a request, in-process and HTTP. */
export async function answerTo(
  model: AwsModel,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<{ call: HttpCall; outcome: Outcome }> {
  try {
    const call = readCall(headers, body);
    return { call, outcome: await model.invoke(call.service, call.operation, call.input) };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const call: HttpCall = { service: 'ecs', operation: 'unknown', input: {} };
    return { call, outcome: { type: 'error', error } };
  }
}

function textOf(body: unknown): string {
  if (body === undefined || body === null) return '';
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return new TextDecoder().decode(body);
  throw new TypeError('The model reads text and bytes as request bodies only');
}
