import { describe, expect, it } from 'vitest';
import { healthHandler } from '../../../lambdas/health/handler.ts';
import { MemoryQueue } from '../../../adapters/memory/memory-queue.ts';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { SimulatedRuntime } from '../../../adapters/memory/simulated-runtime.ts';
import type { Node } from '../../../shared/api/kinds/node.ts';
import { sweepNodes } from '../../../shared/control/sweep-nodes.ts';
import { hasTaint, nodeControl, nodeView } from '../../../shared/core/node/state.ts';
import { InstancesUnavailable, LaunchRejected } from '../../../shared/ports/instances.ts';
import { instancesContract } from '../../contract/instances.contract.ts';
import { sqsEvent } from './sqs-event.ts';
import { AWS_LATENCIES } from '../model/settings.ts';
import { BOOT_MS, Ec2Harness, SHUTDOWN_MS } from './harness.ts';

instancesContract({
  name: 'Ec2Instances on the model',
  make: async () => {
    const harness = new Ec2Harness({ registers: false });
    const { model } = harness;
    return {
      pool: harness.pool(),
      types: ['c5.large', 'm5.large'],
      zones: ['us-east-1a', 'us-east-1b'],
      unknownId: 'i-0fffffffffffffff0',
      join: (id) => harness.join(id),
      joinForeign: async () => {
        const id = harness.foreign();
        await harness.join(id);
        return id;
      },
      end: (id) => harness.end(id),
      refuse: async (type, zone, kind) => {
        if (kind === 'capacity') model.ec2.fleets.capacity.set(`${type}/${zone}/*`, 0);
        else model.ec2.fleets.vcpuQuota['on-demand'] = 0;
      },
      setDown: async (isDown) => {
        if (isDown) model.faults.add({ kind: 'error-before' });
        else model.faults.clear();
      },
    };
  },
});

const REQUEST = {
  claimUid: 'claim-1',
  count: 2,
  types: ['m5.large'],
  zones: ['us-east-1a'],
  capacityType: 'spot',
  labels: { team: 'ml' },
  taints: [{ key: 'dedicated', value: 'ml', effect: 'NoSchedule' }],
  tags: {},
} as const;

describe('a launch', () => {
  it('that was never answered is made once, while look-ups lag behind', async () => {
    const latencies = { ...AWS_LATENCIES, instanceLagMs: 4_000 };
    const harness = new Ec2Harness({ settings: { latencies } });
    harness.model.faults.add({ kind: 'timeout-after', operation: 'CreateFleet', times: 1 });
    // No answer comes until the caller gives up: which is at once, under virtual time.
    const first = harness.pool().launch(REQUEST);
    await expect(first).rejects.toThrow(InstancesUnavailable);
    const again = await harness.pool().launch(REQUEST);
    expect(again.instances).toHaveLength(2);
    expect(harness.model.ec2.machines.all).toHaveLength(2);
  });

  it('of fewer than asked for is no error, and errors count no instances', async () => {
    const harness = new Ec2Harness();
    harness.model.ec2.fleets.capacity.set('m5.large/us-east-1a/spot', 1);
    const { instances, failed } = await harness.pool().launch({ ...REQUEST, count: 5 });
    expect(instances).toHaveLength(1);
    expect(failed).toHaveLength(1);
  });

  it('is refused as a whole for a zone that the installation is not in', async () => {
    const elsewhere = { ...REQUEST, zones: ['us-east-1f'] };
    await expect(new Ec2Harness().pool().launch(elsewhere)).rejects.toThrow(LaunchRejected);
  });

  it('is of instances that another installation neither lists nor ends', async () => {
    const harness = new Ec2Harness();
    const { instances } = await harness.pool().launch(REQUEST);
    const other = harness.pool('other');
    expect(await other.list()).toEqual([]);
    await other.terminate(instances.map(({ id }) => id));
    expect(await harness.pool().list()).toHaveLength(2);
  });

  it('costs few calls: types and subnets are asked for once', async () => {
    const harness = new Ec2Harness();
    const pool = harness.pool();
    await pool.launch(REQUEST);
    await pool.list();
    await pool.list();
    expect(harness.model.calls.counts).toEqual({
      DescribeInstances: 3,
      CreateFleet: 1,
      DescribeInstanceTypes: 1,
      ListContainerInstances: 2,
    });
  });

  it('may be of more instances than are described at a time', async () => {
    const harness = new Ec2Harness();
    const pool = harness.pool();
    for (let i = 0; i < 3; i++) {
      await pool.launch({ ...REQUEST, claimUid: `claim-${i}`, count: 100 });
    }
    await harness.clock.advance(BOOT_MS);
    const listed = await pool.list();
    expect(listed.filter(({ registration }) => registration)).toHaveLength(300);
    expect(await pool.describe(listed.map(({ id }) => id))).toHaveLength(300);
  });
});

