/**
 * Bodies of requests: bytes to JSON values, by content type. Owns media types; api/json.ts owns the
 * bounds.
 */
import { badRequest, tooLarge, unsupportedMediaType } from '../../api/errors.ts';
import { type ApiRequest, MAX_BODY_BYTES } from '../../api/http.ts';
import { parseJson, type ParsedJson } from '../../api/json.ts';
import { parseProtobuf, PROTOBUF_TYPE } from '../../api/protobuf/decode.ts';
import { parseYaml } from './yaml.ts';

const JSON_TYPE = 'application/json';
const YAML_TYPE = 'application/yaml';

export interface ParsedBody extends ParsedJson {
  /** What of the body was not understood and left out, as warnings: only protobuf has such. */
  readonly unread?: readonly string[];
}

/** Without parameters and in lower case; '' when there is none. */
export function mediaType(request: ApiRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The body of a request that must have one. */
export function parseBody(request: ApiRequest): ParsedBody {
  const type = mediaType(request);
  if (type === YAML_TYPE) return parseYaml(bodyText(request));
  if (type === JSON_TYPE || type === '') return parseJsonBody(request);
  if (type === PROTOBUF_TYPE) return parseProtobuf(request.body);
  throw unsupportedMediaType([JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE]);
}

/** The body as JSON, whatever its type is said to be. */
export function parseJsonBody(request: ApiRequest): ParsedJson {
  return parseJson(bodyText(request));
}

/** The body of a request that need not have one: undefined when it is empty. */
export function parseOptionalBody(request: ApiRequest): ParsedJson | undefined {
  return request.body.length === 0 ? undefined : parseBody(request);
}

export function bodyText(request: ApiRequest): string {
  if (request.body.length > MAX_BODY_BYTES) throw tooLarge(MAX_BODY_BYTES);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(request.body);
  } catch {
    throw badRequest('the body of the request is not valid UTF-8');
  }
}
