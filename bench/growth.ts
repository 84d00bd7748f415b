/**
 * Growth and retention: simulated days of 20,000 episodes a night, each written as it comes about (opened, resolved, its
 * notices moved on step by step), with the retention running as the sweep runs it while a writer stores webhooks. Measures
 * the disk, how long the writer waited for a lock, and whether queries stay as fast as on the first day.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../eventing/local/postgres.ts';
import { createIngest } from '../functions/receive/ingest.ts';
import { normalizeAlert } from '../shared/alert.ts';
import { toPattern } from '../shared/pattern.ts';
import { audit } from '../shared/postgres/audit.ts';
import { shiftAlertClock } from '../shared/postgres/clock.ts';
import { currentDecision } from '../shared/postgres/decisions.ts';
import { countEpisodes } from '../shared/postgres/episodes.ts';
import { rollUpHistory } from '../shared/postgres/history.ts';
import { findIssues } from '../shared/postgres/issues.ts';
import { sumMetrics } from '../shared/postgres/metrics.ts';
import { migrate } from '../shared/postgres/migrate.ts';
import { createPool } from '../shared/postgres/pool.ts';
import type { Pool } from '../shared/postgres/pool.ts';
import { deleteExpired } from '../shared/postgres/retention.ts';
import { makeBurst, writeNight } from './growth-nights.ts';
import { watchLocks } from './growth-locks.ts';
import type { Progress, Report } from './report.ts';

const EPISODES_PER_NIGHT = 20_000;
const DAY_MS = 86_400_000;
const QUERY_RUNS = 15;
/** The goal for the longest lock that a writer waits for, in milliseconds. */
const LOCK_GOAL_MS = 200;
/** Work that never grows, to tell a slower query from a busier machine. */
const YARDSTICK = 'select sum(hashtext(n::text)) from generate_series(1, 200000) as n';
/** A query may be this much slower at the end than in the middle, when the tables have been full for as long. */
const FLAT = 1.25;

/** What one of the three days on which everything is measured looked like. */
interface Checkpoint {
  readonly day: number;
  readonly bytes: number;
  readonly tables: ReadonlyArray<readonly [string, number]>;
  readonly queries: Readonly<Record<string, number>>;
}

/** What the retention of all days did to a writer beside it. */
interface Retention {
  deleted: number;
  slowestStatementMs: number;
  longestLockMs: number;
  readonly writes: number[];
}

/** Runs `days` days, at least 4; rows are kept for a third of them, so that most days delete as much as they write. */
export async function measureGrowth(progress: Progress, days: number): Promise<Report> {
  if (!Number.isInteger(days) || days < 4 || days > 365) throw new Error('--days takes 4 to 365');
  const folder = mkdtempSync(join(tmpdir(), 'alertgest-bench-'));
  const server = await startPostgres({ folder: join(folder, 'postgres'), durable: false });
  const pool = createPool({ url: server.url, name: 'bench', size: 4, statementTimeoutMs: 60_000 });
  const keptDays = Math.max(Math.round(days / 3), 2);
  const retention: Retention = { deleted: 0, slowestStatementMs: 0, longestLockMs: 0, writes: [] };
  const checkpoints: Checkpoint[] = [];
  try {
    await migrate(server.url);
    const start = Date.now() - days * DAY_MS;
    for (let day = 1; day <= days; day++) {
      progress(`growth: day ${day} of ${days}`);
      const midnight = new Date(start + day * DAY_MS);
      await shiftAlertClock(pool, midnight);
      await writeNight(server.url, { day, midnight, episodes: EPISODES_PER_NIGHT });
      while ((await rollUpHistory(pool, keptDays)) > 0);
      await sumMetrics(pool);
      await retain(pool, server.url, keptDays, retention);
      // Autovacuum comes by once a minute; these days are shorter.
      await pool.query('vacuum analyze');
      if (day === 1 || day === keptDays || day === days)
        checkpoints.push(await measureDay(pool, day, midnight));
    }
    const state = await audit(pool);
    return toReport({ days, keptDays, checkpoints, retention, problems: state.miscounted + state.unproved });
  } finally {
    await pool.end();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs sweeps' retention until nothing is left to delete, beside a writer that stores webhooks all the time. */
async function retain(pool: Pool, url: string, keptDays: number, found: Retention): Promise<void> {
  const locks = await watchLocks(url);
  const writing = new AbortController();
  const writer = writeAllTheTime(pool, writing.signal, found.writes);
  for (let deleted = 1; deleted > 0;) {
    const startedAt = performance.now();
    deleted = await deleteExpired(pool, keptDays);
    found.slowestStatementMs = Math.max(found.slowestStatementMs, performance.now() - startedAt);
    found.deleted += deleted;
  }
  writing.abort();
  await writer;
  found.longestLockMs = Math.max(found.longestLockMs, await locks.stop());
}

async function writeAllTheTime(pool: Pool, signal: AbortSignal, times: number[]): Promise<void> {
  const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: false });
  do {
    const { rows } = await pool.query<{ now: Date }>('select alert_now() as now');
    const receivedAt = rows[0]?.now ?? new Date();
    const arrivals = makeBurst(receivedAt).flatMap((entry) => {
      const alert = normalizeAlert(entry, 'firing', { receivedAt, cluster: 'bench' });
      if (typeof alert === 'string') return [];
      const pattern = toPattern(alert, { cluster: 'bench' });
      return [{ alert, pattern, receivedAt, traceparent: '', own: false }];
    });
    const startedAt = performance.now();
    await ingest.store(arrivals);
    times.push(performance.now() - startedAt);
  } while (!signal.aborted);
}

