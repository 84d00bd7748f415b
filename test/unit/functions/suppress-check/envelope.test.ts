import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom, envelopeOf, firstBreak, toHistory } from '../../../../bench/nights.ts';
import type { Life } from '../../../../bench/nights.ts';
import { CHANGES } from '../../../../bench/nights.ts';
import { replayChanged, replayUnchanged, setStage } from '../../../../bench/envelope.ts';
import {
  longerThanUsualAt,
  outside,
  toBreakSentence,
} from '../../../../functions/suppress-check/envelope.ts';
import type { Now } from '../../../../functions/suppress-check/envelope.ts';
import { tailLimit, toEnvelope } from '../../../../shared/envelope.ts';
import type { EnvelopeInput, HistoryHour } from '../../../../shared/envelope.ts';
import { at } from '../../../support/alerts.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A night of three patterns: one every hour for a few minutes, one of four pods at once, one long one. */
const night: readonly Life[] = [
  ...Array.from({ length: 10 }, (_, hour) => life('hourly', 20 + hour, 6)),
  ...Array.from({ length: 4 }, () => life('pods', 23, 15)),
  life('long', 26, 90),
];

function life(pattern: string, hour: number, minutes: number): Life {
  return { pattern, start: hour * HOUR, end: hour * HOUR + minutes * MINUTE };
}

function makeNow(overrides: Partial<Now> = {}): Now {
  return {
    at: new Date(14 * DAY + 23 * HOUR),
    inHour: 1,
    inDay: 1,
    atOnce: 1,
    openForSeconds: 60,
    louder: null,
    ...overrides,
  };
}

const hourly = envelopeOf(
  toHistory(
    night.filter((one) => one.pattern === 'hourly'),
    14,
    createRandom(1),
  ),
  14 * DAY + 12 * HOUR,
);

describe('outside the envelope', () => {
  it('is nothing of what was usual', () => {
    expect(outside(hourly, makeNow())).toBeNull();
  });

  it('is a rate that chance does not explain, said in one sentence', () => {
    const found = outside(hourly, makeNow({ inHour: 14, inDay: 20 }));
    expect(found?.why).toMatch(/^14 in the last hour \(normally at most [23]\)$/);
    expect(found?.evidence.now.inHour).toBe(14);
  });

  it('is more at once than ever, by a margin', () => {
    expect(outside(hourly, makeNow({ atOnce: 2 }))).toBeNull();
    expect(outside(hourly, makeNow({ atOnce: 9 }))?.why).toContain('9 alerts at once');
  });

  it('is firing for longer than ever, at the time that is set for it', () => {
    const since = at(0);
    const due = longerThanUsualAt(hourly, since) ?? at(0);
    const openFor = (when: number): number => (when - since.getTime()) / 1_000;
    expect(outside(hourly, makeNow({ openForSeconds: openFor(due.getTime() - 1_000) }))).toBeNull();
    expect(outside(hourly, makeNow({ openForSeconds: openFor(due.getTime()) }))?.why).toContain(
      'it has fired for',
    );
    expect(longerThanUsualAt(hourly, null)).toBeNull();
  });

  it('is a more severe twin, unless that was usual', () => {
    expect(outside(hourly, makeNow({ louder: 'critical' }))?.why).toContain('the same alert is critical now');
    expect(outside({ ...hourly, louderSeen: true }, makeNow({ louder: 'critical' }))).toBeNull();
  });

  it('is not an unusual hour by itself, but fewer are enough then', () => {
    const noon = new Date(15 * DAY + 12 * HOUR);
    expect(outside(hourly, makeNow({ at: noon }))).toBeNull();
    const inHour = hourly.usual.perHour + 2;
    expect(outside(hourly, makeNow({ inHour }))).toBeNull();
    expect(outside(hourly, makeNow({ at: noon, inHour }))?.why).toContain('and never at this hour');
  });
});

/** The hour of a time, with one episode of two minutes. */
function hourOf(time: Date): HistoryHour {
  return {
    hour: new Date(Math.floor(time.getTime() / HOUR) * HOUR),
    opened: 1,
    healed: 1,
    lost: 0,
    seconds: 120,
    longest: 120,
    durations: [0, 0, 0, 0, 0, 1],
    incidents: 1,
    atOnce: 1,
  };
}

