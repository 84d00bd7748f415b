import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FIRST, followReturns } from '../../../../functions/suppress-check/returns.ts';
import type { ReturnLimits } from '../../../../functions/suppress-check/returns.ts';
import type { PastIncident } from '../../../../shared/postgres/past.ts';
import { at } from '../../../support/alerts.ts';

const limits: ReturnLimits = {
  calmMs: 4 * 3_600_000,
  tellAgainMs: 24 * 3_600_000,
  flapOpenings: 3,
  flapWindowMs: 30 * 60_000,
};

/** An incident that opened and closed at these minutes and was told. */
function makePast(opened: number, closed: number, overrides: Partial<PastIncident> = {}): PastIncident {
  return {
    opened_at: at(opened),
    closed_at: at(closed),
    status: 'notified',
    told_at: at(opened),
    lost: false,
    ...overrides,
  };
}

const UNTOLD = { status: 'suppressed', told_at: null } as const;

describe('the same story', () => {
  it('is what comes back before four calm hours', () => {
    const past = [makePast(0, 10), makePast(120, 130, UNTOLD)];
    expect(followReturns(at(300), past, null, limits).story).toEqual({ toldAt: at(0), returns: 2 });
    expect(followReturns(at(130 + 240), past, null, limits).story).toBeNull();
  });

  it('begins anew a day after it was told, after a decision, and after an end that nobody saw', () => {
    const hourly = Array.from({ length: 24 }, (_, hour) =>
      makePast(hour * 60, hour * 60 + 30, hour === 0 ? {} : UNTOLD),
    );
    expect(followReturns(at(23 * 60 + 40), hourly, null, limits).story?.toldAt).toEqual(at(0));
    expect(followReturns(at(24 * 60), hourly, null, limits).story).toBeNull();
    expect(followReturns(at(60), [makePast(0, 10)], at(30), limits).story).toBeNull();
    expect(followReturns(at(60), [makePast(0, 60, { lost: true })], null, limits).story).toBeNull();
  });

  it('was never begun when nobody could be told', () => {
    const past = [makePast(0, 10, { status: 'dead', told_at: null }), makePast(20, 30, UNTOLD)];
    expect(followReturns(at(60), past, null, limits)).toEqual(FIRST);
  });

  it('counts what is still on its way as told', () => {
    const past = [makePast(0, 10, { status: 'classified', told_at: null })];
    expect(followReturns(at(60), past, null, limits).story?.toldAt).toEqual(at(0));
  });
});

describe('flapping', () => {
  it('begins with the third opening within the window and goes on until nothing was said for four hours', () => {
    const past = [makePast(0, 1), makePast(10, 11, UNTOLD)];
    expect(followReturns(at(29), past, null, limits).flapping).toBe('begins');
    expect(followReturns(at(30), past, null, limits).flapping).toBeNull();
    const said = [...past, makePast(20, 21)];
    expect(followReturns(at(25), said, null, limits).flapping).toBe('goes on');
    const again = [...said, ...[270, 280].map((minute) => makePast(minute, minute + 1, UNTOLD))];
    expect(followReturns(at(290), again, null, limits).flapping).toBe('begins');
  });

  it('is the news of a story that goes on', () => {
    const past = [makePast(0, 1), makePast(10, 11, UNTOLD), makePast(20, 21)];
    expect(followReturns(at(100), past, null, limits).story).toEqual({ toldAt: at(20), returns: 1 });
  });
});

it('tells a pattern that never rests once a day, whatever its rhythm', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 31, max: 200 }), { minLength: 1, maxLength: 60 }), (gaps) => {
      const past: PastIncident[] = [];
      const told: number[] = [];
      let minute = 0;
      for (const gap of gaps) {
        minute += gap;
        const isTold = followReturns(at(minute), past, null, limits).story === null;
        if (isTold) told.push(minute);
        past.push(makePast(minute, minute + 10, isTold ? {} : UNTOLD));
      }
      expect(told[0]).toBe(gaps[0]);
      for (const [index, time] of told.slice(1).entries())
        expect(time - (told[index] ?? 0)).toBeGreaterThanOrEqual(24 * 60);
      expect(minute - (told.at(-1) ?? 0)).toBeLessThan(24 * 60);
    }),
  );
});
