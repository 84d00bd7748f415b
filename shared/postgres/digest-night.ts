/**
 * What a digest counts: the alerts first received in its windows, read once, as they stood when the last window closed.
 * One pass makes a small table of label sets; everything else is asked of that, inside the same snapshot.
 */
import type { Severity } from '../severity.ts';
import type { Queryable } from './pool.ts';

/** Which alerts a digest is about. */
export interface NightSpan {
  /** Edges of the windows in order: start, end, start, end … */
  readonly edges: readonly Date[];
  readonly from: Date;
  readonly to: Date;
}

/** Label sets whose labels are read for one group's samples and common labels. */
const SETS_PER_GROUP = 2_000;

/** What is counted of each label set; its columns are those of `night_sets`. */
const COUNTS = `count(*)::int as episodes, (count(*) filter (where is_open))::int as firing,
  min(starts_at) as first_start, min(starts_at) filter (where is_open) as firing_since, max(starts_at) as last_start, max(ends) as last_seen,
  -- What of them lies in the span.
  sum(date_part('epoch', ends - greatest(starts_at, least(ends, $1)))) as seconds,
  date_part('epoch', max(ends - starts_at) filter (where not is_open and end_reason = 'resolved')) as longest,
  (count(*) filter (where end_reason <> 'resolved'))::int as lost, max(id) as sample`;

/** The alerts of the windows as they stood when the last one closed. */
const NIGHT = `(
  select e.*, e.ended_at is null or e.end_received_at >= $2 as is_open,
    case when e.ended_at is null or e.end_received_at >= $2 then $2 else least(e.ended_at, $2) end as ends
  from episodes e
  where e.received_at >= $1::timestamptz and e.received_at < $2::timestamptz and not e.own
    and (cardinality($3::timestamptz[]) = 2 or width_bucket(e.received_at, $3::timestamptz[]) % 2 = 1)) as night`;

/** Reads the night into a table of this transaction: one row per label set and pattern. */
export async function gatherNight(db: Queryable, { edges, from, to }: NightSpan): Promise<void> {
  // A label set has one pattern, so grouping by it alone is enough and takes half the time; the rare other ones follow.
  await db.query(
    `create temp table night_sets on commit drop as
     select max(pattern) as pattern, key, ${COUNTS}, min(pattern) as other from ${NIGHT} group by key`,
    [from, to, edges],
  );
  const { rows } = await db.query<{ key: string }>(
    'delete from night_sets where pattern <> other returning key',
  );
  if (rows.length === 0) return;
  await db.query(
    `insert into night_sets
     select pattern, key, ${COUNTS}, pattern as other from ${NIGHT} where key = any($4::text[]) group by pattern, key`,
    [from, to, edges, rows.map(({ key }) => key)],
  );
}

/** Leaves only label sets that a digest is about, by the labels of one alert of each and what we know of its issue. */
export async function keepMatching(
  db: Queryable,
  matches: (labels: Readonly<Record<string, string>>) => boolean,
): Promise<void> {
  const { rows } = await db.query<{
    id: string;
    labels: Record<string, string>;
    own: Record<string, string>;
  }>(
    `select s.sample as id, e.labels, jsonb_strip_nulls(jsonb_build_object('alertname', p.alertname, 'severity', p.severity,
       'namespace', p.namespace, 'cluster', p.cluster, 'category', p.classification ->> 'category')) as own
     from night_sets s join episodes e on e.id = s.sample join patterns p on p.pattern = s.pattern`,
  );
  const others = rows.filter(({ labels, own }) => !matches({ ...labels, ...own })).map(({ id }) => id);
  await db.query('delete from night_sets where sample = any($1::bigint[])', [others]);
}

/** What one pattern did in the night. */
export interface PatternNight {
  readonly pattern: string;
  readonly alertname: string;
  readonly severity: Severity;
  readonly namespace: string | null;
  readonly title: string;
  readonly workload: string | null;
  readonly node: string | null;
  readonly category: string | null;
  readonly runbook: string | null;
  readonly next_step: string | null;
  readonly heartbeat: boolean;
  readonly first_ever: Date;
  readonly episodes: number;
  readonly firing: number;
  readonly series: number;
  /** Alerts of the label set that fired most often. */
  readonly most: number;
  /** Incidents: how often it went from all clear to firing. */
  readonly cycles: number;
  readonly first_start: Date;
  /** Since when the oldest of those that fire does; null when none does. */
  readonly firing_since: Date | null;
  readonly last_start: Date;
  readonly last_seen: Date;
  readonly seconds: number;
  /** The longest life that was resolved, in seconds. */
  readonly longest: number | null;
  /** Lives that ended without a resolve. */
  readonly lost: number;
  /** Nights before this one, latest first, of which it was seen in: their positions, 1 is last night. */
  readonly nights: readonly number[];
}

