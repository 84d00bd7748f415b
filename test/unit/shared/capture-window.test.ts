import { describe, expect, it } from 'vitest';
import { lastClosedWindow } from '../../../shared/capture-window.ts';

const london = {
  CAPTURE_WINDOW_START: '18:00',
  CAPTURE_WINDOW_END: '08:00',
  CAPTURE_WINDOW_TIMEZONE: 'Europe/London',
};
const hours = (window: { start: Date; end: Date }): number =>
  (window.end.getTime() - window.start.getTime()) / 3_600_000;

describe('the last closed window', () => {
  it('is the night before, once the night is over', () => {
    expect(lastClosedWindow(london, new Date('2026-01-15T08:00:00Z'))).toMatchObject({
      start: new Date('2026-01-14T18:00:00Z'),
      end: new Date('2026-01-15T08:00:00Z'),
    });
    expect(lastClosedWindow(london, new Date('2026-01-15T07:59:59Z'))).toMatchObject({
      end: new Date('2026-01-14T08:00:00Z'),
    });
  });

  it('is an hour shorter or longer when the clocks change', () => {
    expect(hours(lastClosedWindow(london, new Date('2026-03-29T12:00:00Z')))).toBe(13);
    expect(hours(lastClosedWindow(london, new Date('2026-10-25T12:00:00Z')))).toBe(15);
  });

  it('starts with the first instant after a gap and the first of a fold', () => {
    const gap = { ...london, CAPTURE_WINDOW_START: '01:30', CAPTURE_WINDOW_END: '05:00' };
    expect(lastClosedWindow(gap, new Date('2026-03-29T12:00:00Z')).start).toEqual(
      new Date('2026-03-29T01:00:00Z'),
    );
    expect(lastClosedWindow(gap, new Date('2026-10-25T12:00:00Z')).start).toEqual(
      new Date('2026-10-25T00:30:00Z'),
    );
  });
});
