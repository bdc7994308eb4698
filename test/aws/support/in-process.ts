/** An SDK request handler whose requests never leave the process. */
import { type HttpHandler, type HttpRequest, HttpResponse } from '@smithy/core/protocols';

export interface SentRequest {
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface InProcessAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export function inProcess(answer: (request: SentRequest) => Promise<InProcessAnswer>): HttpHandler {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: async ({ headers, body: sent }: Pick<HttpRequest, 'headers'> & { body?: unknown }) => {
      const lower = Object.entries(headers).map(([name, value]): [string, string] => [
        name.toLowerCase(),
        value,
      ]);
      const request = { headers: Object.fromEntries(lower), body: textOf(sent) };
      const { status, contentType, body } = await answer(request);
      const response = new HttpResponse({
        statusCode: status,
        headers: { 'content-type': contentType, 'x-amzn-requestid': 'in-process' },
        body: new TextEncoder().encode(body),
      });
      return { response };
    },
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
    destroy: () => {},
  };
}

function textOf(body: unknown): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body as Uint8Array);
}
