/** Operations by name, through the SDK's clients: all hear the bytes that the product sends. */
import * as dynamodb from '@aws-sdk/client-dynamodb';
import * as ec2 from '@aws-sdk/client-ec2';
import * as ecs from '@aws-sdk/client-ecs';
import * as sqs from '@aws-sdk/client-sqs';
import type { Json, JsonObject } from './script.ts';

const SERVICES = { dynamodb, sqs, ecs, ec2 };
export type Service = keyof typeof SERVICES;

interface Client {
  send(command: never): Promise<unknown>;
}

type Commands = { readonly [name: string]: new (input: unknown) => never };

export async function send(
  service: Service,
  client: unknown,
  [operation, input]: readonly [string, JsonObject],
): Promise<unknown> {
  const Command = (SERVICES[service] as unknown as Commands)[`${operation}Command`];
  if (!Command) throw new RangeError(`${service} has no ${operation}`);
  const sent = service === 'dynamodb' ? withBytes(input) : input;
  return (client as Client).send(new Command(sent));
}

/** `{ B: text }` is bytes. */
function withBytes(value: Json): unknown {
  if (Array.isArray(value)) return value.map((item) => withBytes(item as Json));
  if (typeof value !== 'object' || value === null) return value;
  const { B: text, ...others } = value as JsonObject;
  if (typeof text === 'string' && Object.keys(others).length === 0) return { B: Buffer.from(text) };
  const entries = Object.entries(value as JsonObject);
  return Object.fromEntries(entries.map(([name, inner]) => [name, withBytes(inner)]));
}
