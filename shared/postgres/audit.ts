/** The proof, by SQL, that everything accepted became final, was counted once, and was told where the database says so. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** What keeps "everything answered 2xx reaches a final state" from being true right now. */
export interface Audit {
  /** Notices older than five minutes that are not final and wait for nobody. */
  readonly unfinished: number;
  /** Notices that could not be told to anyone in the last day. */
  readonly dead: number;
  /** Notices held by a batch whose message is already final. */
  readonly forgotten: number;
  /** Open incidents whose count differs from their open episodes. */
  readonly miscounted: number;
  /** Notices called notified without a sent delivery, or deliveries sent for a notice that says otherwise. */
  readonly unproved: number;
}

/** Audits the pipeline by SQL. */
export async function audit(db: Queryable): Promise<Audit> {
  const { rows } = await run(
    db.query<Record<keyof Audit, string>>(
      `select
         (select count(*) from notices n where status in ('received', 'classified', 'admitted')
            and status_at < clock_timestamp() - interval '5 minutes'
            and not exists (select 1 from deliveries d where d.notice = n.id and d.status in ('planned', 'sending'))
            and not (n.kind = 'resolved' and n.status = 'classified' and exists (
              select 1 from notices o where o.incident = n.incident and o.kind = 'opened' and o.status in ('received', 'classified', 'admitted')))
         ) as unfinished,
         (select count(*) from notices where status = 'dead' and status_at > clock_timestamp() - interval '1 day') as dead,
         (select count(*) from notices n join batches b on b.id = n.batch where n.status = 'held' and b.closed_at is not null
            and (exists (select 1 from notices s where s.batch = b.id and s.kind = 'due' and s.status in ('notified', 'dead', 'suppressed'))
              or exists (select 1 from digests d where d.id = b.digest and d.status = 'sent'))) as forgotten,
         (select count(*) from incidents i where closed_at is null and open_episodes <>
            (select count(*) from episodes e where e.pattern = i.pattern and e.incident = i.id and e.ended_at is null)) as miscounted,
         (select count(*) from notices n where (status = 'notified') <>
            exists (select 1 from deliveries d where d.notice = n.id and d.status = 'sent') and status in ('notified', 'dead', 'suppressed')) as unproved`,
    ),
  );
  const row = rows[0];
  const count = (name: keyof Audit): number => Number(row?.[name] ?? 0);
  return {
    unfinished: count('unfinished'),
    dead: count('dead'),
    forgotten: count('forgotten'),
    miscounted: count('miscounted'),
    unproved: count('unproved'),
  };
}
