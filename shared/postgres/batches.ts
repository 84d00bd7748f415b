/** Queries on `batches`: held notices that share one summary message. */
import type { Queryable } from './pool.ts';

/** How many slots ahead a batch is looked for when the one of now is already closed. */
const SLOTS_AHEAD = 3;

/**
 * Finds or opens the batch of (alertname, severity) for the slot of `openedAt` and locks it; a closed one means the next.
 * Answers the batch's id.
 */
export async function joinStormBatch(
  db: Queryable,
  what: { alertname: string; severity: string; incident: string; openedAt: Date; slotMs: number },
): Promise<string> {
  const slot = Math.floor(what.openedAt.getTime() / what.slotMs);
  for (let ahead = 0; ahead <= SLOTS_AHEAD; ahead++) {
    const dueAt = new Date((slot + ahead + 1) * what.slotMs);
    const id = `storm:${what.alertname}:${what.severity}:${dueAt.toISOString()}`;
    await db.query(
      `insert into batches (id, kind, title, incident, due_at) values ($1, 'storm', $2, $3, $4) on conflict (id) do nothing`,
      [id, `${what.alertname} (${what.severity})`, what.incident, dueAt],
    );
    const { rows } = await db.query<{ closed_at: Date | null }>(
      'select closed_at from batches where id = $1 for update',
      [id],
    );
    if (rows[0]?.closed_at === null) return id;
  }
  throw new Error('no open batch within the next slots');
}

export interface DueBatch {
  readonly id: string;
  readonly incident: string;
}

/** Closes batches whose time has come; nothing joins them after. */
export async function closeDueBatches(db: Queryable, limit: number): Promise<DueBatch[]> {
  const { rows } = await db.query<DueBatch>(
    `with due as (
       select id from batches where closed_at is null and due_at <= alert_now() order by due_at limit $1 for update skip locked)
     update batches b set closed_at = clock_timestamp() from due where b.id = due.id
     returning b.id, b.incident`,
    [limit],
  );
  return rows;
}

/** The title of a batch. */
export async function readBatchTitle(db: Queryable, id: string): Promise<string | undefined> {
  const { rows } = await db.query<{ title: string }>('select title from batches where id = $1', [id]);
  return rows[0]?.title;
}
