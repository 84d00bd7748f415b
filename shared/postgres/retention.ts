/** Deletes what is older than the retention, in small batches: never open episodes, unfinished notices or decisions. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** Most rows of one table deleted by one sweep; keeps every lock short. */
const BATCH = 1_000;

/** Deletes one batch of expired rows; answers how many rows went. */
export async function deleteExpired(db: Queryable, days: number): Promise<number> {
  // In a sub-query the time is asked for once and the index is used; alert_now() itself would be asked for every row.
  const statements = [
    // A notice goes with its deliveries: without them it would look unproved.
    `with old as (
       select n.id from notices n join incidents i on i.id = n.incident
       where n.status in ('suppressed', 'notified', 'digested', 'dead')
         and i.closed_at < (select alert_now() - make_interval(days => $1))
         and n.received_at < (select alert_now() - make_interval(days => $1)) limit $2),
     told as (delete from deliveries where notice in (select id from old))
     delete from notices where id in (select id from old)`,
    `delete from episodes where id in (
       select id from episodes where ended_at is not null and received_at < (select alert_now() - make_interval(days => $1))
         and end_received_at < (select alert_now() - make_interval(days => $1)) order by received_at limit $2)`,
    `delete from escalations where id in (
       select e.id from escalations e join incidents i on i.id = e.incident
       where i.closed_at < (select alert_now() - make_interval(days => $1)) limit $2)`,
    // An incident goes when nothing tells of it any more; the hours it is counted in stay.
    `delete from batches where id in (
       select b.id from batches b where b.closed_at < (select clock_timestamp() - make_interval(days => $1))
         and not exists (select 1 from notices n where n.batch = b.id) limit $2)`,
    `delete from incidents where id in (
       select i.id from incidents i where i.closed_at < (select alert_now() - make_interval(days => $1))
         and not exists (select 1 from notices n where n.incident = i.id)
         and not exists (select 1 from batches b where b.incident = i.id)
       order by i.closed_at limit $2)`,
    // The explanation stays, the raw texts behind it go.
    `update explanations set prompt = null, response = null where (pattern, prompt_version, model_digest) in (
       select pattern, prompt_version, model_digest from explanations
       where prompt is not null and created_at < (select clock_timestamp() - make_interval(days => $1)) limit $2)`,
    `delete from dead_letters where id in (
       select id from dead_letters where recorded_at < (select clock_timestamp() - make_interval(days => $1)) limit $2)`,
  ];
  let deleted = 0;
  for (const statement of statements) {
    const { rowCount } = await run(db.query(statement, [days, BATCH]));
    deleted += rowCount ?? 0;
  }
  return deleted;
}
