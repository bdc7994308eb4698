/**
 * What API Gateway answers by itself, before any function of ours is asked: as a Kubernetes Status,
 * which is all that kubectl can show. Plain data.
 */

export interface GatewayResponse {
  /** API Gateway's own name of the case. */
  readonly type: string;
  readonly statusCode: string;
  readonly templates: { readonly [contentType: string]: string };
}

function status(type: string, code: number, reason: string, message: string): GatewayResponse {
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' };
  const text = JSON.stringify({ ...body, message, reason, code });
  return { type, statusCode: String(code), templates: { 'application/json': text } };
}

export const GATEWAY_RESPONSES: readonly GatewayResponse[] = [
  status('THROTTLED', 429, 'TooManyRequests', 'too many requests, try again in a second'),
  status('REQUEST_TOO_LARGE', 413, 'RequestEntityTooLarge', 'the request is too large'),
  status('INTEGRATION_TIMEOUT', 504, 'Timeout', 'the server took too long'),
  status('INTEGRATION_FAILURE', 502, 'InternalError', 'the server failed, or was throttled'),
  status('DEFAULT_5XX', 500, 'InternalError', 'the gateway failed'),
];
