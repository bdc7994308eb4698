/**
 * API Gateway → the API server → API Gateway. Takes the proxy events of REST APIs and of HTTP APIs
 * and function URLs; the answer is buffered, so that a watch ends in time for its gateway and the
 * client takes it up again.
 */
import type {
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
} from 'aws-lambda';
import type { ApiHandler, ApiRequest, ApiResponse } from '../../shared/api/http.ts';

type ProxyEvent = APIGatewayProxyEvent | APIGatewayProxyEventV2;

/** Below the 29 s that a gateway waits, with room to send what was gathered. */
const LONGEST_ANSWER_MS = 25_000;

/** Lambda's own answer may have 6 MB; headers and JSON escaping take their part. */
const MAX_ANSWER_BYTES = 5_000_000;

export function apiHandler(handle: ApiHandler) {
  return async (event: ProxyEvent): Promise<APIGatewayProxyStructuredResultV2> => {
    const request = requestOf(event, AbortSignal.timeout(LONGEST_ANSWER_MS));
    const response = await handle(request);
    return {
      statusCode: response.status,
      headers: Object.fromEntries(
        Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
      ),
      body: await gather(response),
    };
  };
}

function requestOf(event: ProxyEvent, signal: AbortSignal): ApiRequest {
  const { method, path, query } =
    'version' in event && event.version === '2.0' ? v2(event) : v1(event as APIGatewayProxyEvent);
  return {
    method,
    path,
    query,
    headers: Object.fromEntries(
      Object.entries(event.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
    ),
    body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
    signal,
  };
}

type Line = Pick<ApiRequest, 'method' | 'path' | 'query'>;

function v1(event: APIGatewayProxyEvent): Line {
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(event.multiValueQueryStringParameters ?? {})) {
    for (const value of values ?? []) query.append(name, value);
  }
  return { method: event.httpMethod, path: event.path, query };
}

function v2(event: APIGatewayProxyEventV2): Line {
  return {
    method: event.requestContext.http.method,
    path: event.rawPath,
    query: new URLSearchParams(event.rawQueryString),
  };
}

/**
 * A stream as one text; what is over the limit is cut at a line, since a watch is a line an event.
 */
async function gather({ body }: ApiResponse): Promise<string> {
  if (typeof body === 'string') return body;
  const decoder = new TextDecoder();
  let text = '';
  for await (const part of body) {
    text += typeof part === 'string' ? part : decoder.decode(part, { stream: true });
    if (text.length > MAX_ANSWER_BYTES) return text.slice(0, text.lastIndexOf('\n') + 1);
  }
  return text;
}
