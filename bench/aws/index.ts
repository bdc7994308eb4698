/**
 * How fast an installation on AWS is in model time: latency, bursts, and what a pod's life costs.
 * The assumptions are latency.ts; docs/benchmarks.md has the figures and what they mean.
 */
import { parseArgs } from 'node:util';
import { count } from '../options.ts';
import { type Burst, burst, type Latencies, launchLatency, lifecycle } from './scenarios.ts';

/** What Fargate gives an account: a bucket of 100, refilled with 20 a second. */
const floorSeconds = (pods: number): number => Math.max(0, pods - 100) / 20;

export async function benchAws(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      arrivals: { type: 'string', default: '500' },
      fargate: { type: 'string', default: '3500' },
      ec2: { type: 'string', default: '10000' },
      reconcilers: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
    },
  });
  const arrivals = count('--arrivals', values.arrivals);
  const reconcilers = count('--reconcilers', values.reconcilers);
  const ec2 = count('--ec2', values.ec2);
  const figures = {
    latency: {
      'one pod': await launchLatency('pod', arrivals, { reconcilers }),
      'Deployment of 1': await launchLatency('deployment', arrivals, { reconcilers }),
      'one pod, no prompt wakes': await launchLatency('pod', arrivals, {
        ...{ reconcilers, promptly: false },
      }),
      'Deployment of 1, no prompt wakes': await launchLatency('deployment', arrivals, {
        ...{ reconcilers, promptly: false },
      }),
    },
    fargate: await burst(count('--fargate', values.fargate), { reconcilers }),
    ec2: await burst(ec2, { reconcilers, machines: Math.ceil(ec2 / PODS_A_MACHINE) + SPARE }),
    lifecycle: await flatness(),
  };
  if (values.json) console.log(JSON.stringify({ aws: figures }));
  else print(figures);
}

/** An m5.4xlarge has eight network interfaces, one of them its own. */
const PODS_A_MACHINE = 7;
const SPARE = 50;

/** Pods of one Deployment: the second is ten times the first. */
const LIFECYCLE_PODS = [20, 200];

type Tally = Readonly<Record<string, number>>;

async function flatness(): Promise<Readonly<Record<string, Tally>>> {
  const tallies: [string, Tally][] = [];
  for (const pods of LIFECYCLE_PODS) tallies.push([`${pods} pods`, await lifecycle(pods)]);
  return Object.fromEntries(tallies);
}

interface Figures {
  readonly latency: Readonly<Record<string, Latencies>>;
  readonly fargate: Burst;
  readonly ec2: Burst;
  readonly lifecycle: Readonly<Record<string, Tally>>;
}

function print({ latency, fargate, ec2, lifecycle: costs }: Figures): void {
  console.log('accept → RunTask, model time');
  console.table(latency);
  const floor = floorSeconds(fargate.pods);
  const over = ((fargate.seconds / floor - 1) * 100).toFixed(1);
  console.log(
    `${fargate.pods} pods on Fargate: ${fargate.seconds.toFixed(1)} s, ${over} % over the ` +
      `floor of ${floor} s; ${shareOf(fargate)} of the calls throttled`,
  );
  console.log(
    `${ec2.pods} pods on EC2: ${ec2.seconds.toFixed(1)} s, ` +
      `${(ec2.launched / ec2.seconds).toFixed(1)} a second; ${shareOf(ec2)} throttled`,
  );
  console.log("a pod's life: made by a Deployment, run, deleted; counts per pod");
  const lines = new Set(Object.values(costs).flatMap((tally) => Object.keys(tally)));
  const row = (line: string) =>
    Object.fromEntries(
      Object.entries(costs).map(([pods, tally]) => [pods, (tally[line] ?? 0).toFixed(2)]),
    );
  console.table(Object.fromEntries([...lines].sort().map((line) => [line, row(line)])));
}

function shareOf({ throttled, launchCalls }: Burst): string {
  return `${((throttled / launchCalls) * 100).toFixed(1)} %`;
}
