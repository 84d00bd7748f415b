/** Queries behind the console's first page and its setup page: what is open, what the last day was, what is alive. */
import type { NoticeStatus } from './notices.ts';
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

export interface OpenIncidentLine {
  readonly pattern: string;
  readonly alertname: string;
  readonly severity: string;
  readonly namespace: string | null;
  readonly title: string;
  readonly opened_at: Date;
  readonly open_episodes: number;
  /** How its first notice stands. */
  readonly status: NoticeStatus | null;
  readonly reason: string | null;
  readonly why: string | null;
  /** When somebody was last told, and by which channels. */
  readonly told_at: Date | null;
  readonly channels: readonly string[] | null;
  readonly total: number;
  readonly criticals: number;
}

/** Open incidents, criticals first, then the latest. */
export async function listOpenIncidents(db: Queryable, limit: number): Promise<OpenIncidentLine[]> {
  const { rows } = await run(
    db.query<OpenIncidentLine>(
      `with open as (
         select i.id, i.opened_at, i.open_episodes, p.pattern, p.alertname, p.severity, p.namespace, p.title,
           (count(*) over ())::int as total, (count(*) filter (where p.severity = 'critical') over ())::int as criticals
         from incidents i join patterns p on p.pattern = i.pattern
         where i.closed_at is null and not p.heartbeat
         order by array_position(array['critical', 'warning', 'unknown', 'info', 'none'], p.severity), i.opened_at desc, i.id
         limit $1)
       select o.pattern, o.alertname, o.severity, o.namespace, o.title, o.opened_at, o.open_episodes, o.total, o.criticals,
         n.status, n.reason, n.why, t.told_at, t.channels
       from open o
       left join lateral (
         select status, reason, why from notices where incident = o.id and kind = 'opened' limit 1) n on true
       left join lateral (
         select max(d.sent_at) as told_at, array_agg(distinct d.channel) filter (where d.channel is not null) as channels
         from notices s join deliveries d on d.notice = s.id and d.status = 'sent' where s.incident = o.id) t on true
       order by array_position(array['critical', 'warning', 'unknown', 'info', 'none'], o.severity), o.opened_at desc, o.id`,
      [limit],
    ),
  );
  return rows;
}

export interface LastDay {
  /** Alerts received (episodes). */
  readonly alerts: number;
  /** Pieces of news that somebody was told. */
  readonly told: number;
  /** Pieces of news that were suppressed, or told within a summary. */
  readonly heldBack: number;
  /** Pieces of news that nobody could be told. */
  readonly dead: number;
  /** Pieces of news still on their way. */
  readonly moving: number;
  /** Messages that one channel did not take, even if another did. */
  readonly failedDeliveries: number;
}

/** What the last 24 hours were. */
export async function countLastDay(db: Queryable): Promise<LastDay> {
  const { rows } = await run(
    db.query<LastDay>(
      `with t as materialized (select alert_now() - interval '1 day' as since)
       select (select count(*) from episodes e, t where e.received_at >= t.since and not e.own)::int as alerts,
         (count(*) filter (where n.status = 'notified'))::int as told,
         (count(*) filter (where n.status in ('suppressed', 'held', 'digested')))::int as "heldBack",
         (count(*) filter (where n.status = 'dead'))::int as dead,
         (count(*) filter (where n.status in ('received', 'classified', 'admitted')))::int as moving,
         (select count(*) from deliveries d where d.status = 'dead' and d.created_at > clock_timestamp() - interval '1 day')::int as "failedDeliveries"
       from notices n join patterns p on p.pattern = n.pattern, t where n.received_at >= t.since and not p.heartbeat`,
    ),
  );
  return rows[0] ?? { alerts: 0, told: 0, heldBack: 0, dead: 0, moving: 0, failedDeliveries: 0 };
}

export interface Heartbeat {
  readonly alertname: string;
  readonly last_seen: Date;
  readonly age_s: number;
}

/** Heartbeats such as Watchdog, longest unseen first. */
export async function listHeartbeats(db: Queryable): Promise<Heartbeat[]> {
  const { rows } = await run(
    db.query<Heartbeat>(
      `select alertname, last_seen, extract(epoch from alert_now() - last_seen)::int as age_s
       from patterns where heartbeat order by last_seen limit 20`,
    ),
  );
  return rows;
}

export interface DeadLetterLine {
  readonly type: string;
  readonly subject: string | null;
  readonly destination: string | null;
  readonly code: string | null;
  readonly detail: string | null;
  readonly recorded_at: Date;
}

/** The latest events the broker gave up on. */
export async function listDeadLetters(db: Queryable, limit: number): Promise<DeadLetterLine[]> {
  const { rows } = await run(
    db.query<DeadLetterLine>(
      `select type, subject, destination, code, left(detail, 300) as detail, recorded_at from dead_letters order by id desc limit $1`,
      [limit],
    ),
  );
  return rows;
}

export interface StoreFacts {
  readonly version: string;
  readonly database: string;
  readonly size: string;
  readonly migration: string | null;
}

/** What the database says of itself. */
export async function readStoreFacts(db: Queryable): Promise<StoreFacts> {
  const { rows } = await run(
    db.query<StoreFacts>(
      `select current_setting('server_version') as version, current_database() as database,
         pg_size_pretty(pg_database_size(current_database())) as size, (select max(name) from migrations) as migration`,
    ),
  );
  return rows[0] ?? { version: 'unknown', database: 'unknown', size: 'unknown', migration: null };
}
