/** The roll-up of history against a real Postgres: whatever arrives, however late, it equals a naive recount. */
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRandom } from '../../../bench/nights.ts';
import { createIngest } from '../../../functions/receive/ingest.ts';
import { sweep } from '../../../functions/receive/sweep.ts';
import { DURATION_BOUNDS } from '../../../shared/envelope.ts';
import { readFollowed, readHours, rollUpHistory, rollUpPattern } from '../../../shared/postgres/history.ts';
import { createPool } from '../../../shared/postgres/pool.ts';
import type { Pool } from '../../../shared/postgres/pool.ts';
import { at, makeArrival } from '../../support/alerts.ts';
import { createTestDatabase } from '../../support/database.ts';

const HOUR_MS = 3_600_000;
let pool: Pool;

beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 8 });
});
afterAll(() => pool.end());
beforeEach(async () => {
  await pool.query('truncate pattern_hours, history_queue, episodes, notices, incidents, patterns cascade');
});

const ingest = () => createIngest(pool, { isHeartbeat: () => false, allowReplay: true });

interface Counted {
  readonly pattern: string;
  readonly hour: number;
  readonly opened: number;
  readonly healed: number;
  readonly lost: number;
  readonly seconds: number;
  readonly longest: number;
  readonly durations: readonly number[];
}

/** Counts the stored episodes one by one. */
async function recount(): Promise<Counted[]> {
  const { rows } = await pool.query<{
    pattern: string;
    received_at: Date;
    starts_at: Date;
    ended_at: Date | null;
    end_reason: string | null;
  }>('select pattern, received_at, starts_at, ended_at, end_reason from episodes');
  const groups = Map.groupBy(
    rows,
    (row) => `${row.pattern} ${Math.floor(row.received_at.getTime() / HOUR_MS) * HOUR_MS}`,
  );
  return [...groups]
    .map(([key, group]) => {
      const [pattern = '', hour = ''] = key.split(' ');
      const seconds = group
        .filter((row) => row.end_reason === 'resolved')
        .map((row) => ((row.ended_at?.getTime() ?? 0) - row.starts_at.getTime()) / 1_000);
      return {
        pattern,
        hour: Number(hour),
        opened: group.length,
        healed: seconds.length,
        lost: group.filter((row) => row.end_reason !== null && row.end_reason !== 'resolved').length,
        seconds: Math.round(seconds.reduce((sum, one) => sum + one, 0)),
        longest: Math.round(Math.max(0, ...seconds)),
        durations: [...DURATION_BOUNDS, Infinity].map(
          (bound, index) =>
            seconds.filter((one) => one <= bound && one > (DURATION_BOUNDS[index - 1] ?? -1)).length,
        ),
      };
    })
    .toSorted((a, b) => a.pattern.localeCompare(b.pattern) || a.hour - b.hour);
}

async function rolledUp(): Promise<Counted[]> {
  const { rows } = await pool.query<Omit<Counted, 'hour'> & { hour: Date }>(
    'select pattern, hour, opened, healed, lost, seconds, longest, durations from pattern_hours where opened > 0',
  );
  return rows
    .map((row) => ({
      ...row,
      hour: row.hour.getTime(),
      seconds: Math.round(row.seconds),
      longest: Math.round(row.longest),
    }))
    .toSorted((a, b) => a.pattern.localeCompare(b.pattern) || a.hour - b.hour);
}

