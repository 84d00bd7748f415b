/** Queries behind the deliveries page: each message to each channel, with what it was about and what the provider said. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

export interface DeliveryLine {
  readonly id: string;
  readonly notice: string;
  readonly channel: string;
  readonly status: 'planned' | 'sending' | 'sent' | 'dead';
  readonly attempts: number;
  /** Times the provider may have shown it although we do not know. */
  readonly unknown_outcomes: number;
  readonly provider_id: string | null;
  readonly last_error: string | null;
  readonly created_at: Date;
  readonly sent_at: Date | null;
  readonly next_attempt_at: Date;
  readonly kind: string;
  readonly pattern: string;
  readonly alertname: string;
  readonly severity: string;
  readonly title: string;
}

/** Deliveries, latest first, older than `before` (an id). */
export async function findDeliveries(
  db: Queryable,
  filter: {
    status?: string | undefined;
    channel?: string | undefined;
    before?: string | undefined;
    limit: number;
  },
): Promise<DeliveryLine[]> {
  const { rows } = await run(
    db.query<DeliveryLine>(
      `select d.id, d.notice, d.channel, d.status, d.attempts, d.unknown_outcomes, d.provider_id, d.last_error, d.created_at,
         d.sent_at, d.next_attempt_at, n.kind, p.pattern, p.alertname, p.severity, p.title
       from deliveries d join notices n on n.id = d.notice join patterns p on p.pattern = n.pattern
       where ($1::text is null or d.status = $1) and ($2::text is null or d.channel = $2) and ($3::bigint is null or d.id < $3)
       order by d.id desc limit $4`,
      [filter.status ?? null, filter.channel ?? null, filter.before ?? null, filter.limit],
    ),
  );
  return rows;
}

/** How many deliveries stand in each status, by channel. */
export async function countDeliveries(
  db: Queryable,
): Promise<Array<{ channel: string; status: string; count: number }>> {
  const { rows } = await run(
    db.query<{ channel: string; status: string; count: number }>(
      'select channel, status, count(*)::int as count from deliveries group by channel, status order by channel, status',
    ),
  );
  return rows;
}
