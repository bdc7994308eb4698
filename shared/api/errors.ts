/**
 * Errors as clients see them: a Kubernetes `Status`, with the words that kubectl users know. Owns
 * the texts; does not own what is an error (validation, the API server) nor how it travels (HTTP).
 */

/** One fault, of one field where there is one. `reason` is one of Kubernetes' cause types. */
export interface StatusCause {
  readonly reason: CauseReason;
  readonly message: string;
  readonly field?: string;
}

export type CauseReason =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'FieldManagerConflict'
  | 'ResourceVersionTooLarge'
  | 'DisruptionBudget'
  | 'UnexpectedServerResponse';

export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Record<string, never>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** What an error is about; a `ResourceType` is one. */
export interface Target {
  readonly group: string;
  readonly plural: string;
}

/** What an invalid object is; a `ResourceType` is one. */
export interface Kind {
  readonly group: string;
  readonly kind: string;
}

/** An answer that is not a success. Its message is the status' message; the reason may be ''. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: Status;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason && { reason }),
      ...(details && { details }),
      code,
    };
  }
}

export function notFound(target: Target, name: string): ApiError {
  const message = `${qualified(target)} ${JSON.stringify(name)} not found`;
  return new ApiError(404, 'NotFound', message, about(target, name));
}

/** The path leads nowhere: no such resource type or subresource. */
export function noSuchPath(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(target: Target, name: string): ApiError {
  const message = `${qualified(target)} ${JSON.stringify(name)} already exists`;
  return new ApiError(409, 'AlreadyExists', message, about(target, name));
}

const MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again';

export function conflict(target: Target, name: string, why: string = MODIFIED): ApiError {
  const what = `${qualified(target)} ${JSON.stringify(name)}`;
  const message = `Operation cannot be fulfilled on ${what}: ${why}`;
  return new ApiError(409, 'Conflict', message, about(target, name));
}

/** Server-side apply: other managers own fields that this one sets differently. */
export function applyConflict(causes: readonly StatusCause[]): ApiError {
  const [first] = causes;
  const message =
    first && causes.length === 1
      ? `Apply failed with 1 conflict: ${first.message}: ${first.field}`
      : `Apply failed with ${causes.length} conflicts: ${conflictLists(causes)}`;
  return new ApiError(409, 'Conflict', message, { causes });
}

export function invalid(kind: Kind, name: string, causes: readonly StatusCause[]): ApiError {
  const title = kind.group ? `${kind.kind}.${kind.group}` : kind.kind;
  const message = `${title} ${JSON.stringify(name)} is invalid: ${causesText(causes)}`;
  const details = {
    name,
    ...(kind.group && { group: kind.group }),
    kind: kind.kind,
    causes,
  };
  return new ApiError(422, 'Invalid', message, details);
}

/** A request of which a part other than the object is invalid: query options, a patch. */
export function invalidRequest(message: string, causes: readonly StatusCause[] = []): ApiError {
  return new ApiError(422, 'Invalid', message, causes.length > 0 ? { causes } : {});
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

export function unauthorized(): ApiError {
  return new ApiError(401, 'Unauthorized', 'Unauthorized');
}

/** `name` is '' where a whole collection is meant. */
export function forbidden(target: Target, name: string, why: string): ApiError {
  const what = name ? `${qualified(target)} ${JSON.stringify(name)}` : qualified(target);
  const message = `${what} is forbidden: ${why}`;
  return new ApiError(403, 'Forbidden', message, about(target, name));
}

const NO_METHOD = 'the server does not allow this method on the requested resource';

export function methodNotAllowed(message: string = NO_METHOD): ApiError {
  return new ApiError(405, 'MethodNotAllowed', message, {});
}

export function notAcceptable(accepted: readonly string[]): ApiError {
  const message = `only the following media types are accepted: ${accepted.join(', ')}`;
  return new ApiError(406, 'NotAcceptable', message);
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  const message =
    'the body of the request was in an unknown format - accepted media types include: ' +
    accepted.join(', ');
  return new ApiError(415, 'UnsupportedMediaType', message);
}

/** The resourceVersion or continue token asks for a past that is no longer kept. */
export function expired(message: string): ApiError {
  return new ApiError(410, 'Expired', message);
}

export function gone(message: string): ApiError {
  return new ApiError(410, 'Gone', message);
}

export function tooLarge(limitBytes: number): ApiError {
  const message = `Request entity too large: limit is ${limitBytes}`;
  return new ApiError(413, 'RequestEntityTooLarge', message);
}

/** Clients retry by themselves, but only if they are told after which time. */
export function tooManyRequests(message: string, retryAfterSeconds: number): ApiError {
  return new ApiError(429, 'TooManyRequests', message, { retryAfterSeconds });
}

export function internalError(message: string): ApiError {
  return new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, {});
}

export function serviceUnavailable(message: string, retryAfterSeconds?: number): ApiError {
  const details = retryAfterSeconds === undefined ? undefined : { retryAfterSeconds };
  return new ApiError(503, 'ServiceUnavailable', message, details);
}

export function timeout(message: string, retryAfterSeconds = 0): ApiError {
  return new ApiError(504, 'Timeout', `Timeout: ${message}`, { retryAfterSeconds });
}

/** The answer to a deletion that is done at once. */
export function success(target: Target, name: string, uid: string): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { ...about(target, name), uid },
    code: 200,
  };
}

/** By manager, each with a list of fields. */
function conflictLists(causes: readonly StatusCause[]): string {
  const byManager = Map.groupBy(causes, (cause) => cause.message);
  return [...byManager]
    .map(([message, group]) => {
      const fields = group.map((cause) => `- ${cause.field}`).join('\n');
      return `${message.replace('conflict with', 'conflicts with')}:\n${fields}`;
    })
    .join('\n');
}

/** One cause as it stands, several in brackets; a cause that repeats is told once. */
function causesText(causes: readonly StatusCause[]): string {
  const texts = [...new Set(causes.map(causeText))];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

function causeText(cause: StatusCause): string {
  return cause.field ? `${cause.field}: ${cause.message}` : cause.message;
}

function qualified(target: Target): string {
  return target.group ? `${target.plural}.${target.group}` : target.plural;
}

function about(target: Target, name: string): StatusDetails {
  return {
    ...(name && { name }),
    ...(target.group && { group: target.group }),
    kind: target.plural,
  };
}
