/** The words of a time interval in a routes file: `monday:friday`, `-3:-1`, `may:august`, `09:00`. Pure. */
import * as z from 'zod';
import type { Range, TimeInterval } from './time-intervals.ts';

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;
const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
] as const;

const clockTime = z
  .string({ error: 'must be a time such as "09:00", in quotes' })
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'must be a time from "00:00" to "24:00"')
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)));

const timeRange = z
  .strictObject({ start_time: clockTime, end_time: clockTime })
  .refine(({ start_time, end_time }) => start_time < end_time, {
    error:
      'start_time must be before end_time; for a night write two ranges, up to "24:00" and from "00:00" on',
  })
  .transform(({ start_time, end_time }): Range => ({ from: start_time, to: end_time }));

const weekdays = ranges('a weekday or a range such as monday:friday', (word) => {
  const index = WEEKDAYS.findIndex((name) => name === word);
  return index < 0 ? null : index;
});

const months = ranges('a month or a range such as may:august or 1:3', (word) => {
  const index = MONTHS.findIndex((name) => name === word);
  return index < 0 ? toInteger(word, 1, 12) : index + 1;
});

const years = ranges('a year or a range such as 2026:2028', (word) => toInteger(word, 1, 9_999));

const daysOfMonth = ranges('a day or a range such as 1:5 or -3:-1 (from the end)', (word) => {
  const day = toInteger(word, -31, 31);
  return day === 0 ? null : day;
});

const location = z
  .string({ error: 'must be an IANA time zone such as Europe/London' })
  .refine(isZone, 'must be an IANA time zone such as Europe/London');

/** One interval as Alertmanager writes it. */
export const timeIntervalSchema = z
  .strictObject({
    times: z.array(timeRange, { error: 'must be a list of start_time and end_time' }).default([]),
    weekdays: weekdays.default([]),
    days_of_month: daysOfMonth.default([]),
    months: months.default([]),
    years: years.default([]),
    location: location.default('UTC'),
  })
  .transform(({ days_of_month, ...interval }): TimeInterval => ({ ...interval, daysOfMonth: days_of_month }));

/** A list of words or ranges of words; `read` gives a word's number, null when it is none. */
function ranges(words: string, read: (word: string) => number | null) {
  const message = `must be ${words}`;
  return z.array(
    z.union([z.string(), z.int()], { error: message }).transform((value, context): Range => {
      const [from = '', to = from, ...rest] = String(value)
        .toLowerCase()
        .split(':')
        .map((word) => word.trim());
      const range = { from: read(from), to: read(to) };
      if (rest.length > 0 || range.from === null || range.to === null || isBackwards(range.from, range.to)) {
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      }
      return { from: range.from, to: range.to };
    }),
    { error: `must be a list; each entry ${message}` },
  );
}

/** A range that can never hold: its end comes first. Days from the start up to one from the end (1:-1) may hold. */
function isBackwards(from: number, to: number): boolean {
  return from < 0 === to < 0 ? from > to : from < 0;
}

function toInteger(word: string, min: number, max: number): number | null {
  const value = /^-?\d{1,4}$/.test(word) ? Number(word) : Number.NaN;
  return value >= min && value <= max ? value : null;
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
