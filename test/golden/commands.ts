/**
 * The commands of scenarios: kubectl's, as far as they are needed, and those that move the world.
 */
import { parseAllDocuments } from 'yaml';
import type { Status } from '../../shared/api/errors.ts';
import type { Pod } from '../../shared/api/kinds/pod.ts';
import type { AnyObject, Labels } from '../../shared/api/meta.ts';
import type { ResourceType } from '../../shared/api/resources.ts';
import { taskIdOf } from '../../shared/api/task.ts';
import { type Answer, pathOf, type Request, send, typeNamed, typeOf } from '../world/client.ts';
import type { Room } from '../world/manifests.ts';
import { describeConditions, describePod } from './describe.ts';
import { undo } from './rollout.ts';
import { durationMs } from './script.ts';
import type { Session } from './session.ts';
import { printTable, type Table } from './table.ts';

export type Command = (
  session: Session,
  args: readonly string[],
  document?: string,
) => Promise<void> | void;

const NAMESPACE = 'default';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const MERGE = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';

export const COMMANDS: { readonly [verb: string]: Command } = {
  tick: (session, [time = '']) => session.pass(durationMs(time)),
  settle: (session) => session.settle(),
  sweep: (session) => session.world.sweep(),
  node: nodeCommand,
  fargate: (session) => session.world.addFargate(),
  fail: failTask,
  runOut,
  apply: applyDocuments,
  get: getTable,
  events: (session) => getTable(session, ['events']),
  describe: async (session, [word = '', name = '']) => {
    if (word !== 'pod') {
      const { status } = (await ask(session, 'GET', `${word}/${name}`)).body as AnyObject;
      return session.print(describeConditions(status));
    }
    const podName = findPod(session, name).metadata.name;
    const { body } = await ask(session, 'GET', `pod/${podName}`);
    session.print(describePod(body as Pod));
  },
  scale: (session, [target = '', replicas]) =>
    change(session, 'scaled', 'PATCH', target, {
      subresource: 'scale',
      contentType: MERGE,
      body: { spec: { replicas: Number(replicas) } },
    }),
  set: (session, [_image, target = '', assignment = '']) => {
    const [name, image] = assignment.split('=');
    const body = { spec: { template: { spec: { containers: [{ name, image }] } } } };
    return change(session, 'image updated', 'PATCH', target, { contentType: STRATEGIC, body });
  },
  pause: (session, [target = '']) => patch(session, 'paused', target, { spec: { paused: true } }),
  resume: (session, [target = '']) => patch(session, 'resumed', target, { spec: { paused: null } }),
  patch: (session, [target = '', json = '']) =>
    patch(session, 'patched', target, JSON.parse(json) as object),
  undo: async (session, [target = '']) => {
    const name = target.split('/')[1] ?? '';
    const body = undo(name, session.mirror.all('replicasets.apps'));
    await change(session, 'rolled back', 'PATCH', target, {
      contentType: 'application/json-patch+json',
      body,
    });
  },
  evict: (session, [target = '']) => {
    const metadata = { name: nameIn(session, target) };
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata };
    return change(session, 'evicted', 'POST', target, { subresource: 'eviction', body });
  },
  delete: (session, [target = '', ...flags]) => {
    const flag = (name: string) =>
      flags.find((text) => text.startsWith(`--${name}=`))?.slice(name.length + 3);
    const cascade = flag('cascade') ?? 'background';
    const grace = flag('grace-period');
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: cascade.charAt(0).toUpperCase() + cascade.slice(1),
      ...(grace === undefined ? {} : { gracePeriodSeconds: Number(grace) }),
    };
    return change(session, 'deleted', 'DELETE', target, { body });
  },
};

/** Before what is a label of the node, and no resource. */
const LABEL_MARK = '@';

/**
 * `node add n1 cpu=4 memory=8Gi @rack=7`, `node lost n1`, `node back n1`, `node gone n1`;
 * `node spot n1`: it is wanted back; `node full n1`: it refuses launches for want of room, until
 * `node roomy n1`. `fargate` adds Fargate's two nodes.
 */
async function nodeCommand(
  session: Session,
  [what = '', name = '', ...room]: readonly string[],
): Promise<void> {
  const { runtime } = session.world;
  switch (what) {
    case 'add': {
      const given = room.map((text) => text.split('='));
      const isLabel = ([key = '']: readonly string[]) => key.startsWith(LABEL_MARK);
      const labels = given.filter(isLabel).map(([key = '', value]) => [key.slice(1), value]);
      const resources = Object.fromEntries(given.filter((one) => !isLabel(one))) as unknown as Room;
      return session.world.addNode(name, resources, Object.fromEntries(labels) as Labels);
    }
    case 'lost':
      return runtime.disconnectNode(name);
    case 'back':
      return runtime.reconnectNode(name);
    case 'gone':
      return runtime.terminateNode(name);
    case 'spot':
      return interrupt(session, name);
    case 'full':
      return void session.world.full.add(name);
    case 'roomy':
      return void session.world.full.delete(name);
    default:
      throw new Error(`no such thing happens to nodes: ${what}`);
  }
}

/** EC2 gives two minutes. */
const SPOT_NOTICE_MS = 120_000;

