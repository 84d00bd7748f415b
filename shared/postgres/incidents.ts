/** Queries on `incidents`: a pattern's time from its first open episode to none. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** Why time makes an open incident news; `decided` is what a person made news: their decision, open incident or not. */
export type DueWhy =
  | 'reminder'
  | 'snooze over'
  | 'ignore over'
  | 'digest over'
  | 'decision revoked'
  | 'decided'
  | 'longer than usual'
  | 'unlike usual'
  | `not acknowledged for ${string}`;

export interface OpenIncident {
  readonly id: string;
  readonly pattern: string;
  readonly open_episodes: number;
  readonly episodes: number;
  readonly grown_to: number;
}

/** The open incidents of some patterns; the caller holds the patterns' locks. */
export async function openIncidents(db: Queryable, patterns: readonly string[]): Promise<OpenIncident[]> {
  const { rows } = await db.query<OpenIncident>({
    name: 'open-incidents',
    text: `select id, pattern, open_episodes, episodes, grown_to from incidents
     where closed_at is null and pattern = any($1::text[])`,
    values: [patterns],
  });
  return rows;
}

export interface IncidentWrite {
  readonly id: string;
  readonly pattern: string;
  readonly opened_at: Date;
  readonly closed_at: Date | null;
  readonly open_episodes: number;
  readonly episodes: number;
  readonly grown_to: number;
}

/** Stores new incidents. Those that open and close in one webhook come first, so that at most one stays open. */
export async function insertIncidents(db: Queryable, incidents: readonly IncidentWrite[]): Promise<void> {
  if (incidents.length === 0) return;
  await db.query({
    name: 'insert-incidents',
    text: `insert into incidents (id, pattern, opened_at, closed_at, open_episodes, episodes, grown_to)
     select id, pattern, opened_at, closed_at, open_episodes, episodes, grown_to
     from jsonb_to_recordset($1::jsonb) as r(id text, pattern text, opened_at timestamptz, closed_at timestamptz,
       open_episodes integer, episodes integer, grown_to integer)`,
    values: [JSON.stringify(incidents)],
  });
}

/** Writes the changed counts of known incidents. */
export async function updateIncidents(
  db: Queryable,
  changes: ReadonlyArray<Omit<IncidentWrite, 'opened_at' | 'pattern'>>,
): Promise<void> {
  if (changes.length === 0) return;
  await db.query({
    name: 'update-incidents',
    text: `update incidents i set closed_at = r.closed_at, open_episodes = r.open_episodes, episodes = r.episodes, grown_to = r.grown_to
     from jsonb_to_recordset($1::jsonb) as r(id text, closed_at timestamptz, open_episodes integer, episodes integer, grown_to integer)
     where i.id = r.id`,
    values: [JSON.stringify(changes)],
  });
}

/** Takes stale episodes off an incident; answers whether that closed it. The caller holds the pattern's lock. */
export async function removeEpisodes(
  db: Queryable,
  incident: string,
  closed: number,
  now: Date,
): Promise<boolean> {
  const { rows } = await db.query<{ open_episodes: number }>(
    `update incidents set open_episodes = open_episodes - $2,
       closed_at = case when open_episodes = $2 then $3::timestamptz end
     where id = $1 returning open_episodes`,
    [incident, closed, now],
  );
  return rows[0]?.open_episodes === 0;
}

/** Locks the incident of a notice; decisions on one incident happen one after the other. False when the notice is unknown. */
export async function lockIncidentOf(db: Queryable, notice: string): Promise<boolean> {
  const { rowCount } = await db.query(
    'select 1 from incidents where id = (select incident from notices where id = $1) for update',
    [notice],
  );
  return rowCount === 1;
}

/** Makes time news: at `at` the sweep turns the incident into a `due` notice. */
export async function setDue(db: Queryable, incident: string, due: { at: Date; why: DueWhy }): Promise<void> {
  await db.query('update incidents set due_at = $2, due_why = $3 where id = $1', [incident, due.at, due.why]);
}

