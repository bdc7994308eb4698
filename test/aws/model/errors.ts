/** An error as AWS answers it: a code that callers branch on, a message for people. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  /** Further members of the answer, such as `resourceIds`. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
    status = 400,
  ) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}

export function throttled(): AwsError {
  return new AwsError('ThrottlingException', 'Rate exceeded');
}

export function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterException', message);
}

/** `ClientException`: what ECS says of most requests that it can't make sense of. */
export function clientError(message: string): AwsError {
  return new AwsError('ClientException', message);
}
