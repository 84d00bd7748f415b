/** Queries on `episodes`: one firing-to-resolved life of one alert. */
import type { z } from 'zod';
import type { episodeCountsSchema } from '../events.ts';
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

export interface LatestEpisode {
  readonly key: string;
  readonly id: string;
  readonly pattern: string;
  readonly incident: string | null;
  readonly starts_at: Date;
  readonly ended_at: Date | null;
  readonly end_reason: 'resolved' | 'lost-resolve' | 'stale' | null;
  readonly last_seen: Date;
  readonly end_received_at: Date | null;
  readonly previous_end: Date | null;
}

/** The latest life of each key, with the end of the one before. */
export async function latestEpisodes(db: Queryable, keys: readonly string[]): Promise<LatestEpisode[]> {
  const { rows } = await db.query<LatestEpisode>({
    name: 'latest-episodes',
    text: `select k.key, e.id, e.pattern, e.incident, e.starts_at, e.ended_at, e.end_reason, e.last_seen, e.end_received_at,
       (select p.ended_at from episodes p where p.key = k.key and p.starts_at < e.starts_at
        order by p.starts_at desc limit 1) as previous_end
     from unnest($1::text[]) as k(key)
     cross join lateral (select * from episodes l where l.key = k.key order by l.starts_at desc, l.id desc limit 1) as e`,
    values: [keys],
  });
  return rows;
}

export interface EpisodeInsert {
  readonly key: string;
  readonly pattern: string;
  readonly incident: string | null;
  readonly alertname: string;
  readonly severity: string;
  readonly namespace: string | null;
  readonly own: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly generator_url: string;
  readonly flags: readonly string[];
  readonly starts_at: Date;
  readonly ended_at: Date | null;
  readonly end_reason: string | null;
  readonly received_at: Date;
  readonly last_seen: Date;
  readonly end_received_at: Date | null;
}

/** Stores new lives. */
export async function insertEpisodes(db: Queryable, episodes: readonly EpisodeInsert[]): Promise<void> {
  if (episodes.length === 0) return;
  await db.query({
    name: 'insert-episodes',
    text: `insert into episodes (key, pattern, incident, alertname, severity, namespace, own, labels, annotations,
       generator_url, flags, starts_at, ended_at, end_reason, received_at, last_seen, end_received_at)
     select key, pattern, incident, alertname, severity, namespace, own, labels, annotations,
       generator_url, flags, starts_at, ended_at, end_reason, received_at, last_seen, end_received_at
     from jsonb_to_recordset($1::jsonb) as r(key text, pattern text, incident text, alertname text, severity text,
       namespace text, own boolean, labels jsonb, annotations jsonb, generator_url text, flags text[],
       starts_at timestamptz, ended_at timestamptz, end_reason text, received_at timestamptz, last_seen timestamptz,
       end_received_at timestamptz)`,
    values: [JSON.stringify(episodes)],
  });
}

export interface EpisodeChange {
  readonly id: string;
  readonly pattern: string;
  readonly incident: string | null;
  readonly starts_at: Date;
  readonly ended_at: Date | null;
  readonly end_reason: string | null;
  readonly last_seen: Date;
  readonly end_received_at: Date | null;
}

/** Writes the changed times of known lives. */
export async function updateEpisodes(db: Queryable, changes: readonly EpisodeChange[]): Promise<void> {
  if (changes.length === 0) return;
  await db.query({
    name: 'update-episodes',
    text: `update episodes e set pattern = r.pattern, incident = r.incident, starts_at = r.starts_at, ended_at = r.ended_at,
       end_reason = r.end_reason, last_seen = r.last_seen, end_received_at = r.end_received_at
     from jsonb_to_recordset($1::jsonb) as r(id bigint, pattern text, incident text, starts_at timestamptz,
       ended_at timestamptz, end_reason text, last_seen timestamptz, end_received_at timestamptz)
     where e.id = r.id`,
    values: [JSON.stringify(changes)],
  });
}

export interface EpisodeSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly generator_url: string;
  readonly starts_at: Date;
  readonly ended_at: Date | null;
}

