/**
 * Events of ECS and EC2 about machines as health messages. A machine's node has the instance's id
 * for a name. EC2 tells of all instances of the account: those that are no node of ours have no
 * effect. Sources: Amazon ECS developer guide, "container instance state change events"; Amazon EC2
 * user guide, "Spot Instance interruption notices", "EC2 instance rebalance recommendations",
 * "Monitor instance state changes".
 */
import { type EcsContainerInstance, registrationOf } from '../../adapters/aws/ec2/registration.ts';
import type { NodeMessage } from '../../shared/api/task.ts';

export interface Envelope {
  readonly 'detail-type'?: unknown;
  readonly time?: unknown;
  readonly detail?: unknown;
}

/** What EC2 gives a Spot instance from the warning on. */
const SPOT_NOTICE_MS = 120_000;

type Detail = { readonly [field: string]: unknown };
type Translate = (detail: Detail, nodeName: string, atMs: number) => NodeMessage | undefined;

const TRANSLATIONS: { readonly [detailType: string]: Translate } = {
  'ECS Container Instance State Change': registered,
  'EC2 Spot Instance Interruption Warning': (_, nodeName, atMs) => ({
    type: 'node-interruption',
    nodeName,
    kind: 'spot',
    atMs,
    endsAtMs: atMs + SPOT_NOTICE_MS,
  }),
  'EC2 Instance Rebalance Recommendation': (_, nodeName, atMs) => ({
    type: 'node-interruption',
    nodeName,
    kind: 'rebalance',
    atMs,
  }),
  'EC2 Instance State-change Notification': changed,
};

/** Undefined for what is no event about a machine, lacks a part, or tells nothing of a node. */
export function instanceMessage(envelope: Envelope): NodeMessage | undefined {
  const { 'detail-type': type, time, detail } = envelope;
  const translate = Object.hasOwn(TRANSLATIONS, String(type)) && TRANSLATIONS[String(type)];
  const atMs = typeof time === 'string' ? Date.parse(time) : NaN;
  if (!translate || Number.isNaN(atMs) || !isDetail(detail)) return undefined;
  const nodeName = detail['instance-id'] ?? detail['ec2InstanceId'];
  if (typeof nodeName !== 'string' || nodeName === '') return undefined;
  return translate(detail, nodeName, atMs);
}

function isDetail(value: unknown): value is Detail {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function registered(detail: Detail, nodeName: string, atMs: number): NodeMessage | undefined {
  if (!isContainerInstance(detail)) return undefined;
  const registration = registrationOf(detail);
  return registration && { type: 'node-registration', nodeName, registration, atMs };
}

/**
 * The shapes that are walked; whether values make sense is seen to with every message. What says
 * neither that the agent is connected nor that it is not must not be taken for a loss of it, and
 * what has no attributes must not be taken for a machine without labels.
 */
function isContainerInstance(detail: Detail): detail is Detail & EcsContainerInstance {
  const { containerInstanceArn, version, registeredAt, attributes, registeredResources } = detail;
  const { status, agentConnected } = detail;
  return (
    typeof containerInstanceArn === 'string' &&
    typeof version === 'number' &&
    typeof registeredAt === 'string' &&
    typeof agentConnected === 'boolean' &&
    typeof status === 'string' &&
    status !== '' &&
    areDetails(attributes) &&
    (registeredResources === undefined || areDetails(registeredResources))
  );
}

function areDetails(list: unknown): boolean {
  return Array.isArray(list) && list.every(isDetail);
}

/**
 * A machine that stops is lost from sight until it is started again. One that starts has nothing to
 * say before its agent has.
 */
function changed({ state }: Detail, nodeName: string, atMs: number): NodeMessage | undefined {
  switch (state) {
    case 'shutting-down':
    case 'stopping':
      return { type: 'node-interruption', nodeName, kind: 'shutdown', atMs };
    case 'running':
      return { type: 'node-interruption', nodeName, kind: 'over', atMs };
    case 'stopped':
      return { type: 'node', nodeName, status: 'disconnected', atMs };
    case 'terminated':
      return { type: 'node', nodeName, status: 'gone', atMs };
    default:
      return undefined;
  }
}
