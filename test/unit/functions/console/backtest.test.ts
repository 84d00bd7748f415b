import { describe, expect, it } from 'vitest';
import { partHours, playBack } from '../../../../functions/console/backtest.ts';
import type { BacktestInput } from '../../../../functions/console/backtest.ts';
import { DURATION_BOUNDS } from '../../../../shared/envelope.ts';
import type { HistoryHour } from '../../../../shared/envelope.ts';

const hourAt = (text: string): Date => new Date(`2026-01-14T${text}:00Z`);

/** An hour of episodes that lasted so many seconds each; `open` more have not healed. */
function makeHour(time: string, lasted: readonly number[], open = 0): HistoryHour {
  return {
    hour: hourAt(time),
    opened: lasted.length + open,
    healed: lasted.length,
    lost: 0,
    seconds: lasted.reduce((sum, one) => sum + one, 0),
    longest: Math.max(0, ...lasted),
    durations: [...DURATION_BOUNDS, Infinity].map(
      (bound, index) =>
        lasted.filter((one) => one <= bound && one > (DURATION_BOUNDS[index - 1] ?? -1)).length,
    ),
    incidents: 1,
    atOnce: 1,
  };
}

function makeInput(overrides: Partial<BacktestInput> = {}): BacktestInput {
  return {
    from: hourAt('00:00'),
    to: hourAt('23:00'),
    hours: [makeHour('02:00', [60, 60, 120, 500]), makeHour('12:00', [60, 3_000], 1)],
    followed: { total: 0, episodes: 0, criticals: [] },
    night: {
      start: '18:00',
      end: '08:00',
      zone: 'UTC',
      windows: [{ from: hourAt('00:00'), to: hourAt('08:00') }],
      inPartHours: 0,
    },
    ...overrides,
  };
}

const critical = (openedAt: string, precededAt: string, precededForSeconds: number | null) => ({
  incident: `ag-${openedAt}`,
  pattern: 'v1:c',
  alertname: 'DiskFull',
  title: 'db',
  openedAt: hourAt(openedAt),
  precededAt: hourAt(precededAt),
  precededForSeconds,
});

describe('the back-test', () => {
  it('says what would have been hidden, what healed alone and in what time', () => {
    expect(playBack(makeInput())).toMatchObject({
      episodes: 7,
      incidents: 2,
      healedAlone: { episodes: 6, medianSeconds: 60, p95Seconds: 3_000, longestSeconds: 3_000 },
      notHealed: 1,
      beforeCritical: { criticals: 0 },
    });
  });

  it('names criticals with their dates', () => {
    const followed = {
      total: 2,
      episodes: 3,
      criticals: [critical('12:20', '12:05', 3_000), critical('02:10', '02:01', 60)],
    };
    const backtest = playBack(makeInput({ followed }));
    expect(backtest.beforeCritical).toMatchObject({
      criticals: 2,
      episodes: 3,
      examples: [{ at: hourAt('12:20'), alertname: 'DiskFull', minutesAfter: 15 }, { minutesAfter: 9 }],
    });
    expect(backtest.onlyAtNight).toMatchObject({ hidden: 4, told: 3, criticals: 1 });
    expect(backtest.sentences.join(' ')).toContain('last before DiskFull on 2026-01-14 12:20 UTC');
  });

  it('says what "unless longer than" would have told, at steps taken from the data', () => {
    const hours = [makeHour('02:00', [...Array.from({ length: 39 }, () => 100), 550, 3_000], 1)];
    const followed = { total: 1, episodes: 1, criticals: [critical('02:40', '02:30', 3_000)] };
    expect(playBack(makeInput({ hours, followed })).unlessLongerThan).toEqual([
      { seconds: 300, hidden: 39, told: 3, criticals: 0 },
      { seconds: 3_600, hidden: 41, told: 1, criticals: 1 },
    ]);
  });

  it('says so when nothing was seen', () => {
    const { sentences, unlessLongerThan } = playBack(makeInput({ hours: [] }));
    expect(sentences).toEqual(['Nothing of it was seen in the last 30 days.']);
    expect(unlessLongerThan).toEqual([]);
  });

  it('splits hours of which the night holds a part', () => {
    const night = [{ from: hourAt('00:30'), to: hourAt('08:00') }];
    const hours = [makeHour('00:00', [60]), makeHour('07:00', [60]), makeHour('08:00', [60])];
    expect(partHours(hours, night)).toEqual([{ from: hourAt('00:30'), to: hourAt('01:00') }]);
  });
});
