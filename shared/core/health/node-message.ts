/**
 * Messages about nodes, from events and from agents: docs/health-messages.md. Only the fields that
 * are used are taken over, and each has a bound.
 */
import type { Registration } from '../../api/instance.ts';
import { isJsonObject, type JsonObject } from '../../api/json.ts';
import type {
  ConditionMessage,
  Interruption,
  NodeMessage,
  NodeStatusMessage,
} from '../../api/task.ts';
import { isCount, isTextUpTo, isTime } from './bounds.ts';

const MAX_NAME = 253;
/** Types and reasons are words of an API, messages are sentences. */
const MAX_WORD = 128;
const MAX_SENTENCE = 1024;
/** An agent brings some sixty of its own. */
const MAX_ATTRIBUTES = 256;
const MAX_ATTRIBUTE_CHARS = 256;

/** Names of conditions as Kubernetes has them: CamelCase, with or without a domain. */
const WORD = /^([a-z0-9.-]+\/)?[A-Za-z][A-Za-z0-9_]*$/;

type About = Pick<NodeStatusMessage, 'nodeName' | 'atMs'>;

/** The message, or what is wrong with it. */
export function parseNodeMessage(value: JsonObject): NodeMessage | string {
  const { type, nodeName, atMs } = value;
  const parse = PARSERS.get(type);
  if (!parse) return 'of no known type';
  if (!isTextUpTo(nodeName, MAX_NAME) || nodeName === '') return 'nodeName is not a name';
  if (!isTime(atMs)) return 'atMs is not a time';
  return parse({ nodeName, atMs }, value);
}

type Parse = (about: About, value: JsonObject) => NodeMessage | string;

const PARSERS: ReadonlyMap<unknown, Parse> = new Map([
  ['node', parseStatus],
  ['node-registration', parseRegistration],
  ['node-interruption', parseInterruption],
  ['node-condition', parseCondition],
]);

function parseStatus(about: About, { status }: JsonObject): NodeMessage | string {
  if (status !== 'connected' && status !== 'disconnected' && status !== 'gone') {
    return 'status is not one of connected, disconnected, gone';
  }
  return { type: 'node', ...about, status };
}

const KINDS = ['rebalance', 'spot', 'shutdown', 'over'];

function parseInterruption(about: About, value: JsonObject): NodeMessage | string {
  const { kind, endsAtMs } = value;
  if (!KINDS.includes(kind as string)) return `kind is not one of ${KINDS.join(', ')}`;
  if (endsAtMs !== undefined && !isTime(endsAtMs)) return 'endsAtMs is not a time';
  const end = endsAtMs === undefined ? {} : { endsAtMs };
  return { type: 'node-interruption', ...about, kind: kind as Interruption['kind'], ...end };
}

function parseCondition(about: About, { condition }: JsonObject): NodeMessage | string {
  if (!isJsonObject(condition)) return 'condition is not an object';
  const { type, status, reason, message = '' } = condition;
  const isWord = (text: unknown) => isTextUpTo(text, MAX_WORD) && WORD.test(text);
  if (!isWord(type)) return 'condition.type is not a name';
  if (type === 'Ready') return 'Ready is not for agents to say';
  if (status !== 'True' && status !== 'False' && status !== 'Unknown') {
    return 'condition.status is not one of True, False, Unknown';
  }
  if (!isWord(reason)) return 'condition.reason is not a word';
  if (!isTextUpTo(message, MAX_SENTENCE)) return 'condition.message is too long, or no text';
  const taken = { type, status, reason, message } as ConditionMessage['condition'];
  return { type: 'node-condition', ...about, condition: taken };
}

const STATUSES = ['ACTIVE', 'DRAINING', 'REGISTERING', 'INACTIVE'];

function parseRegistration(about: About, { registration }: JsonObject): NodeMessage | string {
  if (!isJsonObject(registration)) return 'registration is not an object';
  const { id, status, agentConnected, registeredAtMs, attributes } = registration;
  if (!isTextUpTo(id, MAX_WORD) || id === '') return 'registration.id is not a name';
  if (!STATUSES.includes(status as string)) return 'registration.status is none';
  if (typeof agentConnected !== 'boolean') return 'registration.agentConnected is no truth value';
  if (!isTime(registeredAtMs)) return 'registration.registeredAtMs is not a time';
  if (!areAttributes(attributes)) return 'registration.attributes are none';
  const { version, cpuUnits, memoryMiB, gpus } = registration;
  if (![version, cpuUnits, memoryMiB, gpus].every(isCount)) {
    return 'registration.version, cpuUnits, memoryMiB or gpus is not a count';
  }
  const counts = { version, cpuUnits, memoryMiB, gpus } as Registration;
  const taken = { ...counts, id, status, agentConnected, registeredAtMs, attributes };
  return { type: 'node-registration', ...about, registration: taken as Registration };
}

function areAttributes(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const entries = Object.entries(value);
  const areShort = entries.flat().every((text) => isTextUpTo(text, MAX_ATTRIBUTE_CHARS));
  return entries.length <= MAX_ATTRIBUTES && areShort;
}
