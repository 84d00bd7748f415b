/** Queries on `deliveries`: one message to one channel, claimed with a lease and a fence so that one worker sends it. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** How long a claim holds; longer than the provider call (10 s) and the function's deadline (25 s). */
const LEASE = '60 seconds';

/** What a message is about: a notice, or a digest by its id. */
export type Owner = { readonly notice: string } | { readonly digest: string };

/** One delivery to be written. */
export interface DeliveryPlan {
  readonly channel: string;
  /** Channels that get the message once when this delivery dies. */
  readonly fallback?: readonly string[];
  /** Without sound. */
  readonly quiet?: boolean;
  /** The channel this one stands in for. */
  readonly insteadOf?: string;
}

/** Writes the deliveries of an owner; one per channel, whatever happens. Answers the channels that were added. */
export async function planDeliveries(
  db: Queryable,
  owner: Owner,
  plans: readonly DeliveryPlan[],
): Promise<string[]> {
  const rows = plans.map(({ channel, fallback = [], quiet = false, insteadOf = null }) => ({
    channel,
    fallback,
    quiet,
    instead_of: insteadOf,
  }));
  const added = await db.query<{ channel: string }>(
    `insert into deliveries (notice, digest, channel, fallback, quiet, instead_of)
     select $1::text, $2::bigint, channel, fallback, quiet, instead_of
     from jsonb_to_recordset($3::jsonb) as r(channel text, fallback text[], quiet boolean, instead_of text)
     on conflict do nothing returning channel`,
    [...keyOf(owner), JSON.stringify(rows)],
  );
  return added.rows.map((row) => row.channel);
}

/** A delivery that waits for its time, or that was claimed by somebody who is gone. */
export interface WaitingDelivery {
  readonly id: string;
  readonly channel: string;
  readonly attempts: number;
  /** Milliseconds until it may be tried; 0 or less when it may be now. */
  readonly next_in_ms: number;
}

/**
 * The deliveries of an owner that somebody may work now or soon. One that travels with another is not among them, nor is an
 * end while its channel waits for other news of the incident: what is told after the end would never be closed.
 */
export async function waitingDeliveries(db: Queryable, owner: Owner): Promise<WaitingDelivery[]> {
  const { rows } = await run(
    db.query<WaitingDelivery>(
      `select id, channel, attempts, case status when 'sending' then 0
         else (extract(epoch from next_attempt_at - clock_timestamp()) * 1000)::float8 end as next_in_ms
       from deliveries d where (notice = $1 or digest = $2::bigint) and carrier is null
         and (status = 'planned' or (status = 'sending' and lease_until < clock_timestamp()))
         and not exists (
           select 1 from notices n join notices o on o.incident = n.incident and o.kind <> 'resolved'
             join deliveries b on b.notice = o.id
           where n.id = d.notice and n.kind = 'resolved' and b.channel = d.channel and b.status in ('planned', 'sending'))
       order by id`,
      keyOf(owner),
    ),
  );
  return rows;
}

/** A delivery that this worker alone may send. */
export interface Claim {
  readonly id: string;
  readonly notice: string | null;
  readonly digest: string | null;
  readonly channel: string;
  readonly attempts: number;
  readonly fence: number;
  readonly unknown_outcomes: number;
  readonly quiet: boolean;
  readonly instead_of: string | null;
  readonly created_at: Date;
}

/** Claims a delivery whose time has come; undefined when another has it. A claim whose lease ran out counts as an unknown outcome. */
export async function claimDelivery(db: Queryable, id: string): Promise<Claim | undefined> {
  const { rows } = await run(
    db.query<Claim>(
      `with due as (
         select id, status = 'sending' as lease_lost from deliveries
         where id = $1::bigint and carrier is null and ((status = 'planned' and next_attempt_at <= clock_timestamp())
           or (status = 'sending' and lease_until < clock_timestamp()))
         for update skip locked)
       update deliveries d set status = 'sending', lease_until = clock_timestamp() + $2::interval, fence = fence + 1,
         attempts = attempts + 1, attempted_at = clock_timestamp(), waits = false, unknown_outcomes = unknown_outcomes + due.lease_lost::int
       from due where d.id = due.id
       returning d.id, d.notice, d.digest, d.channel, d.attempts, d.fence, d.unknown_outcomes, d.quiet, d.instead_of, d.created_at`,
      [id, LEASE],
    ),
  );
  return rows[0];
}

