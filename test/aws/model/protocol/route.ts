/**
 * From HTTP requests to calls and from outcomes to HTTP answers: AWS JSON 1.1 for ECS and Logs,
 * EC2's query protocol. These are what our pinned SDK clients send; another protocol is refused
 * with a clear error.
 */
import { AwsError } from '../errors.ts';
import type { Outcome, Service } from '../model.ts';
import { readQuery, writeXmlAnswer, writeXmlError } from './ec2-query.ts';

export interface HttpCall {
  readonly service: Service;
  readonly operation: string;
  readonly input: object;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

const JSON_TARGETS: Readonly<Record<string, Service>> = {
  AmazonEC2ContainerServiceV20141113: 'ecs',
  Logs_20140328: 'logs',
};

/** Header names in lower case. Throws AwsError. */
export function readCall(headers: Readonly<Record<string, string>>, body: string): HttpCall {
  const [prefix = '', operation = ''] = (headers['x-amz-target'] ?? '').split('.');
  const service = JSON_TARGETS[prefix];
  if (service) return { service, operation, input: JSON.parse(body || '{}') as object };
  const type = headers['content-type'] ?? '';
  if (type.startsWith('application/x-www-form-urlencoded')) {
    const { Action: action, ...input } = readQuery(body);
    return { service: 'ec2', operation: typeof action === 'string' ? action : '', input };
  }
  const seen = `${type}, target ${headers['x-amz-target'] ?? 'none'}`;
  throw new AwsError('UnknownOperationException', `Not a protocol of the model: ${seen}`);
}

/** `undefined`: the connection is to break. */
export function writeAnswer(
  service: Service,
  operation: string,
  outcome: Outcome,
): HttpAnswer | undefined {
  if (outcome.type === 'no answer') return undefined;
  if (service === 'ec2') {
    const headers = { 'content-type': 'text/xml;charset=UTF-8' };
    if (outcome.type === 'error') {
      const { error } = outcome;
      return { status: error.status, headers, body: writeXmlError(error) };
    }
    return { status: 200, headers, body: writeXmlAnswer(operation, outcome.body) };
  }
  const headers = { 'content-type': 'application/x-amz-json-1.1' };
  if (outcome.type === 'error') {
    const { code, message, status, fields } = outcome.error;
    const body = JSON.stringify({ __type: code, message, ...fields });
    return { status, headers, body };
  }
  return { status: 200, headers, body: toJson(outcome.body) };
}

/** Times are numbers of seconds, as AWS JSON has them. */
function toJson(body: object): string {
  return JSON.stringify(body, function replace(this: Record<string, unknown>, key, value: unknown) {
    const own = this[key];
    return own instanceof Date ? own.getTime() / 1000 : value;
  });
}
