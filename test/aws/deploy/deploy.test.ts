/**
 * The whole of it on an emulator: `cdk deploy`, desired state through API Gateway by real kubectl,
 * functions woken by the table's stream and by queues, tasks on a model of ECS that behaves as ECS
 * is documented to. The cases build on each other, in order.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasKubectl } from '../../e2e/support/nullplane.ts';
import { Lane } from './lane.ts';

const CANARY = 'canary-7f3a9';

function web(replicas: number, image: string): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          terminationGracePeriodSeconds: 2,
          containers: [
            {
              name: 'main',
              image,
              command: ['nullplane-test', JSON.stringify({ output: ['hello from web'] })],
              env: [
                {
                  name: 'TOKEN',
                  valueFrom: { secretKeyRef: { name: 'web-secret', key: 'token' } },
                },
              ],
              resources: { requests: { cpu: '250m', memory: '512Mi' } },
            },
          ],
        },
      },
    },
  };
}

const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'web-secret', namespace: 'default' },
  stringData: { token: CANARY },
};

describe.skipIf(!hasKubectl())('an installation on an emulator', () => {
  let lane: Lane;

  beforeAll(async () => {
    lane = await Lane.deploy();
  });
  afterAll(() => lane?.close());

  const live = async () => (await lane.tasks()).filter((task) => task.lastStatus === 'RUNNING');
  const rolledOut = () =>
    lane.kubectl('rollout', 'status', 'deployment/web', '--timeout=120s', '--watch=false');
  const available = (replicas: number) =>
    lane.until(
      `${replicas} available`,
      () => lane.kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.status.availableReplicas}'),
      (count) => count === String(replicas),
    );

  it('has the two virtual nodes', async () => {
    const nodes = await lane.until(
      'virtual nodes',
      () => lane.kubectl('get', 'nodes', '-o', 'name'),
      (names) => names.includes('node/fargate-spot'),
    );
    expect(nodes).toContain('node/fargate\n');
  });

  it('makes a Deployment available, as tasks on ECS', async () => {
    await lane.apply(secret, web(3, 'app:1'));
    await available(3);
    expect(await rolledOut()).toContain('successfully rolled out');
    expect(await live()).toHaveLength(3);
  });

  it('keeps a Secret out of task definitions, and gives it to its reader', async () => {
    const shown = await lane.kubectl('get', 'secret', 'web-secret', '-o', 'jsonpath={.data.token}');
    expect(Buffer.from(shown, 'base64').toString()).toBe(CANARY);
    expect(JSON.stringify(await lane.tasks())).not.toContain(CANARY);
  });

  it('shows the output of a container', async () => {
    const logs = await lane.until(
      'logs',
      () => lane.kubectl('logs', 'deployment/web'),
      (text) => text !== '',
    );
    expect(logs).toContain('hello from web');
  });

  it('starts a killed task again, as the next attempt of its pod', async () => {
    const [victim] = await live();
    await lane.model.kill(victim?.taskArn ?? '');
    await lane.until(
      'restarted',
      () =>
        lane.kubectl(
          'get',
          'pods',
          '-o',
          'jsonpath={.items[*].status.containerStatuses[0].restartCount}',
        ),
      (counts) => counts.split(' ').includes('1'),
    );
    await available(3);
    expect(await live()).toHaveLength(3);
  });

  it('scales up and down', async () => {
    await lane.kubectl('scale', 'deployment/web', '--replicas=5');
    await available(5);
    await lane.kubectl('scale', 'deployment/web', '--replicas=2');
    await available(2);
    await lane.until('two tasks', live, (tasks) => tasks.length === 2);
  });

  it('rolls out another image', async () => {
    await lane.apply(web(2, 'app:2'));
    await lane.until(
      'tasks of app:2 only',
      live,
      (tasks) => tasks.length === 2 && tasks.every((t) => t.containers?.[0]?.image === 'app:2'),
    );
    await available(2);
  });

  it('goes on while a changed stack is deployed', async () => {
    let writes = 0;
    let deploying = true;
    const load = async (): Promise<void> => {
      while (deploying) {
        const value = 'x'.repeat(200); // a length that is no text in protobuf
        await lane.kubectl('create', 'configmap', `load-${writes++}`, `--from-literal=v=${value}`);
      }
    };
    const loading = load();
    await lane.apply(web(4, 'app:3'));
    await lane.cdk.deploy({ logRetentionDays: '14', reconcilers: '6' }).finally(() => {
      deploying = false;
    });
    await loading;
    const maps = (await lane.kubectl('get', 'configmaps', '-o', 'name')).split('\n');
    expect(maps.filter((name) => name.includes('load-'))).toHaveLength(writes);
    await available(4);
    await lane.until('four tasks', live, (tasks) => tasks.length === 4);
  });

  it('stops what is deleted, and leaks no task', async () => {
    await lane.kubectl('delete', 'deployment', 'web', '--wait=false');
    await lane.until('no tasks', live, (tasks) => tasks.length === 0);
    await lane.until(
      'no pods',
      () => lane.kubectl('get', 'pods', '-o', 'name'),
      (names) => names === '',
    );
  });

  it('is removed without a trace', async () => {
    expect(await lane.tables()).toContain(lane.outputs['TableName']);
    await lane.destroy();
    await lane.until(
      'no table',
      () => lane.tables(),
      (names) => !names.includes(lane.outputs['TableName'] ?? ''),
    );
  });
});
