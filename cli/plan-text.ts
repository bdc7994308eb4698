/** What a plan says: a table for people, or JSON. */
import { fargateAbout } from '../shared/core/capacity/catalogue/fargate-prices.ts';
import { pricesAbout, REFERENCE_REGION } from '../shared/core/capacity/catalogue/prices.ts';
import type { Bill, BillLine, BillMachine, Where } from '../shared/core/planning/bill.ts';
import type { Workload } from '../shared/core/planning/expand.ts';
import type { Simulated } from '../shared/core/planning/simulate.ts';
import { table } from './table.ts';

export interface Planned {
  readonly bill: Bill;
  readonly end: Simulated;
  readonly workloads: readonly Workload[];
  readonly unplanned: readonly string[];
}

/** Of a year's twelfth. */
const HOURS_A_MONTH = 730;
/** Nodes that are there already are named up to so many. */
const NAMED_NODES = 3;
const MONEY = new Set([1, 3, 4]);

export function planText({ bill, end, workloads, unplanned }: Planned): string {
  const left = leftOver(end, workloads);
  const machines = bill.machines.length > 0 ? [`\n${machineTable(bill.machines)}`] : [];
  const waiting = left.flatMap(({ workload, pods, message }) => {
    return `\n${workload}: ${pods} of its pods would wait: ${message}\n`;
  });
  const { victims } = end;
  const gone = victims.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`);
  return [
    workloadTable(bill, workloads),
    ...machines,
    ...waiting,
    ...(gone.length > 0
      ? [`\nTo make room, ${gone.length} pods would end: ${gone.join(', ')}\n`]
      : []),
    ...unplanned.map((name) => `\n${name} is not planned: its pods are not counted here\n`),
    `\n${sources(bill)}`,
  ].join('');
}

function workloadTable({ lines, usdPerHour, isIncomplete }: Bill, workloads: readonly Workload[]) {
  const ofWorkload = Map.groupBy(lines, ({ workload, namespace }) => `${namespace} ${workload}`);
  const rows = workloads.flatMap(({ name, namespace, pods }) => {
    if (pods.length === 0) return [];
    const own = withoutNames(ofWorkload.get(`${namespace} ${name}`) ?? []);
    const placed = own.reduce((sum, line) => sum + line.pods, 0);
    const nowhere = pods.length - placed;
    const title = namespace === 'default' ? name : `${namespace}/${name}`;
    return [
      ...own.map((line, i) => rowOf(i === 0 ? title : '', line)),
      ...(nowhere > 0 ? [[own.length > 0 ? '' : title, String(nowhere), 'nowhere', '-', '-']] : []),
    ];
  });
  const total = ['TOTAL', '', isIncomplete ? 'at least' : '', ...money(usdPerHour, false)];
  return table([['WORKLOAD', 'PODS', 'WHERE', '$/HOUR', '$/MONTH'], ...rows, total], MONEY);
}

interface ShownLine {
  readonly pods: number;
  readonly where: string;
  readonly usdPerHour?: number;
  readonly isEstimate: boolean;
}

/** Nodes that are there already stand in one line. */
function withoutNames(lines: readonly BillLine[]): readonly ShownLine[] {
  const shown = lines.flatMap((line) => {
    const text = whereText(line.where);
    return text === undefined ? [] : [{ ...line, where: text }];
  });
  const there = lines.flatMap(({ where, pods }) =>
    where.type === 'existing' ? [{ node: where.node, pods }] : [],
  );
  if (there.length === 0) return shown;
  const names = there.slice(0, NAMED_NODES).map(({ node }) => node);
  const more = there.length > names.length ? ` and ${there.length - names.length} more` : '';
  const where = `${names.join(', ')}${more}, there already`;
  const pods = there.reduce((sum, one) => sum + one.pods, 0);
  return [...shown, { pods, where, usdPerHour: 0, isEstimate: false }];
}

function whereText(where: Where): string | undefined {
  if (where.type === 'existing') return undefined;
  const spot = where.capacityType === 'spot' ? ' Spot' : '';
  if (where.type === 'fargate') return `Fargate${spot}, ${where.size} each`;
  return `${where.instanceType}${spot} in ${where.zone}, shared`;
}

function rowOf(title: string, { pods, where, usdPerHour, isEstimate }: ShownLine): string[] {
  return [title, String(pods), where, ...money(usdPerHour, isEstimate)];
}

function money(usdPerHour: number | undefined, isEstimate: boolean): readonly string[] {
  if (usdPerHour === undefined) return ['price unknown', ''];
  const about = isEstimate ? '~' : '';
  return [about + usdPerHour.toFixed(4), about + (usdPerHour * HOURS_A_MONTH).toFixed(2)];
}

function machineTable(machines: readonly BillMachine[]): string {
  const rows = machines.map(
    ({ pool, instanceType, capacityType, zone, count, usdPerHourEach, isEstimate }) => [
      ...[instanceType, String(count), `${capacityType}, ${zone}, pool ${pool}`],
      ...money(usdPerHourEach * count, isEstimate),
    ],
  );
  return table([['TO LAUNCH', 'COUNT', 'AS', '$/HOUR', '$/MONTH'], ...rows], MONEY);
}

interface Left {
  readonly workload: string;
  readonly pods: number;
  readonly message: string;
}

/** Pods of one workload that are told the same are told of once. */
function leftOver({ left, pods }: Simulated, workloads: readonly Workload[]): readonly Left[] {
  const messages = new Map(left.map(({ pod, message }) => [pod.metadata.uid, message]));
  const placed = new Map(pods.map((pod) => [pod.metadata.uid, pod]));
  return workloads.flatMap(({ name, pods: own }) => {
    const counts = new Map<string, number>();
    for (const { metadata } of own) {
      const end = placed.get(metadata.uid);
      if (!end || end.spec.nodeName) continue;
      const condition = end.status.conditions?.find(({ type }) => type === 'PodScheduled');
      const message = messages.get(metadata.uid) ?? condition?.message ?? 'it has no place';
      counts.set(message, (counts.get(message) ?? 0) + 1);
    }
    return [...counts].map(([message, count]) => ({ workload: name, pods: count, message }));
  });
}

function sources({ lines, machines }: Bill): string {
  const estimates = [...lines, ...machines].some(({ isEstimate }) => isEstimate);
  return [
    `Prices: Linux, ${REFERENCE_REGION}, before taxes, ${HOURS_A_MONTH} hours a month.`,
    `EC2 of ${pricesAbout.date} (${pricesAbout.source}).`,
    `Fargate of ${fargateAbout.date} (${fargateAbout.source}).`,
    ...(estimates ? ['~ is an estimate: Spot, or a type without a listed price.'] : []),
    'Load balancers, storage, traffic and logs are not in it.',
    '',
  ].join('\n');
}

/** The bill as it is, what would wait, and where prices are from. */
export function planJson({ bill, end, workloads, unplanned }: Planned): string {
  const placements = end.pods.flatMap(({ metadata, spec }) =>
    isOf(metadata.uid, workloads)
      ? [{ namespace: metadata.namespace, pod: metadata.name, node: spec.nodeName ?? null }]
      : [],
  );
  const prices = { ec2: pricesAbout, fargate: fargateAbout, region: REFERENCE_REGION };
  const victims = end.victims.map(({ metadata: { namespace, name } }) => ({ namespace, name }));
  const waiting = leftOver(end, workloads);
  const value = { ...bill, placements, waiting, victims, unplanned, prices };
  return `${JSON.stringify(value, null, 2)}\n`;
}

function isOf(uid: string, workloads: readonly Workload[]): boolean {
  return workloads.some(({ pods }) => pods.some(({ metadata }) => metadata.uid === uid));
}
