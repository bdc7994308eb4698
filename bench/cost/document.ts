/**
 * The tables of docs/cost.md, made of counts and prices. Owns what stands between a table's two
 * marks; the sentences around them are written by hand.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { billOf, dollars, monthOf, type PriceName, times, type Usage, usageOf } from './bill.ts';
import { type Counts, type Tally, total } from './meter.ts';
import { PRICES } from './prices.ts';
import type { ByPods, Recorded } from './recorded.ts';

const PATH = join(import.meta.dirname, '../../docs/cost.md');
const MILLION = 1_000_000;

export function readDocument(): string {
  return readFileSync(PATH, 'utf8');
}

export function writeDocument(text: string): void {
  writeFileSync(PATH, text);
}

/** Throws when a table has no place in the document. */
export function withTables(document: string, recorded: Recorded): string {
  return Object.entries(tablesOf(recorded)).reduce((text, [name, table]) => {
    const begin = `<!-- ${name} -->\n`;
    const end = `<!-- end of ${name} -->`;
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from < 0 || to < from) throw new Error(`docs/cost.md has no place for "${name}"`);
    return `${text.slice(0, from)}${begin}\n${table}\n\n${text.slice(to)}`;
  }, document);
}

function tablesOf(recorded: Recorded): { readonly [name: string]: string } {
  const { deployment, bare, quietHour, machine } = recorded;
  return {
    summary: summary(recorded),
    'idle bill': monthTable(quietHour),
    'bill of a million lives': livesTable(recorded),
    'counts of a life': countsTable(recorded),
    'table units of a life': unitsTable(Object.values(deployment).at(-1)),
    growth: growthTable({ ...deployment }, bare),
    prices: pricesTable(),
    machine: `Processor time was measured on ${machine}.`,
  };
}

const columns = ({ deployment, bare }: Recorded): [string, Counts][] => [
  ...Object.entries(deployment).map(([pods, counts]): [string, Counts] => [
    `Deployment of ${pods}`,
    counts,
  ]),
  ...Object.entries(bare).map(([pods, counts]): [string, Counts] => [
    `${pods} bare pods, one by one`,
    counts,
  ]),
];

function summary(recorded: Recorded): string {
  const months = Object.entries(recorded.quietHour).map(([pods, counts]) => {
    const usage = monthOf(counts);
    return [
      `a month, ${pods} pods running`,
      money(billOf(usage, true)),
      money(billOf(usage, false)),
    ];
  });
  const lives = columns(recorded).map(([name, counts]) => {
    const usage = times(usageOf(counts), MILLION);
    return [`a million lives: ${name}`, money(billOf(usage, true)), money(billOf(usage, false))];
  });
  return markdown(['', 'with what is always free', 'without'], [...months, ...lives]);
}

const NAMES: { readonly [name in PriceName]: string } = {
  writeUnits: 'DynamoDB writes',
  readUnits: 'DynamoDB reads',
  tableStorage: 'DynamoDB storage',
  pointInTime: 'point-in-time recovery',
  standardRequests: 'SQS, standard queues',
  fifoRequests: 'SQS, FIFO queues',
  invocations: 'Lambda requests',
  computing: 'Lambda computing',
  apiRequests: 'API Gateway (REST)',
  schedules: 'EventBridge Scheduler',
  logs: 'CloudWatch Logs',
  alarms: 'CloudWatch alarms',
  dashboards: 'CloudWatch dashboards',
};

const ALL = Object.keys(NAMES) as PriceName[];

function monthTable(quietHour: ByPods): string {
  const months = Object.entries(quietHour).map(
    ([pods, counts]) => [pods, monthOf(counts)] as const,
  );
  const head = [
    'line',
    ...months.flatMap(([pods]) => [`amount, ${pods} pods`, 'without free', 'free used']),
  ];
  const rows = ALL.filter((name) => months.some(([, usage]) => usage[name])).map((name) => [
    NAMES[name],
    ...months.flatMap(([, usage]) => [
      amount(usage[name] ?? 0, name),
      money(dollars(name, usage[name] ?? 0, false)),
      money(dollars(name, usage[name] ?? 0, true)),
    ]),
  ]);
  const sums = months.flatMap(([, usage]) => [
    '',
    money(billOf(usage, false)),
    money(billOf(usage, true)),
  ]);
  return markdown(head, [...rows, ['**sum**', ...sums]]);
}

