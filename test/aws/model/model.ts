/**
 * A model of ECS, EC2 and CloudWatch Logs: their operations as a state machine on a given clock,
 * honest where emulators are not. No sockets, no ambient time, no containers.
 *
 *   const model = new AwsModel({ timers: timersOnClock(clock), random: new SeededRandom(7) });
 *   const ecs = new ECSClient({ ...MODEL_CLIENT, requestHandler: modelHandler(model) });
 *
 * What it models, and where the rules are from (numbers are sections of aws-semantics.md):
 *   ecs/lifecycle.ts    the life of a task, versions, stop codes, dependsOn            3.1, 3.5
 *   ecs/run-task*.ts    limits, partial success, Fargate sizes, capacity providers     3.2-3.4
 *   ecs/tokens.ts       clientToken: per cluster, the lesser of 24 h and end + 1 h     3.2
 *   ecs/placement.ts    CPU, memory, GPUs, interfaces, ports; constraints; reasons     3.2, 3.6-7
 *   ecs/tasks.ts        ListTasks late by seconds, DescribeTasks, StopTask             3.1, 3.2
 *   ecs/definitions.ts  revisions, validation                                          3.3-3.5
 *   ecs/instances.ts    registration, draining, agents that come and go                3.7
 *   ecs/buckets.ts      the account's token buckets                         performance.md 5.1
 *   ec2/*               CreateFleet instant, its errors, Spot warnings, boot           3.8
 *   logs/*              what containers print, as streams                              SDK types
 *   events.ts           EventBridge envelopes: late, doubled, reordered, lost          3.1
 *   faults.ts           throttles, lost requests and answers, delays, partial answers
 *
 * Assumed, for want of a source: a RunTask that launched nothing leaves no client token; a change
 * of health makes no version; a task whose host is gone stops with TerminationNotice; which status
 * comes between which for tasks without awsvpc; EC2's and Logs' rates.
 *
 * Not modelled: services, StartTask, ExecuteCommand, Auto Scaling groups and their capacity
 * providers, managed scaling, restartPolicy of containers (a registration with one is refused),
 * IAM, subnets' addresses running out, fleets other than `instant`. An operation that is not here
 * answers UnknownOperationException with its name.
 */
import { Account } from './ecs/buckets.ts';
import { Ecs } from './ecs/ecs.ts';
import { EcsWorld } from './ecs/world.ts';
import { Ec2 } from './ec2/ec2.ts';
import { AwsError, throttled } from './errors.ts';
import { type Envelope, Events } from './events.ts';
import { type Fault, Faults, type FaultKind } from './faults.ts';
import { Calls } from './calls.ts';
import { LogOperations } from './logs/operations.ts';
import { LogStore } from './logs/log-store.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.ts';
import { draw, type Random, type Timers } from './timers.ts';

export type Service = 'ecs' | 'ec2' | 'logs';

export interface ModelOptions {
  readonly timers: Timers;
  readonly random: Random;
  /** Takes what EventBridge delivers. Nothing is told before the call that caused it returned. */
  readonly emit?: (event: Envelope) => void;
  readonly settings?: Partial<Settings>;
  /** Of several models of one account. */
  readonly account?: Account;
}

/** `no answer`: the caller hears nothing; it may or may not have happened. */
export type Outcome =
  | { readonly type: 'answer'; readonly body: object }
  | { readonly type: 'error'; readonly error: AwsError }
  | { readonly type: 'no answer' };

type Operation = (input: never, partial: boolean) => object;

export class AwsModel {
  readonly ecs: Ecs;
  readonly ec2: Ec2;
  readonly logs: LogStore;
  readonly faults: Faults;
  readonly calls: Calls;
  readonly account: Account;
  readonly events: Events;
  readonly settings: Settings;
  readonly #timers: Timers;
  readonly #random: Random;
  readonly #operations: Readonly<Record<Service, Readonly<Record<string, Operation>>>>;

