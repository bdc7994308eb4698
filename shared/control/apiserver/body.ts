/**
 * Bodies of requests: bytes to JSON values, by content type. Owns media types; api/json.ts owns the
 * bounds.
 */
import { ApiError, badRequest, tooLarge, unsupportedMediaType } from '../../api/errors.ts';
import { type ApiRequest, MAX_BODY_BYTES } from '../../api/http.ts';
import { parseJson, type ParsedJson } from '../../api/json.ts';
import { parseYaml } from './yaml.ts';

const JSON_TYPE = 'application/json';
const YAML_TYPE = 'application/yaml';
const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

/** Without parameters and in lower case; '' when there is none. */
export function mediaType(request: ApiRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The body of a request that must have one. */
export function parseBody(request: ApiRequest): ParsedJson {
  const type = mediaType(request);
  if (type === YAML_TYPE) return parseYaml(bodyText(request));
  if (type === JSON_TYPE || type === '') return parseJsonBody(request);
  throw type === PROTOBUF_TYPE ? noProtobuf() : unsupportedMediaType([JSON_TYPE, YAML_TYPE]);
}

/** The body as JSON, whatever its type is said to be. */
export function parseJsonBody(request: ApiRequest): ParsedJson {
  return parseJson(bodyText(request));
}

/** The body of a request that need not have one: undefined when it is empty. */
export function parseOptionalBody(request: ApiRequest): ParsedJson | undefined {
  if (request.body.length === 0) return undefined;
  // kubectl 1.32 and later send the options of a deletion in JSON, whatever else they send.
  return parseBody(request);
}

export function bodyText(request: ApiRequest): string {
  if (request.body.length > MAX_BODY_BYTES) throw tooLarge(MAX_BODY_BYTES);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(request.body);
  } catch {
    throw badRequest('the body of the request is not valid UTF-8');
  }
}

/** Says what to do: kubectl prints it as it is, and has no fallback of its own. */
function noProtobuf(): ApiError {
  return new ApiError(
    415,
    'UnsupportedMediaType',
    `the body is ${PROTOBUF_TYPE}, which this server does not read - accepted media types ` +
      `include: ${JSON_TYPE}, ${YAML_TYPE}. kubectl 1.32 and later send it for imperative ` +
      'commands: add --dry-run=client -o yaml and pipe the result to kubectl apply -f -',
  );
}