function livesTable(recorded: Recorded): string {
  const given = columns(recorded).map(([name, counts]) => [name, usageOf(counts)] as const);
  const used = ALL.filter((name) => given.some(([, usage]) => usage[name]));
  const rows = used.map((name) => [
    NAMES[name],
    ...given.map(([, usage]) => money(dollars(name, (usage[name] ?? 0) * MILLION, false))),
  ]);
  const sum = (isFree: boolean) => given.map(([, u]) => money(billOf(times(u, MILLION), isFree)));
  return markdown(
    ['', ...given.map(([name]) => name)],
    [...rows, ['**sum**', ...sum(false)], ['sum, free used', ...sum(true)]],
  );
}

function countsTable(recorded: Recorded): string {
  const given = columns(recorded);
  const used = (usage: Usage) => ALL.filter((name) => usage[name]);
  const names = [...new Set(given.flatMap(([, counts]) => used(usageOf(counts))))];
  const rows = ALL.filter((name) => names.includes(name)).map((name) => [
    `${NAMES[name]}, ${name === 'logs' ? 'bytes' : PRICES[name].unit}`,
    ...given.map(([, counts]) =>
      figure((usageOf(counts)[name] ?? 0) * (name === 'logs' ? 1e9 : 1)),
    ),
  ]);
  const more: [string, (counts: Counts) => number][] = [
    ['of the writes, index entries', ({ indexUnits }) => total(indexUnits)],
    ['calls of DynamoDB', ({ tableCalls }) => total(tableCalls)],
    ['processor time, ms of a whole one', ({ cpuMs }) => total(cpuMs)],
    ['calls of ECS and EC2 (free)', ({ ecsCalls }) => total(ecsCalls)],
  ];
  const extra = more.map(([name, of]) => [name, ...given.map(([, counts]) => figure(of(counts)))]);
  return markdown(['for each pod', ...given.map(([name]) => name)], [...rows, ...extra]);
}

/** The largest lines, by caller, operation and resource. */
const SHOWN = 14;

function unitsTable(counts: Counts | undefined): string {
  const largest = (tally: Tally = {}) =>
    Object.entries(tally)
      .sort((a, b) => b[1] - a[1])
      .slice(0, SHOWN);
  const writes = largest(counts?.writeUnits);
  const reads = largest(counts?.readUnits);
  const rows = Array.from({ length: SHOWN }, (_, i) => [
    ...(writes[i] ? [writes[i][0], figure(writes[i][1])] : ['', '']),
    ...(reads[i] ? [reads[i][0], figure(reads[i][1])] : ['', '']),
  ]);
  return markdown(['writes', 'units', 'reads', 'units'], rows);
}

function growthTable(deployment: ByPods, bare: ByPods): string {
  const rows = [...pairs(deployment, 'Deployment'), ...pairs(bare, 'bare pods')];
  return markdown(['', 'write units', 'read units', 'SQS requests', 'invocations', 'GB-s'], rows);
}

function pairs(byPods: ByPods, name: string): string[][] {
  const [small, large] = Object.entries(byPods);
  if (!small || !large) return [];
  const of = ([, counts]: [string, Counts]) => {
    const { writeUnits = 0, readUnits = 0, invocations = 0, computing = 0, ...u } = usageOf(counts);
    const requests = (u.fifoRequests ?? 0) + (u.standardRequests ?? 0);
    return [writeUnits, readUnits, requests, invocations, computing];
  };
  const [before, after] = [of(small), of(large)];
  const ratios = after.map((one, i) => `× ${(one / (before[i] ?? 1)).toFixed(2)}`);
  return [[`${name}: ${small[0]} → ${large[0]}, for each pod`, ...ratios]];
}

function pricesTable(): string {
  const rows = ALL.map((name) => {
    const { dollars: each, per, unit, free, source } = PRICES[name];
    const bought = per === MILLION ? `a million ${unit}` : `each of ${unit}`;
    return [NAMES[name], `$${each} ${bought}`, free > 0 ? free.toLocaleString('en') : '–', source];
  });
  return markdown(['', 'price', 'always free, a month', 'from'], rows);
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = `|${head.map((_, i) => (i === 0 ? '---' : '--:')).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

function money(value: number): string {
  return `$${value.toFixed(2)}`;
}

function amount(value: number, name: PriceName): string {
  const shown =
    value >= 1_000 ? `${Math.round(value / 1_000).toLocaleString('en')} k` : figure(value);
  return `${shown} ${PRICES[name].unit}`;
}

function figure(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}
