/**
 * Real kubectl, with each of the two exec plugins, over HTTPS to the API server, whose callers are
 * known by STS. The STS is our own, which verifies signatures: MiniStack's answers any signature
 * with one and the same root user, so that passing there would show nothing.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StsAuthenticator } from '../../../adapters/aws/auth/sts-authenticator.ts';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { type RunningServer, startHttpsServer } from '../../../adapters/node/https-server.ts';
import { RandomIds } from '../../../adapters/node/random-ids.ts';
import { SystemClock } from '../../../adapters/node/system-clock.ts';
import { createTlsIdentity } from '../../../adapters/node/tls.ts';
import { allowedByGroups } from '../../../shared/control/apiserver/authorization.ts';
import { authenticateByIam, Principals } from '../../../shared/control/apiserver/principals.ts';
import { createApiServer } from '../../../shared/control/apiserver/server.ts';
import { ensureSystemObjects } from '../../../shared/control/apiserver/system-objects.ts';
import { findKubectls } from '../../kubectl/cluster.ts';
import { VERSION } from '../../unit/apiserver/api.ts';
import { FakeSts } from '../../unit/auth/fake-sts.ts';

/** The latest. */
const KUBECTL = findKubectls().at(-1);
const ROOT = join(import.meta.dirname, '../../..');
const ACCOUNT = '111122223333';
const ADMIN = { id: 'AKIAIOSFODNN7ADMIN00', secret: 'admin-secret' };
const DEV = { id: 'ASIAIOSFODNN7DEVEL00', secret: 'dev-secret' };
const STRANGER = { id: 'AKIAIOSFODNN7STRANGE', secret: 'stranger-secret' };

const AWS_AUTH = `apiVersion: v1
kind: ConfigMap
metadata: {name: aws-auth, namespace: kube-system}
data:
  mapRoles: |
    - rolearn: arn:aws:iam::${ACCOUNT}:role/Developer
      username: developer
      groups: [nullplane:edit:shop]
`;

let sts: FakeSts;
let server: RunningServer;
let folder: string;

beforeAll(async () => {
  const clock = new SystemClock({ keepsProcessAlive: false });
  const recorder = new MemoryRecorder();
  const store = new MemoryStore({ clock });
  const deps = { store, clock, recorder, ids: new RandomIds() };
  sts = await FakeSts.start(() => clock.nowMs());
  const iam = `arn:aws:iam::${ACCOUNT}`;
  sts.accounts.set(ADMIN.id, { secret: ADMIN.secret, arn: `${iam}:user/admin`, userId: 'AIDA1' });
  sts.accounts.set(STRANGER.id, { ...STRANGER, arn: `${iam}:user/stranger`, userId: 'AIDA2' });
  const session = `arn:aws:sts::${ACCOUNT}:assumed-role/Developer/admin`;
  sts.accounts.set(DEV.id, { secret: DEV.secret, arn: session, userId: 'AROA1:admin' });
  const authenticator = new StsAuthenticator({
    ...{ clusterId: 'prod', region: 'eu-west-1', stsEndpoint: sts.endpoint, clock, recorder },
  });
  const principals = new Principals({ ...deps, adminArns: [`${iam}:user/admin`] });
  const { handle } = createApiServer({
    ...deps,
    authenticate: authenticateByIam((header) => authenticator.principal(header), principals),
    authorize: allowedByGroups,
    version: VERSION,
  });
  await ensureSystemObjects(deps);
  const identity = await createTlsIdentity(clock);
  server = await startHttpsServer({ handle, ...identity, port: 0 });
  folder = mkdtempSync(join(tmpdir(), 'nullplane-auth-'));
  writeFileSync(join(folder, 'ca.pem'), identity.caPem);
  writeFileSync(join(folder, 'aws-auth.yaml'), AWS_AUTH);
  writeFileSync(
    join(folder, 'config.yaml'),
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: b}\n',
  );
});

afterAll(async () => {
  await server.close();
  await sts.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function execute(
  command: string,
  words: readonly string[],
  who: { readonly id: string; readonly secret: string },
  kind: string,
): Promise<Result> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    KUBECONFIG: join(folder, `kubeconfig-${kind}`),
    AWS_ACCESS_KEY_ID: who.id,
    AWS_SECRET_ACCESS_KEY: who.secret,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const { promise, resolve } = Promise.withResolvers<Result>();
  const child = execFile(command, [...words], { env, cwd: folder }, (error, out, err) => {
    const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
    resolve({ code, out, err });
  });
  child.stdin?.end();
  return promise;
}

const hasAws = await new Promise<boolean>((resolve) => {
  execFile('aws', ['--version'], (error) => resolve(error === null));
});
if (!hasAws) console.warn('SKIPPED: no AWS CLI on this machine, its tokens are not tried');

describe.each(hasAws ? ['nullplane', 'aws'] : ['nullplane'])(
  'kubectl with tokens of %s',
  (kind) => {
    const kubectl = (line: string, who = ADMIN) =>
      execute(KUBECTL ?? 'kubectl', line.split(' '), who, kind);

    beforeAll(async () => {
      const endpoint = `https://127.0.0.1:${server.port}`;
      const words = ['kubeconfig', '--endpoint', endpoint, '--cluster-id', 'prod'];
      const where = ['--region', 'eu-west-1', '--ca-file', 'ca.pem', '--exec', kind];
      const path = ['--path', join(folder, `kubeconfig-${kind}`)];
      const main = join(ROOT, 'cli/main.ts');
      const made = await execute(
        process.execPath,
        [main, ...words, ...where, ...path],
        ADMIN,
        kind,
      );
      expect(made).toMatchObject({ code: 0 });
    });

    it('lets the admin map others', async () => {
      expect((await kubectl('auth whoami')).out).toContain(`arn:aws:iam::${ACCOUNT}:user/admin`);
      expect(await kubectl('apply -f aws-auth.yaml')).toMatchObject({ code: 0 });
      expect((await kubectl('get namespaces -o name')).out).toContain('namespace/default');
    });

    it('lets the mapped role do what its group may, whatever its session is called', async () => {
      const { out } = await kubectl('auth whoami -o json', DEV);
      expect(JSON.parse(out)).toMatchObject({
        status: {
          userInfo: {
            username: 'developer',
            groups: ['nullplane:edit:shop', 'system:authenticated'],
          },
        },
      });
      const canI = await kubectl('auth can-i create pods -n shop', DEV);
      expect(canI).toEqual({ code: 0, out: 'yes\n', err: '' });
      expect(await kubectl('auth can-i create pods --subresource=exec -n shop', DEV)).toMatchObject(
        { code: 0 },
      );
      expect((await kubectl('auth can-i create pods -n default', DEV)).out).toContain('no');
      expect((await kubectl('auth can-i get secrets -n kube-system', DEV)).out).toContain('no');
      const denied = await kubectl('apply -f config.yaml -n default', DEV);
      expect([denied.code, denied.err]).toEqual([1, expect.stringContaining('developer')]);
      expect((await kubectl('apply -f aws-auth.yaml', DEV)).err).toMatch(/orbidden/);
    });

    it('lets in nobody who is not mapped, or signs with another secret', async () => {
      for (const who of [
        STRANGER,
        { ...ADMIN, secret: 'guess' },
        { id: 'AKIAIOSFODNN7NOBODY0', secret: 'x' },
      ]) {
        const { code, err } = await kubectl('get --raw /api/v1/namespaces/default/pods', who);
        expect([code, err]).toEqual([1, expect.stringMatching(/logged in|nauthorized/)]);
      }
    });
  },
);
