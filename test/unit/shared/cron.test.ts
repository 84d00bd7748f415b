import { describe, expect, it } from 'vitest';

import { nextTick, parseCron } from '../../../shared/cron.ts';

function next(expression: string, after: string, timeZone = 'UTC'): string | undefined {
  return nextTick(parseCron(expression), new Date(after), timeZone)?.toISOString();
}

describe('nextTick', () => {
  it.each([
    ['* * * * *', '2026-01-01T00:00:30Z', '2026-01-01T00:01:00.000Z'],
    ['* * * * *', '2026-01-01T00:01:00Z', '2026-01-01T00:02:00.000Z'],
    ['*/15 * * * *', '2026-01-01T00:46:00Z', '2026-01-01T01:00:00.000Z'],
    ['5/20 * * * *', '2026-01-01T00:06:00Z', '2026-01-01T00:25:00.000Z'],
    ['0,30 9-10 * * *', '2026-01-01T10:30:00Z', '2026-01-02T09:00:00.000Z'],
    ['*/5 * * * * *', '2026-01-01T00:00:03Z', '2026-01-01T00:00:05.000Z'],
    ['30 0 8 * * *', '2026-01-01T08:00:30.500Z', '2026-01-02T08:00:30.000Z'],
    ['@hourly', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00.000Z'],
    ['@weekly', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00.000Z'],
    ['0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['0 0 1 JAN ?', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00.000Z'],
    ['0 8 * * MON-FRI', '2026-01-02T08:00:00Z', '2026-01-05T08:00:00.000Z'],
  ])('finds for %s after %s the time %s', (expression, after, expected) => {
    expect(next(expression, after)).toBe(expected);
  });

  it('takes either day when both day fields are restricted, and both when one is a star', () => {
    expect(next('0 0 13 * 5', '2026-02-01T00:00:00Z')).toBe('2026-02-06T00:00:00.000Z');
    expect(next('0 0 */2 * 5', '2026-02-01T00:00:00Z')).toBe('2026-02-13T00:00:00.000Z');
  });

  it('keeps the wall clock of its zone when the clocks change', () => {
    expect(next('0 8 * * 1-5', '2026-03-27T09:00:00Z', 'Europe/London')).toBe('2026-03-30T07:00:00.000Z');
    expect(next('0 8 * * 1-5', '2026-10-23T09:00:00Z', 'Europe/London')).toBe('2026-10-26T08:00:00.000Z');
  });

  it('skips a time that does not exist', () => {
    expect(next('30 1 * * *', '2026-03-28T12:00:00Z', 'Europe/London')).toBe('2026-03-30T00:30:00.000Z');
  });

  it('fires twice at a time that occurs twice', () => {
    expect(next('30 1 * * *', '2026-10-24T12:00:00Z', 'Europe/London')).toBe('2026-10-25T00:30:00.000Z');
    expect(next('30 1 * * *', '2026-10-25T00:30:00Z', 'Europe/London')).toBe('2026-10-25T01:30:00.000Z');
  });

  it('finds a time in a zone that moves by half an hour', () => {
    expect(next('0 3 * * *', '2026-10-03T12:00:00Z', 'Australia/Lord_Howe')).toBe('2026-10-03T16:00:00.000Z');
  });

  it('finds none for a day that never comes', () => {
    expect(next('0 0 31 2 *', '2026-01-01T00:00:00Z')).toBeUndefined();
  });
});

describe('parseCron', () => {
  it.each(['', '* * * *', '60 * * * *', '* 24 * * *', '* * 0 * *', '* * * 13 *', '* * * * 7', '*/0 * * * *'])(
    'refuses %j',
    (expression) => {
      expect(() => parseCron(expression)).toThrow(RangeError);
    },
  );

  it.each(['@every 5m', '5-1 * * * *', 'x * * * *', '1- * * * *', '* * * FOO *'])(
    'refuses %j',
    (expression) => {
      expect(() => parseCron(expression)).toThrow(RangeError);
    },
  );
});
