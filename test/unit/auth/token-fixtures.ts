/** A good token, in parts that tests break one at a time. */
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import { stsHosts } from '../../../adapters/aws/auth/sts-hosts.ts';

export const REGION = 'eu-west-1';
export const HOST = 'sts.eu-west-1.amazonaws.com';
export const HOSTS = stsHosts([REGION]);
export const CLUSTER = 'nullplane';
export const clock = () => new StepClock(Date.parse('2026-03-04T05:06:07Z'));
export const NOW_MS = clock().nowMs();

/** As botocore writes it. */
export const GOOD: readonly (readonly [name: string, encodedValue: string])[] = [
  ['Action', 'GetCallerIdentity'],
  ['Version', '2011-06-15'],
  ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
  ['X-Amz-Credential', 'AKIAIOSFODNN7EXAMPLE%2F20260304%2Feu-west-1%2Fsts%2Faws4_request'],
  ['X-Amz-Date', '20260304T050607Z'],
  ['X-Amz-Expires', '60'],
  ['X-Amz-SignedHeaders', 'host%3Bx-k8s-aws-id'],
  ['X-Amz-Security-Token', 'a%2Bb%2Fc%3D'],
  ['X-Amz-Signature', 'a'.repeat(64)],
];

export type Pairs = readonly (readonly [string, string])[];

export const queryOf = (pairs: Pairs) => pairs.map((pair) => pair.join('=')).join('&');
export const urlOf = (pairs: Pairs) => `https://${HOST}/?${queryOf(pairs)}`;
export const tokenOf = (url: string) =>
  `k8s-aws-v1.${Buffer.from(url, 'latin1').toString('base64url')}`;

/** The good token with one parameter's value replaced. */
export const withValue = (name: string, value: string) =>
  GOOD.map(([key, old]) => [key, key === name ? value : old] as const);
export const without = (name: string) => GOOD.filter(([key]) => key !== name);
