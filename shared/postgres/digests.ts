/** Queries on `digests` once they are built: reading them, and building → built → sent, dead or kept. digest-claims.ts builds them. */
import { run, transaction } from './pool.ts';
import type { Pool, Queryable } from './pool.ts';

export type DigestStatus = 'building' | 'built' | 'sent' | 'dead' | 'kept';

export interface DigestRow {
  readonly id: string;
  readonly name: string;
  readonly kind: 'windows' | 'asked';
  readonly window_start: Date;
  readonly window_end: Date;
  readonly zone: string;
  readonly status: DigestStatus;
  readonly reason: string | null;
  readonly facts: unknown;
  readonly document: unknown;
  readonly formatted_output: string | null;
  readonly llm_model: string | null;
  readonly notes_kept: number | null;
  readonly notes_dropped: unknown;
  readonly built_at: Date;
  readonly planned_at: Date | null;
}

const COLUMNS = `id, name, kind, window_start, window_end, zone, status, reason, facts, document, formatted_output, llm_model,
  notes_kept, notes_dropped, built_at, planned_at`;

/** Built digests whose window ended before a time, latest first. */
export async function listDigests(
  db: Queryable,
  { before, limit }: { before?: Date | undefined; limit: number },
): Promise<DigestRow[]> {
  const { rows } = await run(
    db.query<DigestRow>(
      `select ${COLUMNS} from digests
       where built_at is not null and ($1::timestamptz is null or window_end < $1) order by window_end desc, id desc limit $2`,
      [before ?? null, limit],
    ),
  );
  return rows;
}

/** The latest built digest of one span, by its edges. */
export async function readDigest(db: Queryable, start: Date, end: Date): Promise<DigestRow | undefined> {
  const { rows } = await run(
    db.query<DigestRow>(
      `select ${COLUMNS} from digests where built_at is not null and window_start = $1 and window_end = $2 order by id desc limit 1`,
      [start, end],
    ),
  );
  return rows[0];
}

/** One built digest. */
export async function readDigestById(db: Queryable, id: string): Promise<DigestRow | undefined> {
  const { rows } = await run(
    db.query<DigestRow>(`select ${COLUMNS} from digests where built_at is not null and id = $1`, [id]),
  );
  return rows[0];
}

/** Digests that are built and not told yet, oldest first; `olderThanMs` leaves those alone that somebody is about to tell. */
export async function untoldDigests(db: Queryable, olderThanMs: number): Promise<DigestRow[]> {
  const { rows } = await run(
    db.query<DigestRow>(
      `select ${COLUMNS} from digests where status = 'built' and built_at < clock_timestamp() - make_interval(secs => $1::float8 / 1000)
       order by id limit 20`,
      [olderThanMs],
    ),
  );
  return rows;
}

/** Whether somebody began to build a digest and is gone. */
export async function hasAbandoned(db: Queryable): Promise<boolean> {
  const { rows } = await run(
    db.query<{ abandoned: boolean }>(
      `select exists (select 1 from digests where status = 'building' and lease_until < clock_timestamp()) as abandoned`,
    ),
  );
  return rows[0]?.abandoned === true;
}

/** Locks a digest for the rest of the transaction; answers whether its deliveries are still to be planned. */
export async function lockUnplanned(db: Queryable, id: string): Promise<boolean> {
  const { rows } = await db.query<{ unplanned: boolean }>(
    `select status = 'built' and planned_at is null as unplanned from digests where id = $1 for update`,
    [id],
  );
  return rows[0]?.unplanned === true;
}

/** Notes that the deliveries of a digest were written; they are written once. */
export async function markDigestPlanned(db: Queryable, id: string): Promise<void> {
  await db.query('update digests set planned_at = clock_timestamp() where id = $1', [id]);
}

/**
 * built → sent, dead or kept, with all that hangs on it: its windows, and the notices they held. Those are digested only
 * by a message that was sent; otherwise their batch is opened again and due at once, so that it is told by itself.
 */
export async function finishDigest(
  pool: Pool,
  id: string,
  status: 'sent' | 'dead' | 'kept',
  reason: string | null,
): Promise<boolean> {
  return transaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `update digests set status = $2, reason = $3, final_at = clock_timestamp() where id = $1 and status = 'built'`,
      [id, status, reason],
    );
    if (rowCount !== 1) return false;
    if (status === 'sent') {
      await client.query(
        `update capture_windows set status = 'digest_sent', digest_sent_at = alert_now()
         where status = 'completed' and window_start in (select window_start from digest_windows where digest = $1)`,
        [id],
      );
      await client.query(
        `update notices set status = 'digested', status_at = clock_timestamp()
         where status = 'held' and batch in (select b.id from batches b where b.digest = $1)`,
        [id],
      );
    } else
      await client.query(
        `update batches b set closed_at = null, due_at = alert_now()
         where b.digest = $1 and exists (select 1 from notices n where n.batch = b.id and n.status = 'held')`,
        [id],
      );
    return true;
  });
}

/** Deletes digests older than the retention, a few at a time, and sooner what a model was told; the windows stay as a record. */
export async function deleteOldDigests(
  db: Queryable,
  { days, promptDays }: { days: number; promptDays: number },
): Promise<void> {
  await run(
    db.query(
      `update digests set raw_prompt = null, raw_response = null
       where raw_prompt is not null and window_end < alert_now() - make_interval(days => $1)`,
      [promptDays],
    ),
  );
  await run(
    db.query(
      `with old as (
         select id from digests where final_at is not null and window_end < alert_now() - make_interval(days => $1) limit 100),
       told as (delete from deliveries where digest in (select id from old))
       delete from digests where id in (select id from old)`,
      [days],
    ),
  );
}

/** Alerts by hour and severity of a span, for a plot. */
export async function hourlyCounts(
  db: Queryable,
  from: Date,
  to: Date,
): Promise<Array<{ hour: Date; severity: string; opened: number }>> {
  const { rows } = await run(
    db.query<{ hour: Date; severity: string; opened: number }>(
      `select h.hour, p.severity, sum(h.opened)::int as opened from pattern_hours h join patterns p using (pattern)
       where h.hour >= date_trunc('hour', $1::timestamptz, 'UTC') and h.hour < $2 and not p.own and not p.heartbeat
       group by 1, 2 order by 1, 2`,
      [from, to],
    ),
  );
  return rows;
}