async function measureDay(pool: Pool, day: number, midnight: Date): Promise<Checkpoint> {
  const { rows } = await pool.query<{ name: string; bytes: string }>(
    `select relname as name, pg_total_relation_size(c.oid) as bytes from pg_class c join pg_namespace n on n.oid = relnamespace
     where nspname = 'alertgest' and relkind = 'r' order by 2 desc`,
  );
  const from = new Date(midnight.getTime() - DAY_MS);
  const tomorrow = new Date(midnight.getTime() + DAY_MS);
  const works: ReadonlyArray<readonly [string, () => Promise<unknown>]> = [
    ['decision lookup', () => currentDecision(pool, 'v1:7', midnight)],
    ['issues list', () => findIssues(pool, { sort: 'risk', limit: 50, offset: 0 })],
    ['stats of a day', () => countEpisodes(pool, from, tomorrow)],
    ['audit', () => audit(pool)],
    ['yardstick', () => pool.query(YARDSTICK)],
  ];
  const queries: Record<string, number> = {};
  // In turn, so that a busy moment of the machine falls on all of them; the best run is the query's own.
  for (let round = 0; round < QUERY_RUNS; round++) {
    for (const [name, work] of works) {
      const startedAt = performance.now();
      await work();
      queries[name] = Math.min(queries[name] ?? Infinity, performance.now() - startedAt);
    }
  }
  const tables = rows.map(({ name, bytes }) => [name, Number(bytes)] as const);
  return { day, tables, queries, bytes: tables.reduce((sum, [, bytes]) => sum + bytes, 0) };
}

interface Measured {
  readonly days: number;
  readonly keptDays: number;
  readonly checkpoints: readonly Checkpoint[];
  readonly retention: Retention;
  readonly problems: number;
}

function toReport({ days, keptDays, checkpoints, retention, problems }: Measured): Report {
  const [first, full, last] = [checkpoints[0], checkpoints.at(-2), checkpoints.at(-1)];
  const perEpisode =
    ((full?.bytes ?? 0) - (first?.bytes ?? 0)) / Math.max(keptDays - 1, 1) / EPISODES_PER_NIGHT;
  const perDay = ((last?.bytes ?? 0) - (full?.bytes ?? 0)) / (days - keptDays);
  const writes = retention.writes.toSorted((a, b) => a - b);
  const biggest = (last?.tables ?? []).slice(0, 8);
  const queries = Object.keys(last?.queries ?? {});
  const relative = (checkpoint: Checkpoint | undefined, name: string): number =>
    (checkpoint?.queries[name] ?? Number.NaN) / (checkpoint?.queries['yardstick'] ?? Number.NaN);
  return {
    name: 'growth',
    notes: [
      `${days} simulated days of ${EPISODES_PER_NIGHT} episodes; rows are kept for ${keptDays} days; ${retention.deleted} rows deleted`,
      'an episode has 9 labels and 3 annotations, every second one an incident of its own, one incident in four is told by one channel with a link',
      `a writer stored ${writes.length} webhooks of 20 alerts while the retention ran; vacuum once a simulated day`,
      `queries: the best of ${QUERY_RUNS} runs each, in turn with a yardstick that never grows`,
    ],
    columns: ['', ...checkpoints.map(({ day }) => `day ${day}`)],
    rows: [
      ['disk, MB', ...checkpoints.map(({ bytes }) => toMb(bytes))],
      ...biggest.map(([name]) => [
        `  ${name}`,
        ...checkpoints.map(({ tables }) => toMb(tables.find(([other]) => other === name)?.[1] ?? 0)),
      ]),
      ...queries.map((name) => [
        `${name}, ms`,
        ...checkpoints.map((checkpoint) => Number((checkpoint.queries[name] ?? Number.NaN).toFixed(2))),
      ]),
    ],
    verdicts: [
      { what: 'disk per kept episode', value: Math.round(perEpisode), goal: null, unit: ' bytes' },
      { what: 'growth a day once full', value: toMb(perDay), goal: null, unit: ' MB' },
      {
        what: 'longest wait of a writer for a lock',
        value: Number(retention.longestLockMs.toFixed(1)),
        goal: ['<=', LOCK_GOAL_MS],
        unit: ' ms',
      },
      {
        what: 'slowest round of the retention (all tables)',
        value: Math.round(retention.slowestStatementMs),
        goal: null,
        unit: ' ms',
      },
      {
        what: 'webhook stored beside it, p99',
        value: Math.round(writes[Math.floor(writes.length * 0.99)] ?? 0),
        goal: null,
        unit: ' ms',
      },
      ...queries
        .filter((name) => name !== 'yardstick')
        .map((name) => ({
          what: `${name} over the yardstick, last day over day ${keptDays}`,
          value: Number((relative(last, name) / relative(full, name)).toFixed(2)),
          goal: ['<=', FLAT] as const,
        })),
      { what: 'incidents miscounted or notices unproved', value: problems, goal: ['<=', 0] },
    ],
  };
}

function toMb(bytes: number): number {
  return Number((bytes / 2 ** 20).toFixed(1));
}
