import { describe, expect, it } from 'vitest';
import { isDigestDue } from '../../../shared/digest-schedule.ts';

const schedule = { DIGEST_CRON: '0 8 * * 1-5', DIGEST_TIMEZONE: 'Europe/London', DIGEST_GRACE: 300_000 };
const due = (end: string, now: string): Promise<boolean> =>
  isDigestDue(schedule, new Date(end), new Date(now));

describe('a digest is due', () => {
  it('when its tick came and the grace is over, not before', async () => {
    expect(await due('2026-02-03T08:00:00Z', '2026-02-03T08:04:59Z')).toBe(false);
    expect(await due('2026-02-03T08:00:00Z', '2026-02-03T08:05:00Z')).toBe(true);
  });

  it('on Monday for the nights of the weekend', async () => {
    expect(await due('2026-02-07T08:00:00Z', '2026-02-08T20:00:00Z')).toBe(false);
    expect(await due('2026-02-07T08:00:00Z', '2026-02-09T08:05:00Z')).toBe(true);
  });

  it('by the clock of its zone', async () => {
    expect(await due('2026-07-03T07:00:00Z', '2026-07-03T07:05:00Z')).toBe(true);
  });
});
