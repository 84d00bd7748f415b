/**
 * Queries on `pattern_hours`: what a pattern did, hour by hour. Writers queue the hours they change (triggers of
 * migration 0003); the roll-up counts those again, one roll-up at a time, so counting twice changes nothing and an
 * outage only makes the queue longer.
 */
import type { HistoryHour } from '../envelope.ts';
import { run, transaction } from './pool.ts';
import type { Pool, Queryable } from './pool.ts';

/** Any constant: roll-ups of one database take turns on it. A later one must see what an earlier one saw, and more. */
const LOCK = 5_420_712;
/** Queued changes taken at once; keeps one transaction well under a second. */
const BATCH = 2_000;
/** One sweep rolls up for at most this long, in milliseconds; the rest waits a minute. */
const SWEEP_MS = 3_000;
/** Hours are kept for thirteen months, so that a month can be held against the same month. */
const KEEP_DAYS = 400;

/** Counts queued hours again; answers how many changes were taken. Does nothing while another sweep is at it. */
export async function rollUpHistory(pool: Pool, retentionDays: number): Promise<number> {
  const deadline = performance.now() + SWEEP_MS;
  let taken = 0;
  for (;;) {
    const batch = await transaction(pool, async (client) => {
      const { rows } = await client.query<{ locked: boolean }>(
        'select pg_try_advisory_xact_lock($1) as locked',
        [LOCK],
      );
      return rows[0]?.locked === true ? rollUp(client, retentionDays, null) : 0;
    });
    taken += batch;
    if (batch < BATCH || performance.now() > deadline) break;
  }
  await run(
    pool.query(
      `delete from pattern_hours where (pattern, hour) in (
         select pattern, hour from pattern_hours where hour < (select alert_now() - make_interval(days => $1)) limit 1000)`,
      [KEEP_DAYS],
    ),
  );
  return taken;
}

/** Counts the queued hours of one pattern again, so that what is asked about it now is exact. */
export async function rollUpPattern(pool: Pool, pattern: string, retentionDays: number): Promise<void> {
  const { rows } = await run(
    pool.query<{ waits: boolean }>(
      'select exists (select 1 from history_queue where pattern = $1) as waits',
      [pattern],
    ),
  );
  if (rows[0]?.waits !== true) return;
  await transaction(pool, async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
    await rollUp(client, retentionDays, pattern);
  });
}

/**
 * Takes queued changes and counts their hours. The caller holds the lock, taken by a statement of its own: what this one
 * sees is then at least what the roll-up before it saw. An hour older than the retention has lost episodes: it stands.
 */
async function rollUp(db: Queryable, retentionDays: number, pattern: string | null): Promise<number> {
  const { rows } = await run(
    db.query<{ taken: number }>(
      `with taken as materialized (
         delete from history_queue q using (
           select distinct pattern, hour from (
             select pattern, hour from history_queue where $3::text is null or pattern = $3 order by id limit $1) as first) d
         where q.pattern = d.pattern and q.hour = d.hour
         returning q.pattern, q.hour),
       due as materialized (
         select distinct t.pattern, t.hour from taken t
         where t.hour >= (select alert_now()) - make_interval(days => $2)
           or not exists (select 1 from pattern_hours h where h.pattern = t.pattern and h.hour = t.hour)),
       counted as (
         insert into pattern_hours as h (pattern, hour, opened, healed, lost, seconds, longest, durations, incidents, at_once)
         select d.pattern, d.hour, e.opened, e.healed, e.lost, e.seconds, e.longest, b.durations, i.incidents, i.at_once
         from due d
         cross join lateral (
           select count(*)::int as opened, (count(*) filter (where end_reason = 'resolved'))::int as healed,
             (count(*) filter (where end_reason <> 'resolved'))::int as lost,
             coalesce(sum(extract(epoch from ended_at - starts_at)) filter (where end_reason = 'resolved'), 0)::float8 as seconds,
             coalesce(max(extract(epoch from ended_at - starts_at)) filter (where end_reason = 'resolved'), 0)::float8 as longest
           from episodes e
           where e.pattern = d.pattern and e.received_at >= d.hour and e.received_at < d.hour + interval '1 hour') e
         cross join lateral (
           select array_agg(coalesce(c.n, 0) order by g.bucket) as durations
           from generate_series(0, cardinality(duration_bounds())) as g(bucket)
           left join (
             -- Bounds belong to the bucket below them; times are whole milliseconds.
             select width_bucket(extract(epoch from ended_at - starts_at)::float8 - 0.0005, duration_bounds()::float8[]) as bucket,
               count(*)::int as n
             from episodes e where e.pattern = d.pattern and e.received_at >= d.hour
               and e.received_at < d.hour + interval '1 hour' and end_reason = 'resolved' group by 1) c using (bucket)) b
         cross join lateral (
           select count(*)::int as incidents, coalesce(max(greatest(peak, open_episodes)), 0) as at_once from incidents i
           where i.pattern = d.pattern and i.opened_at >= d.hour and i.opened_at < d.hour + interval '1 hour') i
         where e.opened > 0 or i.incidents > 0
         on conflict (pattern, hour) do update set opened = excluded.opened, healed = excluded.healed,
           lost = excluded.lost, seconds = excluded.seconds, longest = excluded.longest, durations = excluded.durations,
           incidents = excluded.incidents, at_once = excluded.at_once)
       select count(*)::int as taken from taken`,
      [BATCH, retentionDays, pattern],
    ),
  );
  return rows[0]?.taken ?? 0;
}

