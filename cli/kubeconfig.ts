/**
 * `nullplane kubeconfig`: adds a cluster to a kubeconfig. Owns the file's care: what others wrote
 * stays, comments too, and nobody ever sees half a file.
 */
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Document, isMap, isSeq, parseDocument } from 'yaml';
import { partitionOf } from '../adapters/aws/auth/sts-hosts.ts';
import { type Io, UsageError } from './io.ts';
import { output, readOutputs } from './outputs.ts';
import { regionOf } from './region.ts';

const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
/** By this an entry is known as ours, so that it may be written anew. */
const MARK = 'nullplane.io';
const DEFAULT_CLUSTER_ID = 'nullplane';
const TEXT = { type: 'string' } as const;

export interface ClusterEntry {
  readonly name: string;
  readonly server: string;
  readonly caPem?: string;
  readonly exec: object;
}

export async function kubeconfigCommand(args: readonly string[], io: Io): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ outputs: TEXT, stack: TEXT, endpoint: TEXT, 'cluster-id': TEXT, name: TEXT },
      ...{ region: TEXT, profile: TEXT, 'ca-file': TEXT, path: TEXT },
      exec: { type: 'string', default: 'aws' },
    },
  });
  if (values.stack !== undefined && values.outputs === undefined) {
    throw new UsageError('--stack names a stack of --outputs FILE; CloudFormation is not asked');
  }
  const outputs = values.outputs ? readOutputs(values.outputs, values.stack) : {};
  const server = serverOf(values.endpoint ?? (values.outputs ? output(outputs, 'ApiUrl') : ''));
  const installed = outputs['ClusterId'] ?? outputs['Installation'];
  const clusterId = values['cluster-id'] ?? installed ?? DEFAULT_CLUSTER_ID;
  const region = regionOf(values.region, server, io);
  partitionOf(region);
  const { profile, 'ca-file': caFile } = values;
  const entry = {
    name: values.name ?? clusterId,
    server,
    exec: execOf(values.exec, { clusterId, region, ...(profile && { profile }) }, io),
    ...(caFile && { caPem: readFileSync(caFile, 'utf8') }),
  };
  const path = values.path ?? join(io.home, '.kube', 'config');
  if (path === '-') return io.print(merged('', entry));
  writeMerged(path, entry);
  io.tell(`context "${entry.name}" is now the current one of ${path}\n`);
}

function serverOf(endpoint: string): string {
  if (endpoint === '') throw new UsageError('where is the API? Give --outputs FILE or --endpoint');
  const url = URL.parse(endpoint);
  if (url?.protocol === 'https:' && !url.username && !url.search && !url.hash) {
    return endpoint.replace(/\/+$/, '');
  }
  throw new UsageError('--endpoint must be an https URL: kubectl sends no token over http');
}

interface Signing {
  readonly clusterId: string;
  readonly region: string;
  readonly profile?: string;
}

function execOf(kind: string, { clusterId, region, profile }: Signing, io: Io): object {
  const env = profile === undefined ? null : [{ name: 'AWS_PROFILE', value: profile }];
  const common = { env, interactiveMode: 'IfAvailable', provideClusterInfo: false };
  if (kind === 'aws') {
    const version = 'client.authentication.k8s.io/v1beta1';
    const args = ['--region', region, 'eks', 'get-token', '--cluster-name', clusterId];
    const installHint = 'The AWS CLI makes the tokens: install it, or use --exec nullplane.';
    const output = ['--output', 'json'];
    return {
      apiVersion: version,
      command: 'aws',
      args: [...args, ...output],
      installHint,
      ...common,
    };
  }
  if (kind === 'nullplane') {
    const args = [io.mainPath, 'token', '--cluster-id', clusterId, '--region', region];
    const version = 'client.authentication.k8s.io/v1';
    return { apiVersion: version, command: io.nodePath, args, ...common };
  }
  throw new UsageError(`--exec: "${kind}" is neither aws nor nullplane`);
}

/** A kubeconfig's text with the cluster added, or in place of what this program wrote before. */
export function merged(text: string, { name, server, caPem, exec }: ClusterEntry): string {
  const document = documentOf(text);
  const authority = caPem && Buffer.from(caPem).toString('base64');
  const extensions = [{ name: MARK, extension: { kind: 'Nullplane' } }];
  const cluster = { server, ...(authority && { 'certificate-authority-data': authority }) };
  put(document, 'clusters', name, { cluster: { ...cluster, extensions } });
  put(document, 'users', name, { user: { exec, extensions } });
  const context = { cluster: name, user: name, namespace: 'default', extensions };
  put(document, 'contexts', name, { context });
  document.set('current-context', name);
  return document.toString({ lineWidth: 0 });
}

function documentOf(text: string): Document {
  if (text.trim() === '') return new Document({ apiVersion: 'v1', kind: 'Config' });
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error) throw new UsageError(`the kubeconfig is not valid YAML: ${error.message}`);
  if (isMap(document.contents)) return document;
  throw new UsageError('the kubeconfig is not a mapping: it is left as it is');
}

function put(document: Document, list: string, name: string, value: object): void {
  const node = document.createNode({ name, ...value });
  const given = document.get(list);
  if (given !== undefined && given !== null && !isSeq(given)) {
    throw new UsageError(`"${list}" of the kubeconfig is not a list: it is left as it is`);
  }
  if (!isSeq(given)) {
    document.set(list, document.createNode([]));
    return put(document, list, name, value);
  }
  const at = given.items.findIndex((item) => isMap(item) && item.get('name') === name);
  if (at < 0) return void given.items.push(node);
  const [inner = ''] = Object.keys(value);
  const isOurs = JSON.stringify(document.getIn([list, at, inner, 'extensions']) ?? '').includes(
    MARK,
  );
  if (!isOurs) {
    throw new UsageError(`${list} has a "${name}" that is not ours: choose another --name`);
  }
  given.items[at] = node;
}

/** Whole or not at all, and for the owner's eyes only. */
function writeMerged(path: string, entry: ClusterEntry): void {
  mkdirSync(dirname(path), { recursive: true, mode: OWNER_ONLY_FOLDER });
  const target = realPath(path);
  const text = merged(target === undefined ? '' : readFileSync(target, 'utf8'), entry);
  const final = target ?? path;
  const draft = `${final}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, text, { mode: OWNER_ONLY, flag: 'wx' });
    renameSync(draft, final);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** Where a link leads; undefined when there is no file yet. */
function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
