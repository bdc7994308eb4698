/**
 * What API Gateway answers by itself, without any function of ours: as a Kubernetes Status, which
 * is what clients can read. Plain data. Texts are ours alone: what the gateway would say holds
 * parts of the request, and no template language is needed.
 *
 * Clients repeat a 429 by themselves, but only if it says when.
 */

export interface GatewayResponse {
  /** API Gateway's own name of the case. */
  readonly type: string;
  readonly statusCode: string;
  readonly templates: { readonly [contentType: string]: string };
  /** Values in single quotes: to API Gateway, others are expressions. */
  readonly responseHeaders?: { readonly [name: string]: string };
}

const RETRY_AFTER_SECONDS = 1;

function status(type: string, code: number, reason: string, message: string): GatewayResponse {
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' };
  const details = code === 429 ? { details: { retryAfterSeconds: RETRY_AFTER_SECONDS } } : {};
  const text = JSON.stringify({ ...body, message, reason, ...details, code });
  const headers = { 'Retry-After': `'${RETRY_AFTER_SECONDS}'` };
  return {
    type,
    statusCode: String(code),
    templates: { 'application/json': text },
    ...(code === 429 && { responseHeaders: headers }),
  };
}

const FAILED = 'the server failed, or was throttled: see the logs of the api function';
const NO_SUCH_PATH = 'the server could not find the requested resource';

/** Each case that API Gateway knows; those that are not here fall under the two defaults. */
export const GATEWAY_RESPONSES: readonly GatewayResponse[] = [
  status('UNAUTHORIZED', 401, 'Unauthorized', 'Unauthorized'),
  status('MISSING_AUTHENTICATION_TOKEN', 404, 'NotFound', NO_SUCH_PATH),
  status('RESOURCE_NOT_FOUND', 404, 'NotFound', NO_SUCH_PATH),
  status('ACCESS_DENIED', 403, 'Forbidden', 'forbidden by the gateway'),
  status('EXPIRED_TOKEN', 401, 'Unauthorized', 'Unauthorized'),
  status('INVALID_SIGNATURE', 401, 'Unauthorized', 'Unauthorized'),
  status('WAF_FILTERED', 403, 'Forbidden', 'forbidden by the gateway'),
  status('BAD_REQUEST_BODY', 400, 'BadRequest', 'the body of the request is not valid'),
  status('BAD_REQUEST_PARAMETERS', 400, 'BadRequest', 'the request is not valid'),
  status('UNSUPPORTED_MEDIA_TYPE', 415, 'UnsupportedMediaType', 'unsupported media type'),
  status('REQUEST_TOO_LARGE', 413, 'RequestEntityTooLarge', 'the request is too large'),
  status('THROTTLED', 429, 'TooManyRequests', 'too many requests, try again in a second'),
  status('QUOTA_EXCEEDED', 429, 'TooManyRequests', 'too many requests, try again later'),
  status('INTEGRATION_TIMEOUT', 504, 'Timeout', 'the server took too long'),
  status('INTEGRATION_FAILURE', 502, 'InternalError', FAILED),
  status('API_CONFIGURATION_ERROR', 500, 'InternalError', 'the gateway is not set up right'),
  status('DEFAULT_4XX', 400, 'BadRequest', 'the gateway refused the request'),
  status('DEFAULT_5XX', 500, 'InternalError', 'the gateway failed'),
];
