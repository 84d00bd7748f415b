/** Queries on `patterns`: what makes alerts the same issue, and what is known of it. */
import type { Pattern } from '../pattern.ts';
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** An unchanged pattern's `last_seen` is written at most this often. */
const TOUCH = '1 minute';

export interface SeenPattern {
  readonly pattern: Pattern;
  readonly heartbeat: boolean;
  readonly own: boolean;
  readonly seenAt: Date;
}

/**
 * Stores new patterns and locks all of them until the transaction ends, in sorted order so that two writers never wait
 * for each other in a circle. (ON CONFLICT DO UPDATE locks a row even where its WHERE is false.)
 */
export async function lockPatterns(db: Queryable, seen: readonly SeenPattern[]): Promise<void> {
  const rows = seen
    .toSorted((a, b) => (a.pattern.pattern < b.pattern.pattern ? -1 : 1))
    .map(({ pattern, heartbeat, own, seenAt }) => ({ ...pattern, heartbeat, own, seen_at: seenAt }));
  await db.query({
    name: 'lock-patterns',
    text: `insert into patterns as p
       (pattern, alertname, severity, namespace, cluster, title, identity, kept, dropped, heartbeat, own, first_seen, last_seen)
     select pattern, alertname, severity, namespace, cluster, title, identity, kept, dropped, heartbeat, own, seen_at, seen_at
     from jsonb_to_recordset($1::jsonb) as r(pattern text, alertname text, severity text, namespace text, cluster text,
       title text, identity jsonb, kept jsonb, dropped jsonb, heartbeat boolean, own boolean, seen_at timestamptz)
     on conflict (pattern) do update set last_seen = excluded.last_seen
       where p.last_seen < excluded.last_seen - $2::interval`,
    values: [JSON.stringify(rows), TOUCH],
  });
}

/** Locks known patterns until the transaction ends. */
export async function lockKnownPatterns(db: Queryable, patterns: readonly string[]): Promise<void> {
  await db.query('select 1 from patterns where pattern = any($1::text[]) order by pattern for update', [
    patterns,
  ]);
}

/** An issue as people see it: the pattern with its history and standing. */
export interface IssueRow {
  readonly pattern: string;
  readonly alertname: string;
  readonly severity: string;
  readonly namespace: string | null;
  readonly cluster: string | null;
  readonly title: string;
  readonly identity: Readonly<Record<string, string>>;
  readonly first_seen: Date;
  readonly last_seen: Date;
  readonly generation: string;
  readonly classification: { readonly category?: string } | null;
  readonly episodes: string;
  readonly open_episodes: string;
  readonly incidents: string;
  /** `last_seen` in microseconds; a Date would lose three digits of it. */
  readonly last_seen_us: string;
}

/** Issues, latest first; heartbeats are none. `pattern` narrows to one, `after` begins behind an issue of the page before. */
export async function listIssues(
  db: Queryable,
  filter: {
    pattern?: string | undefined;
    after?: { readonly at: string; readonly pattern: string } | undefined;
    limit: number;
    offset: number;
  },
): Promise<IssueRow[]> {
  const { rows } = await run(
    db.query<IssueRow>(
      `select p.pattern, p.alertname, p.severity, p.namespace, p.cluster, p.title, p.identity, p.first_seen, p.last_seen,
         p.generation, p.classification, (extract(epoch from p.last_seen) * 1000000)::bigint as last_seen_us,
         (select count(*) from episodes e where e.pattern = p.pattern) as episodes,
         coalesce((select i.open_episodes from incidents i where i.pattern = p.pattern and i.closed_at is null), 0) as open_episodes,
         (select count(*) from incidents i where i.pattern = p.pattern) as incidents
       from patterns p
       where not p.heartbeat and ($1::text is null or p.pattern = $1)
         and ($4::bigint is null or (extract(epoch from p.last_seen) * 1000000)::bigint < $4
           or ((extract(epoch from p.last_seen) * 1000000)::bigint = $4 and p.pattern > $5))
       order by p.last_seen desc, p.pattern
       limit $2 offset $3`,
      [
        filter.pattern ?? null,
        filter.limit,
        filter.offset,
        filter.after?.at ?? null,
        filter.after?.pattern ?? null,
      ],
    ),
  );
  return rows;
}

/** How many issues there are. */
export async function countIssues(db: Queryable): Promise<number> {
  const { rows } = await run(
    db.query<{ n: string }>('select count(*) as n from patterns where not heartbeat'),
  );
  return Number(rows[0]?.n ?? 0);
}

/** Remembers how the pattern was classified; an unchanged answer writes nothing. */
export async function storeClassification(
  db: Queryable,
  pattern: string,
  classification: object,
): Promise<void> {
  await db.query(
    `update patterns set classification = $2::jsonb
     where pattern = $1 and classification is distinct from $2::jsonb`,
    [pattern, JSON.stringify(classification)],
  );
}

/** What counted for a pattern, label by label; empty when the pattern is not known. */
export async function readIdentity(
  db: Queryable,
  pattern: string,
): Promise<Readonly<Record<string, string>>> {
  const { rows } = await run(
    db.query<{ identity: Record<string, string> }>('select identity from patterns where pattern = $1', [
      pattern,
    ]),
  );
  return rows[0]?.identity ?? {};
}

/** Age in milliseconds of the heartbeat unseen for longest (within the last week), or null when there is none. */
export async function oldestHeartbeat(db: Queryable): Promise<number | null> {
  const { rows } = await run(
    db.query<{ age_ms: number | null }>(
      `select (extract(epoch from alert_now() - min(last_seen)) * 1000)::float8 as age_ms from patterns
       where heartbeat and last_seen > alert_now() - interval '7 days'`,
    ),
  );
  return rows[0]?.age_ms ?? null;
}
