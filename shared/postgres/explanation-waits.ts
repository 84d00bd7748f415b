/** Queries on `deliveries` that wait for an explanation, and on sent ones that are edited to carry one. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** Messages older than this are not edited any more: nobody looks at them. */
const EDITED_WITHIN = '1 day';

/**
 * Puts the planned deliveries of a notice off until its pattern's explanation may be waited for. Call it in the
 * transaction that plans them: the queue's row stays locked, so whoever explains the pattern meanwhile finds them.
 */
export async function waitForExplanation(db: Queryable, notice: string, pattern: string): Promise<void> {
  const { rows } = await db.query<{ wait_until: Date }>(
    `select wait_until from explanation_queue
     where pattern = $1 and released_at is null and wait_until > clock_timestamp() for share`,
    [pattern],
  );
  const until = rows[0]?.wait_until;
  if (until === undefined) return;
  await db.query(
    `update deliveries set waits = true, next_attempt_at = $2::timestamptz where notice = $1 and status = 'planned'`,
    [notice, until],
  );
}

/** Lets the waiting deliveries of a pattern go; answers their notices. */
export async function releaseWaiting(db: Queryable, pattern: string): Promise<string[]> {
  const { rows } = await run(
    db.query<{ notice: string }>(
      `update deliveries d set waits = false, next_attempt_at = least(next_attempt_at, clock_timestamp())
       from notices n where n.id = d.notice and n.pattern = $1 and n.status = 'admitted' and d.waits and d.status = 'planned'
       returning d.notice`,
      [pattern],
    ),
  );
  return [...new Set(rows.map(({ notice }) => notice))];
}

/** A message that was sent without the explanation that is known now. */
export interface Editable {
  readonly id: string;
  readonly notice: string;
  readonly channel: string;
  readonly provider_id: string;
  readonly quiet: boolean;
  readonly instead_of: string | null;
}

/** Claims the sent messages of a pattern's open incident on some channels to be edited; each is claimed once. */
export async function claimEdits(
  db: Queryable,
  pattern: string,
  channels: readonly string[],
): Promise<Editable[]> {
  const { rows } = await run(
    db.query<Editable>(
      `update deliveries d set edited_at = clock_timestamp()
       from notices n join incidents i on i.id = n.incident
         join lateral (select created_at from explanations e where e.pattern = n.pattern and e.content is not null
           order by created_at desc limit 1) e on true
       where n.id = d.notice and n.pattern = $1 and n.kind <> 'resolved' and n.batch is null and n.decision is null
         and i.pattern = $1 and i.closed_at is null and d.status = 'sent' and d.provider_id is not null and d.carrier is null
         and d.channel = any($2::text[]) and d.edited_at is null
         -- Messages are written after the claim: one claimed later has the explanation already.
         and d.attempted_at < e.created_at and d.sent_at > clock_timestamp() - $3::interval
         -- A summary's message is about others too.
         and not exists (select 1 from deliveries c where c.carrier = d.id)
         -- A channel's later message about the incident took the place of earlier ones.
         and not exists (select 1 from deliveries l join notices m on m.id = l.notice
           where m.incident = n.incident and l.channel = d.channel and l.status = 'sent' and l.sent_at > d.sent_at)
       returning d.id, d.notice, d.channel, d.provider_id, d.quiet, d.instead_of`,
      [pattern, channels, EDITED_WITHIN],
    ),
  );
  return rows;
}
