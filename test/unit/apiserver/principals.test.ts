/** IAM principals as users: what a ConfigMap in EKS's form makes of them. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { authenticateByIam, Principals } from '../../../shared/control/apiserver/principals.ts';
import { Unavailable } from '../../../shared/ports/store.ts';

const ACCOUNT = '111122223333';
const role = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const iamUser = (name: string) => `arn:aws:iam::${ACCOUNT}:user/${name}`;
const KEY = { resource: 'configmaps', namespace: 'kube-system', name: 'aws-auth' };

let clock: StepClock;
let store: MemoryStore;
let recorder: MemoryRecorder;

beforeEach(() => {
  clock = new StepClock();
  store = new MemoryStore({ clock });
  recorder = new MemoryRecorder();
});

const principals = (...adminArns: string[]) =>
  new Principals({ store, clock, recorder, adminArns });
const as = (people: Principals, arn: string) => people.userOf({ arn, account: ACCOUNT });
const warnings = () => recorder.logs.filter(({ level }) => level === 'warn');

async function write(data: { [field: string]: string }): Promise<void> {
  const current = await store.get(KEY);
  const metadata = { namespace: 'kube-system', name: 'aws-auth', uid: 'u', resourceVersion: '' };
  const draft = { apiVersion: 'v1', kind: 'ConfigMap', data } as unknown as AnyObject;
  if (current) await store.update('configmaps', { ...draft, metadata: current.metadata });
  else {
    const made = { ...metadata, creationTimestamp: '2030-01-01T00:00:00Z' };
    await store.create('configmaps', { ...draft, metadata: made });
  }
}

const ROLES = `
- rolearn: ${role('Deployer')}
  username: deployer
  groups:
    - nullplane:edit:shop
    - nullplane:view
- rolearn: ${role('team/path/Admin')}
  username: admin-of-{{AccountID}}
  groups: [system:masters]
- rolearn: ${role('Plain')}
`;
const USERS = `
- userarn: ${iamUser('team/jane')}
  username: jane
  groups: [nullplane:view]
`;

describe('mapRoles and mapUsers', () => {
  it.each([
    [role('Deployer'), 'deployer', ['nullplane:edit:shop', 'nullplane:view']],
    [role('Admin'), `admin-of-${ACCOUNT}`, ['system:masters']],
    [role('Plain'), role('Plain'), []],
    [iamUser('team/jane'), 'jane', ['nullplane:view']],
  ])('make %s the user %s', async (arn, name, groups) => {
    await write({ mapRoles: ROLES, mapUsers: USERS });
    const known = { name, groups: [...groups, 'system:authenticated'] };
    expect(await as(principals(), arn)).toEqual(known);
    expect(warnings()).toEqual([]);
  });

  it.each([
    role('Other'),
    role('deployer'),
    role('DeployerX'),
    role('x/Deployer'),
    iamUser('jane'),
    iamUser('Deployer'),
    `arn:aws:iam::444455556666:role/Deployer`,
    `arn:aws-cn:iam::${ACCOUNT}:role/Deployer`,
    `arn:aws:iam::${ACCOUNT}:root`,
    '',
    'constructor',
  ])('make nobody of %s', async (arn) => {
    await write({ mapRoles: ROLES, mapUsers: USERS });
    expect(await as(principals(), arn)).toBeUndefined();
  });

  it('make nobody of anybody when there are none', async () => {
    expect(await as(principals(), role('Deployer'))).toBeUndefined();
    expect(warnings()).toEqual([]);
  });
});

describe('what is malformed', () => {
  const good = `\n- rolearn: ${role('Good')}\n  groups: [nullplane:view]\n`;
  const entry = (fields: string) => `- {rolearn: "${role('Bad')}", ${fields}}${good}`;

  it.each([
    ['a session name for a user name', entry('username: "{{SessionName}}", groups: [a]')],
    ['a session name within it', entry('username: "admin:{{SessionName}}", groups: [a]')],
    ['a raw session name', entry('username: "x-{{SessionNameRaw}}"')],
    ['a key id', entry('username: "{{AccessKeyID}}"')],
    ['a host name', entry('username: "system:node:{{EC2PrivateDNSName}}"')],
    ['a template in a template', entry('username: "{{Account{{AccountID}}ID}}"')],
    ['an open template', entry('username: "a{{"')],
    ['a name of the server', entry('username: system:serviceaccount:default:x')],
    ['an empty name', entry('username: ""')],
    ['a name with a line break', entry('username: "a\\nb"')],
    ['a name beyond ASCII', entry('username: "jané"')],
    ['a name of 254 characters', entry(`username: ${'a'.repeat(254)}`)],
    ['a number for a name', entry('username: 7')],
    ['one group that is no list', entry('groups: system:masters')],
    ['a group that is no text', entry('groups: [system:masters, 7]')],
    ['an empty group', entry('groups: [system:masters, ""]')],
    ['groups within groups', entry('groups: [[system:masters]]')],
    ['101 groups', entry(`groups: [${Array.from({ length: 101 }, () => 'a').join()}]`)],
    ['no ARN', `- {username: a, groups: [system:masters]}${good}`],
    ['a user under roles', `- {rolearn: "${iamUser('Bad')}", groups: [a]}${good}`],
    ['a session', `- {rolearn: "arn:aws:sts::${ACCOUNT}:assumed-role/Bad/s"}${good}`],
    ['a wildcard', `- {rolearn: "${role('*')}", groups: [system:masters]}${good}`],
    ['a short account', `- {rolearn: "arn:aws:iam::1:role/Bad"}${good}`],
    ['a text', `- ${role('Bad')}${good}`],
    ['nothing', `- null${good}`],
    ['a list in the list', `- [${role('Bad')}]${good}`],
  ])('grants nothing, and spoils nothing: %s', async (_what, mapRoles) => {
    await write({ mapRoles });
    const people = principals();
    expect(await as(people, role('Bad'))).toBeUndefined();
    expect(await as(people, role('*'))).toBeUndefined();
    expect(await as(people, role('Good'))).toMatchObject({ name: role('Good') });
    expect(warnings()).toHaveLength(1);
  });

  it.each([
    ['no YAML', '- {rolearn: ['],
    ['a mapping', `rolearn: ${role('Bad')}`],
    ['a text', 'x'],
    ['an alias', `- &a {rolearn: "${role('Bad')}"}\n- *a\n`],
    ['two documents', `- {rolearn: "${role('Bad')}"}\n---\n- {rolearn: "${role('Bad')}"}\n`],
    ['too many entries', `- {rolearn: "${role('Bad')}"}\n`.repeat(1_001)],
    ['a prototype', `- {rolearn: "${role('Bad')}", __proto__: {groups: [system:masters]}}\n`],
  ])('spoils its field and no other: %s', async (_what, mapRoles) => {
    await write({ mapRoles, mapUsers: USERS });
    const people = principals(role('Boss'));
    expect(await as(people, role('Bad'))).toBeUndefined();
    expect(await as(people, iamUser('team/jane'))).toMatchObject({ name: 'jane' });
    expect(await as(people, role('Boss'))).toMatchObject({
      groups: ['system:masters', 'system:authenticated'],
    });
    expect(warnings()).toHaveLength(1);
  });

  it('is told once, not at each reading', async () => {
    await write({ mapRoles: '{' });
    const people = principals();
    for (let reads = 0; reads < 5; reads++) {
      await as(people, role('X'));
      await clock.advance(10_000);
    }
    expect(warnings()).toHaveLength(1);
  });

  it('lets whole accounts in for nobody', async () => {
    await write({ mapAccounts: `- "${ACCOUNT}"` });
    expect(await as(principals(), role('X'))).toBeUndefined();
    expect(warnings()).toHaveLength(1);
  });

  it('takes the last of two entries for one principal, and says so', async () => {
    const first = `- {rolearn: "${role('A')}", groups: [system:masters]}\n`;
    const mapRoles = `${first}- {rolearn: "${role('p/A')}", groups: [nullplane:view]}\n`;
    await write({ mapRoles });
    expect((await as(principals(), role('A')))?.groups).toEqual([
      'nullplane:view',
      'system:authenticated',
    ]);
    expect(warnings()).toHaveLength(1);
  });
});

describe('admins of the installation', () => {
  it('need no ConfigMap and no store', async () => {
    store.get = () => Promise.reject(new Unavailable('down'));
    const people = principals(role('team/Boss'), iamUser('root-like'));
    expect(await as(people, role('Boss'))).toEqual({
      name: role('Boss'),
      groups: ['system:masters', 'system:authenticated'],
    });
    expect(await as(people, iamUser('root-like'))).toBeDefined();
    await expect(as(people, role('Deployer'))).rejects.toThrow(Unavailable);
  });

  it.each(['', '*', 'admin', role('*'), `arn:aws:sts::${ACCOUNT}:assumed-role/Boss/s`])(
    'are not made of %j',
    async (arn) => {
      expect(await as(principals(arn), arn)).toBeUndefined();
      expect(warnings()).toHaveLength(1);
    },
  );
});

describe('reading', () => {
  it('happens now and then, and once for many', async () => {
    await write({ mapRoles: ROLES });
    let reads = 0;
    const get = store.get.bind(store);
    store.get = (key) => {
      reads++;
      return get(key);
    };
    const people = principals();
    const ask = () => as(people, role('Deployer'));
    await Promise.all(Array.from({ length: 20 }, ask));
    expect(reads).toBe(1);
    await write({ mapRoles: '[]' });
    const before = reads;
    await clock.advance(9_999);
    expect(await ask()).toBeDefined();
    expect(reads).toBe(before);
    await clock.advance(1);
    expect(await ask()).toBeUndefined();
    expect(reads).toBe(before + 1);
  });

  it('fails closed, and works again', async () => {
    await write({ mapRoles: ROLES });
    const people = principals();
    await as(people, role('Deployer'));
    await clock.advance(10_000);
    const get = store.get.bind(store);
    store.get = () => Promise.reject(new Unavailable('down'));
    await expect(as(people, role('Deployer'))).rejects.toThrow(Unavailable);
    store.get = get;
    expect(await as(people, role('Deployer'))).toBeDefined();
  });
});

describe('authentication by IAM', () => {
  it('asks who signed, then who that is', async () => {
    await write({ mapRoles: ROLES });
    const signer = async (header: string | undefined) =>
      header === 'good' ? { arn: role('Deployer'), account: ACCOUNT } : undefined;
    const authenticate = authenticateByIam(signer, principals());
    expect(await authenticate({ headers: { authorization: 'good' } })).toMatchObject({
      name: 'deployer',
    });
    expect(await authenticate({ headers: { authorization: 'bad' } })).toBeUndefined();
    expect(await authenticate({ headers: {} })).toBeUndefined();
  });
});
