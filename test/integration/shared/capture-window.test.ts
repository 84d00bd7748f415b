import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lastClosedWindow, windowsBetween } from '../../../shared/capture-window.ts';
import type { CaptureWindowConfig } from '../../../shared/capture-window-config.ts';
import { createPool } from '../../../shared/postgres/pool.ts';
import type { Pool } from '../../../shared/postgres/pool.ts';
import { createTestDatabase } from '../../support/database.ts';

const DAY_MS = 86_400_000;
const FROM = Date.parse('2024-01-01T00:00:00Z');
const TO = Date.parse('2031-01-01T00:00:00Z');
const ZONES = Intl.supportedValuesOf('timeZone');

let pool: Pool;
beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 2 });
});
afterAll(() => pool.end());

describe('capture windows', () => {
  it('of every zone neither overlap nor leave a gap of their own, and Postgres agrees', async () => {
    let disagreeing = 0;
    for (const zone of ZONES) {
      const [change] = await changesOf(zone);
      // A day of a clock change where the zone has one, else any day; both with an edge inside the small hours.
      const at = change ?? new Date(FROM + (TO - FROM) * (ZONES.indexOf(zone) / ZONES.length));
      for (const config of [configOf(zone, '18:00', '08:00'), configOf(zone, '02:30', '01:15')]) {
        const since = new Date(at.getTime() - 2 * DAY_MS);
        const until = new Date(at.getTime() + 2 * DAY_MS);
        const windows = windowsBetween(config, since, until);
        expectInOrder(windows, zone);
        const { rows } = await pool.query<{ start: Date; end: Date }>(
          `select window_start as start, window_end as end from capture_windows_between($1, $2, $3::time, $4::time, $5)`,
          [since, until, config.CAPTURE_WINDOW_START, config.CAPTURE_WINDOW_END, zone],
        );
        const own = windows.map(({ start, end }) => ({ start, end }));
        if (JSON.stringify(rows) === JSON.stringify(own)) continue;
        // Two releases of the zone data may differ on a zone; then they differ on its offset, and nowhere else.
        expect(await offsetsAgree(zone, since, until), `${zone} ${JSON.stringify({ rows, own })}`).toBe(
          false,
        );
        disagreeing++;
      }
    }
    expect(ZONES.length).toBeGreaterThan(400);
    expect(disagreeing).toBeLessThan(10);
  });

  it('hold each moment of 2024 to 2030 in exactly one or in none', () => {
    const clock = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 15, 30, 59));
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        fc.integer({ min: FROM, max: TO }),
        clock,
        clock,
        (zone, at, opens, closes) => {
          const config = configOf(zone, toClock(opens), toClock(closes));
          const moment = new Date(at);
          const windows = windowsBetween(config, new Date(at - 3 * DAY_MS), new Date(at + 3 * DAY_MS));
          expectInOrder(windows, zone);
          const holding = windows.filter(({ start, end }) => start <= moment && moment < end);
          expect(holding.length).toBeLessThanOrEqual(1);
          // Windows of a whole day hold every moment.
          const isWholeDay = config.CAPTURE_WINDOW_START === config.CAPTURE_WINDOW_END;
          expect(holding.length).toBeGreaterThanOrEqual(isWholeDay ? 1 : 0);
          expect(lastClosedWindow(config, moment).end <= moment).toBe(true);
        },
      ),
      { numRuns: 400, seed: 6 },
    );
  });

  it('have the lengths that the clocks make', async () => {
    const hoursOf = async (zone: string, day: string): Promise<number> => {
      const { rows } = await pool.query<{ hours: number }>(
        `select extract(epoch from window_edge($2::date + 1, '08:00', $1) - window_edge($2::date, '18:00', $1))::float8 / 3600 as hours`,
        [zone, day],
      );
      return rows[0]?.hours ?? 0;
    };
    expect(await hoursOf('Europe/London', '2026-03-28')).toBe(13);
    expect(await hoursOf('Europe/London', '2026-10-24')).toBe(15);
    expect(await hoursOf('Australia/Lord_Howe', '2026-04-04')).toBe(14.5);
    expect(await hoursOf('Africa/Cairo', '2026-04-23')).toBe(13);
  });

  it('begin after a gap and with the first of a fold, in Postgres too', async () => {
    const edge = async (day: string): Promise<string | undefined> => {
      const { rows } = await pool.query<{ edge: Date }>(
        `select window_edge($1, '01:30', 'Europe/London') as edge`,
        [day],
      );
      return rows[0]?.edge.toISOString();
    };
    expect(await edge('2026-03-29')).toBe('2026-03-29T01:00:00.000Z');
    expect(await edge('2026-10-25')).toBe('2026-10-25T00:30:00.000Z');
  });

  it('of another configuration never overlap those written down before', async () => {
    await pool.query(
      `insert into capture_windows (window_start, window_end, zone)
       values (alert_now() - interval '3 days', alert_now() - interval '60 hours', 'UTC')`,
    );
    for (const [opens, closes] of [
      ['18:00', '08:00'],
      ['20:00', '11:00'],
      ['07:00', '06:00'],
    ])
      await pool.query('select keep_capture_windows($1, $2, $3)', [opens, closes, 'Asia/Kolkata']);
    const { rows } = await pool.query<{ start: Date; end: Date; status: string; over: boolean }>(
      `select window_start as start, window_end as end, status, window_end <= alert_now() as over
       from capture_windows order by window_start`,
    );
    expect(rows.length).toBeGreaterThan(2);
    expectInOrder(rows, 'rows');
    for (const { status, over } of rows) expect(status).toBe(over ? 'completed' : 'active');
  });
});

function expectInOrder(windows: ReadonlyArray<{ start: Date; end: Date }>, what: string): void {
  for (const [index, { start, end }] of windows.entries()) {
    expect(start < end, what).toBe(true);
    expect(end <= (windows[index + 1]?.start ?? end), what).toBe(true);
  }
}

function configOf(zone: string, opens: string, closes: string): CaptureWindowConfig {
  return { CAPTURE_WINDOW_START: opens, CAPTURE_WINDOW_END: closes, CAPTURE_WINDOW_TIMEZONE: zone };
}

function toClock([hour, minute]: readonly [number, number]): string {
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
}

/** The first days in 2024 to 2030 on which the zone's offset differs from the day before, as Postgres knows them. */
async function changesOf(zone: string): Promise<Date[]> {
  const { rows } = await pool.query<{ day: Date }>(
    `select day from (
       select day, day at time zone $1 - day at time zone 'UTC' as own,
         lag(day at time zone $1 - day at time zone 'UTC') over (order by day) as before
       from generate_series('2024-01-01Z'::timestamptz, '2031-01-01Z', '1 day') as day) d
     where own <> before order by md5(day::text || $1) limit 1`,
    [zone],
  );
  return rows.map(({ day }) => day);
}

async function offsetsAgree(zone: string, since: Date, until: Date): Promise<boolean> {
  const { rows } = await pool.query<{ at: Date; local: string }>(
    `select at, to_char(at at time zone $1, 'YYYY-MM-DD HH24:MI') as local
     from generate_series($2::timestamptz, $3, '30 minutes') as at`,
    [zone, since, until],
  );
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'short',
  });
  return rows.every(({ at, local }) => format.format(at) === local);
}
