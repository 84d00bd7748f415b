/** Queries behind the issues list: patterns with their decision in force and their recent hits, filtered and sorted. */
import type { DecisionKind } from './decisions.ts';
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** How the list can be sorted; `risk` puts what may hide an outage first. */
export const ISSUE_SORTS = ['risk', 'latest', 'hits', 'name'] as const;
export type IssueSort = (typeof ISSUE_SORTS)[number];

export interface IssueFilter {
  /** Words of name, title, namespace or cluster; case does not matter. */
  readonly search?: string | undefined;
  readonly severity?: string | undefined;
  readonly category?: string | undefined;
  /** A kind in force, `any` or `none`. */
  readonly decision?: string | undefined;
  readonly open?: boolean | undefined;
  readonly pattern?: string | undefined;
  readonly sort: IssueSort;
  readonly limit: number;
  readonly offset: number;
}

export interface IssueLine {
  readonly pattern: string;
  readonly alertname: string;
  readonly severity: string;
  readonly namespace: string | null;
  readonly cluster: string | null;
  readonly title: string;
  readonly identity: Readonly<Record<string, string>>;
  readonly kept: Readonly<Record<string, string>>;
  readonly dropped: Readonly<Record<string, string>>;
  readonly own: boolean;
  readonly first_seen: Date;
  readonly last_seen: Date;
  readonly classification: Readonly<Record<string, unknown>> | null;
  /** Alerts that fire now. */
  readonly open_episodes: number;
  readonly opened_at: Date | null;
  readonly hits_7d: number;
  readonly hits_30d: number;
  /** The decision in force; all null without one. */
  readonly decision: DecisionKind | null;
  readonly decision_until: Date | null;
  readonly decision_note: string | null;
  readonly decision_actor: string | null;
  /** Why the decision was set aside, when the issue is no longer what was judged. */
  readonly decision_broken: string | null;
  /** Issues that fit the filter, over all pages. */
  readonly total: number;
}

/** A page of the issues list. Heartbeats are no issues. */
export async function findIssues(db: Queryable, filter: IssueFilter): Promise<IssueLine[]> {
  const { rows } = await run(
    db.query<IssueLine>(
      `with t as materialized (select alert_now() as now),
       -- One pass over a month is quicker than a look-up for each pattern: 0.5 s on a million episodes, not 1.2 s.
       hits as materialized (
         select e.pattern, count(*)::int as hits_30d,
           (count(*) filter (where e.received_at > t.now - interval '7 days'))::int as hits_7d
         from episodes e, t where e.received_at > t.now - interval '30 days' and ($6::text is null or e.pattern = $6)
         group by e.pattern)
       select p.pattern, p.alertname, p.severity, p.namespace, p.cluster, p.title, p.identity, p.kept, p.dropped, p.own,
         p.first_seen, p.last_seen, p.classification, coalesce(i.open_episodes, 0) as open_episodes, i.opened_at,
         coalesce(h.hits_7d, 0) as hits_7d, coalesce(h.hits_30d, 0) as hits_30d, d.kind as decision,
         d.until as decision_until, d.note as decision_note, d.actor as decision_actor,
         b.sentence as decision_broken, (count(*) over ())::int as total
       from patterns p cross join t
       left join hits h on h.pattern = p.pattern
       left join incidents i on i.pattern = p.pattern and i.closed_at is null
       left join lateral (
         select * from (
           select kind, until, note, actor, generation from decisions l where l.pattern = p.pattern and p.generation > 0 and l.kind <> 'note'
           order by l.generation desc limit 1) as latest
         where latest.kind <> 'revoke' and (latest.until is null or latest.until > t.now)) d on true
       left join broken_decisions b on b.pattern = p.pattern and b.generation = d.generation
       where not p.heartbeat
         and ($1::text is null or position(lower($1) in lower(
           concat_ws(' ', p.alertname, p.title, p.namespace, p.cluster, p.pattern))) > 0)
         and ($2::text is null or p.severity = $2)
         and ($3::text is null or p.classification ->> 'category' = $3)
         and ($4::text is null or case $4 when 'any' then d.kind is not null when 'none' then d.kind is null else d.kind = $4 end)
         and ($5::boolean is null or (i.id is not null) = $5)
         and ($6::text is null or p.pattern = $6)
       order by
         case when $7 = 'risk' then case
           when p.severity = 'critical' and i.id is not null then 0
           when p.severity = 'critical' and h.hits_30d > 0 then 1
           when b.pattern is not null then 2
           when d.kind in ('ignore', 'snooze', 'digest') and h.hits_30d > 0 then 3
           when i.id is not null then 4 else 5 end end,
         case when $7 in ('risk', 'hits') then coalesce(h.hits_7d, 0) end desc,
         case when $7 in ('risk', 'hits') then coalesce(h.hits_30d, 0) end desc,
         case when $7 = 'name' then lower(p.alertname) end,
         p.last_seen desc, p.pattern
       limit $8 offset $9`,
      [
        filter.search ?? null,
        filter.severity ?? null,
        filter.category ?? null,
        filter.decision ?? null,
        filter.open ?? null,
        filter.pattern ?? null,
        filter.sort,
        filter.limit,
        filter.offset,
      ],
    ),
  );
  return rows;
}

/** How often each pattern was hit on each of the last `days` days of a zone; the last number is today. */
export async function dailyHits(
  db: Queryable,
  patterns: readonly string[],
  zone: string,
  days: number,
): Promise<Map<string, readonly number[]>> {
  const { rows } = await run(
    db.query<{ pattern: string; day: number; hits: number }>(
      // The edges of days are found once, not a date for each episode; and each pattern is a range of its own index.
      `with days as materialized (
         select array_agg(((alert_now() at time zone $2)::date - back)::timestamp at time zone $2 order by back desc) as starts
         from generate_series(0, $3::int - 1) back)
       select w.pattern, e.day, e.hits
       from days d cross join unnest($1::text[]) as w(pattern) cross join lateral (
         select width_bucket(received_at, d.starts) as day, count(*)::int as hits
         from episodes where pattern = w.pattern and received_at >= d.starts[1] group by day) e`,
      [patterns, zone, days],
    ),
  );
  const series = new Map(patterns.map((pattern) => [pattern, Array.from({ length: days }, () => 0)]));
  for (const { pattern, day, hits } of rows) series.get(pattern)?.splice(day - 1, 1, hits);
  return series;
}

export interface Twin {
  readonly pattern: string;
  readonly severity: string;
}

/** Patterns of the same alert, namespace and title that differ in severity: deciding one does not decide the other. */
export async function findTwins(db: Queryable, issue: IssueLine): Promise<Twin[]> {
  const { rows } = await run(
    db.query<Twin>(
      `select pattern, severity from patterns
       where alertname = $1 and namespace is not distinct from $2 and title = $3 and pattern <> $4 and severity <> $5
       order by severity limit 5`,
      [issue.alertname, issue.namespace, issue.title, issue.pattern, issue.severity],
    ),
  );
  return rows;
}

/** The categories that issues were classified as. */
export async function listCategories(db: Queryable): Promise<string[]> {
  const { rows } = await run(
    db.query<{ category: string }>(
      `select distinct classification ->> 'category' as category from patterns
       where classification ->> 'category' is not null order by 1 limit 50`,
    ),
  );
  return rows.map(({ category }) => category);
}
