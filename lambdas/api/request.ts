/**
 * Proxy events as requests: of REST APIs (format 1.0), of HTTP APIs and function URLs (2.0). Owns
 * what each of them does to a path, a query and a body on the way.
 */
import type { APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda';
import { tooLarge } from '../../shared/api/errors.ts';
import { type ApiRequest, MAX_BODY_BYTES } from '../../shared/api/http.ts';

export type ProxyEvent = APIGatewayProxyEvent | APIGatewayProxyEventV2;

/** Throws RequestEntityTooLarge, before anything of a body is decoded. */
export function requestOf(event: ProxyEvent, signal: AbortSignal): ApiRequest {
  const line = isV2(event) ? lineOfV2(event) : lineOfV1(event);
  return { ...line, body: bodyOf(event), signal };
}

export function isV2(event: ProxyEvent): event is APIGatewayProxyEventV2 {
  return 'version' in event && event.version === '2.0';
}

type Line = Pick<ApiRequest, 'method' | 'path' | 'query' | 'headers'>;

function lineOfV1(event: APIGatewayProxyEvent): Line {
  const query = new URLSearchParams();
  const { multiValueQueryStringParameters: many, queryStringParameters: single } = event;
  const given: { readonly [name: string]: string | string[] | undefined } = many ?? single ?? {};
  for (const [name, values] of Object.entries(given)) {
    for (const value of [values ?? []].flat()) query.append(name, value);
  }
  const headers = { ...event.headers, ...event.multiValueHeaders };
  return {
    method: event.httpMethod,
    path: escaped(pathOfV1(event)),
    query,
    headers: lowerCase(headers),
  };
}

/**
 * What was sent, without the stage or a custom domain's base path: all of that is before what the
 * one greedy resource matched. The context has the path as it was sent; `path` may be decoded.
 */
function pathOfV1({ path, requestContext, pathParameters }: APIGatewayProxyEvent): string {
  const { path: sent = path, stage } = requestContext;
  const proxy = pathParameters?.['proxy'];
  const staged = `/${stage}`;
  const unstaged = sent.startsWith(`${staged}/`) ? sent.slice(staged.length) : undefined;
  const found = [unstaged, sent].find((one) => one !== undefined && isSame(one, path));
  const whole = found ?? path;
  return proxy !== undefined && whole.endsWith(`/${proxy}`) ? `/${proxy}` : whole;
}

/** Whether a path is this one, decoded or not. */
function isSame(sent: string, given: string): boolean {
  if (sent === given) return true;
  try {
    return decodeURIComponent(sent) === given;
  } catch {
    return false;
  }
}

function lineOfV2(event: APIGatewayProxyEventV2): Line {
  const { requestContext, rawPath, rawQueryString } = event;
  const staged = `/${requestContext.stage}/`;
  const isStaged = requestContext.stage !== '$default' && rawPath.startsWith(staged);
  return {
    method: requestContext.http.method,
    path: escaped(isStaged ? rawPath.slice(staged.length - 1) : rawPath),
    query: new URLSearchParams(rawQueryString),
    headers: lowerCase(event.headers ?? {}),
  };
}

/**
 * HTTP APIs decode the path. What can't stand in an encoded one is encoded again, so that it is
 * part of a name and nothing else; what came encoded stays as it is.
 */
function escaped(path: string): string {
  const bare = /[^\x21-\x7e]|[?#"<>\\^`{|}]|%(?![0-9A-Fa-f]{2})/gu;
  return path.replace(bare, (character) => encodeURIComponent(character.toWellFormed()));
}

function lowerCase(headers: {
  readonly [name: string]: string | readonly string[] | undefined;
}): ApiRequest['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      value === undefined ? undefined : [value].flat().join(', '),
    ]),
  );
}

function bodyOf({ body, isBase64Encoded }: ProxyEvent): Uint8Array {
  const text = body ?? '';
  const encoding = isBase64Encoded ? 'base64' : 'utf8';
  if (Buffer.byteLength(text, encoding) > MAX_BODY_BYTES) throw tooLarge(MAX_BODY_BYTES);
  return Buffer.from(text, encoding);
}