describe('the roll-up', () => {
  it('has the same buckets as the code', async () => {
    const { rows } = await pool.query<{ bounds: number[] }>('select duration_bounds() as bounds');
    expect(rows[0]?.bounds).toEqual([...DURATION_BOUNDS]);
  });

  it('equals a naive recount after random arrivals, late ones among them, with two sweeps at a time', async () => {
    const random = createRandom(7);
    const store = ingest();
    const open: Array<{ labels: Record<string, string>; startsAt: Date }> = [];
    let now = 0;
    for (let round = 0; round < 25; round++) {
      now += Math.floor(random() * 40);
      const arrivals = Array.from({ length: 8 }, () => {
        const life = random() < 0.4 ? open[Math.floor(random() * open.length)] : undefined;
        if (life !== undefined) {
          // An end, sometimes long after; or a start that moves earlier.
          return random() < 0.8
            ? makeArrival({ status: 'resolved', ...life, endsAt: at(now), receivedAt: at(now) })
            : makeArrival({
                ...life,
                startsAt: new Date(life.startsAt.getTime() - 60_000),
                receivedAt: at(now),
              });
        }
        const labels = { deployment: `d${Math.floor(random() * 5)}`, pod: `p-${Math.floor(random() * 40)}` };
        const startsAt = at(now - Math.floor(random() * 180));
        open.push({ labels, startsAt });
        return makeArrival({ labels, startsAt, receivedAt: at(now) });
      });
      // Webhooks and sweeps at the same time, and now and then no sweep for a while.
      await Promise.all([
        store.store(arrivals.slice(0, 4), at(now)),
        store.store(arrivals.slice(4), at(now)),
        ...(round % 3 === 0 ? [rollUpHistory(pool, 30), rollUpHistory(pool, 30)] : []),
      ]);
    }
    await Promise.all([rollUpHistory(pool, 30), rollUpHistory(pool, 30)]);
    await rollUpHistory(pool, 30);
    const expected = await recount();
    expect(expected.length).toBeGreaterThan(20);
    expect(await rolledUp()).toEqual(expected);
    // Again changes nothing.
    await rollUpHistory(pool, 30);
    expect(await rolledUp()).toEqual(expected);
  });

  it('counts the most alerts at once, also of those that are over', async () => {
    const store = ingest();
    const alarm = (pod: string, minute: number, over?: number) =>
      makeArrival({
        labels: { pod: `api-7d9f8c6b5-${pod}` },
        startsAt: at(minute),
        receivedAt: at(over ?? minute),
        ...(over === undefined ? {} : { status: 'resolved' as const, endsAt: at(over) }),
      });
    await store.store([alarm('aaaaa', 0), alarm('bbbbb', 0), alarm('ccccc', 0)], at(0));
    await store.store([alarm('aaaaa', 0, 2), alarm('bbbbb', 0, 2)], at(2));
    await store.store([alarm('ddddd', 3), alarm('eeeee', 3), alarm('fffff', 3)], at(3));
    await store.store(
      ['ccccc', 'ddddd', 'eeeee', 'fffff'].map((pod) => alarm(pod, pod === 'ccccc' ? 0 : 3, 9)),
      at(9),
    );
    await rollUpHistory(pool, 30);
    const { rows } = await pool.query('select incidents, at_once from pattern_hours');
    expect(rows).toEqual([{ incidents: 1, at_once: 4 }]);
  });

  it('keeps what an hour was when retention has deleted its episodes', async () => {
    const store = ingest();
    await store.store([makeArrival({ startsAt: at(0) })], at(0));
    await store.store([makeArrival({ status: 'resolved', startsAt: at(0), endsAt: at(5) })], at(5));
    await rollUpHistory(pool, 30);
    const before = await rolledUp();
    await store.store(
      [makeArrival({ labels: { deployment: 'other' }, startsAt: at(60 * 24 * 40) })],
      at(60 * 24 * 40),
    );
    await pool.query('delete from episodes where received_at < $1', [at(60)]);
    await pool.query(`insert into history_queue (pattern, hour) select pattern, hour from pattern_hours`);
    await rollUpHistory(pool, 30);
    expect((await rolledUp()).filter((row) => row.hour < at(60).getTime())).toEqual(before);
  });

  it('is done by the sweep, and for one pattern at once when asked', async () => {
    const { pattern } = makeArrival({ startsAt: at(0) }).pattern;
    await ingest().store([makeArrival({ startsAt: at(0) })], at(0));
    await rollUpPattern(pool, pattern, 30);
    expect(await readHours(pool, pattern, at(-120), at(120))).toMatchObject([{ opened: 1, incidents: 1 }]);
    await ingest().store([makeArrival({ status: 'resolved', startsAt: at(0), endsAt: at(7) })], at(7));
    await sweep(
      {
        pool,
        publisher: { publish: () => Promise.resolve([]) },
        direct: null,
        source: { cluster: 'test', name: 'receive' },
        waits: { receivedMs: 60_000, classifiedMs: 120_000, admittedMs: 60_000 },
        repeatIntervalMs: 4 * HOUR_MS,
        retentionDays: 30,
        heartbeat: null,
        log: pino({ level: 'silent' }),
      },
      '',
    );
    expect(await readHours(pool, pattern, at(-120), at(120))).toMatchObject([{ healed: 1, longest: 420 }]);
  });
});

describe('criticals that followed', () => {
  it('are those of the same namespace within 30 minutes', async () => {
    const alarm = (name: string, severity: string, minute: number, namespace = 'production') =>
      makeArrival({
        labels: { alertname: name, severity, namespace },
        startsAt: at(minute),
        receivedAt: at(minute),
      });
    const hidden = alarm('Noise', 'warning', 0);
    for (const arrival of [
      hidden,
      alarm('DiskFull', 'critical', 20),
      alarm('TooLate', 'critical', 40),
      alarm('Elsewhere', 'critical', 10, 'staging'),
      alarm('Loud', 'warning', 5),
    ])
      await ingest().store([arrival], arrival.receivedAt);
    const followed = await readFollowed(pool, hidden.pattern.pattern, at(-60), at(60));
    expect(followed.criticals).toMatchObject([
      { alertname: 'DiskFull', openedAt: at(20), precededAt: at(0) },
    ]);
    expect(followed.episodes).toBe(1);
  });
});
