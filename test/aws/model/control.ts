/**
 * What tests do to the model from outside, as `POST /_model/<verb>` with JSON, or `GET` of what it
 * has. Answers with JSON; an error of the test's own is a 400 with its message.
 */
import type { NewInstance } from './ecs/instances.ts';
import type { InstanceRecord } from './ecs/state.ts';
import { taskView } from './ecs/state.ts';
import { instanceView } from './ecs/instance-view.ts';
import type { Machine } from './ec2/machines.ts';
import type { Fault } from './faults.ts';
import type { AwsModel } from './model.ts';
import type { Delivery, Rates } from './settings.ts';

export const CONTROL_PATH = '/_model/';

type Handle = (body: never) => object;

export type Verbs = Readonly<Record<string, Handle>>;

interface OneContainer {
  readonly taskArn: string;
  readonly container?: string;
  readonly exitCode?: number;
  readonly reason?: string;
}

interface OneInstance {
  readonly ec2InstanceId: string;
}

const DONE = { done: true };

export function controls(model: AwsModel): Verbs {
  return { ...readings(model), ...taskControls(model), ...machineControls(model) };
}

function readings(model: AwsModel): Verbs {
  const { world } = model.ecs;
  return {
    health: () => DONE,
    calls: () => ({ calls: model.calls.list, counts: model.calls.counts }),
    'clear-calls': () => {
      model.calls.clear();
      return DONE;
    },
    tasks: () => ({ tasks: [...world.tasks.values()].map((task) => taskView(task)) }),
    instances: () => ({ instances: [...world.instances.values()].map(instanceView) }),
    machines: () => ({
      machines: model.ec2.machines.all.map((one) => ({
        ...one,
        tags: Object.fromEntries(one.tags),
      })),
    }),
    /** All faults from now on: a list of `Fault`. */
    faults: (faults: readonly Fault[]) => {
      model.faults.clear();
      for (const fault of faults) model.faults.add(fault);
      return DONE;
    },
    /** How many there are left, such as `{ fargate: { FARGATE_SPOT: 0 } }`; null: no limit. */
    capacity: (given: { fargate?: Limits; ec2?: Limits }) => {
      limit(world.fargateCapacity, given.fargate);
      limit(model.ec2.fleets.capacity, given.ec2);
      return DONE;
    },
    rates: (rates: Partial<Rates>) => {
      model.account.setRates(rates);
      return DONE;
    },
    delivery: (delivery: Partial<Delivery>) => {
      model.events.delivery = { ...model.events.delivery, ...delivery };
      return DONE;
    },
  };
}

type Limits = Readonly<Record<string, number | null>>;

function limit(of: Map<string, number>, limits: Limits = {}): void {
  for (const [key, left] of Object.entries(limits)) {
    if (left === null) of.delete(key);
    else of.set(key, left);
  }
}

function taskControls({ ecs }: AwsModel): Verbs {
  const only = (act: (given: OneContainer) => void) => (given: OneContainer) => {
    act(given);
    return DONE;
  };
  return {
    /** One container, or all that run, end as after a crash: exit code 137 unless it is given. */
    'kill-task': only(({ taskArn, container, exitCode, reason }) => {
      const task = ecs.task(taskArn);
      const names = task.containers.map(({ definition }) => definition.name ?? '');
      for (const name of container === undefined ? names : [container]) {
        ecs.killContainer(taskArn, name, exitCode, reason);
      }
    }),
    'interrupt-task': only(({ taskArn }) => ecs.interruptSpotTask(taskArn)),
    'retire-task': only(({ taskArn }) => ecs.retireTask(taskArn)),
  };
}

function machineControls({ ecs, ec2 }: AwsModel): Verbs {
  const machine = (id: string): Machine => {
    const found = ec2.machines.get(id);
    if (!found) throw new Error(`No such EC2 instance: ${id}`);
    return found;
  };
  const instance = (id: string): InstanceRecord => {
    const found = ecs.instances.byEc2Id(id);
    if (!found) throw new Error(`No container instance on ${id}`);
    return found;
  };
  return {
    'register-instance': (given: NewInstance) => instanceView(ecs.instances.register(given)),
    agent: ({ ec2InstanceId, connected }: OneInstance & { connected: boolean }) => {
      ecs.instances.setConnected(instance(ec2InstanceId), connected);
      return DONE;
    },
    /** Also one that was registered without a launch. */
    'stop-instance': ({ ec2InstanceId: id }: OneInstance) => {
      const launched = ec2.machines.get(id);
      if (launched) ec2.machines.terminate(launched);
      else ecs.instances.hostGone(instance(id), 'terminated');
      return DONE;
    },
    'interrupt-instance': ({ ec2InstanceId: id, warned }: OneInstance & { warned?: boolean }) => {
      ec2.machines.interrupt(machine(id), warned === undefined ? {} : { warned });
      return DONE;
    },
    'recommend-rebalance': ({ ec2InstanceId: id }: OneInstance) => {
      ec2.machines.recommendRebalance(machine(id));
      return DONE;
    },
  };
}

/** Answers a control request. */
export function control(
  verbs: Verbs,
  path: string,
  body: string,
): { status: number; body: string } {
  const verb = path.slice(CONTROL_PATH.length).split('?')[0] ?? '';
  const handle = verbs[verb];
  if (!handle) return json(404, { error: `No such verb: ${verb}`, verbs: Object.keys(verbs) });
  try {
    return json(200, handle(JSON.parse(body || '{}') as never));
  } catch (error) {
    return json(400, { error: error instanceof Error ? error.message : String(error) });
  }
}

function json(status: number, body: object): { status: number; body: string } {
  return { status, body: JSON.stringify(body) };
}