/** The provider's id of the last message about the notice's incident on a channel; null when there is none of its own. */
export async function lastProviderId(db: Queryable, notice: string, channel: string): Promise<string | null> {
  const { rows } = await run(
    db.query<{ provider_id: string }>(
      `select d.provider_id from notices m join notices n on n.incident = m.incident join deliveries d on d.notice = n.id
       where m.id = $1 and d.channel = $2 and d.status = 'sent' and d.provider_id is not null and d.carrier is null
         -- A summary's message is about others too.
         and not (n.kind = 'due' and n.batch is not null) and not exists (select 1 from deliveries c where c.carrier = d.id)
       order by d.sent_at desc, d.id desc limit 1`,
      [notice, channel],
    ),
  );
  return rows[0]?.provider_id ?? null;
}

/** A channel that was or may have been told of an incident, or is about to be. */
export interface ToldChannel {
  readonly channel: string;
  /** Only by a summary, which is about others too. */
  readonly inSummary: boolean;
}

/** The channels that know of an incident. */
export async function toldChannels(db: Queryable, incident: string): Promise<ToldChannel[]> {
  const { rows } = await run(
    db.query<ToldChannel>(
      `select d.channel, bool_and(n.kind = 'due' and n.batch is not null or d.carrier is not null
           or exists (select 1 from deliveries c where c.carrier = d.id)) as "inSummary"
       from deliveries d join notices n on n.id = d.notice
       where n.incident = $1 and n.kind <> 'resolved' and n.decision is null and (d.status <> 'dead' or d.unknown_outcomes > 0)
       group by d.channel`,
      [incident],
    ),
  );
  return rows;
}

/**
 * Whether the end of a notice's incident was told, or is being told, without regard to a channel: what the notice opens there
 * now would stay open. A beginning is too late only when a person sends it again, because its end waits for it.
 */
export async function isTooLate(db: Queryable, notice: string, channel: string): Promise<boolean> {
  const { rowCount } = await run(
    db.query(
      `select 1 from notices n join incidents i on i.id = n.incident
         join notices e on e.incident = n.incident and e.kind = 'resolved'
       where n.id = $1 and n.kind <> 'resolved' and n.decision is null and i.closed_at is not null
         and (e.planned_at is not null or e.status not in ('received', 'classified', 'admitted'))
         and not exists (select 1 from deliveries d
           where d.notice = e.id and d.channel = $2 and d.status in ('planned', 'sending'))`,
      [notice, channel],
    ),
  );
  return rowCount !== 0;
}

/** What a mark did: whether the claim still held, and the notices whose deliveries travelled with it. */
export interface Marked {
  readonly held: boolean;
  readonly carried: readonly string[];
}

/** Marks a claimed delivery as sent, and with it those that its message told of; `note` is what went wrong in spite of the yes. */
export async function markSent(
  db: Queryable,
  claim: Claim,
  { providerId, note = null }: { readonly providerId: string | null; readonly note?: string | null },
): Promise<Marked> {
  const { rows } = await run(
    db.query<{ id: string; notice: string | null }>(
      `with own as (
         update deliveries set status = 'sent', sent_at = clock_timestamp(), provider_id = $3, lease_until = null, last_error = $4
         where id = $1 and fence = $2 and status = 'sending' returning id, notice),
       carried as (
         update deliveries d set status = 'sent', sent_at = clock_timestamp(), last_error = null
         from own where d.carrier = own.id and d.status = 'planned' returning d.id, d.notice)
       select id, notice from own union all select id, notice from carried`,
      [claim.id, claim.fence, providerId, note?.slice(0, 500) ?? null],
    ),
  );
  return toMarked(claim, rows);
}

/** How an attempt ended badly; `delayMs` null gives the delivery up. */
export interface FailedAttempt {
  readonly error: string;
  readonly outcomeUnknown: boolean;
  readonly delayMs: number | null;
  /** Of those that travel with one that is given up, younger ones than this, in milliseconds, go on by themselves. */
  readonly spareYoungerMs?: number;
}

