/**
 * Alertmanager's time intervals: whether a moment is inside one, by the wall clock of its zone. Pure. An instant has exactly
 * one wall-clock time, so the days on which clocks change need no rules: an hour that is skipped is never inside, one that
 * comes twice is inside twice.
 */

/** From the first to the last, both included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** One interval; each field that has ranges must hold. */
export interface TimeInterval {
  /** Minutes of the day; the last is not included. */
  readonly times: readonly Range[];
  /** Sunday is 0. */
  readonly weekdays: readonly Range[];
  /** Negative days count from the month's end. */
  readonly daysOfMonth: readonly Range[];
  readonly months: readonly Range[];
  readonly years: readonly Range[];
  /** IANA name. */
  readonly location: string;
}

/** Several under one name; inside one of them is inside. */
export interface NamedIntervals {
  readonly name: string;
  readonly intervals: readonly TimeInterval[];
}

/** Whether the moment is inside. */
export function isInside({ intervals }: NamedIntervals, at: Date): boolean {
  return intervals.some((interval) => contains(interval, at));
}

/** The moment by the wall clock of a zone. */
interface WallClock {
  readonly minute: number;
  readonly weekday: number;
  readonly day: number;
  readonly month: number;
  readonly year: number;
  readonly daysInMonth: number;
}

function contains(interval: TimeInterval, at: Date): boolean {
  const { minute, weekday, day, month, year, daysInMonth } = toWallClock(at, interval.location);
  return (
    holds(interval.times, ({ from, to }) => minute >= from && minute < to) &&
    holds(interval.weekdays, within(weekday)) &&
    holds(interval.daysOfMonth, (range) => isDayWithin(range, day, daysInMonth)) &&
    holds(interval.months, within(month)) &&
    holds(interval.years, within(year))
  );
}

function holds(ranges: readonly Range[], test: (range: Range) => boolean): boolean {
  return ranges.length === 0 || ranges.some((range) => test(range));
}

function within(value: number): (range: Range) => boolean {
  return ({ from, to }) => value >= from && value <= to;
}

/** Days beyond the month's end are its last; a range that begins beyond it holds on none. */
function isDayWithin({ from, to }: Range, day: number, daysInMonth: number): boolean {
  const first = from < 0 ? daysInMonth + from + 1 : from;
  const last = to < 0 ? daysInMonth + to + 1 : to;
  return first <= daysInMonth && day >= first && day <= Math.min(last, daysInMonth);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function toWallClock(at: Date, zone: string): WallClock {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
    formats.set(zone, format);
  }
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const year = part('year');
  const month = part('month');
  const day = part('day');
  return {
    minute: part('hour') * 60 + part('minute'),
    weekday: new Date(Date.UTC(year, month - 1, day)).getUTCDay(),
    day,
    month,
    year,
    daysInMonth: new Date(Date.UTC(year, month, 0)).getUTCDate(),
  };
}