function interrupt({ world }: Session, nodeName: string): void {
  const { agenda } = world;
  const atMs = agenda.nowMs;
  const endsAtMs = atMs + SPOT_NOTICE_MS;
  world.tell({ type: 'node-interruption', nodeName, kind: 'spot', atMs, endsAtMs });
  agenda.in(SPOT_NOTICE_MS, () => void world.machines?.end(nodeName));
}

/** `runOut m1.large`: no more of this type are to be had. */
function runOut({ world }: Session, [type = '']: readonly string[]): void {
  world.machines?.runOut(type);
}

/** `fail task web-1 exit 1`: the task of the oldest pod whose name starts so ends. */
function failTask(session: Session, [_task, name = '', _exit, code]: readonly string[]): void {
  const pod = findPod(session, name);
  session.print(`task of ${pod.metadata.name} exits with ${code}`);
  const taskId = taskIdOf(pod.metadata.uid, pod.control?.attempt ?? 0);
  session.world.runtime.killTask(taskId, Number(code));
}

/** The pod of this name or, for `web-2`, the second oldest one whose name starts with `web-`. */
export function findPod(session: Session, name: string): Pod {
  const pods = session.mirror.all('pods') as unknown as Pod[];
  const exact = pods.find(({ metadata }) => metadata.name === name);
  const [, prefix = '', number = ''] = /^(.*-)(\d+)$/.exec(name) ?? [];
  const order = ({ metadata }: Pod) => `${metadata.creationTimestamp} ${metadata.name}`;
  const alike = pods
    .filter(({ metadata }) => prefix && metadata.name.startsWith(prefix))
    .sort((a, b) => (order(a) < order(b) ? -1 : 1));
  const pod = exact ?? alike[Number(number) - 1];
  if (!pod) throw new Error(`no such pod: ${name}`);
  return pod;
}

async function applyDocuments(
  session: Session,
  _args: readonly string[],
  document = '',
): Promise<void> {
  for (const parsed of parseAllDocuments(document)) {
    const object = parsed.toJS() as AnyObject;
    const type = typeOf(object);
    const { name } = object.metadata;
    const namespace = object.metadata.namespace ?? NAMESPACE;
    const key = { resource: type.name, namespace: type.namespaced ? namespace : '', name };
    const before = session.mirror.get(key);
    const answer = await send(session.world.api, {
      method: 'PATCH',
      path: pathOf(type, { namespace, name }),
      query: { fieldManager: 'kubectl', force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: object,
    });
    const after = (answer.body as AnyObject).metadata.resourceVersion;
    const same = before?.metadata.resourceVersion === after;
    const what = !before ? 'created' : same ? 'unchanged' : 'configured';
    report(session, answer, `${typeName(type)}/${name} ${what}`);
  }
}

/**
 * `get pods`, `get deploy web`; `get pods,rs` names the resource with each object, as kubectl does.
 */
async function getTable(
  session: Session,
  [words = '', name]: readonly string[],
): Promise<void> {
  const types = words.split(',').map(typeNamed);
  for (const [i, type] of types.entries()) {
    const path = pathOf(type, { namespace: NAMESPACE, ...(name ? { name } : {}) });
    const answer = await send(session.world.api, { method: 'GET', path, accept: TABLE });
    if (i > 0) session.print('');
    if (answer.status !== 200) report(session, answer, '');
    else session.print(tableText(answer.body as Table, types.length > 1 ? typeName(type) : ''));
  }
}

function tableText(table: Table, prefix: string): string {
  if (table.rows.length === 0) return `No resources found in ${NAMESPACE} namespace.`;
  const rows = table.rows.map(({ cells: [name, ...cells] }) => ({
    cells: [prefix ? `${prefix}/${String(name)}` : name, ...cells],
  }));
  return printTable({ ...table, rows });
}

/** `deployment.apps`, as kubectl speaks of one. */
function typeName({ singular, group }: ResourceType): string {
  return group ? `${singular}.${group}` : singular;
}

function patch(session: Session, done: string, target: string, body: object): Promise<void> {
  return change(session, done, 'PATCH', target, { contentType: MERGE, body });
}

async function change(
  session: Session,
  done: string,
  method: string,
  target: string,
  request: Partial<Request> & { readonly subresource?: string },
): Promise<void> {
  const [word = ''] = target.split('/');
  const name = nameIn(session, target); // before the request: after it, there may be none
  const answer = await ask(session, method, target, request);
  report(session, answer, `${typeName(typeNamed(word))}/${name} ${done}`);
}

function ask(
  session: Session,
  method: string,
  target: string,
  { subresource, ...rest }: Partial<Request> & { readonly subresource?: string } = {},
): Promise<Answer> {
  const [word = ''] = target.split('/');
  const path = pathOf(typeNamed(word), {
    namespace: NAMESPACE,
    name: nameIn(session, target),
    ...(subresource ? { subresource } : {}),
  });
  return send(session.world.api, { method, path, ...rest });
}

/** Pods may be named by their number: see `findPod`. */
function nameIn(session: Session, target: string): string {
  const [word = '', name = ''] = target.split('/');
  return typeNamed(word).name === 'pods' ? findPod(session, name).metadata.name : name;
}

function report(session: Session, answer: Answer, success: string): void {
  if (answer.status < 300) return session.print(success);
  const { reason, message, details } = answer.body as Partial<Status>;
  session.print(`Error from server (${reason}): ${message}`);
  for (const cause of details?.causes ?? []) {
    if (!cause.field) session.print(`  ${cause.reason}: ${cause.message}`);
  }
}
