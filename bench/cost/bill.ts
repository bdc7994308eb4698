/** Counts as dollars. Owns what of a count is charged as what; the prices are data (prices.ts). */
import { FUNCTIONS } from '../../infra/settings.ts';
import { type Counts, type Tally, total } from './meter.ts';
import { PRICES } from './prices.ts';

export type PriceName = keyof typeof PRICES;

/** How much is charged of each price. */
export type Usage = { readonly [name in PriceName]?: number };

export const HOURS_A_MONTH = 730;
const MINUTES_A_MONTH = HOURS_A_MONTH * 60;

/** A whole processor of Lambda's. */
const PROCESSOR_MIB = 1769;
const MIB_PER_GB = 1024;
const BYTES_PER_GB = 1e9;

/**
 * Lambda keeps this many waiting at each queue, for 20 seconds a time. It says so of standard
 * queues; of FIFO queues nothing is documented, and the same is assumed.
 */
export const POLLERS = 5;
export const POLLS_A_MINUTE = 3;
export const QUEUES = { fifo: 2, standard: 1 } as const;
/** infra/monitoring.ts */
export const ALARMS = 9;
export const DASHBOARDS = 1;
/** What an installation with a hundred pods keeps, with two hours of tombstones: far below. */
const IDLE_TABLE_GB = 0.01;

export function usageOf(counts: Counts): Usage {
  return {
    writeUnits: total(counts.writeUnits),
    readUnits: total(counts.readUnits),
    fifoRequests: totalOf(counts.queueRequests, 'fifo '),
    standardRequests: totalOf(counts.queueRequests, 'standard '),
    invocations: total(counts.invocations),
    computing: gbSeconds(counts),
    apiRequests: total(counts.apiRequests),
    schedules: total(counts.schedules),
    logs: total(counts.logBytes) / BYTES_PER_GB,
  };
}

/** What a month costs in which nothing is asked. */
export function monthOf(quietHour: Counts): Usage {
  const worked = times(usageOf(quietHour), HOURS_A_MONTH);
  const polls = POLLERS * POLLS_A_MINUTE * MINUTES_A_MONTH;
  return {
    ...worked,
    fifoRequests: (worked.fifoRequests ?? 0) + polls * QUEUES.fifo,
    standardRequests: (worked.standardRequests ?? 0) + polls * QUEUES.standard,
    tableStorage: IDLE_TABLE_GB,
    pointInTime: IDLE_TABLE_GB,
    alarms: ALARMS,
    dashboards: DASHBOARDS,
  };
}

/**
 * Waiting and computing one after the other, although some of it is side by side; less memory is
 * less of a processor.
 */
export function gbSeconds({ waitMs, cpuMs }: Counts): number {
  return Object.entries(FUNCTIONS).reduce((sum, [name, { memoryMiB }]) => {
    const slower = Math.max(1, PROCESSOR_MIB / memoryMiB);
    const billedMs = of(waitMs, name) + slower * of(cpuMs, name);
    return sum + (billedMs / 1000) * (memoryMiB / MIB_PER_GB);
  }, 0);
}

export function times(usage: Usage, by: number): Usage {
  return Object.fromEntries(Object.entries(usage).map(([name, amount]) => [name, amount * by]));
}

export function dollars(name: PriceName, amount: number, isFree: boolean): number {
  const { dollars: each, per, free } = PRICES[name];
  return (Math.max(0, amount - (isFree ? free : 0)) / per) * each;
}

/** SQS's free million is of both kinds of queues: standard ones use it first. */
export function billOf(usage: Usage, isFree: boolean): number {
  return Object.entries(usage).reduce((sum, [name, amount]) => {
    return sum + dollars(name as PriceName, amount, isFree);
  }, 0);
}

const of = (tally: Tally, name: string) => tally[name] ?? 0;

function totalOf(tally: Tally, prefix: string): number {
  return total(
    Object.fromEntries(Object.entries(tally).filter(([what]) => what.startsWith(prefix))),
  );
}
