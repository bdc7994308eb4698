/**
 * Real manifests, unchanged, on local mode with simulated tasks: every Deployment becomes
 * Available. The folders of other people's applications are beside the project; without them these
 * tests are skipped, loudly. `examples/` is ours and always there.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../../local/client.ts';
import { parseNodeGroups } from '../../shared/core/capacity/catalogue/node-groups.ts';
import { type LocalNullplane, startLocal } from '../../local/start.ts';
import type { Pod } from '../../shared/api/kinds/pod.ts';
import type { Deployment } from '../../shared/api/kinds/workloads.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MANIFESTS = join(ROOT, '..', 'shared', 'data', 'manifests');
const hasManifests = existsSync(MANIFESTS);
if (!hasManifests) console.warn(`SKIPPED: real manifests, since ${MANIFESTS} is not there`);

/** Watches end when what they wait for has come; a test that waits in vain times out. */
const UNTIL_DONE = new AbortController().signal;

class Session {
  readonly folder = mkdtempSync(join(tmpdir(), 'nullplane-manifests-'));
  #local: LocalNullplane | undefined;
  #client: ApiClient | undefined;

  async start(nodes: string): Promise<void> {
    this.#local = await startLocal({
      port: 0,
      dataPath: join(this.folder, 'state.db'),
      kubeconfigPath: join(this.folder, 'kubeconfig'),
      runtime: 'simulated',
      simulatedDelays: 'none',
      nodeGroups: parseNodeGroups(nodes),
      verbose: false,
    });
    this.#client = new ApiClient(this.#local);
  }

  async stop(): Promise<void> {
    this.#client?.close();
    await this.#local?.close();
  }

  get client(): ApiClient {
    if (!this.#client) throw new Error('not started');
    return this.#client;
  }

  async applyFolder(folder: string, namespace: string): Promise<void> {
    await this.client.apply(`{apiVersion: v1, kind: Namespace, metadata: {name: ${namespace}}}`);
    for (const file of readdirSync(folder).sort()) {
      await this.client.apply(readFileSync(join(folder, file), 'utf8'), namespace);
    }
  }

  /** Resolves once every Deployment of the namespace is Available. */
  async allAvailable(namespace: string): Promise<readonly string[]> {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const waiting = new Set((await this.client.list(path)).map(({ metadata }) => metadata.name));
    const names = [...waiting];
    for await (const { object } of this.client.watch(path, UNTIL_DONE)) {
      const { metadata, spec, status } = object as unknown as Deployment;
      if (status.availableReplicas === spec.replicas) waiting.delete(metadata.name);
      if (waiting.size === 0) return names;
    }
    throw new Error('the watch ended');
  }

  /** The first state of the namespace's pods for which `holds`. */
  async pod(namespace: string, holds: (pod: Pod) => boolean): Promise<Pod> {
    const path = `/api/v1/namespaces/${namespace}/pods`;
    for await (const { object } of this.client.watch(path, UNTIL_DONE)) {
      const pod = object as unknown as Pod;
      if (holds(pod)) return pod;
    }
    throw new Error('the watch ended');
  }
}

describe('our example', () => {
  const session = new Session();
  beforeAll(() => session.start('2xg5.xlarge'));
  afterAll(async () => {
    await session.stop();
    rmSync(session.folder, { recursive: true });
  });

  it.each(['shop', 'gpu', 'gpu-shared'])('%s becomes Available', async (folder) => {
    await session.applyFolder(join(ROOT, 'examples', folder), folder);
    expect(await session.allAvailable(folder)).not.toEqual([]);
  });
});

describe.skipIf(!hasManifests)('other people’s applications', () => {
  const session = new Session();
  beforeAll(() => session.start(''));
  afterAll(async () => {
    await session.stop();
    rmSync(session.folder, { recursive: true });
  });

  it.each([
    ['guestbook', 3],
    ['online-boutique', 12],
  ])('%s becomes Available', async (folder, deployments) => {
    await session.applyFolder(join(MANIFESTS, folder), folder);
    expect(await session.allAvailable(folder)).toHaveLength(deployments);
  });

  it('vllm says what it lacks, and becomes Available once it has it', async () => {
    await session.applyFolder(join(MANIFESTS, 'vllm'), 'vllm');
    const unplaced = await session.pod('vllm', (pod) => message(pod) !== undefined);
    expect(message(unplaced)).toBe(
      '0/2 nodes are available: 2 node(s) on Fargate offer no nvidia.com/gpu. ' +
        'preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
    );

    await session.stop();
    await session.start('1xg5.xlarge');
    const waiting = await session.pod('vllm', (pod) => waitsFor(pod) !== undefined);
    expect(waitsFor(waiting)).toMatchObject({
      reason: 'CreateContainerConfigError',
      message: 'secret "hf-secret" not found',
    });

    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'hf-secret' } };
    const path = '/api/v1/namespaces/vllm/secrets';
    await session.client.json('POST', path, { ...secret, stringData: { hf_token: 'x' } });
    expect(await session.allAvailable('vllm')).toEqual(['vllm-gemma-deployment']);
  });
});

function message(pod: Pod): string | undefined {
  return pod.status.conditions?.find(({ reason }) => reason === 'Unschedulable')?.message;
}

function waitsFor(pod: Pod) {
  return pod.status.containerStatuses?.[0]?.state?.waiting;
}
