/**
 * How fast a channel is sent to, over all processes. Whoever claims in pace holds the channel's lock while it counts, so
 * that two workers never both take the last place. What piled up while a provider was away is told in one message.
 */
import { claimDelivery } from './deliveries.ts';
import type { Claim } from './deliveries.ts';
import { run, transaction } from './pool.ts';
import type { Pool, Queryable } from './pool.ts';

/** At most `max` messages to a channel in any `perMs` milliseconds. */
export interface Pace {
  readonly max: number;
  readonly perMs: number;
}

/** When what waits for a channel becomes one summary. */
export interface BacklogLimits {
  /** So many may wait one by one. */
  readonly single: number;
  /** So many criticals, the latest, stay messages of their own. */
  readonly criticals: number;
}

/** Waiting without a try for this long counts as a backlog, in seconds: the provider is away, or the pace is too slow. */
const WAITED_S = 60;

/** What a claim in pace came to: a claim, a wait in milliseconds, or neither when another worker has it. */
export interface PacedClaim {
  readonly claim: Claim | null;
  readonly waitMs: number;
}

/** Claims a delivery unless its channel is as busy as `pace` allows; then it waits for its turn. */
export async function claimInPace(
  pool: Pool,
  { id, channel }: { readonly id: string; readonly channel: string },
  { max, perMs }: Pace,
): Promise<PacedClaim> {
  return transaction(pool, async (client) => {
    await lockChannel(client, channel);
    const { rows } = await client.query<{ wait_ms: number }>(
      `select (extract(epoch from attempted_at - clock_timestamp()) * 1000 + $3::float8)::float8 as wait_ms from deliveries
       where channel = $1 and attempted_at > clock_timestamp() - make_interval(secs => $3::float8 / 1000)
       order by attempted_at desc offset $2::int - 1 limit 1`,
      [channel, max, perMs],
    );
    const waitMs = rows[0]?.wait_ms ?? 0;
    if (waitMs <= 0) return { claim: (await claimDelivery(client, id)) ?? null, waitMs: 0 };
    await client.query(
      `update deliveries set next_attempt_at = greatest(next_attempt_at, clock_timestamp() + make_interval(secs => $2::float8 / 1000))
       where id = $1::bigint and status = 'planned'`,
      [id, waitMs],
    );
    return { claim: null, waitMs };
  });
}

/**
 * Lets what waits for the claim's channel travel with the claim when more waits than a person can read one by one; the
 * latest criticals stay on their own. Answers whether the claim's message is now, or still is, such a summary.
 */
export async function collapseBacklog(pool: Pool, claim: Claim, limits: BacklogLimits): Promise<boolean> {
  return transaction(pool, async (client) => {
    await lockChannel(client, claim.channel);
    await client.query(
      `with locked as (
         select d.id, d.created_at, p.severity = 'critical' as critical, d.id = $1::bigint as own
         from deliveries d join notices n on n.id = d.notice join patterns p on p.pattern = n.pattern
         where d.channel = $2 and d.carrier is null and (d.id = $1::bigint or d.status = 'planned'
             and (d.attempts > 0 or d.created_at < clock_timestamp() - make_interval(secs => $5::int)))
         for update of d skip locked),
       ranked as (
         select id, own, critical and row_number() over (partition by critical order by created_at desc, id desc) <= $4::int as single,
           count(*) over () + (select count(*) from deliveries c where c.channel = $2 and c.carrier is not null and c.status = 'planned') as waiting
         from locked),
       taken as (
         select id from ranked where waiting > $3::int and not own and not single
           -- A critical that stays on its own carries nobody.
           and exists (select 1 from ranked where own and not single))
       update deliveries d set carrier = $1::bigint from taken
       where d.id = taken.id or (d.carrier = taken.id and d.status = 'planned')`,
      [claim.id, claim.channel, limits.single, limits.criticals, WAITED_S],
    );
    const { rowCount } = await client.query(
      `select 1 from deliveries where carrier = $1::bigint and status = 'planned' limit 1`,
      [claim.id],
    );
    return rowCount === 1;
  });
}

/** What a summary tells of: itself and those that travel with it. */
export interface Backlog {
  readonly count: number;
  /** Titles, the loudest and most frequent first. */
  readonly lines: readonly string[];
  readonly severity: 'critical' | 'warning' | 'info' | 'none' | 'unknown';
  readonly since: Date;
  /** Whether all of it would have come without a sound. */
  readonly quiet: boolean;
}

/** Reads what travels with a delivery. */
export async function readBacklog(db: Queryable, carrier: string, limit: number): Promise<Backlog> {
  const { rows } = await run(
    db.query<{ line: string; severity: Backlog['severity']; total: string; since: Date; quiet: boolean }>(
      `with told as (
         select case when n.kind = 'due' and b.id is not null then b.title else p.alertname || ' · ' || p.title end as line,
           p.severity, d.created_at, n.quiet or d.quiet or n.kind = 'resolved' as quiet, i.closed_at is not null as over,
           array_position(array['critical', 'warning', 'unknown', 'info', 'none'], p.severity) as rank
         from deliveries d join notices n on n.id = d.notice join patterns p on p.pattern = n.pattern
           join incidents i on i.id = n.incident left join batches b on b.id = n.batch
         where d.id = $1::bigint or d.carrier = $1::bigint)
       select line || case when count(*) = 1 then '' else ' (' || count(*) || '×)' end
           || case when bool_and(over) then ', over now' else '' end as line, severity,
         sum(count(*)) over () as total, min(min(created_at)) over () as since, bool_and(bool_and(quiet)) over () as quiet
       from told group by told.line, severity, rank order by rank, count(*) desc, told.line limit $2`,
      [carrier, limit],
    ),
  );
  const first = rows[0];
  return {
    count: Number(first?.total ?? 0),
    lines: rows.map((row) => row.line),
    severity: first?.severity ?? 'unknown',
    since: first?.since ?? new Date(),
    quiet: first?.quiet ?? false,
  };
}

async function lockChannel(db: Queryable, channel: string): Promise<void> {
  await db.query(`select pg_advisory_xact_lock(hashtextextended('alertgest channel ' || $1, 0))`, [channel]);
}
