/**
 * `npm run deploy -- …`: hands its arguments to `cdk deploy`. Who deploys becomes the admin of the
 * installation, unless the arguments or cdk.json name admins: one that nobody may use is of no use.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StsAuthenticator } from '../adapters/aws/auth/sts-authenticator.ts';
import { credentialsAtHand, signToken } from '../adapters/aws/auth/token.ts';
import { JsonRecorder } from '../adapters/node/json-recorder.ts';
import { SystemClock } from '../adapters/node/system-clock.ts';

const ROOT = join(import.meta.dirname, '..');
const CDK = join(ROOT, 'node_modules/aws-cdk/bin/cdk');

/** The caller as the API server will know them; undefined when STS does not know the keys. */
async function caller(region: string): Promise<string | undefined> {
  const clock = new SystemClock();
  const clusterId = 'deploy';
  const credentials = await credentialsAtHand(process.env['AWS_PROFILE']);
  const { token } = await signToken({ clusterId, region, nowMs: clock.nowMs(), credentials });
  const stsEndpoint = process.env['NULLPLANE_STS_ENDPOINT'];
  const recorder = new JsonRecorder({ clock, logs: process.stderr, audits: process.stderr });
  const sts = new StsAuthenticator({
    ...{ clusterId, region, clock, recorder },
    ...(stsEndpoint ? { stsEndpoint } : {}),
  });
  return (await sts.principal(`Bearer ${token}`))?.arn;
}

function namesAdmins(args: readonly string[]): boolean {
  const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')) as {
    readonly context: { readonly admins?: string };
  };
  return Boolean(context.admins) || args.some((arg) => /^(--context=|-c=?)?admins=/.test(arg));
}

async function adminArgs(args: readonly string[]): Promise<readonly string[]> {
  if (namesAdmins(args)) return [];
  const region = process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'];
  if (!region) throw new Error('which region? Set AWS_REGION');
  const arn = await caller(region);
  if (arn === undefined) throw new Error('STS does not know these credentials; or name -c admins=');
  process.stderr.write(`admin of the installation: ${arn}\n`);
  return ['--context', `admins=${arn}`];
}

try {
  const args = process.argv.slice(2);
  const all = [CDK, 'deploy', ...(await adminArgs(args)), ...args];
  process.exitCode = spawnSync(process.execPath, all, { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
} catch (error) {
  process.stderr.write(`deploy: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
