/** Queries behind the deliveries page and API: each message to each channel, with what it was about and what the provider said. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** A delivery as it is stored. */
export interface DeliveryRow {
  readonly id: string;
  /** What it is about: a notice or a digest, never both. */
  readonly notice: string | null;
  readonly digest: string | null;
  readonly channel: string;
  readonly status: string;
  readonly attempts: number;
  readonly provider_id: string | null;
  readonly last_error: string | null;
  /** The channel that could not be reached and for which this one stands in. */
  readonly instead_of: string | null;
  /** The delivery whose message tells of this one too. */
  readonly carrier: string | null;
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
      `select id, notice, digest, channel, status, attempts, provider_id, last_error, instead_of, carrier, created_at, sent_at,
         next_attempt_at from deliveries
       where ($1::text is null or status = $1) and ($2::text is null or notice = $2)
         and ($5::bigint is null or id < $5)
       order by id desc limit $3 offset $4`,
      [filter.status ?? null, filter.notice ?? null, filter.limit, filter.offset, filter.before ?? null],
    ),
  );
  return rows;
}

/** A delivery as the deliveries page lists it. */
export interface DeliveryLine {
  readonly id: string;
  readonly notice: string | null;
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
  /** The channel that could not be reached and for which this one stands in. */
  readonly instead_of: string | null;
  /** The delivery whose message tells of this one too. */
  readonly carrier: string | null;
  /** The kind of its notice, or `digest`. */
  readonly kind: string;
  /** The issue it is about; null for a digest. */
  readonly issue: {
    readonly pattern: string;
    readonly alertname: string;
    readonly severity: string;
    readonly title: string;
  } | null;
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
         d.sent_at, d.next_attempt_at, d.instead_of, d.carrier, coalesce(n.kind, 'digest') as kind,
         case when p.pattern is not null then jsonb_build_object('pattern', p.pattern, 'alertname', p.alertname,
           'severity', p.severity, 'title', p.title) end as issue
       from deliveries d left join notices n on n.id = d.notice left join patterns p on p.pattern = n.pattern
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

/** Channels that gave a message up or refused it for good in the last milliseconds, with how many and the last answer. */
export async function refusingChannels(
  db: Queryable,
  withinMs: number,
): Promise<Array<{ channel: string; count: number; lastError: string | null }>> {
  const { rows } = await run(
    db.query<{ channel: string; count: number; lastError: string | null }>(
      `select channel, count(*)::int as count, (array_agg(last_error order by attempted_at desc))[1] as "lastError"
       from deliveries where status = 'dead' and attempted_at > clock_timestamp() - make_interval(secs => $1::float8 / 1000)
       group by channel order by channel`,
      [withinMs],
    ),
  );
  return rows;
}
