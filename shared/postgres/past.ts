/** What a pattern did in the time before one of its incidents opened, and what was told of it. */
import type { NoticeStatus } from './notices.ts';
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** More incidents than this within the time looked at are not read. */
const INCIDENTS_READ = 500;

/** An incident of the same pattern that opened earlier. */
export interface PastIncident {
  readonly opened_at: Date;
  readonly closed_at: Date | null;
  /** What became of the news that it began. */
  readonly status: NoticeStatus | null;
  /** The last message about it that was sent or is on its way, a summary's included; null when nobody was told. */
  readonly told_at: Date | null;
  /** Whether it ended only because an alert began anew: nobody knows when it was over. */
  readonly lost: boolean;
}

/** The incidents of the same pattern that opened up to `withinMs` before an incident, earliest first. */
export async function readPast(db: Queryable, incident: string, withinMs: number): Promise<PastIncident[]> {
  const { rows } = await run(
    db.query<PastIncident>(
      `select b.opened_at, b.closed_at, told.status, told.told_at,
         b.closed_at = i.opened_at and exists (
           select 1 from episodes e where e.pattern = b.pattern and e.received_at between b.opened_at and i.opened_at
             and e.incident = b.id and e.end_reason = 'lost-resolve') as lost
       from incidents i
       join incidents b on b.pattern = i.pattern and (b.opened_at, b.id) < (i.opened_at, i.id)
         and b.opened_at > i.opened_at - make_interval(secs => $2::float8 / 1000)
       cross join lateral (
         select max(n.status) filter (where n.kind = 'opened') as status,
           max(n.received_at) filter (where n.kind <> 'resolved' and n.decision is null
             and n.status in ('admitted', 'notified', 'digested')) as told_at
         from notices n where n.incident = b.id) told
       where i.id = $1 order by b.opened_at desc, b.id desc limit $3`,
      [incident, withinMs, INCIDENTS_READ],
    ),
  );
  return rows.toReversed();
}

/** When a person last decided about the pattern of an incident; notes aside. */
export async function readDecidedAt(db: Queryable, incident: string): Promise<Date | null> {
  const { rows } = await run(
    db.query<{ decided_at: Date | null }>(
      `select max(d.decided_at) as decided_at from decisions d join incidents i using (pattern)
       where i.id = $1 and d.kind <> 'note'`,
      [incident],
    ),
  );
  return rows[0]?.decided_at ?? null;
}
