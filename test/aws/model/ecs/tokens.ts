/**
 * Client tokens of RunTask. A token belongs to a cluster and lives for the lesser of 24 hours and
 * an hour past the end of its tasks. The same request under it gives the same tasks, ended or not;
 * another one conflicts. A request that launched nothing leaves no token behind: the documents do
 * not say, and a caller that is told of failures asks again.
 * Source: ECS_Idempotency (aws-semantics.md 3.2, reliability.md finding 1).
 */
import type { Failure } from '@aws-sdk/client-ecs';
import { AwsError } from '../errors.ts';
import type { TaskRecord } from './state.ts';

const MAX_AGE_MS = 24 * 3_600_000;
const AFTER_END_MS = 3_600_000;
/** Expired ones are dropped when so many were kept. */
const SWEEP_SIZE = 10_000;

export interface Launched {
  readonly tasks: readonly TaskRecord[];
  readonly failures: readonly Failure[];
}

interface Kept {
  readonly fingerprint: string;
  readonly result: Launched;
  readonly atMs: number;
}

export class ClientTokens {
  readonly #kept = new Map<string, Kept>();

  /** What was launched under it; throws ConflictException for another request. */
  find(cluster: string, token: string, request: object, nowMs: number): Launched | undefined {
    const kept = this.#kept.get(`${cluster}/${token}`);
    if (!kept || isOver(kept, nowMs)) return undefined;
    if (kept.fingerprint === fingerprintOf(request)) return kept.result;
    throw new AwsError(
      'ConflictException',
      'A request with this client token and other parameters was made before.',
      { resourceIds: kept.result.tasks.map(({ arn }) => arn) },
    );
  }

  keep(cluster: string, token: string, request: object, result: Launched, nowMs: number): void {
    if (result.tasks.length === 0) return;
    const fingerprint = fingerprintOf(request);
    if (this.#kept.size >= SWEEP_SIZE) {
      for (const [key, kept] of this.#kept) if (isOver(kept, nowMs)) this.#kept.delete(key);
    }
    this.#kept.set(`${cluster}/${token}`, { fingerprint, result, atMs: nowMs });
  }
}

function isOver({ atMs, result }: Kept, nowMs: number): boolean {
  if (nowMs >= atMs + MAX_AGE_MS) return true;
  const ends = result.tasks.map(({ stoppedAtMs = Infinity }) => stoppedAtMs);
  return nowMs >= Math.max(...ends) + AFTER_END_MS;
}

/** The request as text, whatever the order of its members. */
export function fingerprintOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(fingerprintOf).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, member]) => `${key}:${fingerprintOf(member)}`).join()}}`;
}
