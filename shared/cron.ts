/**
 * Cron times as PingSource understands them: five fields, or six with seconds first, or a descriptor.
 * Where both day of month and day of week are restricted, either is enough. A local time that a clock change skips
 * does not fire that day; one that occurs twice fires twice: keep schedules outside the small hours.
 */
import { Temporal } from 'temporal-polyfill';

/** The values at which a schedule fires, field by field; days of the week count from Sunday, 0. */
export interface Cron {
  readonly seconds: ReadonlySet<number>;
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly daysOfMonth: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly daysOfWeek: ReadonlySet<number>;
  /** Whether a day needs both day fields, since one of them is `*`, or either of them. */
  readonly bothDays: boolean;
}

const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const SEARCH_YEARS = 5;

/** Parses a cron expression; throws a RangeError that names the field. */
export function parseCron(expression: string): Cron {
  const fields = (DESCRIPTORS[expression.trim()] ?? expression).trim().split(/\s+/);
  if (fields.length === 5) fields.unshift('0');
  const [second, minute, hour, dayOfMonth, month, dayOfWeek] = fields;
  if (fields.length !== 6 || !second || !minute || !hour || !dayOfMonth || !month || !dayOfWeek) {
    throw new RangeError(`a cron expression has five or six fields: ${expression}`);
  }
  return {
    seconds: parseField('second', second, 0, 59),
    minutes: parseField('minute', minute, 0, 59),
    hours: parseField('hour', hour, 0, 23),
    daysOfMonth: parseField('day of month', dayOfMonth, 1, 31),
    months: parseField('month', month, 1, 12, MONTHS),
    daysOfWeek: parseField('day of week', dayOfWeek, 0, 6, DAYS),
    bothDays: /^[*?]/.test(dayOfMonth) || /^[*?]/.test(dayOfWeek),
  };
}

/** The first time after `after` at which the schedule fires in a time zone, or undefined when none is near. */
export function nextTick(cron: Cron, after: Date, timeZone: string): Date | undefined {
  let time = Temporal.Instant.fromEpochMilliseconds(after.getTime())
    .toZonedDateTimeISO(timeZone)
    .round({ smallestUnit: 'second', roundingMode: 'floor' })
    .add({ seconds: 1 });
  const lastYear = time.year + SEARCH_YEARS;
  while (time.year <= lastYear) {
    if (!cron.months.has(time.month)) {
      time = time.with({ day: 1 }).startOfDay().add({ months: 1 }).startOfDay();
    } else if (!matchesDay(cron, time)) {
      time = time.add({ days: 1 }).startOfDay();
    } else if (!cron.hours.has(time.hour)) {
      time = time.add({ minutes: 60 - time.minute }).subtract({ seconds: time.second });
    } else if (!cron.minutes.has(time.minute)) {
      time = time.add({ seconds: 60 - time.second });
    } else if (!cron.seconds.has(time.second)) {
      time = time.add({ seconds: 1 });
    } else {
      return new Date(time.epochMilliseconds);
    }
  }
  return undefined;
}

function matchesDay(cron: Cron, time: Temporal.ZonedDateTime): boolean {
  const ofMonth = cron.daysOfMonth.has(time.day);
  const ofWeek = cron.daysOfWeek.has(time.dayOfWeek % 7);
  return cron.bothDays ? ofMonth && ofWeek : ofMonth || ofWeek;
}

function parseField(
  name: string,
  text: string,
  low: number,
  high: number,
  names: readonly string[] = [],
): ReadonlySet<number> {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(?:[*?]|([0-9a-z]+)(?:-([0-9a-z]+))?)(?:\/([0-9]+))?$/i.exec(part);
    if (!match) throw new RangeError(`${name}: ${part} is not a value, a range, or a step`);
    const step = match[3] === undefined ? 1 : Number(match[3]);
    const first = match[1] === undefined ? low : parseValue(match[1], low, names);
    const last = parseLast(match[1], match[2], match[3] !== undefined);
    if (!(first >= low && last <= high && first <= last && step > 0)) {
      throw new RangeError(`${name}: ${part} is outside ${low}-${high}`);
    }
    for (let value = first; value <= last; value += step) values.add(value);
  }
  return values;

  function parseLast(start: string | undefined, end: string | undefined, hasStep: boolean): number {
    if (end !== undefined) return parseValue(end, low, names);
    return start === undefined || hasStep ? high : parseValue(start, low, names);
  }
}

/** A number, or a three-letter name whose position counts from the field's lowest value; NaN for anything else. */
function parseValue(text: string, low: number, names: readonly string[]): number {
  if (/^[0-9]+$/.test(text)) return Number(text);
  const index = names.indexOf(text.toLowerCase());
  return index === -1 ? Number.NaN : index + low;
}
