/**
 * Cron schedules of five fields, in UTC, with the macros `@yearly`, `@annually`, `@monthly`,
 * `@weekly`, `@daily`, `@midnight` and `@hourly`: what a NodePool's disruption budgets are
 * scheduled by. Strict: what is not understood whole is refused. No time zones, no seconds, no
 * `@every`.
 *
 * A field is a list of `*`, `n`, `n-m`, each with an optional `/step`; months and days of the week
 * have their English names too, days of the week are 0 (Sunday) to 6. As in every cron, when both
 * days are restricted, either will do. Sources: crontab(5); robfig/cron's standard parser, which
 * Karpenter uses.
 */

export interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly daysOfMonth: ReadonlySet<number>;
  /** 1 to 12. */
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly daysOfWeek: ReadonlySet<number>;
  /** Both days are restricted: a day that is in one of the lists will do. */
  readonly eitherDay: boolean;
}

/** Longer schedules are not written by people. */
const MAX_LENGTH = 256;

const MACROS: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

interface Field {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  /** Names of the values from `low` on. */
  readonly names: readonly string[];
}

const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ');
const DAYS = 'SUN MON TUE WED THU FRI SAT'.split(' ');

const FIELDS = {
  minutes: { name: 'minute', low: 0, high: 59, names: [] },
  hours: { name: 'hour', low: 0, high: 23, names: [] },
  daysOfMonth: { name: 'day of the month', low: 1, high: 31, names: [] },
  months: { name: 'month', low: 1, high: 12, names: MONTHS },
  daysOfWeek: { name: 'day of the week', low: 0, high: 6, names: DAYS },
} as const satisfies { readonly [field: string]: Field };

/** The schedule, or what is wrong with the text. */
export function parseCron(text: string): Cron | string {
  if (text.length > MAX_LENGTH) return `must be no more than ${MAX_LENGTH} characters`;
  const expanded = text.startsWith('@') ? MACROS.get(text) : text;
  if (expanded === undefined) return `must be one of ${[...MACROS.keys()].join(', ')}`;
  const parts = expanded.trim().split(/[ \t]+/);
  if (parts.length !== 5) {
    return `must have five fields (minute hour day month weekday), and has ${parts.length}`;
  }
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = parts;
  const minutes = parseField(minute, FIELDS.minutes);
  const hours = parseField(hour, FIELDS.hours);
  const daysOfMonth = parseField(day, FIELDS.daysOfMonth);
  const months = parseField(month, FIELDS.months);
  const daysOfWeek = parseField(weekday, FIELDS.daysOfWeek);
  for (const set of [minutes, hours, daysOfMonth, months, daysOfWeek]) {
    if (typeof set === 'string') return set;
  }
  const eitherDay = isRestricted(day) && isRestricted(weekday);
  return { minutes, hours, daysOfMonth, months, daysOfWeek, eitherDay } as Cron;
}

function isRestricted(text: string): boolean {
  return !/^[*?]/.test(text);
}

function parseField(text: string, field: Field): ReadonlySet<number> | string {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const range = parseRange(part, field);
    if (typeof range === 'string') return range;
    for (let value = range.first; value <= range.last; value += range.step) values.add(value);
  }
  return values;
}

interface Range {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

const RANGE = /^(?:([*?])|([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?)(?:\/([0-9]{1,2}))?$/i;

function parseRange(text: string, field: Field): Range | string {
  const wrong = `${field.name} ${JSON.stringify(text)} is not understood`;
  const [whole, all, from, to, by] = RANGE.exec(text) ?? [];
  if (whole === undefined) return wrong;
  const step = by === undefined ? 1 : Number(by);
  if (step === 0) return `${field.name} ${JSON.stringify(text)} has a step of 0`;
  if (all !== undefined) return { first: field.low, last: field.high, step };
  const first = valueOf(from ?? '', field);
  // `n/step` goes on to the end, as `n-high/step` does.
  const end = to === undefined && by !== undefined ? field.high : first;
  const last = to === undefined ? end : valueOf(to, field);
  if (first === undefined || last === undefined) {
    return `${field.name} ${JSON.stringify(text)} is not within ${field.low} and ${field.high}`;
  }
  return first <= last ? { first, last, step } : `${wrong}: it ends before it begins`;
}

function valueOf(text: string, { low, high, names }: Field): number | undefined {
  const named = names.indexOf(text.toUpperCase());
  const value = named >= 0 ? low + named : Number(text);
  return value >= low && value <= high ? value : undefined;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** No schedule is asked about a longer time: leap days come every eight years at the latest. */
const MAX_DAYS = 9 * 366;

/** Whether the schedule begins a minute after `afterMs` and not after `untilMs`. */
export function hitsWithin(cron: Cron, afterMs: number, untilMs: number): boolean {
  const firstMs = Math.floor(afterMs / MINUTE_MS + 1) * MINUTE_MS;
  let dayMs = Math.floor(firstMs / DAY_MS) * DAY_MS;
  for (let days = 0; days < MAX_DAYS && dayMs <= untilMs; days++, dayMs += DAY_MS) {
    if (isOnDay(cron, new Date(dayMs)) && hitsInDay(cron, dayMs, firstMs, untilMs)) return true;
  }
  return false;
}

function isOnDay({ months, daysOfMonth, daysOfWeek, eitherDay }: Cron, day: Date): boolean {
  if (!months.has(day.getUTCMonth() + 1)) return false;
  const [inMonth, inWeek] = [daysOfMonth.has(day.getUTCDate()), daysOfWeek.has(day.getUTCDay())];
  return eitherDay ? inMonth || inWeek : inMonth && inWeek;
}

function hitsInDay(cron: Cron, dayMs: number, firstMs: number, untilMs: number): boolean {
  for (const hour of cron.hours) {
    for (const minute of cron.minutes) {
      const atMs = dayMs + (hour * 60 + minute) * MINUTE_MS;
      if (atMs >= firstMs && atMs <= untilMs) return true;
    }
  }
  return false;
}
