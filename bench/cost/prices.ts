/**
 * AWS's prices in US East (N. Virginia), in dollars, without taxes. What is free belongs to the
 * whole account and to each month, for ever (not the first year's).
 */

export interface Price {
  readonly dollars: number;
  /** What one price buys. */
  readonly per: number;
  readonly unit: string;
  /** Of the same unit, a month. */
  readonly free: number;
  readonly source: string;
}

const MILLION = 1_000_000;

const DYNAMODB = 'aws.amazon.com/dynamodb/pricing/on-demand';
const SQS = 'aws.amazon.com/sqs/pricing';
const LAMBDA = 'aws.amazon.com/lambda/pricing';
const CLOUDWATCH = 'aws.amazon.com/cloudwatch/pricing';

export const PRICES = {
  writeUnits: price(0.625, MILLION, 'write units', 0, DYNAMODB),
  readUnits: price(0.125, MILLION, 'read units', 0, DYNAMODB),
  tableStorage: price(0.25, 1, 'GB-months', 25, DYNAMODB),
  pointInTime: price(0.2, 1, 'GB-months', 0, DYNAMODB),
  standardRequests: price(0.4, MILLION, 'requests', MILLION, SQS),
  fifoRequests: price(0.5, MILLION, 'requests', 0, SQS),
  invocations: price(0.2, MILLION, 'requests', MILLION, LAMBDA),
  computing: price(0.000_013_333_4, 1, 'GB-seconds', 400_000, LAMBDA),
  apiRequests: price(3.5, MILLION, 'requests', 0, 'aws.amazon.com/api-gateway/pricing'),
  schedules: price(1, MILLION, 'invocations', 14 * MILLION, 'aws.amazon.com/eventbridge/pricing'),
  logs: price(0.5, 1, 'GB', 5, CLOUDWATCH),
  alarms: price(0.1, 1, 'alarm metrics', 10, CLOUDWATCH),
  dashboards: price(3, 1, 'dashboards', 3, CLOUDWATCH),
} as const satisfies { readonly [name: string]: Price };

function price(dollars: number, per: number, unit: string, free: number, source: string): Price {
  return { dollars, per, unit, free, source };
}