/** Some of an incident's lives, open and latest first. */
export async function sampleEpisodes(
  db: Queryable,
  incident: string,
  limit: number,
): Promise<EpisodeSample[]> {
  const { rows } = await db.query<EpisodeSample>(
    `select labels, annotations, generator_url, starts_at, ended_at from episodes
     where pattern = (select pattern from incidents where id = $1) and incident = $1
     order by (ended_at is null) desc, received_at desc, id desc limit $2`,
    [incident, limit],
  );
  return rows;
}

/** Patterns that have an open life not seen since `before`; the caller locks them before closing. */
export async function stalePatterns(
  db: Queryable,
  before: { alerts: Date; own: Date },
  limit: number,
): Promise<string[]> {
  const { rows } = await run(
    db.query<{ pattern: string }>(
      `select distinct pattern from episodes
       where ended_at is null and last_seen < case when own then $2::timestamptz else $1::timestamptz end
       limit $3`,
      [before.alerts, before.own, limit],
    ),
  );
  return rows.map((row) => row.pattern);
}

/** Closes the unseen lives of one locked pattern as `stale`; answers how many per incident. */
export async function closeStale(
  db: Queryable,
  pattern: string,
  before: { alerts: Date; own: Date },
  now: Date,
): Promise<Map<string, number>> {
  const { rows } = await db.query<{ incident: string; closed: string }>(
    `with closed as (
       update episodes set ended_at = greatest(last_seen, starts_at), end_reason = 'stale', end_received_at = $4
       where pattern = $1 and ended_at is null
         and last_seen < case when own then $3::timestamptz else $2::timestamptz end
       returning incident)
     select incident, count(*) as closed from closed where incident is not null group by incident`,
    [pattern, before.alerts, before.own, now],
  );
  return new Map(rows.map((row) => [row.incident, Number(row.closed)]));
}

/** Counts of the episodes first received in [from, to); `firing` as it stood at `to`. */
export type EpisodeCounts = z.infer<typeof episodeCountsSchema>;

/** Counts a span of received alerts by severity and type; alertgest's own issues are not received alerts. */
export async function countEpisodes(db: Queryable, from: Date, to: Date): Promise<EpisodeCounts> {
  const { rows } = await run(
    db.query<{
      alertname: string;
      severity: string;
      episodes: string;
      firing: string;
      patterns: string;
      issues: string;
    }>(
      `select e.alertname, e.severity, count(*) as episodes,
         count(distinct e.pattern) as patterns,
         count(distinct e.pattern) filter (where not p.heartbeat) as issues,
         count(*) filter (where e.ended_at is null or e.end_received_at >= $2) as firing
       from episodes e join patterns p using (pattern)
       where e.received_at >= $1 and e.received_at < $2 and not e.own
       group by e.alertname, e.severity order by count(*) desc, e.alertname, e.severity`,
      [from, to],
    ),
  );
  const groups = rows.map((row) => ({
    type: row.alertname,
    severity: row.severity,
    episodes: Number(row.episodes),
    firing: Number(row.firing),
    resolved: Number(row.episodes) - Number(row.firing),
    patterns: Number(row.patterns),
    issues: Number(row.issues),
  }));
  const total = (field: 'episodes' | 'firing' | 'resolved' | 'patterns' | 'issues'): number =>
    groups.reduce((sum, group) => sum + group[field], 0);
  const sumBy = (field: 'type' | 'severity'): EpisodeCounts['byType'] => {
    const sums = new Map<string, { episodes: number; firing: number; resolved: number }>();
    for (const group of groups) {
      const sum = sums.get(group[field]) ?? { episodes: 0, firing: 0, resolved: 0 };
      sum.episodes += group.episodes;
      sum.firing += group.firing;
      sum.resolved += group.resolved;
      sums.set(group[field], sum);
    }
    return Object.fromEntries(sums);
  };
  return {
    episodes: total('episodes'),
    firing: total('firing'),
    resolved: total('resolved'),
    patterns: total('patterns'),
    issues: total('issues'),
    bySeverity: sumBy('severity'),
    byType: sumBy('type'),
    byTypeAndSeverity: groups.map(({ type, severity, episodes, firing, resolved }) => ({
      type,
      severity,
      episodes,
      firing,
      resolved,
    })),
  };
}