/** Forgets why an incident would become news by time, unless a person just made it news. */
export async function clearDue(db: Queryable, incident: string): Promise<void> {
  await db.query(
    `update incidents set due_at = null, due_why = null where id = $1 and due_why is distinct from 'decision revoked'`,
    [incident],
  );
}

/** Makes the open incident of a pattern news now (a decision was revoked). */
export async function setDueNow(db: Queryable, pattern: string, why: DueWhy): Promise<void> {
  await db.query(
    `update incidents set due_at = alert_now(), due_why = $2 where pattern = $1 and closed_at is null`,
    [pattern, why],
  );
}

/** Makes the open incident of a pattern news at a time (a decision ends then). */
export async function setDueAt(
  db: Queryable,
  pattern: string,
  due: { at: Date; why: DueWhy },
): Promise<void> {
  await db.query('update incidents set due_at = $2, due_why = $3 where pattern = $1 and closed_at is null', [
    pattern,
    due.at,
    due.why,
  ]);
}

/** The pattern's incident that opened last; undefined when none is kept. */
export async function latestIncident(
  db: Queryable,
  pattern: string,
): Promise<{ readonly id: string; readonly open_episodes: number } | undefined> {
  const { rows } = await db.query<{ id: string; open_episodes: number }>(
    'select id, open_episodes from incidents where pattern = $1 order by opened_at desc, id desc limit 1',
    [pattern],
  );
  return rows[0];
}

export interface DueIncident {
  readonly id: string;
  readonly pattern: string;
  readonly due_why: DueWhy;
  readonly dues: number;
  readonly open_episodes: number;
  readonly closed_at: Date | null;
}

/** Takes incidents whose time has come, locked and counted up; skips those another sweep holds. */
export async function takeDue(db: Queryable, limit: number): Promise<DueIncident[]> {
  const { rows } = await db.query<DueIncident>(
    `with due as (
       select id, due_why from incidents where due_at <= alert_now() order by due_at limit $1 for update skip locked)
     update incidents i set due_at = null, due_why = null, dues = dues + 1
     from due where i.id = due.id
     returning i.id, i.pattern, due.due_why, i.dues, i.open_episodes, i.closed_at`,
    [limit],
  );
  return rows;
}

/** Counts an incident's next `due` notice up, for one that a closed batch asks for. */
export async function countDue(db: Queryable, incident: string): Promise<DueIncident | undefined> {
  const { rows } = await db.query<DueIncident>(
    `update incidents set dues = dues + 1 where id = $1
     returning id, pattern, due_why, dues, open_episodes, closed_at`,
    [incident],
  );
  return rows[0];
}

/**
 * The most incidents at least as loud that opened within a minute of the storm window up to this one, itself included.
 * By opening time, so that the answer does not depend on the order in which notices are decided.
 */
export async function rankIncident(
  db: Queryable,
  incident: string,
  limits: { louder: readonly string[]; stormWindowMs: number },
): Promise<number> {
  const { rows } = await run(
    db.query<{ rank: number }>(
      `select (select coalesce(max(opened.within_a_minute), 0) from (
            select s.opened_at, count(*) over (order by s.opened_at range interval '1 minute' preceding) as within_a_minute
            from incidents s join patterns sp using (pattern)
            where s.opened_at > i.opened_at - make_interval(secs => $3::float8 / 1000) - interval '1 minute'
              and (s.opened_at, s.id) <= (i.opened_at, i.id)
              and sp.severity = any($2::text[]) and not sp.heartbeat) as opened
          where opened.opened_at >= i.opened_at - make_interval(secs => $3::float8 / 1000))::int as rank
       from incidents i where i.id = $1`,
      [incident, limits.louder, limits.stormWindowMs],
    ),
  );
  return rows[0]?.rank ?? 0;
}
