/** Queries on `notices`: one piece of news about one incident; state machine, outbox and inbox in one. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';
import type { DueWhy } from './incidents.ts';

export type NoticeKind = 'opened' | 'grew' | 'resolved' | 'due';
export type NoticeStatus =
  'received' | 'classified' | 'admitted' | 'held' | 'suppressed' | 'notified' | 'digested' | 'dead';

/** How far a status is on the way; steps only go forward. */
export const STAGE: Readonly<Record<NoticeStatus, number>> = {
  received: 0,
  classified: 1,
  admitted: 2,
  held: 2,
  suppressed: 3,
  notified: 3,
  digested: 3,
  dead: 3,
};

export interface NoticeInsert {
  readonly id: string;
  readonly incident: string;
  readonly pattern: string;
  readonly kind: NoticeKind;
  readonly why: DueWhy | null;
  readonly batch: string | null;
  readonly open_episodes: number;
  readonly traceparent: string;
  readonly received_at: Date;
  /** The decision a `due` notice tells of, as the pattern's generation. */
  readonly decision?: number;
}

/** Stores new pieces of news. The same news twice is a bug of the caller and fails on the key. */
export async function insertNotices(db: Queryable, notices: readonly NoticeInsert[]): Promise<void> {
  if (notices.length === 0) return;
  await db.query({
    name: 'insert-notices',
    text: `insert into notices (id, incident, pattern, kind, status, why, batch, open_episodes, traceparent, received_at, decision)
     select id, incident, pattern, kind, 'received', why, batch, open_episodes, traceparent, received_at, decision
     from jsonb_to_recordset($1::jsonb) as r(id text, incident text, pattern text, kind text, why text, batch bigint,
       open_episodes integer, traceparent text, received_at timestamptz, decision bigint)`,
    values: [JSON.stringify(notices)],
  });
}

/** A notice with what its incident and pattern say, as every function reads it. */
export interface NoticeRow {
  readonly id: string;
  readonly kind: NoticeKind;
  readonly status: NoticeStatus;
  readonly reason: string | null;
  readonly why: string | null;
  readonly batch: string | null;
  /** Generation of the decision it tells of; null for every other notice. */
  readonly decision: string | null;
  readonly quiet: boolean;
  readonly missing: readonly string[];
  readonly open_episodes: number;
  readonly classification: Readonly<Record<string, unknown>> | null;
  readonly traceparent: string;
  readonly received_at: Date;
  readonly created_at: Date;
  readonly planned_at: Date | null;
  readonly incident: string;
  readonly opened_at: Date;
  readonly closed_at: Date | null;
  readonly open_now: number;
  readonly episodes: number;
  readonly dues: number;
  readonly pattern: string;
  readonly alertname: string;
  readonly severity: 'critical' | 'warning' | 'info' | 'none' | 'unknown';
  readonly namespace: string | null;
  readonly cluster: string | null;
  readonly title: string;
  readonly heartbeat: boolean;
  readonly own: boolean;
  readonly generation: string;
}

/** The columns of {@link NoticeRow}, of notices n, incidents i and patterns p. */
export const NOTICE_COLUMNS = `n.id, n.kind, n.status, n.reason, n.why, n.batch, n.decision, n.quiet, n.missing, n.open_episodes, n.classification,
  n.traceparent, n.received_at, n.created_at, n.planned_at, n.incident, i.opened_at, i.closed_at,
  i.open_episodes as open_now, i.episodes, i.dues, p.pattern, p.alertname, p.severity, p.namespace, p.cluster, p.title,
  p.heartbeat, p.own, p.generation`;

/** Reads one notice; undefined when there is none of that id. */
export async function readNotice(db: Queryable, id: string): Promise<NoticeRow | undefined> {
  const { rows } = await run(
    db.query<NoticeRow>(
      `select ${NOTICE_COLUMNS} from notices n join incidents i on i.id = n.incident join patterns p on p.pattern = n.pattern
       where n.id = $1`,
      [id],
    ),
  );
  return rows[0];
}

/** Locks one notice for the rest of the transaction. */
export async function lockNotice(db: Queryable, id: string): Promise<void> {
  await db.query('select 1 from notices where id = $1 for update', [id]);
}

/** received → classified; false when another run was faster. */
export async function markClassified(
  db: Queryable,
  id: string,
  classification: object | null,
  missing: readonly string[],
): Promise<boolean> {
  const { rowCount } = await run(
    db.query(
      `update notices set status = 'classified', classification = $2::jsonb, missing = missing || $3::text[],
         status_at = clock_timestamp(), attempts = 0
       where id = $1 and status = 'received'`,
      [id, classification === null ? null : JSON.stringify(classification), missing],
    ),
  );
  return rowCount === 1;
}

export interface Outcome {
  readonly status: 'admitted' | 'held' | 'suppressed';
  readonly reason: string | null;
  readonly why: string;
  readonly batch: string | null;
  readonly quiet: boolean;
  readonly missing: readonly string[];
}

/** classified → admitted, held or suppressed; false when another run was faster. */
export async function markDecided(db: Queryable, id: string, outcome: Outcome): Promise<boolean> {
  const { rowCount } = await db.query(
    `update notices set status = $2, reason = $3, why = $4, batch = coalesce($5, batch), quiet = $6,
       missing = missing || $7::text[], status_at = clock_timestamp(), attempts = 0
     where id = $1 and status = 'classified'`,
    [id, outcome.status, outcome.reason, outcome.why, outcome.batch, outcome.quiet, outcome.missing],
  );
  return rowCount === 1;
}

