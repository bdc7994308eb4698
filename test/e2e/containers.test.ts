/** The main job with real kubectl and real containers: run, heal, roll out, survive, go away. */
import { get } from 'node:http';
import type Dockerode from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findEngine } from './support/docker-engine.ts';
import { hasKubectl, NullplaneProcess } from './support/nullplane.ts';
import { ensureTestImages, TEST_IMAGES } from './support/test-image.ts';

const [V1, V2] = TEST_IMAGES;
const REPLICAS = 3;
const MAX_UNAVAILABLE = 1;

const engine = await findEngine();
const skipped = engine.skip !== undefined || !hasKubectl();

function web(image: string, minReadySeconds = 0) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: REPLICAS,
      minReadySeconds,
      selector: { matchLabels: { app: 'web' } },
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: MAX_UNAVAILABLE } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          terminationGracePeriodSeconds: 5,
          containers: [
            {
              name: 'app',
              image,
              ports: [{ name: 'http', containerPort: 8080 }],
              readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
              env: [
                {
                  name: 'GREETING',
                  valueFrom: { configMapKeyRef: { name: 'words', key: 'hello' } },
                },
                { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'words', key: 'hush' } } },
                { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              ],
              resources: { limits: { memory: '64Mi', cpu: '500m' } },
            },
          ],
        },
      },
    },
  };
}

const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
};
const WORDS = [
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'words' }, data: { hello: 'good day' } },
  { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'words' }, stringData: { hush: 's3cret' } },
];