  constructor({ timers, random, emit = () => {}, settings: given, account }: ModelOptions) {
    const settings = { ...DEFAULT_SETTINGS, ...given };
    const { region, accountId, delivery, latencies } = settings;
    this.settings = settings;
    this.#timers = timers;
    this.#random = random;
    this.faults = new Faults(random);
    this.calls = new Calls(timers);
    this.account = account ?? new Account(timers, settings.rates);
    this.events = new Events({ timers, random, region, accountId, delivery, emit });
    this.logs = new LogStore(timers, random, latencies.logLagMs, settings.logGroups);
    const shared = { timers, random, settings, events: this.events, account: this.account };
    this.ecs = new Ecs(new EcsWorld({ ...shared, logs: this.logs }));
    this.ec2 = new Ec2({ ...shared, instances: this.ecs.instances });
    this.#operations = {
      ecs: ecsOperations(this.ecs),
      ec2: ec2Operations(this.ec2),
      logs: logOperations(new LogOperations(this.logs), this.account),
    };
  }

  /** One call, as a client makes it: recorded, with the faults that befall it. */
  async invoke(service: Service, operation: string, input: object): Promise<Outcome> {
    const call = this.calls.begin(operation);
    const faults = this.faults.draw(operation);
    const outcome = await this.#withFaults(faults, () => {
      return this.perform(service, operation, input, faults.has('partial'));
    });
    call.outcome = textOf(outcome);
    return outcome;
  }

  /** The operation alone, without faults and records. Never throws an error of the model. */
  perform(service: Service, operation: string, input: object, partial = false): Outcome {
    const run = this.#operations[service][operation];
    if (!run) {
      const error = new AwsError('UnknownOperationException', `Not modelled: ${operation}`);
      return { type: 'error', error };
    }
    try {
      return { type: 'answer', body: run(input as never, partial) };
    } catch (error) {
      if (error instanceof AwsError) return { type: 'error', error };
      throw error;
    }
  }

  async #withFaults(
    faults: ReadonlyMap<FaultKind, Fault>,
    perform: () => Outcome,
  ): Promise<Outcome> {
    const delay = faults.get('delay');
    if (delay) await this.#pass(delay);
    if (faults.has('throttle')) return { type: 'error', error: throttled() };
    if (faults.has('error-before')) return { type: 'error', error: serverError() };
    const lost = faults.get('timeout-before') ?? faults.get('timeout-after');
    const outcome = faults.has('timeout-before') ? undefined : perform();
    if (lost) {
      await this.#pass(lost);
      return { type: 'no answer' };
    }
    if (faults.has('error-after')) return { type: 'error', error: serverError() };
    return outcome ?? { type: 'no answer' };
  }

  #pass({ ms = 0 }: Fault): Promise<void> {
    return new Promise((resolve) => this.#timers.in(draw(ms, this.#random), resolve));
  }
}

function serverError(): AwsError {
  return new AwsError('ServerException', 'Service Unavailable', {}, 500);
}

function textOf(outcome: Outcome): string {
  if (outcome.type === 'answer') return 'ok';
  return outcome.type === 'error' ? outcome.error.code : outcome.type;
}

function ecsOperations(ecs: Ecs): Record<string, Operation> {
  const { tasks, launches, definitions, instances } = ecs;
  return {
    RunTask: launches.run.bind(launches),
    StopTask: tasks.stop.bind(tasks),
    DescribeTasks: tasks.describe.bind(tasks),
    ListTasks: tasks.list.bind(tasks),
    RegisterTaskDefinition: definitions.register.bind(definitions),
    DescribeTaskDefinition: definitions.describe.bind(definitions),
    DeregisterTaskDefinition: definitions.deregister.bind(definitions),
    ListContainerInstances: instances.list.bind(instances),
    DescribeContainerInstances: instances.describe.bind(instances),
    UpdateContainerInstancesState: instances.updateState.bind(instances),
    DeregisterContainerInstance: instances.deregister.bind(instances),
    PutAttributes: instances.putAttributes.bind(instances),
    CreateCluster: ecs.createCluster.bind(ecs),
    DescribeClusters: ecs.describeClusters.bind(ecs),
  };
}

function ec2Operations(ec2: Ec2): Record<string, Operation> {
  return {
    CreateFleet: ec2.createFleet.bind(ec2),
    DescribeInstances: ec2.describeInstances.bind(ec2),
    TerminateInstances: ec2.terminateInstances.bind(ec2),
    DescribeInstanceTypes: ec2.describeInstanceTypes.bind(ec2),
    DescribeSubnets: ec2.describeSubnets.bind(ec2),
    CreateTags: ec2.createTags.bind(ec2),
  };
}

function logOperations(logs: LogOperations, account: Account): Record<string, Operation> {
  const all: Record<string, (input: never) => object> = {
    CreateLogGroup: logs.createLogGroup.bind(logs),
    GetLogEvents: logs.getLogEvents.bind(logs),
    FilterLogEvents: logs.filterLogEvents.bind(logs),
    DescribeLogStreams: logs.describeLogStreams.bind(logs),
  };
  const limited = Object.entries(all).map(([name, run]): [string, Operation] => [
    name,
    (input) => {
      account.take('logs');
      return run(input);
    },
  ]);
  return Object.fromEntries(limited);
}
