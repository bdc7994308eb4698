/** The command line, on folders of its own and with credentials of nobody. */
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkToken } from '../../../adapters/aws/auth/bearer-token.ts';
import { stsHosts } from '../../../adapters/aws/auth/sts-hosts.ts';
import type { Io } from '../../../cli/io.ts';
import { run } from '../../../cli/run.ts';

const NOW_MS = Date.parse('2026-03-04T05:06:07Z');
const API = 'https://abc.execute-api.eu-west-1.amazonaws.com/v1';

let home: string;
let printed: string;
let told: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'nullplane-cli-'));
  printed = '';
  told = '';
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function cli(line: string, given: Partial<Io> = {}): Promise<number> {
  printed = '';
  told = '';
  return run(line.split(' ').filter(Boolean), {
    env: {},
    home,
    nowMs: NOW_MS,
    nodePath: '/opt/node',
    mainPath: '/src/cli/main.ts',
    credentials: async () => ({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret' }),
    print: (text) => void (printed += text),
    tell: (text) => void (told += text),
    ...given,
  });
}

interface Named {
  readonly name: string;
}
interface Config {
  readonly clusters: readonly (Named & { cluster: Record<string, unknown> })[];
  readonly users: readonly (Named & { user: { exec: Record<string, unknown>; token?: string } })[];
  readonly contexts: readonly (Named & { context: Record<string, unknown> })[];
  readonly 'current-context': string;
}

const file = (name: string, text = '') => {
  const path = join(home, name);
  writeFileSync(path, text);
  return path;
};
const config = (text: string) => parse(text) as Config;
const outputs = (stacks: object) => file('outputs.json', JSON.stringify(stacks));

describe('kubeconfig', () => {
  it('is made from the outputs of the stack', async () => {
    const path = outputs({ Nullplane: { ApiUrl: `${API}/`, Installation: 'prod' } });
    expect(await cli(`kubeconfig --outputs ${path}`)).toBe(0);
    const made = join(home, '.kube', 'config');
    const { clusters, users, contexts, ...rest } = config(readFileSync(made, 'utf8'));
    expect(rest['current-context']).toBe('prod');
    expect(clusters).toMatchObject([{ name: 'prod', cluster: { server: API } }]);
    expect(contexts).toMatchObject([{ name: 'prod', context: { cluster: 'prod', user: 'prod' } }]);
    expect(users[0]?.user.exec).toMatchObject({
      apiVersion: 'client.authentication.k8s.io/v1beta1',
      command: 'aws',
      args: [
        ...['--region', 'eu-west-1', 'eks', 'get-token', '--cluster-name', 'prod'],
        ...['--output', 'json'],
      ],
    });
    expect(statSync(made).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(home, '.kube'))).toEqual(['config']);
    expect(told).toContain('context "prod"');
  });

  it('may call this program, with an authority and a profile', async () => {
    const ca = file('ca.pem', 'PEM');
    const where = 'kubeconfig --endpoint https://127.0.0.1:8443 --region us-east-1 --path -';
    const line = `${where} --exec nullplane --cluster-id a --name b --ca-file ${ca} --profile dev`;
    expect(await cli(line)).toBe(0);
    const { clusters, users } = config(printed);
    expect(clusters[0]).toMatchObject({
      name: 'b',
      cluster: { 'certificate-authority-data': Buffer.from('PEM').toString('base64') },
    });
    expect(users[0]?.user.exec).toMatchObject({
      apiVersion: 'client.authentication.k8s.io/v1',
      command: '/opt/node',
      args: ['/src/cli/main.ts', 'token', '--cluster-id', 'a', '--region', 'us-east-1'],
      env: [{ name: 'AWS_PROFILE', value: 'dev' }],
      interactiveMode: 'IfAvailable',
    });
    expect(readdirSync(home)).toEqual(['ca.pem']);
  });

  const THEIRS = `# mine, keep it
apiVersion: v1
kind: Config
clusters:
- name: kind # local
  cluster: {server: https://127.0.0.1:1}
users:
- name: kind
  user: {token: secret}
contexts:
- name: kind
  context: {cluster: kind, user: kind}
current-context: kind
preferences: {colors: true}
`;

  it('keeps what others wrote, comments too', async () => {
    const path = file('config', THEIRS);
    chmodSync(path, 0o644);
    expect(await cli(`kubeconfig --endpoint ${API} --path ${path}`)).toBe(0);
    const text = readFileSync(path, 'utf8');
    expect(text).toContain('# mine, keep it');
    expect(text).toContain('# local');
    const { clusters, users, contexts, ...rest } = config(text);
    for (const list of [clusters, users, contexts]) {
      expect(list.map(({ name }) => name)).toEqual(['kind', 'nullplane']);
    }
    expect(users[0]?.user.token).toBe('secret');
    expect(rest).toMatchObject({ preferences: { colors: true }, 'current-context': 'nullplane' });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('replaces its own, and is the same when repeated', async () => {
    const path = file('config', THEIRS);
    const line = `--path ${path} --region eu-west-1`;
    await cli(`kubeconfig --endpoint https://old.example ${line}`);
    await cli(`kubeconfig --endpoint ${API} ${line}`);
    const once = readFileSync(path, 'utf8');
    await cli(`kubeconfig --endpoint ${API} ${line}`);
    expect(readFileSync(path, 'utf8')).toBe(once);
    expect(once).not.toContain('old.example');
    expect(config(once).clusters).toHaveLength(2);
  });

  it('follows a link rather than replace it', async () => {
    const path = file('real', THEIRS);
    symlinkSync(path, join(home, 'link'));
    await cli(`kubeconfig --endpoint ${API} --path ${join(home, 'link')}`);
    expect(readFileSync(path, 'utf8')).toContain(API);
  });

  it.each([
    ['a cluster of somebody else', THEIRS, '--name kind', /not ours/],
    ['what is no YAML', 'a: [', '', /not valid YAML/],
    ['what is a list', '- a', '', /not a mapping/],
    ['clusters that are no list', 'clusters: {a: b}', '', /not a list/],
  ])('leaves %s as it is', async (_what, text, more, complaint) => {
    const path = file('config', text);
    expect(await cli(`kubeconfig --endpoint ${API} --path ${path} ${more}`)).toBe(2);
    expect(told).toMatch(complaint);
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(readdirSync(home)).toEqual(['config']);
  });

  it.each([
    ['', /where is the API/],
    [`--endpoint http://${API.slice(8)}`, /https/],
    ['--endpoint https://user@x.example --region eu-west-1', /https/],
    ['--endpoint nonsense', /https/],
    ['--endpoint https://x.example', /which region/],
    ['--endpoint https://x.example --region nowhere', /not an AWS region/],
    [`--endpoint ${API} --exec magic`, /neither aws nor nullplane/],
    [`--endpoint ${API} --frobnicate`, /frobnicate/],
    ['--stack Nullplane', /--outputs/],
    ['--outputs /nonexistent', /can not be read/],
  ])('says what is wrong with %j', async (line, complaint) => {
    expect(await cli(`kubeconfig ${line} --path -`)).toBeGreaterThan(0);
    expect(told).toMatch(complaint);
    expect(printed).toBe('');
  });

  it.each([
    [{ A: {}, B: {} }, '', /choose one by --stack/],
    [{ A: {} }, '--stack B', /no stack "B", but A/],
    [{ A: {} }, '--stack constructor', /no stack/],
    [{ A: {} }, '', /no output ApiUrl/],
    [[], '', /is not what cdk deploy/],
  ])('says what is wrong with the outputs %j', async (stacks, more, complaint) => {
    expect(await cli(`kubeconfig --outputs ${outputs(stacks)} ${more}`)).toBe(2);
    expect(told).toMatch(complaint);
  });
});

describe('token', () => {
  interface Exec {
    readonly apiVersion: string;
    readonly kind: string;
    readonly status: { readonly token: string; readonly expirationTimestamp: string };
  }
  const exec = () => JSON.parse(printed) as Exec;
  const line = 'token --cluster-id prod --region eu-west-1';
  const folder = () => join(home, '.cache', 'nullplane', 'tokens');

  it('is one that the server takes, as an ExecCredential', async () => {
    expect(await cli(line)).toBe(0);
    const { apiVersion, kind, status } = exec();
    expect([apiVersion, kind]).toEqual(['client.authentication.k8s.io/v1', 'ExecCredential']);
    expect(status.expirationTimestamp).toBe('2026-03-04T05:20:07Z');
    const checked = checkToken(status.token, { nowMs: NOW_MS, hosts: stsHosts(['eu-west-1']) });
    expect(checked.host).toBe('sts.eu-west-1.amazonaws.com');
  });

  it('speaks the version that kubectl asks for', async () => {
    const apiVersion = 'client.authentication.k8s.io/v1beta1';
    const env = { KUBERNETES_EXEC_INFO: JSON.stringify({ apiVersion, kind: 'ExecCredential' }) };
    await cli(line, { env });
    expect(exec().apiVersion).toBe(apiVersion);
  });

  it('is kept while it holds, for the owner alone', async () => {
    await cli(line);
    const first = exec().status.token;
    const [name = ''] = readdirSync(folder());
    expect(statSync(join(folder(), name)).mode & 0o777).toBe(0o600);
    expect(statSync(folder()).mode & 0o777).toBe(0o700);
    await cli(line, { nowMs: NOW_MS + 12 * 60_000 });
    expect(exec().status.token).toBe(first);
    await cli(`${line} --no-cache`, { nowMs: NOW_MS + 1_000 });
    expect(exec().status.token).not.toBe(first);
    await cli(line, { nowMs: NOW_MS + 14 * 60_000 });
    expect(exec().status.token).not.toBe(first);
  });

  it('is of the credentials and the cluster that are meant now', async () => {
    const tokens = new Set<string>();
    const other = { accessKeyId: 'AKIAIOSFODNN7EXAMPL2', secretAccessKey: 'secret' };
    for (const [words, credentials] of [
      [line, undefined],
      [line, other],
      [line, { ...other, sessionToken: 'a' }],
      ['token --cluster-id test --region eu-west-1', undefined],
      ['token --cluster-id prod --region us-east-1', undefined],
    ] as const) {
      await cli(words, credentials ? { credentials: async () => credentials } : {});
      tokens.add(exec().status.token);
    }
    expect(tokens.size).toBe(5);
  });

  it('ends with its credentials', async () => {
    const expiration = new Date(NOW_MS + 300_000);
    const credentials = async () => ({ accessKeyId: 'ASIA', secretAccessKey: 's', expiration });
    await cli(line, { credentials });
    expect(exec().status.expirationTimestamp).toBe('2026-03-04T05:11:07Z');
  });

  it('is made anew where the kept one is damaged', async () => {
    await cli(line);
    const [name = ''] = readdirSync(folder());
    for (const text of ['', '{', 'null', '{"token":7,"expiresAtMs":9e99}']) {
      writeFileSync(join(folder(), name), text);
      expect(await cli(line)).toBe(0);
      expect(exec().status.token).toMatch(/^k8s-aws-v1\./);
    }
  });

  it('is printed although it can not be kept', async () => {
    file('.cache', 'a file, no folder');
    expect(await cli(line)).toBe(0);
    expect(exec().status.token).toMatch(/^k8s-aws-v1\./);
    expect(told).toContain('not kept');
  });

  it.each([
    ['token --region eu-west-1', 2, /--cluster-id/],
    ['token --cluster-id a', 2, /which region/],
    ['token --cluster-id a --region nowhere', 1, /not an AWS region/],
  ])('says what is wrong: %s', async (words, code, complaint) => {
    expect(await cli(words)).toBe(code);
    expect(told).toMatch(complaint);
  });

  it('says that there are no credentials', async () => {
    const credentials = () => Promise.reject(new Error('could not load from any provider'));
    expect(await cli(line, { credentials })).toBe(1);
    expect(told).toContain('no AWS credentials: could not load');
  });
});

describe('dead letters', () => {
  it.each([
    ['dead-letters', /which queue/],
    ['redrive other', /which queue/],
    ['redrive health extra', /which queue/],
    ['redrive health', /--outputs/],
    ['redrive health --max 0', /--max/],
    ['redrive health --max x', /--max/],
  ])('says what is wrong: %s', async (words, complaint) => {
    expect(await cli(words)).toBe(2);
    expect(told).toMatch(complaint);
  });
});

describe('the program', () => {
  it.each(['help', '--help', '-h', 'kubeconfig --help', 'token -h'])(
    'explains itself: %s',
    async (words) => {
      expect(await cli(words)).toBe(0);
      expect(printed).toContain('Usage: nullplane COMMAND');
    },
  );

  it.each(['', 'frobnicate', 'constructor'])('knows no command %j', async (words) => {
    expect(await cli(words)).toBe(2);
    expect(told).toContain('nullplane help');
  });
});
