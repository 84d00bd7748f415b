/** What a digest tells beside its counts: what still fires from before, what woke somebody, what was held back, what was lost. */
import type { Severity } from '../severity.ts';
import type { NightSpan } from './digest-night.ts';
import type { Queryable } from './pool.ts';

/** An issue that fired before the windows and fires still. */
export interface EarlierIssue {
  readonly pattern: string;
  readonly alertname: string;
  readonly severity: Severity;
  readonly namespace: string | null;
  readonly title: string;
  readonly heartbeat: boolean;
  readonly firing: number;
  readonly since: Date;
}

/** Alerts received before the windows that fired when the last one closed, by issue, loudest and oldest first. */
export async function firingFromBefore(
  db: Queryable,
  { edges, from, to }: NightSpan,
): Promise<EarlierIssue[]> {
  const { rows } = await db.query<EarlierIssue>(
    `select p.pattern, p.alertname, p.severity, p.namespace, p.title, p.heartbeat, count(*)::int as firing, min(e.starts_at) as since
     from incidents i join patterns p on p.pattern = i.pattern
     join episodes e on e.pattern = i.pattern and e.incident = i.id
     where i.opened_at < $2 and (i.closed_at is null or i.closed_at >= $2) and not p.own
       and e.received_at < $2 and width_bucket(e.received_at, $3::timestamptz[]) % 2 = 0
       and (e.ended_at is null or e.end_received_at >= $2) and $1::timestamptz is not null
     group by p.pattern order by p.severity, min(e.starts_at)`,
    [from, to, edges],
  );
  return rows;
}

/** A push with a sound that was sent in the windows. */
export interface Wake {
  readonly alertname: string;
  readonly severity: Severity;
  readonly title: string;
  readonly why: string | null;
  readonly at: Date;
  readonly channels: readonly string[];
}

/** What was pushed with a sound, loudest and earliest first, and how many there were. */
export async function wakes(
  db: Queryable,
  { edges, from, to }: NightSpan,
  limit: number,
): Promise<{ total: number; shown: Wake[] }> {
  const { rows } = await db.query<Wake & { total: string }>(
    `select p.alertname, p.severity, p.title, n.why, n.received_at as at, array_agg(distinct d.channel order by d.channel) as channels,
       count(*) over () as total
     from notices n join patterns p on p.pattern = n.pattern join deliveries d on d.notice = n.id and d.status = 'sent'
     where n.received_at >= $1 and n.received_at < $2 and width_bucket(n.received_at, $3::timestamptz[]) % 2 = 1
       and n.status = 'notified' and n.kind <> 'resolved' and not n.quiet and n.decision is null
     group by n.id, p.pattern
     order by case p.severity when 'critical' then 0 when 'warning' then 1 when 'unknown' then 1 else 2 end, n.received_at, n.id limit $4`,
    [from, to, edges, limit],
  );
  return {
    total: Number(rows[0]?.total ?? 0),
    shown: rows.map(({ alertname, severity, title, why, at, channels }) => ({
      alertname,
      severity,
      title,
      why,
      at,
      channels,
    })),
  };
}

/** News of the windows that was not told by itself, by reason. */
export interface Quietened {
  readonly reason: string;
  readonly status: string;
  readonly notices: number;
  readonly issues: number;
  /** The issues with most of it; for decisions with who decided what. */
  readonly titles: ReadonlyArray<{
    readonly name: string;
    readonly why: string | null;
    readonly notices: number;
  }>;
}

/** What was held or suppressed, and why, most first. */
export async function quietened(
  db: Queryable,
  { edges, from, to }: NightSpan,
  titles: number,
): Promise<Quietened[]> {
  const { rows } = await db.query<Quietened>(
    `with hushed as (
       select case when n.status = 'suppressed' then n.reason else coalesce(b.kind, n.reason) end as reason,
         case when n.status = 'suppressed' then 'suppressed' else 'held' end as status,
         n.pattern, count(*)::int as notices, min(n.why) as why
       from notices n join patterns p on p.pattern = n.pattern left join batches b on b.id = n.batch
       where n.received_at >= $1 and n.received_at < $2 and width_bucket(n.received_at, $3::timestamptz[]) % 2 = 1
         and n.status in ('suppressed', 'held', 'digested') and n.kind in ('opened', 'grew') and not p.heartbeat
       group by 1, 2, 3),
     ranked as (
       select h.*, p.alertname || ' · ' || p.title as name,
         row_number() over (partition by h.reason, h.status order by h.notices desc, p.alertname, p.title) as place
       from hushed h join patterns p using (pattern))
     select coalesce(reason, 'other') as reason, status, sum(notices)::int as notices, count(*)::int as issues,
       jsonb_agg(jsonb_build_object('name', name, 'why', why, 'notices', notices) order by place) filter (where place <= $4) as titles
     from ranked group by 1, 2 order by 3 desc, 1`,
    [from, to, edges, titles],
  );
  return rows;
}

/** Webhook entries that alertgest could not use, as it said at the time. */
export async function rejectedIn(
  db: Queryable,
  { edges, from, to }: NightSpan,
): Promise<{ issues: number; titles: string[] }> {
  const { rows } = await db.query<{ title: string }>(
    `select p.title from patterns p where p.own and exists (
       select 1 from episodes e where e.pattern = p.pattern and e.received_at >= $1 and e.received_at < $2
         and width_bucket(e.received_at, $3::timestamptz[]) % 2 = 1)
     order by 1 limit 20`,
    [from, to, edges],
  );
  return { issues: rows.length, titles: rows.map(({ title }) => title) };
}

/** How many alerts senders cut from their webhooks and how many could not be used, by the counters at the windows' edges. */
export async function lostIn(
  db: Queryable,
  { edges }: NightSpan,
): Promise<{ truncated: number; rejected: number }> {
  const { rows } = await db.query<{ truncated: number; rejected: number }>(
    `select coalesce(sum(coalesce(truncated_at_end, (select value from counters where name = 'alerts_truncated_total'), 0) - truncated_at_start), 0)::int as truncated,
       coalesce(sum(coalesce(rejected_at_end, (select value from counters where name = 'alerts_rejected_total'), 0) - rejected_at_start), 0)::int as rejected
     from capture_windows where window_start = any($1::timestamptz[])`,
    [edges],
  );
  return { truncated: Math.max(0, rows[0]?.truncated ?? 0), rejected: Math.max(0, rows[0]?.rejected ?? 0) };
}

/** Alerts of the hours between a digest's windows: kept and counted, but not of the night. */
export async function countBetween(db: Queryable, { edges, from, to }: NightSpan): Promise<number> {
  if (edges.length <= 2) return 0;
  const { rows } = await db.query<{ count: string }>(
    `select count(*) as count from episodes e
     where e.received_at >= $1 and e.received_at < $2 and not e.own and width_bucket(e.received_at, $3::timestamptz[]) % 2 = 0`,
    [from, to, edges],
  );
  return Number(rows[0]?.count ?? 0);
}

/** The labels of the alerts that were open at some time in a span, of some names. */
export async function labelsOpenIn(
  db: Queryable,
  from: Date,
  to: Date,
  alertnames: readonly string[],
): Promise<Array<Readonly<Record<string, string>>>> {
  const { rows } = await db.query<{ labels: Record<string, string> }>(
    `select distinct on (e.key) e.labels from patterns p join episodes e on e.pattern = p.pattern
     where p.alertname = any($3::text[]) and e.starts_at < $2 and (e.ended_at is null or e.ended_at >= $1)`,
    [from, to, alertnames],
  );
  return rows.map(({ labels }) => labels);
}
