/** Tokens that are really signed, an STS that really verifies, and an STS that misbehaves. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { principalOf } from '../../../adapters/aws/auth/caller-identity.ts';
import { Remembered } from '../../../adapters/aws/auth/remembered.ts';
import {
  StsAuthenticator,
  type StsAuthenticatorOptions,
} from '../../../adapters/aws/auth/sts-authenticator.ts';
import { stsClient } from '../../../adapters/aws/auth/sts-client.ts';
import { signToken } from '../../../adapters/aws/auth/token.ts';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { ApiError } from '../../../shared/api/errors.ts';
import { FakeSts, identity, refuse, sendJson } from './fake-sts.ts';
import { clock as newClock, CLUSTER, REGION } from './token-fixtures.ts';

const ROLE = 'arn:aws:iam::111122223333:role/Deployer';
const SESSION = 'arn:aws:sts::111122223333:assumed-role/Deployer/jane@example.com';
const CREDENTIALS = {
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  sessionToken: 'IQoJb3JpZ2luX2VjEJr+/w==',
};

let clock = newClock();
let sts: FakeSts;
let recorder: MemoryRecorder;

beforeEach(async () => {
  clock = newClock();
  recorder = new MemoryRecorder();
  sts = await FakeSts.start(() => clock.nowMs());
  sts.accounts.set(CREDENTIALS.accessKeyId, {
    secret: CREDENTIALS.secretAccessKey,
    arn: SESSION,
    userId: 'AROAEXAMPLE:jane@example.com',
    sessionToken: CREDENTIALS.sessionToken,
  });
});
afterEach(() => sts.close());

function authenticator(options: Partial<StsAuthenticatorOptions> = {}): StsAuthenticator {
  const { endpoint: stsEndpoint } = sts;
  const given = { clusterId: CLUSTER, region: REGION, stsEndpoint, clock, recorder };
  return new StsAuthenticator({ ...given, ...options });
}

async function header(options: { clusterId?: string; secret?: string; region?: string } = {}) {
  const { clusterId = CLUSTER, region = REGION, secret } = options;
  const credentials = { ...CREDENTIALS, ...(secret && { secretAccessKey: secret }) };
  const { token } = await signToken({ clusterId, region, nowMs: clock.nowMs(), credentials });
  return `Bearer ${token}`;
}

async function failure(asked: Promise<unknown>) {
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error(`no ApiError: ${String(error)}`);
  const { code, details } = error.status;
  return { code, retryAfterSeconds: details?.retryAfterSeconds };
}

describe('a signed token', () => {
  it('is its signer', async () => {
    expect(await authenticator().principal(await header())).toEqual({
      arn: ROLE,
      account: '111122223333',
      id: 'AROAEXAMPLE',
    });
    expect(sts.asked[0]?.headers).toMatchObject({
      host: 'sts.eu-west-1.amazonaws.com',
      'x-k8s-aws-id': CLUSTER,
      accept: 'application/json',
    });
    expect(sts.asked[0]?.headers).not.toHaveProperty('authorization');
  });

  it('for another cluster is nobody here', async () => {
    expect(await authenticator().principal(await header({ clusterId: 'other' }))).toBeUndefined();
    expect(sts.asked).toHaveLength(1);
  });

  it('under another secret is nobody', async () => {
    expect(await authenticator().principal(await header({ secret: 'guess' }))).toBeUndefined();
  });

  it('for the STS of another region is not even asked about, unless it is named', async () => {
    const given = await header({ region: 'us-west-2' });
    expect(await authenticator().principal(given)).toBeUndefined();
    expect(sts.asked).toEqual([]);
    const wider = authenticator({ otherRegions: ['us-west-2'] });
    expect(await wider.principal(given)).toMatchObject({ arn: ROLE });
  });

  it.each([
    ['none', undefined],
    ['an empty one', ''],
    ['another scheme', 'Basic dXNlcjpwYXNz'],
    ['a token without a scheme', 'k8s-aws-v1.aaaa'],
    ['a scheme without a token', 'Bearer'],
    ['junk', 'Bearer junk'],
    ['ten megabytes', `Bearer k8s-aws-v1.${'A'.repeat(10_000_000)}`],
  ])('is not found in an Authorization header: %s', async (_what, given) => {
    expect(await authenticator().principal(given)).toBeUndefined();
    expect(sts.asked).toEqual([]);
  });

  it('tells the log which check failed, and nothing of the token', async () => {
    const given = await header({ clusterId: 'other' });
    await authenticator().principal(given);
    await authenticator().principal(`${given}x`);
    const told = JSON.stringify(recorder.logs);
    expect(recorder.logs).toHaveLength(2);
    expect(told).not.toContain(given.slice(40, 80));
    expect(told).not.toContain(CREDENTIALS.accessKeyId);
  });
});

describe('what was asked once', () => {
  it('is remembered until the token ends, and no longer', async () => {
    const one = authenticator();
    const given = await header();
    await one.principal(given);
    await clock.advance(14 * 60_000);
    expect(await one.principal(given)).toMatchObject({ arn: ROLE });
    expect(sts.asked).toHaveLength(1);
    await clock.advance(60_000);
    expect(await one.principal(given)).toBeUndefined();
    expect(sts.asked).toHaveLength(1);
  });

  it('is remembered for that very token only', async () => {
    const one = authenticator();
    const given = await header();
    await one.principal(given);
    await clock.advance(1_000);
    await one.principal(await header());
    expect(sts.asked).toHaveLength(2);
    const forged = `${given.slice(0, -4)}AAAA`;
    expect(await one.principal(forged)).toBeUndefined();
  });

  it('is asked once by many at the same time', async () => {
    const one = authenticator();
    const given = await header();
    const all = await Promise.all(Array.from({ length: 20 }, () => one.principal(given)));
    expect(new Set(all.map((principal) => principal?.arn))).toEqual(new Set([ROLE]));
    expect(sts.asked).toHaveLength(1);
  });

  it('is forgotten after seconds where it was a refusal', async () => {
    const one = authenticator();
    const given = await header({ secret: 'guess' });
    await one.principal(given);
    await clock.advance(4_999);
    await one.principal(given);
    expect(sts.asked).toHaveLength(1);
    await clock.advance(1);
    await one.principal(given);
    expect(sts.asked).toHaveLength(2);
  });

  it('is bounded, and the least recently used goes first', () => {
    const remembered = new Remembered<number>(2);
    remembered.set('a', 1, 10);
    remembered.set('b', 2, 10);
    expect(remembered.get('a', 0)).toBe(1);
    remembered.set('c', 3, 10);
    expect(['a', 'b', 'c'].map((key) => remembered.get(key, 0))).toEqual([1, undefined, 3]);
    expect(remembered.get('a', 10)).toBeUndefined();
    expect(remembered.size).toBe(1);
  });
});

describe('an STS in trouble', () => {
  const busy = { code: 503, retryAfterSeconds: 1 };
  it.each<[string, object, (request: IncomingMessage, response: ServerResponse) => void]>([
    ['500', busy, (_request, response) => refuse(response, 500, 'InternalFailure')],
    ['503', busy, (_request, response) => refuse(response, 503, 'ServiceUnavailable')],
    ['a broken connection', busy, (request) => request.socket.destroy()],
    [
      'half an answer',
      busy,
      (request, response) => {
        response.writeHead(200, { 'content-length': '500' }).write('{"Get');
        setImmediate(() => request.socket.destroy());
      },
    ],
    [
      'an answer of 10 MB',
      busy,
      (_request, response) => response.writeHead(200).end(Buffer.alloc(10_000_000, ' ')),
    ],
    ['silence', busy, () => {}],
    [
      'throttling by status',
      { code: 429, retryAfterSeconds: 1 },
      (_request, response) => refuse(response, 429, 'Whatever'),
    ],
    [
      'throttling by code',
      { code: 429, retryAfterSeconds: 1 },
      (_request, response) => refuse(response, 400, 'Throttling'),
    ],
    [
      'throttling by a longer code',
      { code: 429, retryAfterSeconds: 1 },
      (_request, response) => refuse(response, 403, 'ThrottlingException'),
    ],
    [
      'throttling by a limit',
      { code: 429, retryAfterSeconds: 1 },
      (_request, response) => refuse(response, 503, 'RequestLimitExceeded'),
    ],
  ])('that answers with %s leaves it open who asks', async (_what, expected, script) => {
    const one = authenticator({ ask: stsClient({ endpoint: sts.endpoint, timeoutMs: 150 }) });
    const given = await header();
    sts.script = script;
    expect(await failure(one.principal(given))).toEqual(expected);
    sts.script = undefined;
    expect(await one.principal(given)).toMatchObject({ arn: ROLE });
  });

  it.each<[string, (request: IncomingMessage, response: ServerResponse) => void]>([
    ...[301, 302, 303, 307, 308].map(
      (status): [string, (request: IncomingMessage, response: ServerResponse) => void] => [
        `a redirect (${status})`,
        (_request, response) =>
          response.writeHead(status, { location: 'http://127.0.0.1:9/' }).end(),
      ],
    ),
    [
      '201',
      (_request, response) => sendJson(response, 201, identity(SESSION, '111122223333', 'A')),
    ],
    ['204', (_request, response) => response.writeHead(204).end()],
    ['400', (_request, response) => refuse(response, 400, 'MalformedQueryString')],
    ['403', (_request, response) => refuse(response, 403, 'InvalidClientTokenId')],
    ['404', (_request, response) => refuse(response, 404, 'NotFound')],
    ['nothing', (_request, response) => response.writeHead(200).end()],
    ['XML', (_request, response) => response.writeHead(200).end(`<Arn>${SESSION}</Arn>`)],
    ['null', (_request, response) => sendJson(response, 200, null)],
    ['a list', (_request, response) => sendJson(response, 200, [SESSION])],
    ['an ARN of its own shape', (_request, response) => sendJson(response, 200, { Arn: SESSION })],
  ])('that answers with %s vouches for nobody', async (_what, script) => {
    sts.script = script;
    expect(await authenticator().principal(await header())).toBeUndefined();
    expect(sts.asked).toHaveLength(1);
  });
});

describe('who STS names', () => {
  const A = '111122223333';
  it.each([
    ['a role', `arn:aws:sts::${A}:assumed-role/R/s`, `arn:aws:iam::${A}:role/R`],
    [
      'a role of SSO',
      `arn:aws:sts::${A}:assumed-role/AWSReservedSSO_Admin_1a/j@x.io`,
      `arn:aws:iam::${A}:role/AWSReservedSSO_Admin_1a`,
    ],
    ['an instance', `arn:aws:sts::${A}:assumed-role/Node/i-0abc`, `arn:aws:iam::${A}:role/Node`],
    ['a user', `arn:aws:iam::${A}:user/jane`, `arn:aws:iam::${A}:user/jane`],
    [
      'a user with a path',
      `arn:aws:iam::${A}:user/team/a/jane`,
      `arn:aws:iam::${A}:user/team/a/jane`,
    ],
    ['the root', `arn:aws:iam::${A}:root`, `arn:aws:iam::${A}:root`],
  ])('%s has one spelling', (_what, arn, canonical) => {
    expect(principalOf(identity(arn, A, 'AIDAX:s'), 'aws')).toEqual({
      arn: canonical,
      account: A,
      id: 'AIDAX',
    });
  });

  it.each([
    ['a federated user', `arn:aws:sts::${A}:federated-user/admin`, A, 'X'],
    ['a role that nobody assumed', `arn:aws:iam::${A}:role/R`, A, 'X'],
    ['a role without a session', `arn:aws:sts::${A}:assumed-role/R`, A, 'X'],
    ['a session with a slash', `arn:aws:sts::${A}:assumed-role/R/s/t`, A, 'X'],
    ['a session of IAM', `arn:aws:iam::${A}:assumed-role/R/s`, A, 'X'],
    ['a group', `arn:aws:iam::${A}:group/admins`, A, 'X'],
    ['an instance profile', `arn:aws:iam::${A}:instance-profile/x`, A, 'X'],
    ['a service', `arn:aws:iam::${A}:service/x`, A, 'X'],
    ['another partition', `arn:aws-cn:sts::${A}:assumed-role/R/s`, A, 'X'],
    ['no partition', `arn::sts::${A}:assumed-role/R/s`, A, 'X'],
    ['a region', `arn:aws:sts:eu-west-1:${A}:assumed-role/R/s`, A, 'X'],
    ['another account', `arn:aws:sts::444455556666:assumed-role/R/s`, A, 'X'],
    ['a short account', 'arn:aws:sts::1111:assumed-role/R/s', '1111', 'X'],
    ['a line break', `arn:aws:iam::${A}:user/jane\n`, A, 'X'],
    ['a root with more', `arn:aws:iam::${A}:root/x`, A, 'X'],
    ['a user without a name', `arn:aws:iam::${A}:user/`, A, 'X'],
    ['a confusable letter', `arn:aws:iam::${A}:user/j\u0430ne`, A, 'X'],
    ['a wildcard', `arn:aws:iam::${A}:role/*`, A, 'X'],
    ['text around it', `x arn:aws:iam::${A}:root`, A, 'X'],
    ['no text', 7, A, 'X'],
    ['no account', `arn:aws:iam::${A}:root`, undefined, 'X'],
    ['a number for an account', `arn:aws:iam::${A}:root`, Number(A), 'X'],
    ['no user id', `arn:aws:iam::${A}:root`, A, undefined],
    ['an empty user id', `arn:aws:iam::${A}:root`, A, ''],
  ])('is nobody: %s', (_what, arn, account, userId) => {
    expect(principalOf(identity(arn, account, userId), 'aws')).toBeUndefined();
  });
});

describe('the settings', () => {
  it.each([
    'http://169.254.169.254',
    'http://sts.evil.example',
    'http://127.0.0.1.evil.example',
    'http://user@127.0.0.1',
    'http://127.0.0.1/path',
    'http://127.0.0.1/?a=b',
    'https://sts.amazonaws.com.evil.example',
    'ftp://127.0.0.1',
    'not a URL',
  ])('take no STS at %s', (stsEndpoint) => {
    expect(() => authenticator({ stsEndpoint })).toThrow(RangeError);
  });

  it.each(['http://localhost:4566', 'http://127.0.0.1:4566', 'http://[::1]:4566/'])(
    'take an STS at %s',
    (stsEndpoint) => {
      expect(authenticator({ stsEndpoint })).toBeInstanceOf(StsAuthenticator);
    },
  );

  it.each(['', ' ', 'a b', 'a\r\nb', '-a', 'a'.repeat(101), 'naïve'])(
    'take no cluster id %j',
    (clusterId) => {
      expect(() => authenticator({ clusterId })).toThrow(RangeError);
    },
  );

  it('take no region of another partition', () => {
    expect(() => authenticator({ otherRegions: ['cn-north-1'] })).toThrow(RangeError);
  });
});