describe.skipIf(skipped)('real kubectl and real containers', () => {
  const docker = engine.docker as Dockerode;
  const nullplane = new NullplaneProcess('--runtime=docker');

  beforeAll(async () => {
    await ensureTestImages(docker);
    await nullplane.start();
  });

  afterAll(async () => {
    nullplane.tryKubectl('delete', 'deployment', '--all', '--wait=true');
    await nullplane.stop();
  });

  it('applies a manifest, and its pods run', () => {
    for (const manifest of [...WORDS, SERVICE, web(V1)]) nullplane.apply(manifest);
    const status = nullplane.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    expect(status).toContain('successfully rolled out');
    nullplane.kubectl('wait', '--for=condition=Available', 'deployment/web', '--timeout=30s');
    const lines = nullplane.kubectl('get', 'pods', '--no-headers').trim().split('\n');
    expect(lines.map((line) => line.split(/\s+/).slice(1, 4))).toEqual(
      Array.from({ length: REPLICAS }, () => ['1/1', 'Running', '0']),
    );
  });

  it('shows what containers say, what became of a pod, and what they were given', async () => {
    expect(nullplane.kubectl('logs', 'deployment/web')).toContain('serving version 1');
    const told = nullplane.kubectl('describe', 'pods', '-l', 'app=web');
    expect(told).toMatch(/Successfully assigned default\/web-/);
    expect(told).toContain('Started container app');
    const container = docker.getContainer((await containersOf('app'))[0]?.Id ?? '');
    const { Config, HostConfig } = await container.inspect();
    expect(Config.Env).toEqual(
      expect.arrayContaining([
        'GREETING=good day',
        'SECRET=s3cret',
        expect.stringMatching(/^POD=web-/),
      ]),
    );
    expect(HostConfig.Memory).toBe(64 * 2 ** 20);
    expect(HostConfig.NanoCpus).toBe(500_000_000);
  });

  it('serves from the addresses that the service lists', async () => {
    const answers = await Promise.all(readyAddresses().map(answerOf));
    expect(answers).toEqual(Array.from({ length: REPLICAS }, () => 'version 1'));
  });

  it('starts a killed container again, and counts it', async () => {
    const [victim] = await containersOf('app');
    await docker.getContainer(victim?.Id ?? '').kill();
    const restarted = '{.items[*].status.containerStatuses[*].restartCount}';
    await eventually(() => {
      const counts = nullplane.kubectl('get', 'pods', '-o', `jsonpath=${restarted}`);
      expect(counts.split(' ').sort()).toEqual(['0', '0', '1']);
    });
    nullplane.kubectl('wait', '--for=condition=Ready', 'pod', '-l', 'app=web', '--timeout=30s');
  });

  it('rolls out under load with no more than maxUnavailable down', async () => {
    const load = new Load();
    nullplane.apply(web(V2));
    await nullplane.kubectlInBackground('rollout', 'status', 'deployment/web', '--timeout=90s');
    const { fewestReady, failures, requests } = await load.stop();
    expect(fewestReady).toBeGreaterThanOrEqual(REPLICAS - MAX_UNAVAILABLE);
    expect(requests).toBeGreaterThan(0);
    expect(failures).toEqual([]);
    const answers = await Promise.all(readyAddresses().map(answerOf));
    expect(answers).toEqual(Array.from({ length: REPLICAS }, () => 'version 2'));
  });

  it('survives SIGKILL in the middle of a rollout: none lost, none started twice', async () => {
    nullplane.apply(web(V1, 2)); // slow enough to be caught in the middle
    await eventually(async () => {
      const images = (await containersOf('app')).map(({ Image }) => Image);
      expect(new Set(images)).toEqual(new Set([V1, V2])); // in the middle
    });
    await nullplane.kill();
    const left = (await containersOf('app')).map(({ Id }) => Id);
    expect(left.length).toBeGreaterThan(0);
    await nullplane.start();
    nullplane.kubectl('rollout', 'status', 'deployment/web', '--timeout=90s');
    await eventually(async () => {
      const running = await containersOf('app');
      expect(running.map(({ Image }) => Image)).toEqual(Array.from({ length: REPLICAS }, () => V1));
      const pods = running.map(({ Labels }) => Labels['nullplane.io/pod-uid']);
      expect(new Set(pods).size).toBe(REPLICAS);
    });
    const restarts = '{.items[*].status.containerStatuses[*].restartCount}';
    expect(nullplane.kubectl('get', 'pods', '-o', `jsonpath=${restarts}`)).toBe('0 0 0');
  });

  it('stands by a rollout of an image that does not exist, and undoes it', async () => {
    nullplane.kubectl('set', 'image', 'deployment/web', 'app=nullplane/test:no-such');
    await eventually(() => {
      expect(nullplane.kubectl('get', 'pods')).toMatch(/ErrImagePull|ImagePullBackOff/);
    });
    const available = nullplane.kubectl(
      ...['get', 'deployment/web', '-o', 'jsonpath={.status.availableReplicas}'],
    );
    expect(Number(available)).toBeGreaterThanOrEqual(REPLICAS - MAX_UNAVAILABLE);
    nullplane.kubectl('rollout', 'undo', 'deployment/web');
    nullplane.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  });

  it('leaves no container behind', async () => {
    nullplane.kubectl('delete', 'deployment/web', 'service/web');
    nullplane.kubectl('wait', '--for=delete', 'pod', '-l', 'app=web', '--timeout=60s');
    await eventually(async () => {
      const containers = await docker.listContainers({ all: true, filters: ours() });
      expect(containers.map(({ Names }) => Names)).toEqual([]);
    });
  });

  function ours() {
    return { label: [`nullplane.io/instance=${nullplane.instance}`] };
  }

  async function containersOf(name: string): Promise<Dockerode.ContainerInfo[]> {
    const filters = { label: [...ours().label, `nullplane.io/container=${name}`] };
    return docker.listContainers({ filters });
  }

  function readyAddresses(): string[] {
    const ready = '{.items[*].endpoints[?(@.conditions.ready==true)].addresses[0]}';
    const selector = 'kubernetes.io/service-name=web';
    const args = ['get', 'endpointslices', '-l', selector, '-o', `jsonpath=${ready}`];
    return nullplane
      .kubectl(...args)
      .split(' ')
      .filter(Boolean);
  }

  /**
   * Requests to every address that the service lists as ready, for as long as it is not stopped.
   */
  class Load {
    #running = true;
    readonly #ended = this.#run();
    fewestReady = Infinity;
    requests = 0;
    readonly failures: string[] = [];

    async #run(): Promise<void> {
      await Promise.resolve(); // fields are set
      while (this.#running) {
        const addresses = readyAddresses();
        this.fewestReady = Math.min(this.fewestReady, addresses.length);
        await Promise.all(addresses.map((address) => this.#request(address)));
      }
    }

    /**
     * A pod that was listed a moment ago may be going: only one that is still listed has failed.
     */
    async #request(address: string): Promise<void> {
      this.requests++;
      try {
        await answerOf(address);
      } catch (error) {
        if (readyAddresses().includes(address)) this.failures.push(`${address}: ${String(error)}`);
      }
    }

    async stop(): Promise<this> {
      this.#running = false;
      await this.#ended;
      return this;
    }
  }
});

const REQUEST_TIMEOUT_MS = 2_000;

function answerOf(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(
      { host: address, port: 8080, path: '/', agent: false, timeout: REQUEST_TIMEOUT_MS },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => resolve(text.trim()));
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', reject);
  });
}

const PATIENCE_MS = 60_000;
const PAUSE_MS = 200;

/** Until `check` no longer throws; then, or when patience ends, its last word counts. */
async function eventually(check: () => void | Promise<void>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
