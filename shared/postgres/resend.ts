/** Sends a failed delivery once more because a person asked for it. */
import { readNotice } from './notices.ts';
import type { NoticeRow } from './notices.ts';
import { transaction } from './pool.ts';
import type { Pool } from './pool.ts';

/**
 * Plans a dead or waiting delivery for now. This is the one step backwards of a notice: a final one is admitted again, and
 * what its batch held waits again, so that notify works the delivery and makes them final with what really happened.
 * Undefined when the delivery is not one that can be sent again (unknown, sent, or being sent).
 */
export async function resendDelivery(pool: Pool, id: string): Promise<NoticeRow | undefined> {
  return transaction(pool, async (client) => {
    const { rows } = await client.query<{ notice: string; batch: string | null }>(
      `select n.id as notice, case when n.kind = 'due' then n.batch end as batch
       from deliveries d join notices n on n.id = d.notice where d.id = $1::bigint for update of n`,
      [id],
    );
    const found = rows[0];
    if (found === undefined) return undefined;
    const { rowCount } = await client.query(
      `update deliveries set status = 'planned', next_attempt_at = clock_timestamp(), lease_until = null, carrier = null
       where id = $1::bigint and status in ('dead', 'planned')`,
      [id],
    );
    if (rowCount !== 1) return undefined;
    await client.query(
      `update notices set status = 'admitted', reason = null, why = 'sent again because a person asked', status_at = clock_timestamp(), attempts = 0
       where id = $1 and status in ('dead', 'notified')`,
      [found.notice],
    );
    if (found.batch !== null) {
      await client.query(
        `update notices set status = 'held', reason = (select kind from batches where id = $1), status_at = clock_timestamp()
         where batch = $1 and status = 'dead' and kind <> 'due'`,
        [found.batch],
      );
    }
    return readNotice(client, found.notice);
  });
}