/** admitted → notified, dead or suppressed(no-route); false when another run was faster, or planned what nobody was to hear. */
export async function markFinal(
  db: Queryable,
  id: string,
  status: 'notified' | 'dead' | 'suppressed',
  reason: string | null,
  why: string | null,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update notices set status = $2, reason = $3, why = coalesce($4, why), status_at = clock_timestamp()
     where id = $1 and status = 'admitted' and ($2 <> 'suppressed' or planned_at is null)`,
    [id, status, reason, why],
  );
  return rowCount === 1;
}

/** Notes that the deliveries of a notice were written; they are written once. `notes` is what its message says of that. */
export async function markPlanned(db: Queryable, id: string, notes: readonly string[]): Promise<void> {
  await db.query(
    'update notices set planned_at = clock_timestamp(), missing = missing || $2::text[] where id = $1',
    [id, notes],
  );
}

/** The notices a batch holds become final with its message: digested when it was sent, else with the message's reason. */
export async function finishBatch(
  db: Queryable,
  batch: string,
  status: 'digested' | 'suppressed' | 'dead',
  reason: string | null,
  why: string | null,
): Promise<number> {
  const { rowCount } = await db.query(
    `update notices set status = $2, reason = $3, why = coalesce($4, why), status_at = clock_timestamp()
     where batch = $1 and status = 'held'`,
    [batch, status, reason, why],
  );
  return rowCount ?? 0;
}

/** What an incident's other notices say about one of them. */
export interface Told {
  /** Status of the incident's first notice. */
  readonly openedStatus: NoticeStatus | null;
  /** The batch that holds the first notice, if one does and its message did not go out under this incident's key. */
  readonly openedBatch: string | null;
  /** Whether anybody was told of the incident or is about to be (an admitted, unsent notice counts). */
  readonly told: boolean;
}

/** Reads what was told of an incident; call it with the incident locked. */
export async function readTold(db: Queryable, incident: string, except: string): Promise<Told> {
  const { rows } = await run(
    db.query<{ opened_status: NoticeStatus | null; opened_batch: string | null; told: boolean }>(
      `select max(status) filter (where kind = 'opened') as opened_status,
         case when not bool_or(kind = 'due' and batch is not null and status in ('admitted', 'notified'))
           then max(batch) filter (where kind = 'opened') end as opened_batch,
         coalesce(bool_or(kind <> 'resolved' and decision is null and status in ('admitted', 'notified', 'digested') and id <> $2), false) as told
       from notices where incident = $1`,
      [incident, except],
    ),
  );
  const row = rows[0];
  return {
    openedStatus: row?.opened_status ?? null,
    openedBatch: row?.opened_batch ?? null,
    told: row?.told ?? false,
  };
}

/** The incident's end that waits, classified, for its beginning to be final. */
export async function waitingResolve(db: Queryable, incident: string): Promise<string | undefined> {
  const { rows } = await run(
    db.query<{ id: string }>(
      `select id from notices where incident = $1 and kind = 'resolved' and status = 'classified'`,
      [incident],
    ),
  );
  return rows[0]?.id;
}

/** Titles of what a batch holds, most frequent first. */
export async function batchLines(
  db: Queryable,
  batch: string,
  limit: number,
): Promise<{ count: number; lines: string[] }> {
  const { rows } = await run(
    db.query<{ title: string; n: string; total: string }>(
      `select p.title, count(*) as n, sum(count(*)) over () as total
       from notices n join patterns p on p.pattern = n.pattern
       where n.batch = $1 and n.kind <> 'due' group by p.title order by count(*) desc, p.title limit $2`,
      [batch, limit],
    ),
  );
  return {
    count: Number(rows[0]?.total ?? 0),
    lines: rows.map((row) => (row.n === '1' ? row.title : `${row.title} (${row.n}×)`)),
  };
}

/** A notice that has not moved for longer than its step should take. */
export interface StuckNotice {
  readonly id: string;
  readonly status: 'received' | 'classified' | 'admitted';
  readonly kind: NoticeKind;
  readonly heartbeat: boolean;
  readonly attempts: number;
}

/**
 * Takes notices without progress and counts the try. A `resolved` that waits for its `opened` is not stuck.
 * Waits are on the database's clock.
 */
export async function takeStuck(
  db: Queryable,
  waits: { receivedMs: number; classifiedMs: number; admittedMs: number },
  limit: number,
): Promise<StuckNotice[]> {
  const { rows } = await run(
    db.query<StuckNotice>(
      `with stuck as (
         select n.id from notices n
         where n.status in ('received', 'classified', 'admitted')
           and n.status_at < clock_timestamp() - make_interval(secs => least($1::float8, $2::float8, $3::float8) / 1000)
           and n.status_at < clock_timestamp() - make_interval(secs => 0.001 * case n.status
             when 'received' then $1::float8 when 'classified' then $2::float8 else $3::float8 end)
           and not (n.status = 'admitted' and n.planned_at is not null and exists (
             select 1 from deliveries d where d.notice = n.id and d.status in ('planned', 'sending')))
           and not (n.kind = 'resolved' and n.status = 'classified' and exists (
             select 1 from notices o where o.incident = n.incident and o.kind = 'opened' and o.status in ('received', 'classified', 'admitted')))
         order by n.status_at limit $4 for update skip locked)
       update notices n set attempts = n.attempts + 1 from stuck where n.id = stuck.id
       returning n.id, n.status, n.kind, n.attempts,
         (select heartbeat from patterns p where p.pattern = n.pattern) as heartbeat`,
      [waits.receivedMs, waits.classifiedMs, waits.admittedMs, limit],
    ),
  );
  return rows;
}
