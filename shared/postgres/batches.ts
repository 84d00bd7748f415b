/** Queries on `batches`: held notices that share one summary message. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

export type BatchKind = 'storm' | 'flap' | 'window';

export interface BatchJoin {
  readonly kind: BatchKind;
  /** What belongs together: alertname and severity of a storm, the pattern of a flap, the beginning of a window. */
  readonly key: string;
  readonly title: string;
  readonly incident: string;
  readonly dueAt: Date;
  /** The message is never put off beyond this. */
  readonly lastAt: Date;
  /** Whether each one that joins puts the message off (a flap waits for calm; a storm does not wait). */
  readonly putsOff: boolean;
}

/** Joins the open batch of that kind and key, or opens one, and locks it: a closed batch is never joined. Answers its id. */
export async function joinBatch(db: Queryable, join: BatchJoin): Promise<string> {
  const open = join.putsOff ? undefined : await lockOpenBatch(db, join);
  if (open !== undefined) return open;
  const { rows } = await db.query<{ id: string }>(
    `insert into batches as b (kind, key, title, incident, due_at, last_at) values ($1, $2, $3, $4, $5, $7)
     on conflict (kind, key) where closed_at is null do update set
       due_at = case when $6 then least(greatest(b.due_at, excluded.due_at), b.last_at) else b.due_at end,
       incident = case when $6 then excluded.incident else b.incident end
     returning id`,
    [join.kind, join.key, join.title, join.incident, join.dueAt, join.putsOff, join.lastAt],
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('joining a batch gave no row');
  return id;
}

/** A batch that nobody puts off is only kept from closing: those who join it at once do not wait for each other. */
async function lockOpenBatch(
  db: Queryable,
  { kind, key }: Pick<BatchJoin, 'kind' | 'key'>,
): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    'select id from batches where kind = $1 and key = $2 and closed_at is null for share',
    [kind, key],
  );
  return rows[0]?.id;
}

export interface DueBatch {
  readonly id: string;
  readonly incident: string;
}

/**
 * Closes batches whose time has come; nothing joins them after. The message of one is an open incident's while there is
 * any: what a pager opens for it has to be closed by that incident's end.
 */
export async function closeDueBatches(db: Queryable, limit: number): Promise<DueBatch[]> {
  const { rows } = await db.query<DueBatch>(
    `with due as (
       select id from batches where closed_at is null and due_at <= alert_now() order by due_at limit $1 for update skip locked)
     update batches b set closed_at = clock_timestamp(), incident = coalesce((
         select i.id from notices n join incidents i on i.id = n.incident
         where n.batch = b.id and n.status = 'held' and i.closed_at is null
         order by i.id <> b.incident, i.opened_at, i.id limit 1), b.incident)
     from due where b.id = due.id
     returning b.id, b.incident`,
    [limit],
  );
  return rows;
}

/** What a batch is about. */
export async function readBatch(
  db: Queryable,
  id: string,
): Promise<{ kind: BatchKind; title: string } | undefined> {
  const { rows } = await run(
    db.query<{ kind: BatchKind; title: string }>('select kind, title from batches where id = $1', [id]),
  );
  return rows[0];
}

/** One incident of a batch, as routes look at it. */
export interface BatchSubject {
  readonly alertname: string;
  readonly severity: string;
  readonly namespace: string | null;
  readonly cluster: string | null;
  readonly category: string | null;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a batch holds, one for each incident, with the labels of its latest alert. */
export async function batchSubjects(db: Queryable, batch: string, limit: number): Promise<BatchSubject[]> {
  const { rows } = await run(
    db.query<BatchSubject>(
      `select distinct on (n.incident) p.alertname, p.severity, p.namespace, p.cluster, n.classification ->> 'category' as category,
         coalesce(e.labels, '{}') as labels
       from notices n join patterns p on p.pattern = n.pattern
         left join lateral (select labels from episodes where pattern = n.pattern and incident = n.incident
           order by received_at desc, id desc limit 1) e on true
       where n.batch = $1 and n.kind <> 'due' order by n.incident, n.created_at desc limit $2`,
      [batch, limit],
    ),
  );
  return rows;
}