describe('little history', () => {
  const three = (spread: number): EnvelopeInput => ({
    at: at(0),
    firstSeen: at(-60 * 24 * 20),
    hours: [1, 2, 3].map((n) => hourOf(at(-n * spread))),
    lastHour: 0,
    openForSeconds: null,
    louderSeen: false,
    companions: [],
  });

  it('of three episodes does not wake at the fourth, nor when it lasts twice as long', () => {
    for (const spread of [60, 60 * 24]) {
      const envelope = toEnvelope(three(spread));
      expect(
        outside(envelope, makeNow({ at: at(5), inHour: 2, inDay: 4, atOnce: 2, openForSeconds: 240 })),
      ).toBeNull();
    }
  });

  it('of a burst that somebody just saw does not wake while it goes on at that pace', () => {
    const envelope = toEnvelope({
      ...three(60),
      firstSeen: at(-5),
      hours: [
        {
          ...hourOf(at(0)),
          opened: 8,
        },
      ],
      lastHour: 8,
    });
    expect(outside(envelope, makeNow({ at: at(50), inHour: 24, inDay: 24 }))).toBeNull();
  });
});

describe('the limits', () => {
  it('are passed by chance less than once in a million', () => {
    // Poisson of mean 1: P(X ≥ 9) = 1.1e-6, P(X ≥ 10) = 1.1e-7.
    expect(tailLimit(1, 0)).toBe(10);
    expect(tailLimit(0, 0)).toBe(1);
    expect(tailLimit(4, 1)).toBeGreaterThan(tailLimit(4, 0));
  });

  it('hold every history that they were made of', () => {
    const histories = fc.array(
      fc.record({
        start: fc.integer({ min: 0, max: 14 * 24 * 60 }),
        minutes: fc.integer({ min: 1, max: 300 }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(histories, (lives) => {
        const history = lives.map(({ start, minutes }) => ({
          pattern: 'p',
          start: start * MINUTE,
          end: (start + minutes) * MINUTE,
        }));
        const { usual, limits } = envelopeOf(history, 15 * DAY);
        expect(limits.hour).toBeGreaterThan(usual.perHour);
        expect(limits.day).toBeGreaterThan(usual.perDay);
        expect(limits.atOnce).toBeGreaterThan(usual.atOnce);
        expect(limits.seconds).toBeGreaterThan(usual.longestSeconds ?? 0);
        const same: Now = {
          at: new Date(15 * DAY),
          inHour: usual.perHour,
          inDay: usual.perDay,
          atOnce: usual.atOnce,
          openForSeconds: usual.longestSeconds,
          louder: null,
        };
        expect(outside(envelopeOf(history, 15 * DAY), same)).toBeNull();
      }),
    );
  });

  it('are monotone: more of everything never brings it back inside', () => {
    const count = fc.integer({ min: 0, max: 200 });
    const now = fc.record({ inHour: count, inDay: count, atOnce: count, openForSeconds: fc.nat(100_000) });
    fc.assert(
      fc.property(now, now, fc.nat(40), (some, more, hours) => {
        const time = new Date(14 * DAY + hours * HOUR);
        const sum = {
          inHour: some.inHour + more.inHour,
          inDay: some.inDay + more.inDay,
          atOnce: some.atOnce + more.atOnce,
          openForSeconds: some.openForSeconds + more.openForSeconds,
        };
        if (outside(hourly, { at: time, louder: null, ...some }) === null) return;
        expect(outside(hourly, { at: time, louder: null, ...sum })).not.toBeNull();
        expect(outside(hourly, { at: time, louder: 'critical', ...sum })).not.toBeNull();
      }),
    );
  });
});

describe('the sentence of a break', () => {
  it('says who decided, when, and what has changed', () => {
    expect(
      toBreakSentence(
        { kind: 'ignore', actor: 'ann' },
        new Date('2026-03-03T10:00:00Z'),
        '14 in the last hour (normally at most 3)',
      ),
    ).toBe('ignored by ann since 3 Mar, but 14 in the last hour (normally at most 3)');
  });
});

describe('fourteen nights and one more', () => {
  const stage = setStage(night, createRandom(11));

  it('wake at most one unchanged night in twenty', () => {
    expect(replayUnchanged(stage, createRandom(12)).woken).toBeLessThanOrEqual(2);
  });

  it.each(Object.keys(CHANGES) as Array<keyof typeof CHANGES>)('find every change: %s', (change) => {
    const tally = replayChanged(stage, change, createRandom(13));
    expect(tally.fit).toBeGreaterThan(0);
    expect(tally.found).toBe(tally.fit);
  });

  it('name the change in the first sentence', () => {
    const history = stage.histories.get('long') ?? [];
    const envelope = envelopeOf(history, 14 * DAY + 12 * HOUR);
    const longer = [{ ...life('long', 26, 90 * 5) }].map((one) => ({
      ...one,
      start: one.start + 14 * DAY,
      end: one.end + 14 * DAY,
    }));
    expect(firstBreak(envelope, history, longer, null)?.why).toMatch(/^it has fired for/);
  });
});
