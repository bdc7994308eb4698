/** SsmVault against a server that throttles, fails, and quotes what it refuses, as SSM may. */
import { SSMClient } from '@aws-sdk/client-ssm';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { SsmVault } from '../../../adapters/aws/ssm/ssm-vault.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Vault } from '../../../shared/ports/vault.ts';
import { VaultTooLarge, VaultUnavailable } from '../../../shared/ports/vault.ts';

const CANARY = 'canary-91c2';
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

interface Call {
  readonly operation: string;
  readonly input: { readonly Name?: string; readonly Names?: readonly string[] };
  readonly text: string;
}
type Answer = { readonly status: number; readonly body: object };

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** The vault before a server that answers so; time passes as fast as it is waited for. */
async function vaultBefore(answer: (call: Call) => Answer) {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    void callOf(request).then((call) => {
      calls.push(call);
      send(response, answer(call));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;
  const client = clientOf(endpoint);
  closers.push(async () => {
    client.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const clock = new HastyClock();
  const vault: Vault = new SsmVault({ client, clock, prefix: '/np/secrets' });
  return { vault, calls, clock };
}

/** Without the SDK's own retries, which wait for real. */
function clientOf(endpoint: string): SSMClient {
  const region = 'us-east-1';
  return new SSMClient({ endpoint, region, credentials: CREDENTIALS, maxAttempts: 1 });
}

/** What is waited for is over at once, and the time has passed. */
class HastyClock extends StepClock {
  override async delay(ms: number): Promise<void> {
    await this.advance(ms);
  }
}

async function callOf(request: IncomingMessage): Promise<Call> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const target = String(request.headers['x-amz-target']);
  return { operation: target.split('.')[1] ?? '', input: JSON.parse(text) as Call['input'], text };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(body));
}

const ok = (body: object = {}): Answer => ({ status: 200, body });
const refused = (type: string, message: string, status = 400): Answer => ({
  status,
  body: { __type: type, message },
});
const throttled = refused('ThrottlingException', 'Rate exceeded');

const canary = new Map([['k', new TextEncoder().encode(CANARY)]]);

async function failure(work: Promise<unknown>): Promise<Error> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  if (!(error instanceof Error)) throw new Error('it did not fail');
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(CANARY);
  return error;
}

describe('a put', () => {
  it('waits while it is throttled, and is done in the end', async () => {
    let left = 7;
    const { vault, calls } = await vaultBefore(() => (left-- > 0 ? throttled : ok({ Version: 1 })));
    const ref = await vault.put('ns/uid/1', canary);
    expect(ref.id).toBe('/np/secrets/ns/uid/1');
    expect(calls.at(-1)?.input).toMatchObject({
      Name: '/np/secrets/ns/uid/1/k/k',
      Value: CANARY,
      Type: 'SecureString',
      Tier: 'Standard',
    });
  });

  it('gives up before an API gateway does, after not many calls', async () => {
    const { vault, calls, clock } = await vaultBefore(() => throttled);
    const startMs = clock.nowMs();
    expect(await failure(vault.put('ns/uid/1', canary))).toBeInstanceOf(VaultUnavailable);
    expect(clock.nowMs() - startMs).toBeLessThan(29_000);
    expect(calls.length).toBeLessThan(40);
  });

  it('of many keys is three calls at a time, and stops at the first failure', async () => {
    const many = new Map(
      Array.from({ length: 60 }, (_, i) => [`k${i}`, canary.get('k') ?? fail()]),
    );
    const { vault, calls } = await vaultBefore(() => refused('InvalidKeyId', CANARY));
    expect(await failure(vault.put('ns/uid/1', many))).not.toBeInstanceOf(VaultUnavailable);
    expect(calls.length).toBeLessThanOrEqual(3);
  });

  it('of more than it may be is refused without a call', async () => {
    const many = new Map(
      Array.from({ length: 65 }, (_, i) => [`k${i}`, canary.get('k') ?? fail()]),
    );
    const { vault, calls } = await vaultBefore(() => ok());
    expect(await failure(vault.put('ns/uid/1', many))).toBeInstanceOf(VaultTooLarge);
    expect(calls).toEqual([]);
  });
});

describe('errors', () => {
  it.each([
    ['ValidationException', 400, Error, 'ssm:PutParameter: ValidationException (HTTP 400)'],
    ['ParameterLimitExceeded', 400, VaultUnavailable, 'ssm:PutParameter: ParameterLimitExceeded'],
    ['InternalServerError', 500, VaultUnavailable, 'ssm:PutParameter: InternalServerError'],
  ])('%s (%d) is told without what it quotes', async (type, status, kind, text) => {
    const message = `Value '${CANARY}' at 'value' failed to satisfy constraint`;
    const { vault } = await vaultBefore(() => refused(type, message, status));
    const error = await failure(vault.put('ns/uid/1', canary));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(text);
    expect(error.cause).toBeUndefined();
  });

  it('of a missing right say which', async () => {
    const message = 'role x is not authorized to perform: ssm:GetParameters';
    const { vault } = await vaultBefore(() => refused('AccessDeniedException', message));
    const entries = [{ key: 'k', encoding: 'text' as const, parts: ['k/k'] }];
    expect((await failure(vault.get([{ id: '/np/x', entries }]))).message).toContain(message);
  });
});

describe('a get', () => {
  const refOf = (i: number) => ({
    id: `/np/secrets/ns/uid/${i}`,
    entries: [{ key: 'k', encoding: 'text' as const, parts: ['k/k'] }],
  });

  it('asks for ten at a time, and again for what may not show yet', async () => {
    const seen = new Set<string>();
    const { vault, calls } = await vaultBefore(({ input }) => {
      const Parameters = (input.Names ?? []).flatMap((Name) => {
        if (seen.has(Name)) return { Name, Value: CANARY };
        seen.add(Name);
        return [];
      });
      return ok({ Parameters });
    });
    const refs = Array.from({ length: 25 }, (_, i) => refOf(i));
    expect((await vault.get(refs)).size).toBe(25);
    expect(calls.map(({ input }) => input.Names?.length)).toEqual([10, 10, 5, 10, 10, 5]);
  });

  it('leaves out what is not there, after three looks', async () => {
    const { vault, calls } = await vaultBefore(() => ok({ Parameters: [] }));
    expect((await vault.get([refOf(1)])).size).toBe(0);
    expect(calls).toHaveLength(3);
  });
});

describe('a prefix', () => {
  it.each(['', 'np', '/aws/x', '/SSM', '/np/', '/n p'])('can’t be %j', (prefix) => {
    const client = clientOf('http://127.0.0.1:9');
    expect(() => new SsmVault({ client, clock: new StepClock(), prefix })).toThrow(RangeError);
    client.destroy();
  });
});

function fail(): never {
  throw new Error('no canary');
}
