/**
 * `nullplane token`: an ExecCredential for kubectl. A token is kept on disk while it holds: kubectl
 * asks for each command, and a server knows again what it has seen.
 *
 * Invariant: a kept token is of the very credentials that are at hand now.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Credentials, type SignedToken, signToken } from '../adapters/aws/auth/token.ts';
import { type Io, UsageError } from './io.ts';
import { regionOf } from './region.ts';

const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
/** A token that ends within this time is not handed out again. */
const LEAST_LEFT_MS = 60_000;
/** More kept tokens than that are of no use to anybody. */
const MAX_KEPT = 50;
const VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];
const TEXT = { type: 'string' } as const;

export async function tokenCommand(args: readonly string[], io: Io): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ 'cluster-id': TEXT, region: TEXT, profile: TEXT },
      'no-cache': { type: 'boolean', default: false },
    },
  });
  const clusterId = values['cluster-id'];
  if (!clusterId) throw new UsageError('which cluster? Give --cluster-id');
  const region = regionOf(values.region, undefined, io);
  const credentials = await atHand(io, values.profile);
  const path = keptPath(io, [clusterId, region], credentials);
  const kept = values['no-cache'] ? undefined : readKept(path, io.nowMs);
  const signed = kept ?? (await signToken({ clusterId, region, nowMs: io.nowMs, credentials }));
  if (!kept) keep(path, signed, io);
  io.print(`${JSON.stringify(execCredential(signed, io))}\n`);
}

async function atHand(io: Io, profile: string | undefined): Promise<Credentials> {
  try {
    return await io.credentials(profile);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`no AWS credentials: ${reason}`, { cause: error });
  }
}

function execCredential({ token, expiresAtMs }: SignedToken, { env }: Io): object {
  const asked = /"apiVersion"\s*:\s*"([^"]+)"/.exec(env['KUBERNETES_EXEC_INFO'] ?? '')?.[1];
  const apiVersion = VERSIONS.find((version) => version === asked) ?? VERSIONS[0];
  const expirationTimestamp = new Date(expiresAtMs).toISOString().replace(/\.\d+Z$/, 'Z');
  return { apiVersion, kind: 'ExecCredential', spec: {}, status: { expirationTimestamp, token } };
}

function keptFolder({ env, home }: Io): string {
  return join(env['XDG_CACHE_HOME'] ?? join(home, '.cache'), 'nullplane', 'tokens');
}

function keptPath(io: Io, signedFor: readonly string[], credentials: Credentials): string {
  const { accessKeyId, secretAccessKey, sessionToken = '' } = credentials;
  const identity = JSON.stringify([...signedFor, accessKeyId, secretAccessKey, sessionToken]);
  const digest = createHash('sha256').update(identity).digest('hex');
  return join(keptFolder(io), `${digest}.json`);
}

function readKept(path: string, nowMs: number): SignedToken | undefined {
  try {
    const kept = JSON.parse(readFileSync(path, 'utf8')) as Partial<SignedToken>;
    const { token, expiresAtMs } = kept;
    if (typeof token !== 'string' || typeof expiresAtMs !== 'number') return undefined;
    return expiresAtMs - nowMs >= LEAST_LEFT_MS ? { token, expiresAtMs } : undefined;
  } catch {
    return undefined; // there is none, or it is of no use
  }
}

/** Best effort: without a place for it, the next command signs anew. */
function keep(path: string, signed: SignedToken, io: Io): void {
  const folder = keptFolder(io);
  try {
    mkdirSync(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
    const kept = readdirSync(folder);
    if (kept.length >= MAX_KEPT) for (const name of kept) rmSync(join(folder, name));
    const draft = `${path}.${process.pid}.tmp`;
    writeFileSync(draft, JSON.stringify(signed), { mode: OWNER_ONLY, flag: 'wx' });
    renameSync(draft, path);
  } catch (error) {
    io.tell(`nullplane: the token is not kept: ${(error as Error).message}\n`);
  }
}