/** Machines of the model, their events to the health function, the sweep beside it. */
function world() {
  const harness = new Ec2Harness();
  const { clock } = harness;
  const effects = {
    store: new MemoryStore({ clock }),
    runtime: new SimulatedRuntime({ clock, emit: () => {} }),
    clock,
    ids: new SeededIds(1),
    recorder: new MemoryRecorder(),
    instances: harness.pool(),
  };
  const queue = new MemoryQueue({ clock });
  const routes = { controllers: [], reconcileQueue: queue, scheduleQueue: queue };
  const handle = healthHandler({ effects, routes });
  const nodes = async () => (await effects.store.list<Node>({ resource: 'nodes' })).items;
  const deliver = async (change: <T>(events: T[]) => T[] = (events) => events) => {
    const events = change(harness.events.splice(0)).map((event) => JSON.stringify(event));
    expect(await handle(sqsEvent(events))).toEqual({ batchItemFailures: [] });
  };
  return { harness, effects, nodes, deliver };
}

describe('machines and their nodes', () => {
  it('live and end together, told by events alone', async () => {
    const { harness, effects, nodes, deliver } = world();
    await effects.instances.launch(REQUEST);
    await deliver();
    expect(await nodes()).toEqual([]);
    await harness.clock.advance(BOOT_MS);
    await deliver();
    const [first, second] = await nodes();
    expect(first?.metadata.labels).toMatchObject({
      team: 'ml',
      'karpenter.sh/capacity-type': 'spot',
      'topology.kubernetes.io/zone': 'us-east-1a',
      'node.kubernetes.io/instance-type': 'm5.large',
    });
    expect(first?.spec.taints).toEqual(REQUEST.taints);
    const machine = harness.model.ec2.machines.get(second?.metadata.name ?? '')!;
    harness.model.ec2.machines.interrupt(machine);
    await harness.clock.advance(1_000);
    await deliver();
    expect((await nodes()).map((node) => hasTaint(node, 'karpenter.sh/disrupted'))).toEqual([
      false,
      true,
    ]);
    await harness.clock.advance(120_000 + SHUTDOWN_MS);
    await deliver();
    expect((await nodes()).map(nodeView)).toEqual(['ready', 'gone']);
  });

  it('come to the same when events are doubled and come in reverse', async () => {
    const { harness, effects, nodes, deliver } = world();
    await effects.instances.launch(REQUEST);
    await harness.clock.advance(BOOT_MS);
    await deliver((events) => [...events, ...events].reverse());
    const made = await nodes();
    expect(made.map((node) => nodeControl(node).status)).toEqual(['connected', 'connected']);
    const [first] = made;
    await harness.end(first?.metadata.name ?? '');
    await deliver((events) => [...events, ...events].reverse());
    expect((await nodes()).map(nodeView)).toEqual(['gone', 'ready']);
  });

  it('come to the same when all events are lost, by the sweep', async () => {
    const { harness, effects, nodes } = world();
    await effects.instances.launch(REQUEST);
    await harness.clock.advance(BOOT_MS);
    await sweepNodes(effects);
    const [first] = await nodes();
    expect(await nodes()).toHaveLength(2);
    const instance = harness.model.ecs.instances.byEc2Id(first?.metadata.name ?? '')!;
    harness.model.ecs.instances.setConnected(instance, false);
    await sweepNodes(effects);
    expect((await nodes()).map((node) => nodeControl(node).status)).toEqual([
      'disconnected',
      'connected',
    ]);
    await effects.instances.terminate([first?.metadata.name ?? '']);
    await harness.clock.advance(SHUTDOWN_MS);
    await sweepNodes(effects);
    expect((await nodes()).map(nodeView)).toEqual(['gone', 'ready']);
    // Long after, EC2 knows the machine no longer: it says so, and that is no other news.
    await harness.clock.advance(4_000_000);
    await sweepNodes(effects);
    expect((await nodes()).map(nodeView)).toEqual(['gone', 'ready']);
  });

  it('are ended by the sweep where they never join', async () => {
    const { harness, effects, nodes } = world();
    const silent = new Ec2Harness({ registers: false });
    const pool = silent.pool();
    await pool.launch(REQUEST);
    await silent.clock.advance(16 * 60_000);
    await sweepNodes({ ...effects, clock: silent.clock, instances: pool });
    await silent.clock.advance(SHUTDOWN_MS);
    expect(await pool.list()).toEqual([]);
    expect(await nodes()).toEqual([]);
    expect(harness.model.calls.counts).toEqual({});
  });
});
