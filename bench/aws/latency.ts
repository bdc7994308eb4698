/**
 * What the parts of an installation take, in milliseconds of model time: the assumptions that all
 * figures rest on. What a handler computes is not counted; docs/benchmarks.md measures it apart.
 */

import { GATHER_MS as ANNOUNCED_AFTER_MS } from '../../adapters/aws/dynamo/dynamo-store.ts';
import { GATHER_MS as SENT_AFTER_MS } from '../../adapters/aws/sqs/sqs-queue.ts';

/** A call of DynamoDB: a read, a conditional write, a page of a query. */
export const STORE_MS = 5;
/** A write waits for others, is announced, and is made. */
export const WRITE_MS = ANNOUNCED_AFTER_MS + 2 * STORE_MS;
/** Objects of a page: a page is a megabyte, an object of ours a KiB or two. */
export const PAGE_OBJECTS = 500;
/** A call of SQS, of up to ten messages. */
export const QUEUE_MS = 10;
/** What is sent waits for others, and is sent. */
export const SEND_MS = SENT_AFTER_MS + QUEUE_MS;
/** From a message's arrival to the function that has it. */
export const HAND_OVER_MS = 25;
/** Lambda looks at each shard of a stream four times a second. */
export const STREAM_POLL_MS = 250;
/** A table on demand begins with four partitions, and its stream with a shard for each. */
export const STREAM_SHARDS = 4;
/** A warm function, from its invocation to the handler's first line. */
export const INVOKE_MS = 5;
/** A call of ECS or EC2. */
export const ECS_MS = 50;
/** From a task's change to the health function, by EventBridge. */
export const EVENT_MS = 300;
/** Clients' requests come through the gateway to a function so fast. */
export const GATEWAY_MS = 10;
