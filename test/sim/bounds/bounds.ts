/**
 * The bounds B1 to B3, B5 and B6, and static stability, measured on worlds without faults but for
 * the one that each is about: what an accepted change costs, what a recovery takes, and what is
 * left alone when nothing decides.
 */
import { deployment } from '../../world/manifests.ts';
import { HOUR_MS, MINUTE_MS, NS, Plain, SECOND_MS } from './plain.ts';

const SWEEP_EVERY_MS = 5 * MINUTE_MS;

export interface Amplification {
  readonly pods: number;
  /** Writes of a launch, and of a change of the image, each divided by the pods. */
  readonly writesPerLaunch: number;
  readonly writesPerChange: number;
  readonly launchesPerChange: number;
  /** Equal effects under way at the same time, at the most (B2). */
  readonly mostAtOnce: number;
}

/** B1, B2: what so many Deployments of three cost to start, and to change. */
export async function amplificationOf(deployments: number): Promise<Amplification> {
  const plain = new Plain();
  const pods = 3 * deployments;
  await plain.begin(Math.ceil(pods / 50));
  const { effects } = plain.network;
  const web = (i: number) => deployment(`web-${i}`, NS, { replicas: 3 });
  const before = { ...effects };
  const created = Array.from({ length: deployments }, (_, i) => plain.create(web(i)));
  await plain.untilReady(pods, HOUR_MS);
  await Promise.all(created);
  await plain.pass(MINUTE_MS);
  const started = { ...effects };
  const image = {
    spec: { template: { spec: { containers: [{ name: 'main', image: 'app:2' }] } } },
  };
  const changed = Array.from({ length: deployments }, (_, i) => plain.change(web(i), image));
  await plain.pass(10 * MINUTE_MS);
  await Promise.all(changed);
  return {
    pods,
    writesPerLaunch: (started.store - before.store) / pods,
    writesPerChange: (effects.store - started.store) / pods,
    launchesPerChange: (effects.runtime - started.runtime) / pods,
    mostAtOnce: plain.network.mostAtOnce,
  };
}

/** B3: how often four pods that crash are launched in a day. */
export async function launchesOfACrashLoop(): Promise<number> {
  const plain = new Plain();
  await plain.begin(1);
  const before = plain.network.effects.runtime;
  const behaviour = { exitCode: 1, exitAfterMs: 3_000 };
  const created = plain.create(deployment('crash', NS, { replicas: 4, behaviour }));
  await plain.pass(24 * HOUR_MS);
  await created;
  return plain.network.effects.runtime - before;
}

/**
 * B5: how often the runtime is called in an hour for three new pods a minute, while it works and
 * while every call of it fails.
 */
export async function callsOfAnHour(isDown: boolean): Promise<number> {
  const plain = new Plain();
  await plain.begin(4);
  const { network } = plain;
  if (isDown) network.down = 'runtime';
  const before = network.calls.runtime;
  const created: Promise<unknown>[] = [];
  for (let minute = 0; minute < 60; minute++) {
    created.push(plain.create(deployment(`web-${minute}`, NS, { replicas: 3 })));
    if (minute % (SWEEP_EVERY_MS / MINUTE_MS) === 0) plain.world.sweep();
    await plain.pass(MINUTE_MS);
  }
  await Promise.all(created);
  return network.calls.runtime - before;
}

export interface Drain {
  readonly pods: number;
  readonly seconds: number;
  readonly writesPerPod: number;
  /** At no look were there fewer pods ready than at the one before. */
  readonly isSteady: boolean;
}

/**
 * B6: nothing is taken from queues for three hours, while people create so many Deployments of
 * three; then how long it takes until all of their pods run, and what it costs. The runtime takes
 * whatever is asked of it. `concurrency`: invocations of each function at a time.
 */
export async function drainAfterOutage(deployments: number, concurrency: number): Promise<Drain> {
  const plain = new Plain({ concurrency });
  const pods = 3 * deployments;
  await plain.begin(Math.ceil(pods / 100));
  const resume = plain.world.halt('consumers');
  const created = Array.from({ length: deployments }, (_, i) =>
    plain.create(deployment(`web-${i}`, NS, { replicas: 3 })),
  );
  await plain.pass(3 * HOUR_MS);
  await Promise.all(created);
  const { effects } = plain.network;
  const [startMs, before] = [plain.agenda.nowMs, effects.store];
  resume();
  let [ready, isSteady] = [0, true];
  while (ready < pods && plain.agenda.nowMs - startMs < HOUR_MS) {
    await plain.pass(SECOND_MS);
    const now = await plain.ready();
    isSteady &&= now >= ready;
    ready = now;
  }
  const seconds = (plain.agenda.nowMs - startMs) / SECOND_MS;
  return { pods, seconds, writesPerPod: (effects.store - before) / pods, isSteady };
}

/** Static stability: the control plane is away for a day; how many tasks were stopped or lost. */
export async function lostInADayWithoutUs(): Promise<number> {
  const plain = new Plain();
  await plain.begin(4);
  const created = plain.create(deployment('web', NS, { replicas: 20 }));
  await plain.untilReady(20, HOUR_MS);
  await created;
  const tasks = await plain.world.runtime.list();
  const resume = plain.world.halt('all');
  await plain.pass(24 * HOUR_MS);
  const stayed = new Set(await plain.world.runtime.list());
  resume();
  for (let i = 0; i < 3; i++) {
    plain.world.sweep();
    await plain.pass(SWEEP_EVERY_MS);
  }
  const after = new Set(await plain.world.runtime.list());
  return tasks.filter((id) => !stayed.has(id) || !after.has(id)).length;
}
