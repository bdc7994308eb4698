/** Events of API Gateway, and an API server that answers as a test says. */
import type { APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Status } from '../../../shared/api/errors.ts';
import type { ApiRequest, ApiResponse } from '../../../shared/api/http.ts';

export const JSON_HEADERS = { 'content-type': 'application/json' };
export const OK: ApiResponse = { status: 200, headers: JSON_HEADERS, body: '{}\n' };

export class World {
  readonly clock = new StepClock();
  readonly recorder = new MemoryRecorder();
  readonly asked: ApiRequest[] = [];
  /** What happened, in order. */
  readonly order: string[] = [];
  respond: (request: ApiRequest) => ApiResponse = () => OK;
  flush: () => Promise<void> = async () => void this.order.push('flush');

  options() {
    const handle = async (request: ApiRequest) => {
      this.asked.push(request);
      this.order.push('handle');
      return this.respond(request);
    };
    return { handle, flush: () => this.flush(), clock: this.clock, recorder: this.recorder };
  }

  /** The one request that was made. */
  only(): ApiRequest {
    const [request] = this.asked;
    if (!request || this.asked.length > 1) throw new Error(`${this.asked.length} requests`);
    return request;
  }
}

export const context = (ms: number) => ({ getRemainingTimeInMillis: () => ms });

export interface Rest {
  method?: string;
  path?: string;
  sent?: string;
  stage?: string;
  proxy?: string;
  query?: { [name: string]: string[] };
  headers?: { [name: string]: string[] };
  body?: string;
  base64?: boolean;
}

export function rest(given: Rest = {}): APIGatewayProxyEvent {
  const { path = '/api/v1/pods', stage = 'prod' } = given;
  return {
    resource: '/{proxy+}',
    path,
    httpMethod: given.method ?? 'GET',
    headers: null,
    multiValueHeaders: given.headers ?? null,
    queryStringParameters: null,
    multiValueQueryStringParameters: given.query ?? null,
    pathParameters: given.proxy === undefined ? null : { proxy: given.proxy },
    stageVariables: null,
    requestContext: { path: given.sent ?? `/${stage}${path}`, stage },
    body: given.body ?? null,
    isBase64Encoded: given.base64 ?? false,
  } as unknown as APIGatewayProxyEvent;
}

export function http(rawPath: string, rawQueryString = '', stage = '$default', method = 'GET') {
  return {
    version: '2.0',
    rawPath,
    rawQueryString,
    headers: { Accept: 'a', authorization: 'Bearer x' },
    requestContext: { stage, http: { method, path: rawPath } },
    isBase64Encoded: false,
  } as unknown as APIGatewayProxyEventV2;
}

export const statusOf = (body: string) => JSON.parse(body) as Status;

/** A stream that tests feed, and that ends when the client is gone. */
export class Source implements AsyncIterable<string | Uint8Array> {
  readonly #parts: (string | Uint8Array)[] = [];
  #wake = Promise.withResolvers<void>();
  #isOver = false;
  pulled = 0;
  closed = false;

  push(...parts: (string | Uint8Array)[]): void {
    this.#parts.push(...parts);
    this.#wake.resolve();
  }

  end(): void {
    this.#isOver = true;
    this.#wake.resolve();
  }

  async *[Symbol.asyncIterator]() {
    try {
      for (;;) {
        const part = this.#parts.shift();
        if (part !== undefined) {
          this.pulled++;
          yield part;
        } else if (this.#isOver) return;
        else {
          this.#wake = Promise.withResolvers<void>();
          await this.#wake.promise;
        }
      }
    } finally {
      this.closed = true;
    }
  }
}

export const streaming = (body: ApiResponse['body']): ApiResponse => ({
  status: 200,
  headers: JSON_HEADERS,
  body,
});
/** Lets promises run that wait for no time. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));
