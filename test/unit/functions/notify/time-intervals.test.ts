import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { timeIntervalSchema } from '../../../../functions/notify/time-interval-words.ts';
import { isInside } from '../../../../functions/notify/time-intervals.ts';

function inside(interval: object, at: string): boolean {
  return isInside({ name: 'test', intervals: [timeIntervalSchema.parse(interval)] }, new Date(at));
}

const hours = (from: string, to: string, location = 'Europe/London') => ({
  times: [{ start_time: from, end_time: to }],
  location,
});

describe('a time interval', () => {
  it.each([
    [hours('09:00', '17:00'), '2026-01-15T09:00:00Z', true],
    [hours('09:00', '17:00'), '2026-01-15T16:59:59Z', true],
    [hours('09:00', '17:00'), '2026-01-15T17:00:00Z', false],
    [hours('22:00', '24:00', 'UTC'), '2026-01-15T23:59:59Z', true],
    [{ weekdays: ['monday:friday'] }, '2026-01-16T12:00:00Z', true],
    [{ weekdays: ['monday:friday'] }, '2026-01-17T12:00:00Z', false],
    [{ weekdays: ['Sunday', 'wednesday'] }, '2026-01-18T12:00:00Z', true],
    // Friday in London is Saturday in Auckland.
    [{ weekdays: ['saturday'], location: 'Pacific/Auckland' }, '2026-01-16T12:00:00Z', true],
    [{ days_of_month: ['-3:-1'] }, '2026-02-26T00:00:00Z', true],
    [{ days_of_month: ['-3:-1'] }, '2026-02-25T23:59:59Z', false],
    [{ days_of_month: ['-1'] }, '2028-02-29T12:00:00Z', true],
    [{ days_of_month: ['1:-1'] }, '2026-04-30T12:00:00Z', true],
    [{ days_of_month: ['29:31'] }, '2026-02-28T12:00:00Z', false],
    [{ days_of_month: ['27:31'] }, '2026-02-28T12:00:00Z', true],
    [{ days_of_month: [5] }, '2026-02-05T12:00:00Z', true],
    [{ months: ['may:august'] }, '2026-08-31T23:00:00Z', true],
    [{ months: ['1:3', 'december'] }, '2026-12-01T00:00:00Z', true],
    [{ months: ['1:3'] }, '2026-04-01T00:00:00Z', false],
    [{ years: ['2026:2027'] }, '2027-12-31T23:59:59Z', true],
    [{ years: [2026] }, '2027-01-01T00:00:00Z', false],
    [{ weekdays: ['monday'], ...hours('09:00', '10:00', 'UTC') }, '2026-01-13T09:30:00Z', false],
    [{}, '2026-01-13T09:30:00Z', true],
  ])('%j at %s: %s', (interval, at, expected) => {
    expect(inside(interval, at)).toBe(expected);
  });

  it('follows the clocks forward: the hour that is skipped is in nobody\u2019s interval', () => {
    // London, 2026-03-29: 00:59:59 GMT is followed by 02:00:00 BST.
    const skipped = hours('01:00', '02:00');
    expect(inside(skipped, '2026-03-29T00:59:59Z')).toBe(false);
    expect(inside(skipped, '2026-03-29T01:00:00Z')).toBe(false);
    expect(inside(hours('00:00', '01:00'), '2026-03-29T00:59:59Z')).toBe(true);
    expect(inside(hours('02:00', '03:00'), '2026-03-29T01:00:00Z')).toBe(true);
    expect(inside(hours('09:00', '17:00'), '2026-03-28T08:30:00Z')).toBe(false);
    expect(inside(hours('09:00', '17:00'), '2026-03-29T08:30:00Z')).toBe(true);
  });

  it('follows them back: the hour that comes twice is in it twice', () => {
    // London, 2026-10-25: 01:59:59 BST is followed by 01:00:00 GMT.
    const twice = hours('01:00', '02:00');
    expect(inside(twice, '2026-10-25T00:30:00Z')).toBe(true);
    expect(inside(twice, '2026-10-25T01:30:00Z')).toBe(true);
    expect(inside(twice, '2026-10-25T02:00:00Z')).toBe(false);
  });

  it.each([
    [{ times: [{ start_time: '17:00', end_time: '09:00' }] }, 'two ranges'],
    [{ times: [{ start_time: '9:00', end_time: '10:00' }] }, '"00:00" to "24:00"'],
    [{ weekdays: ['friday:monday'] }, 'monday:friday'],
    [{ weekdays: ['funday'] }, 'a weekday'],
    [{ days_of_month: ['0'] }, 'a day'],
    [{ days_of_month: ['-1:3'] }, 'a day'],
    [{ days_of_month: ['5:3'] }, 'a day'],
    [{ months: ['13'] }, 'a month'],
    [{ years: ['soon'] }, 'a year'],
    [{ location: 'Mars/Olympus' }, 'IANA'],
    [{ hours: [] }, 'hours'],
  ])('%j is refused in words', (interval, words) => {
    const parsed = timeIntervalSchema.safeParse(interval);
    expect(parsed.success).toBe(false);
    expect(JSON.stringify(parsed.error?.issues)).toContain(words.replaceAll('"', String.raw`\"`));
  });

  it('agrees with a calendar at any moment in any zone', () => {
    const zones = [
      'UTC',
      'Europe/London',
      'America/New_York',
      'Asia/Kolkata',
      'Australia/Lord_Howe',
      'Pacific/Apia',
    ];
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2024-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }),
        fc.constantFrom(...zones),
        fc.integer({ min: -31, max: 31 }).filter((day) => day !== 0),
        fc.integer({ min: 0, max: 23 }),
        (at, location, day, hour) => {
          const local = Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(location);
          const pad = (value: number): string => `${String(value).padStart(2, '0')}:00`;
          const isHour = local.hour === hour;
          expect(inside(hours(pad(hour), pad(hour + 1), location), at.toISOString())).toBe(isHour);
          const isDay = local.day === (day < 0 ? local.daysInMonth + day + 1 : day);
          expect(inside({ days_of_month: [day], location }, at.toISOString())).toBe(isDay);
          const name = local.toLocaleString('en', { weekday: 'long' }).toLowerCase();
          expect(
            inside(
              { weekdays: [name], months: [local.month], years: [local.year], location },
              at.toISOString(),
            ),
          ).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