/** A pattern's hours with any episode or incident that begin in [from, to), oldest first. */
export async function readHours(
  db: Queryable,
  pattern: string,
  from: Date,
  to: Date,
): Promise<HistoryHour[]> {
  const { rows } = await run(
    db.query<HistoryHour>(
      `select hour, opened, healed, lost, seconds, longest, durations, incidents, at_once as "atOnce"
       from pattern_hours where pattern = $1 and hour >= $2 and hour < $3 order by hour`,
      [pattern, from, to],
    ),
  );
  return rows;
}

/** How many episodes of a pattern were first received within each of some spans [from, to). */
export async function countInSpans(
  db: Queryable,
  pattern: string,
  spans: ReadonlyArray<{ readonly from: Date; readonly to: Date }>,
): Promise<number> {
  if (spans.length === 0) return 0;
  const { rows } = await run(
    db.query<{ n: string }>(
      `select coalesce(sum(c.n), 0) as n from unnest($2::timestamptz[], $3::timestamptz[]) as s(a, z)
       cross join lateral (
         select count(*) as n from episodes where pattern = $1 and received_at >= s.a and received_at < s.z) c`,
      [pattern, spans.map((span) => span.from), spans.map((span) => span.to)],
    ),
  );
  return Number(rows[0]?.n ?? 0);
}

/** Followed criticals that are looked at one by one; of more, the latest. */
const DETAILED = 500;

/** A critical incident that opened within 30 minutes after an episode of another pattern in its namespace. */
export interface FollowedCritical {
  readonly incident: string;
  readonly pattern: string;
  readonly alertname: string;
  readonly title: string;
  readonly openedAt: Date;
  /** The episode before it that was nearest, and how long that one fired; null while it does. */
  readonly precededAt: Date;
  readonly precededForSeconds: number | null;
}

export interface Followed {
  /** How many criticals followed. */
  readonly total: number;
  /** How many episodes came within 30 minutes before one. */
  readonly episodes: number;
  /** The latest of them, at most 500. */
  readonly criticals: readonly FollowedCritical[];
}

/** By SQL: `mine`, the critical incidents of other patterns in the namespace of pattern $1 that opened in [$2, $3). */
const CRITICALS = `subject as materialized (select namespace, cluster from patterns where pattern = $1),
  critical as materialized (
    select e.incident, e.pattern, min(e.received_at) as at from episodes e, subject s
    where e.severity = 'critical' and not e.own and e.pattern <> $1 and e.incident is not null
      and coalesce(e.namespace, '') = coalesce(s.namespace, '') and e.received_at >= $2 and e.received_at < $3
    group by e.incident, e.pattern),
  mine as materialized (
    select c.*, p.alertname, p.title from critical c join patterns p using (pattern), subject s
    where p.cluster is not distinct from s.cluster and not p.heartbeat)`;

/** The criticals that followed a pattern in [from, to), and how many episodes of it came before one. */
export async function readFollowed(db: Queryable, pattern: string, from: Date, to: Date): Promise<Followed> {
  const { rows } = await run(
    db.query<FollowedCritical & { total: number; episodes: string }>(
      `with ${CRITICALS},
       -- On its own, so that each critical is looked up once.
       looked_up as materialized (
         select m.*, (select max(e.received_at) from episodes e where e.pattern = $1 and e.received_at <= m.at
           and e.received_at > m.at - interval '30 minutes') as preceded_at from mine m),
       followed as materialized (select * from looked_up where preceded_at is not null),
       spans as (select unnest(range_agg(tstzrange(at - interval '30 minutes', at, '(]'))) as span from followed)
       select f.incident, f.pattern, f.alertname, f.title, f.at as "openedAt", f.preceded_at as "precededAt",
         (select extract(epoch from max(e.ended_at - e.starts_at))::float8 from episodes e
          where e.pattern = $1 and e.received_at = f.preceded_at) as "precededForSeconds",
         (select count(*)::int from followed) as total,
         (select sum((select count(*) from episodes e
            where e.pattern = $1 and e.received_at > lower(s.span) and e.received_at <= upper(s.span))) from spans s) as episodes
       from (select * from followed order by at desc limit $4) f order by f.at desc`,
      [pattern, from, to, DETAILED],
    ),
  );
  return {
    total: rows[0]?.total ?? 0,
    episodes: Number(rows[0]?.episodes ?? 0),
    criticals: rows.map(({ episodes: _episodes, total: _total, ...critical }) => critical),
  };
}

/** Whether any critical followed a pattern in [from, to). */
export async function isFollowed(db: Queryable, pattern: string, from: Date, to: Date): Promise<boolean> {
  const { rows } = await run(
    db.query<{ followed: boolean }>(
      `with ${CRITICALS}
       select exists (select 1 from mine m join episodes e on e.pattern = $1 and e.received_at <= m.at
         and e.received_at > m.at - interval '30 minutes') as followed`,
      [pattern, from, to],
    ),
  );
  return rows[0]?.followed ?? false;
}