/**
 * Marks a claimed delivery to be tried again in `delayMs`, or as dead (null), and with it those that travelled with it.
 * What stands in for a dead delivery is planned in the same statement, so it happens once.
 */
export async function markFailed(db: Queryable, claim: Claim, failure: FailedAttempt): Promise<Marked> {
  const { rows } = await run(
    db.query<{ id: string; notice: string | null }>(
      `with own as (
         update deliveries set status = case when $4::float8 is null then 'dead' else 'planned' end, lease_until = null,
           last_error = $3, unknown_outcomes = unknown_outcomes + $5::int,
           next_attempt_at = clock_timestamp() + make_interval(secs => coalesce($4::float8, 0) / 1000)
         where id = $1 and fence = $2 and status = 'sending' returning id, notice, digest, channel, fallback, status, quiet),
       carried as (
         update deliveries d set carrier = null, last_error = $3,
           status = case when d.created_at > clock_timestamp() - make_interval(secs => $6::float8 / 1000) then 'planned' else 'dead' end
         from own where own.status = 'dead' and d.carrier = own.id and d.status = 'planned'
         returning d.id, d.notice, d.digest, d.channel, d.fallback, d.status, d.quiet),
       died as (select * from own where status = 'dead' union all select * from carried where status = 'dead'),
       stand_in as (
         insert into deliveries (notice, digest, channel, quiet, instead_of)
         select notice, digest, f.channel, quiet, died.channel from died, unnest(died.fallback) as f(channel)
         on conflict do nothing)
       select id, notice from own union all select id, notice from carried`,
      [
        claim.id,
        claim.fence,
        failure.error,
        failure.delayMs,
        failure.outcomeUnknown ? 1 : 0,
        failure.spareYoungerMs ?? 0,
      ],
    ),
  );
  return toMarked(claim, rows);
}

function toMarked(
  { id }: Claim,
  rows: ReadonlyArray<{ readonly id: string; readonly notice: string | null }>,
): Marked {
  return {
    held: rows.some((row) => row.id === id),
    carried: rows.flatMap((row) => (row.id === id || row.notice === null ? [] : [row.notice])),
  };
}

/** Where the deliveries of an owner stand. */
export interface DeliverySummary {
  readonly sent: number;
  readonly dead: number;
  readonly open: number;
  readonly lastError: string | null;
  /** Channels that have a delivery, whatever became of it. */
  readonly channels: readonly string[];
}

/** Sums up the deliveries of an owner. */
export async function summarizeDeliveries(db: Queryable, owner: Owner): Promise<DeliverySummary> {
  const { rows } = await run(
    db.query<{ sent: number; dead: number; open: number; lastError: string | null; channels: string[] }>(
      `select count(*) filter (where status = 'sent')::int as sent, count(*) filter (where status = 'dead')::int as dead,
         count(*) filter (where status in ('planned', 'sending'))::int as open,
         max(last_error) as "lastError", coalesce(array_agg(channel order by id), '{}') as channels
       from deliveries where notice = $1 or digest = $2::bigint`,
      keyOf(owner),
    ),
  );
  return rows[0] ?? { sent: 0, dead: 0, open: 0, lastError: null, channels: [] };
}

/** Notices and digests with a delivery to try again now, those that wait longest first. */
export async function dueDeliveries(
  db: Queryable,
  limit: number,
): Promise<{ readonly notices: readonly string[]; readonly digests: readonly string[] }> {
  const { rows } = await run(
    db.query<{ notice: string | null; digest: string | null }>(
      `select notice, digest from deliveries
       where carrier is null and ((status = 'planned' and next_attempt_at <= clock_timestamp())
         or (status = 'sending' and lease_until < clock_timestamp()))
       group by notice, digest order by min(next_attempt_at) limit $1`,
      [limit],
    ),
  );
  return {
    notices: rows.flatMap(({ notice }) => (notice === null ? [] : [notice])),
    digests: rows.flatMap(({ digest }) => (digest === null ? [] : [digest])),
  };
}

/** The two columns that say what a delivery is about. */
function keyOf(owner: Owner): [notice: string | null, digest: string | null] {
  return 'notice' in owner ? [owner.notice, null] : [null, owner.digest];
}
