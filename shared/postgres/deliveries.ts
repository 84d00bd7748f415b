/** Queries on `deliveries`: one message to one channel, claimed with a lease and a fence so that one worker sends it. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** How long a claim holds; longer than the provider call (10 s) and the function's deadline (25 s). */
const LEASE = '60 seconds';

/** Writes the deliveries of a notice; one per channel, whatever happens. */
export async function planDeliveries(
  db: Queryable,
  notice: string,
  channels: readonly string[],
): Promise<void> {
  await db.query(
    `insert into deliveries (notice, channel) select $1, channel from unnest($2::text[]) as c(channel)
     on conflict (notice, channel) do nothing`,
    [notice, channels],
  );
}

export interface Claim {
  readonly id: string;
  readonly channel: string;
  readonly attempts: number;
  readonly fence: number;
  readonly unknown_outcomes: number;
  /** True when an earlier claim ended without a mark: the provider may have shown the message. */
  readonly lease_lost: boolean;
  readonly created_at: Date;
}

/** Claims what is due of one notice. A claim whose lease ran out counts as an unknown outcome. */
export async function claimDeliveries(db: Queryable, notice: string): Promise<Claim[]> {
  const { rows } = await run(
    db.query<Claim>(
      `with due as (
         select id, status = 'sending' as lease_lost from deliveries
         where notice = $1 and ((status = 'planned' and next_attempt_at <= clock_timestamp())
           or (status = 'sending' and lease_until < clock_timestamp()))
         for update skip locked)
       update deliveries d set status = 'sending', lease_until = clock_timestamp() + $2::interval, fence = fence + 1,
         attempts = attempts + 1, unknown_outcomes = unknown_outcomes + due.lease_lost::int
       from due where d.id = due.id
       returning d.id, d.channel, d.attempts, d.fence, d.unknown_outcomes, due.lease_lost, d.created_at`,
      [notice, LEASE],
    ),
  );
  return rows;
}

/** Marks a claimed delivery as sent; false when the claim was lost meanwhile. */
export async function markSent(db: Queryable, claim: Claim, providerId: string | null): Promise<boolean> {
  const { rowCount } = await run(
    db.query(
      `update deliveries set status = 'sent', sent_at = clock_timestamp(), provider_id = $3, lease_until = null, last_error = null
       where id = $1 and fence = $2 and status = 'sending'`,
      [claim.id, claim.fence, providerId],
    ),
  );
  return rowCount === 1;
}

/** Marks a claimed delivery to be tried again in `delayMs`, or as dead (null); false when the claim was lost meanwhile. */
export async function markFailed(
  db: Queryable,
  claim: Claim,
  failure: { error: string; outcomeUnknown: boolean; delayMs: number | null },
): Promise<boolean> {
  const { rowCount } = await run(
    db.query(
      `update deliveries set status = case when $4::float8 is null then 'dead' else 'planned' end, lease_until = null,
         last_error = $3, unknown_outcomes = unknown_outcomes + $5::int,
         next_attempt_at = clock_timestamp() + make_interval(secs => coalesce($4::float8, 0) / 1000)
       where id = $1 and fence = $2 and status = 'sending'`,
      [claim.id, claim.fence, failure.error, failure.delayMs, failure.outcomeUnknown ? 1 : 0],
    ),
  );
  return rowCount === 1;
}

/** Where the deliveries of a notice stand; `nextInMs` is the wait until the next try, null when none waits. */
export interface DeliverySummary {
  readonly sent: number;
  readonly dead: number;
  readonly open: number;
  readonly nextInMs: number | null;
  readonly lastError: string | null;
}

/** Sums up the deliveries of a notice. */
export async function summarizeDeliveries(db: Queryable, notice: string): Promise<DeliverySummary> {
  const { rows } = await run(
    db.query<{
      sent: string;
      dead: string;
      open: string;
      next_in_ms: number | null;
      last_error: string | null;
    }>(
      `select count(*) filter (where status = 'sent') as sent, count(*) filter (where status = 'dead') as dead,
         count(*) filter (where status in ('planned', 'sending')) as open,
         (extract(epoch from min(next_attempt_at) filter (where status = 'planned') - clock_timestamp()) * 1000)::float8 as next_in_ms,
         max(last_error) as last_error
       from deliveries where notice = $1`,
      [notice],
    ),
  );
  const row = rows[0];
  return {
    sent: Number(row?.sent ?? 0),
    dead: Number(row?.dead ?? 0),
    open: Number(row?.open ?? 0),
    nextInMs: row?.next_in_ms ?? null,
    lastError: row?.last_error ?? null,
  };
}

/** Notices with a delivery to try again now. */
export async function dueDeliveries(db: Queryable, limit: number): Promise<string[]> {
  const { rows } = await run(
    db.query<{ notice: string }>(
      `select distinct notice from deliveries
       where (status = 'planned' and next_attempt_at <= clock_timestamp()) or (status = 'sending' and lease_until < clock_timestamp())
       limit $1`,
      [limit],
    ),
  );
  return rows.map((row) => row.notice);
}

export interface DeliveryRow {
  readonly id: string;
  readonly notice: string;
  readonly channel: string;
  readonly status: string;
  readonly attempts: number;
  readonly provider_id: string | null;
  readonly last_error: string | null;
  readonly created_at: Date;
  readonly sent_at: Date | null;
  readonly next_attempt_at: Date;
}

/** Deliveries for the API, latest first; `before` is the id of a delivery of the page before. */
export async function listDeliveries(
  db: Queryable,
  filter: {
    status?: string | undefined;
    notice?: string | undefined;
    before?: string | undefined;
    limit: number;
    offset: number;
  },
): Promise<DeliveryRow[]> {
  const { rows } = await run(
    db.query<DeliveryRow>(
      `select id, notice, channel, status, attempts, provider_id, last_error, created_at, sent_at, next_attempt_at from deliveries
       where ($1::text is null or status = $1) and ($2::text is null or notice = $2)
         and ($5::bigint is null or id < $5)
       order by id desc limit $3 offset $4`,
      [filter.status ?? null, filter.notice ?? null, filter.limit, filter.offset, filter.before ?? null],
    ),
  );
  return rows;
}
