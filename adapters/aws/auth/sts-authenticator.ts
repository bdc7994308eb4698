/**
 * Bearer token to IAM principal: checks the token here, asks STS who signed it, and remembers the
 * answer until the token ends. Owns the verdict and its cache; who a principal is in the cluster is
 * decided by whoever calls.
 *
 * Invariants:
 *  V1 STS is asked with a request of our own making, for our own cluster id.
 *  V2 An answer is remembered under a digest of the whole token, never past the token's own end.
 *  V3 That STS did not answer is never told as "you are not who you say": the client may try again.
 */
import { createHash } from 'node:crypto';
import { serviceUnavailable, tooManyRequests } from '../../../shared/api/errors.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Recorder } from '../../../shared/ports/recorder.ts';
import {
  type CheckedToken,
  checkToken,
  CLUSTER_ID_HEADER,
  InvalidToken,
  MAX_TOKEN_LENGTH,
  requestPath,
} from './bearer-token.ts';
import { type Principal, principalOf } from './caller-identity.ts';
import { Remembered } from './remembered.ts';
import { type AskSts, type StsAnswer, stsClient } from './sts-client.ts';
import { partitionOf, stsHosts } from './sts-hosts.ts';

export interface StsAuthenticatorOptions {
  /** What tokens must have been signed for: the installation's cluster id. */
  readonly clusterId: string;
  /** The installation's own region; its partition is the only one that is served. */
  readonly region: string;
  /** Regions whose STS may be asked as well, for clients that live there. */
  readonly otherRegions?: readonly string[];
  /** In place of AWS's own STS, on loopback: for emulators. */
  readonly stsEndpoint?: string;
  readonly clock: Clock;
  readonly recorder: Recorder;
  /** How STS is asked; over the network when absent. */
  readonly ask?: AskSts;
}

/** Clients of one installation at a time, several times over. */
const MAX_REMEMBERED = 2_000;
/** As short as a typing error is annoying, as long as a broken client is cheap. */
const REFUSAL_MS = 5_000;
const RETRY_AFTER_SECONDS = 1;
/** What a header holds; the same characters as AWS takes for a cluster's name, and dots. */
const CLUSTER_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const THROTTLED = /"Code"\s*:\s*"(Throttling\w*|RequestLimitExceeded|TooManyRequests\w*)"/;
const SCHEME = /^bearer +/i;

export class StsAuthenticator {
  readonly #options: StsAuthenticatorOptions;
  readonly #hosts: ReadonlyMap<string, string>;
  readonly #partition: string;
  readonly #ask: AskSts;
  readonly #known = new Remembered<Principal>(MAX_REMEMBERED);
  /** Apart, so that junk can't push out who is known. */
  readonly #refused = new Remembered<true>(MAX_REMEMBERED);
  readonly #asking = new Map<string, Promise<Principal | undefined>>();

  /** Throws a RangeError for a region, cluster id or endpoint that can't be right. */
  constructor(options: StsAuthenticatorOptions) {
    const { clusterId, region, otherRegions = [], stsEndpoint } = options;
    if (!CLUSTER_ID.test(clusterId)) throw new RangeError('the cluster id is not one');
    this.#options = options;
    this.#partition = partitionOf(region);
    if (otherRegions.some((other) => partitionOf(other) !== this.#partition)) {
      throw new RangeError('regions of another partition have other principals');
    }
    this.#hosts = stsHosts([region, ...otherRegions]);
    this.#ask = options.ask ?? stsClient(stsEndpoint ? { endpoint: stsEndpoint } : {});
  }

  /**
   * Who signed the token of an Authorization header; undefined for nobody. Throws an ApiError (429,
   * 503) when STS did not say.
   */
  async principal(authorization: string | undefined): Promise<Principal | undefined> {
    const given = authorization ?? '';
    if (given.length > MAX_TOKEN_LENGTH + 'Bearer '.length || !SCHEME.test(given)) return undefined;
    const token = given.replace(SCHEME, '');
    const nowMs = this.#options.clock.nowMs();
    const digest = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(digest, nowMs);
    if (known) return known;
    if (this.#refused.get(digest, nowMs)) return undefined;
    const asking = this.#asking.get(digest) ?? this.#verify(token, digest, nowMs);
    this.#asking.set(digest, asking);
    return asking.finally(() => this.#asking.delete(digest));
  }

  async #verify(token: string, digest: string, nowMs: number): Promise<Principal | undefined> {
    const checked = this.#checked(token, nowMs);
    if (!checked) return undefined;
    const verdict = this.#verdict(await this.#answer(checked));
    if (typeof verdict !== 'string') {
      this.#known.set(digest, verdict, checked.expiresAtMs);
      return verdict;
    }
    this.#refused.set(digest, true, nowMs + REFUSAL_MS);
    this.#log('info', 'token refused', { reason: verdict });
    return undefined;
  }

  /** What fails here costs nothing, and is not worth remembering. */
  #checked(token: string, nowMs: number): CheckedToken | undefined {
    try {
      return checkToken(token, { nowMs, hosts: this.#hosts });
    } catch (error) {
      if (!(error instanceof InvalidToken)) throw error;
      this.#log('info', 'token refused', { reason: error.message });
      return undefined;
    }
  }

  async #answer(checked: CheckedToken): Promise<StsAnswer> {
    const headers = {
      accept: 'application/json',
      [CLUSTER_ID_HEADER]: this.#options.clusterId,
      'user-agent': 'nullplane',
    };
    try {
      return await this.#ask({ host: checked.host, path: requestPath(checked), headers });
    } catch (error) {
      this.#log('warn', 'STS did not answer', { error: String(error) });
      throw serviceUnavailable('identities can not be checked right now', RETRY_AFTER_SECONDS);
    }
  }

  /** The principal, or why there is none. Throws an ApiError when STS says nothing of use. */
  #verdict({ status, body }: StsAnswer): Principal | string {
    if (status === 429 || (status !== 200 && THROTTLED.test(body))) {
      this.#log('warn', 'STS throttles', { status });
      throw tooManyRequests('too many identities are being checked', RETRY_AFTER_SECONDS);
    }
    if (status >= 500) {
      this.#log('warn', 'STS failed', { status });
      throw serviceUnavailable('identities can not be checked right now', RETRY_AFTER_SECONDS);
    }
    if (status !== 200) return `STS answered with ${status}`;
    return principalOf(parsed(body), this.#partition) ?? 'STS names no principal that is served';
  }

  #log(level: 'info' | 'warn', message: string, fields: { readonly [name: string]: unknown }) {
    this.#options.recorder.log({ level, message, fields });
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
