/**
 * What lasts: outages, functions that do not run, machines that go, and harm done to what is
 * stored. Each begins at a moment that the seed or a plan says, and ends by itself; all that it
 * draws is from a source of its own.
 */
import type { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import { NoCapacity, RuntimeUnavailable } from '../../../shared/ports/runtime.ts';
import type { ConditionMessage } from '../../../shared/api/task.ts';
import type { Call, Service } from '../../world/process.ts';
import type { Incident } from './catalogue.ts';
import { shortly } from './faults.ts';
import { corrupt, loseNodes, poison, restore } from './harm.ts';
import type { Outage } from './outages.ts';
import type { Scene } from './scene.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

type Begin = (scene: Scene, random: SeededRandom) => void;

/** Spot machines are warned of two minutes before. */
const SPOT_NOTICE_MS = 2 * MINUTE_MS;

export const BEGIN: { readonly [incident in Incident]: Begin } = {
  blackout: (scene) => scene.lasting(25 * HOUR_MS, scene.world.halt('all')),
  consumersOff: (scene) => scene.lasting(30 * HOUR_MS, scene.world.halt('consumers')),
  throttled: (scene, random) =>
    scene.lasting(random.integer(MINUTE_MS), scene.world.halt('consumers')),
  streamStall: ({ post, world, lasting }, random) => {
    const ms = shortly(random, 30 * MINUTE_MS);
    post.stalledUntilMs = world.agenda.nowMs + ms;
    lasting(ms, () => {});
  },
  brownoutStore: (scene, random) => brownout('store', scene, random),
  brownoutQueue: (scene, random) => brownout('queue', scene, random),
  brownoutRuntime: (scene, random) => brownout('runtime', scene, random),
  storeBurst: (scene, random) =>
    outage(scene, random, MINUTE_MS, { share: 1, strikes: ({ service }) => service === 'store' }),
  hotPartition: (scene, random) => {
    const resource = random.pick(['pods', 'nodeallocations.nullplane.io', 'replicasets.apps']);
    const strikes = ({ service, effectful, about }: Call) =>
      service === 'store' && effectful && about.startsWith(`${resource}/`);
    outage(scene, random, random.integer(2 * MINUTE_MS), { share: 0.9, strikes });
  },
  denied: (scene, random) => {
    const [operations, error] = random.pick(DENIED);
    const strikes = ({ service, operation }: Call) =>
      service === 'runtime' && operations.includes(operation);
    outage(scene, random, shortly(random, HOUR_MS), { share: 1, strikes, error });
  },
  shortage: (scene, random) =>
    outage(scene, random, shortly(random, 3 * HOUR_MS), {
      ...{ share: 1, error: noRoom },
      strikes: (call) => isNewLaunch(call, scene),
    }),
  quota: (scene, random) => {
    const most = 2 + random.integer(3);
    const strikes = (call: Call) => isNewLaunch(call, scene) && scene.oracles.liveTasks() >= most;
    outage(scene, random, random.integer(10 * MINUTE_MS), { share: 1, strikes, error: noRoom });
  },
  deploy: ({ world }) => world.coldStart(),
  poisonKey: poison,
  corruption: corrupt,
  redrive: ({ post, world, spawn }) => {
    for (const { channel, message } of post.sent) spawn(world.queues[channel].send([message]));
  },
  restore,
  nodesLost: loseNodes,
  zoneLoss: ({ machines, lasting }, random) => {
    const lost = machines.inZone(random.integer(3));
    for (const name of lost) machines.cutOff(name);
    lasting(shortly(random, HOUR_MS), () => {
      for (const name of lost) machines.reconnect(name);
    });
  },
  spotReclaim: (scene, random) => reclaim(scene, [random.pick(scene.machines.names)]),
  spotStorm: (scene) => reclaim(scene, scene.machines.names),
  partition: ({ machines, lasting }, random) => {
    const name = random.pick(machines.names);
    machines.cutOff(name);
    lasting(shortly(random, 20 * MINUTE_MS), () => machines.reconnect(name));
  },
  nodeDeath: ({ machines }, random) => void machines.end(random.pick(machines.names)),
  gpuFault: (scene, random) => {
    const name = random.pick(scene.machines.names);
    tellOfGpu(scene, name, 'False');
    scene.lasting(shortly(random, 10 * MINUTE_MS), () => tellOfGpu(scene, name, 'True'));
  },
  secondScheduler: ({ world, spawn }) => {
    for (let i = 0; i < 2; i++) {
      spawn(world.parts.schedule('default', world.effects(world.process('schedule'))));
    }
  },
  recreate: ({ people, spawn }, random) => spawn(people.recreateSomething(random)),
};

function brownout(service: Service, scene: Scene, random: SeededRandom): void {
  const share = 0.2 + 0.8 * random.fraction();
  const ms = shortly(random, HOUR_MS);
  outage(scene, random, ms, { share, strikes: (call) => call.service === service });
}

function outage(scene: Scene, random: SeededRandom, ms: number, given: Outage): void {
  scene.lasting(ms, scene.outages.begin(given, random.fork('outage')));
}

/** A launch that is asked for again is answered by its token, before anybody looks for room. */
function isNewLaunch({ operation, about }: Call, { oracles }: Scene): boolean {
  return operation === 'run' && !oracles.wasStarted(about);
}

function noRoom(): Error {
  return new NoCapacity('simulated');
}

/** What a lost permission takes away, by the names of both clouds, and what a caller is told. */
const DENIED: readonly (readonly [operations: readonly string[], error: () => Error])[] = [
  [['run', 'RunTask'], () => new RuntimeUnavailable('AccessDenied')],
  [['stop', 'StopTask'], () => new RuntimeUnavailable('AccessDenied')],
  [['describe', 'DescribeTasks'], () => new RuntimeUnavailable('AccessDenied')],
  [['list', 'ListTasks'], () => new RuntimeUnavailable('AccessDenied')],
];

/** Warned of now, and taken away when the notice is over. */
function reclaim({ world, machines, lasting }: Scene, names: readonly string[]): void {
  const taken = [...names];
  const atMs = world.agenda.nowMs;
  for (const nodeName of taken) {
    const endsAtMs = atMs + SPOT_NOTICE_MS;
    world.tell({ type: 'node-interruption', nodeName, kind: 'spot', atMs, endsAtMs });
  }
  lasting(SPOT_NOTICE_MS, () => {
    for (const name of taken) machines.end(name);
  });
}

function tellOfGpu({ world, machines }: Scene, nodeName: string, status: 'True' | 'False'): void {
  const reason = status === 'False' ? 'HardwareFault' : 'Healthy';
  const condition = { type: 'GPUHealthy', status, reason, message: 'Xid 79' };
  const atMs = world.agenda.nowMs;
  const message: ConditionMessage = { type: 'node-condition', nodeName, condition, atMs };
  machines.heard(message);
  world.tell(message);
}
