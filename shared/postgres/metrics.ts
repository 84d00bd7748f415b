/**
 * Queries behind /metrics. Changes are added by writers (triggers of migration 0008, and the functions below) and summed up
 * by the sweep; both together are the truth, so a number is the same before and after they are summed up.
 */
import { describeError } from '../log.ts';
import type { Logger } from '../log.ts';
import type { OwnMetric } from '../metrics.ts';
import { audit } from './audit.ts';
import { run, transaction } from './pool.ts';
import type { Pool, Queryable } from './pool.ts';

/** Any constant: sweeps of one database take turns on it. */
const LOCK = 5_420_714;
/** Changes summed up in one statement. */
const BATCH = 20_000;
/** One sweep sums up for at most this long, in milliseconds; the rest waits a minute. */
const SUM_MS = 3_000;

type MetricName = OwnMetric['name'];

/** So much more of a counter. */
export interface MetricChange {
  readonly name: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Adds to counters. */
export async function addMetrics(db: Queryable, changes: readonly MetricChange[]): Promise<void> {
  if (changes.length === 0) return;
  await run(
    db.query({
      name: 'add-metrics',
      text: `insert into metric_changes (name, labels, value)
       select name, labels, value from jsonb_to_recordset($1::jsonb) as r(name text, labels jsonb, value double precision)`,
      values: [JSON.stringify(changes)],
    }),
  );
}

/** Does some work and notes how long it took; a note that cannot be stored fails nothing. */
export async function measure<T>(
  { pool, log }: { readonly pool: Pool; readonly log: Logger },
  name: MetricName,
  work: Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  try {
    return await work;
  } finally {
    await run(pool.query(`select observe_metric($1, '{}', $2)`, [name, secondsSince(startedAt)])).catch(
      (error: unknown) => log.warn({ metric: name, ...describeError(error) }, 'not measured'),
    );
  }
}

/** What the sweep does for /metrics: sums up the changes and says that it ran. Answers how many changes it took. */
export async function sumMetrics(pool: Pool): Promise<number> {
  const deadline = performance.now() + SUM_MS;
  let taken = 0;
  for (;;) {
    const batch = await transaction(pool, async (client) => {
      await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
      return sumBatch(client);
    });
    taken += batch;
    if (batch < BATCH || performance.now() > deadline) break;
  }
  const sweep: MetricName = 'alertgest_sweep_last_run_timestamp_seconds';
  await run(
    pool.query(
      `insert into metric_totals (name, labels, le, value, times)
       values ($1, '{}', 'infinity', extract(epoch from clock_timestamp()), 1)
       on conflict (name, labels, le) do update set value = greatest(metric_totals.value, excluded.value)`,
      [sweep],
    ),
  );
  return taken;
}

async function sumBatch(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ taken: number }>(
    `with taken as materialized (
       delete from metric_changes where id in (select id from metric_changes order by id limit $1)
       returning name, labels, le, value),
     summed as (
       insert into metric_totals as t (name, labels, le, value, times)
       select name, labels, le, sum(value), count(*) from taken group by name, labels, le
       on conflict (name, labels, le) do update set value = t.value + excluded.value, times = t.times + excluded.times)
     select count(*)::int as taken from taken`,
    [BATCH],
  );
  return rows[0]?.taken ?? 0;
}

/** One number of a metric: of a counter or a gauge its value, of a histogram the sum and count of one bucket. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Upper bound of the bucket, not those below it; Infinity for everything but histograms. */
  readonly le: number;
  readonly value: number;
  readonly times: number;
}

export interface Reading {
  readonly series: readonly Series[];
  /** Upper bounds of every histogram's buckets but the last, in seconds. */
  readonly bounds: readonly number[];
}

/** Reads all that Postgres knows. `graceMs` is how long after its end a capture window may go without a digest. */
export async function readMetrics(pool: Pool, graceMs: number): Promise<Reading> {
  const [sums, standing, books, bounds] = await Promise.all([
    run(pool.query<Series>(SUMS)),
    run(pool.query<Pick<Series, 'name' | 'labels' | 'value'>>(STANDING, [graceMs])),
    audit(pool),
    run(pool.query<{ bounds: number[] }>('select metric_bounds() as bounds')),
  ]);
  const gauges = [
    ...standing.rows,
    ...Object.entries(books).map(([check, value]) => ({ name: 'alertgest_audit', labels: { check }, value })),
  ];
  return {
    series: [...sums.rows, ...gauges.map((gauge) => ({ ...gauge, le: Infinity, times: 1 }))],
    bounds: bounds.rows[0]?.bounds ?? [],
  };
}

const SUMS = `
  with sums as (
    select name, labels, le, sum(value) as value, sum(times)::float8 as times from (
      select name, labels, le, value, times from metric_totals
      union all select name, labels, le, value, 1 from metric_changes) as both_parts
    group by name, labels, le)
  select name, labels, le, value, times from sums
  union all
  select 'alertgest_teams_delivery_total', labels - 'channel', le, value, times from sums
  where name = 'alertgest_delivery_total' and labels ->> 'channel' = 'teams'
  order by name, labels, le`;

/** How things stand now; what does not exist is left out. */
const STANDING = `
  with moment as materialized (select alert_now() as at)
  select 'alertgest_capture_window_active' as name, '{}'::jsonb as labels, (exists (
    select 1 from capture_windows, moment where window_start <= at and window_end > at))::int::float8 as value
  union all
  select 'alertgest_digest_windows_missing', '{}', count(*) from capture_windows w, moment
  where w.status = 'completed' and w.window_end <= at - make_interval(secs => $1::float8 / 1000)
    and not exists (
      -- A digest that is gone by its age was told, and one that is kept had nobody to be told to.
      select 1 from digest_windows d left join digests g on g.id = d.digest
      where d.name = 'all' and d.window_start = w.window_start and coalesce(g.status, 'sent') in ('sent', 'kept'))
  union all
  select 'alertgest_digest_last_delivered_timestamp_seconds', '{}', extract(epoch from max(final_at)) from digests
  where status = 'sent' having max(final_at) is not null
  union all
  select 'alertgest_deliveries_pending', jsonb_build_object('channel', channel), count(*) from deliveries
  where status in ('planned', 'sending') group by channel
  union all
  select 'alertgest_notices', jsonb_build_object('status', status), count(*) from notices
  where status in ('received', 'classified', 'admitted', 'held') group by status
  union all
  select 'alertgest_incidents_open', jsonb_build_object('severity', p.severity), count(*)
  from incidents i join patterns p on p.pattern = i.pattern where i.closed_at is null and not p.heartbeat group by p.severity
  union all
  select 'alertgest_episodes_open', jsonb_build_object('severity', e.severity), count(*)
  from episodes e join patterns p on p.pattern = e.pattern where e.ended_at is null and not p.heartbeat group by e.severity
  union all
  select 'alertgest_patterns', '{}', count(*) from patterns
  union all
  select 'alertgest_decisions_active', jsonb_build_object('kind', d.kind), count(*)
  from patterns p cross join lateral (
    select kind, until from decisions l where l.pattern = p.pattern and l.kind <> 'note'
    order by l.generation desc limit 1) d, moment
  where p.generation > 0 and d.kind <> 'revoke' and (d.until is null or d.until > at) group by d.kind
  union all
  -- As the heartbeat sees it: one that is gone for a week is no longer expected.
  select 'alertgest_watchdog_last_seen_timestamp_seconds', '{}', extract(epoch from min(last_seen)) from patterns, moment
  where heartbeat and last_seen > at - interval '7 days' having min(last_seen) is not null`;

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1_000;
}