/** Every pattern of the night; `past` are the edges of earlier windows, oldest first. */
export async function patternNights(
  db: Queryable,
  { edges, from, to }: NightSpan,
  past: readonly Date[],
): Promise<PatternNight[]> {
  const { rows } = await db.query<PatternNight>(
    `with sets as (
       select pattern, sum(episodes)::int as episodes, sum(firing)::int as firing, count(*)::int as series, max(episodes) as most,
         min(first_start) as first_start, min(firing_since) as firing_since, max(last_start) as last_start, max(last_seen) as last_seen,
         sum(seconds)::float8 as seconds, max(longest) as longest, sum(lost)::int as lost
       from night_sets group by pattern),
     cycles as (
       select i.pattern, count(*)::int as cycles from incidents i
       where i.opened_at >= $1 and i.opened_at < $2 and width_bucket(i.opened_at, $3::timestamptz[]) % 2 = 1 group by i.pattern),
     -- An hour counts to the night that holds its middle.
     nights as (
       select h.pattern, array_agg(distinct 1 + (cardinality($4::timestamptz[]) - width_bucket(h.hour + interval '30 minutes', $4::timestamptz[])) / 2) as nights
       from pattern_hours h join sets using (pattern)
       where cardinality($4::timestamptz[]) > 0 and h.hour >= ($4::timestamptz[])[1] - interval '1 hour' and h.hour < $1
         and h.opened > 0 and width_bucket(h.hour + interval '30 minutes', $4::timestamptz[]) % 2 = 1
       group by h.pattern)
     select s.pattern, p.alertname, p.severity, p.namespace, p.title, p.identity ->> 'workload' as workload,
       coalesce(p.identity ->> 'node', p.identity ->> 'instance') as node,
       p.classification ->> 'category' as category, p.classification ->> 'runbookUrl' as runbook,
       p.classification ->> 'nextStep' as next_step,
       p.heartbeat, p.first_seen as first_ever, s.episodes, s.firing, s.series, s.most, coalesce(c.cycles, 0) as cycles,
       s.first_start, s.firing_since, s.last_start, s.last_seen, s.seconds, s.longest, s.lost, coalesce(n.nights, '{}') as nights
     from sets s join patterns p using (pattern) left join cycles c using (pattern) left join nights n using (pattern)
     order by s.episodes desc, s.pattern`,
    [from, to, edges, past],
  );
  return rows;
}

/** What the labels of one group's alerts say. */
export interface GroupLabels {
  readonly alertname: string;
  readonly severity: string;
  readonly namespace: string;
  readonly pods: number;
  /** Labels that every alert of the group carries with one value. */
  readonly common: Readonly<Record<string, string>>;
  readonly runbook: string | null;
  /** True when the group has more label sets than were read; then `pods` and `common` say nothing. */
  readonly cut: boolean;
}

/** Reads the labels behind some groups: affected pods, common labels, the runbook of an alert. */
export async function groupLabels(
  db: Queryable,
  groups: ReadonlyArray<{ alertname: string; severity: string; namespace: string | null }>,
): Promise<GroupLabels[]> {
  const { rows } = await db.query<GroupLabels>(
    `with wanted as (
       select alertname, severity, coalesce(namespace, '') as namespace
       from jsonb_to_recordset($1::jsonb) as g(alertname text, severity text, namespace text)),
     sets as materialized (
       select w.alertname, w.severity, w.namespace, s.sample,
         row_number() over (partition by w.alertname, w.severity, w.namespace order by s.firing desc, s.episodes desc, s.sample) as place
       from wanted w join patterns p on p.alertname = w.alertname and p.severity = w.severity and coalesce(p.namespace, '') = w.namespace
       join night_sets s using (pattern)),
     read as materialized (
       select s.alertname, s.severity, s.namespace, s.place, e.labels,
         coalesce(e.annotations ->> 'runbook_url', e.annotations ->> 'runbook') as runbook
       from sets s join episodes e on e.id = s.sample where s.place <= $2),
     sizes as (
       select alertname, severity, namespace, count(*) as read, count(distinct labels ->> 'pod')::int as pods,
         (array_agg(runbook order by place) filter (where runbook is not null))[1] as runbook
       from read group by alertname, severity, namespace),
     shared as (
       select r.alertname, r.severity, r.namespace, l.key, min(l.value) as value
       from read r cross join lateral jsonb_each_text(r.labels) l
       where l.key not in ('alertname', 'severity', 'namespace')
       group by r.alertname, r.severity, r.namespace, l.key
       having min(l.value) = max(l.value) and count(*) = (
         select z.read from sizes z where z.alertname = r.alertname and z.severity = r.severity and z.namespace = r.namespace))
     select z.alertname, z.severity, z.namespace, z.pods, z.runbook,
       coalesce((select jsonb_object_agg(h.key, h.value) from shared h
         where h.alertname = z.alertname and h.severity = z.severity and h.namespace = z.namespace), '{}') as common,
       (select count(*) from sets s where s.alertname = z.alertname and s.severity = z.severity and s.namespace = z.namespace) > z.read as cut
     from sizes z`,
    [JSON.stringify(groups), SETS_PER_GROUP],
  );
  return rows;
}

/** How many alerts of an alertname began within a time after a change to a workload. */
export interface AfterChange {
  readonly alertname: string;
  readonly within: number;
  readonly total: number;
  readonly first: Date;
}

/** Alerts of the night about a workload, by name: all of them, and those that began within `withinMs` after `at`. */
export async function startedAfter(
  db: Queryable,
  { edges, from, to }: NightSpan,
  change: { namespace: string; workload: string; at: Date; withinMs: number },
): Promise<AfterChange[]> {
  const { rows } = await db.query<AfterChange>(
    `select p.alertname, count(*)::int as total,
       (count(*) filter (where e.starts_at >= $6 and e.starts_at <= $6::timestamptz + make_interval(secs => $7::float8 / 1000)))::int as within,
       min(e.starts_at) filter (where e.starts_at >= $6) as first
     from patterns p join episodes e on e.pattern = p.pattern
     where p.namespace = $4 and p.identity ->> 'workload' = $5 and not p.own and not p.heartbeat
       and p.pattern in (select pattern from night_sets)
       and e.received_at >= $1 and e.received_at < $2 and width_bucket(e.received_at, $3::timestamptz[]) % 2 = 1
     group by p.alertname
     having count(*) filter (where e.starts_at >= $6 and e.starts_at <= $6::timestamptz + make_interval(secs => $7::float8 / 1000)) > 0
     order by 3 desc, 1`,
    [from, to, edges, change.namespace, change.workload, change.at, change.withinMs],
  );
  return rows;
}
