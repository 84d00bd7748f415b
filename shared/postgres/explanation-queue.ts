/**
 * Queries on `explanation_queue` and `model_slots`: which patterns wait for the model, and who may ask it now.
 *
 * Its invariant: an entry that anybody waits for is watched by a holder of a slot; whoever gives a slot back releases what
 * nobody works on. So no delivery waits longer than its entry says, however the model behaves.
 */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** Longer than a question and its context together (23 s); a crashed worker's entries are free again after it. */
const LEASE = '60 seconds';

/** A storm of new patterns is not explained to its end: more than this do not wait at once. */
const QUEUE_LIMIT = 200;

/** Why a pattern is asked about. */
export interface Want {
  readonly pattern: string;
  readonly notice: string;
  readonly promptVersion: string;
  /** Digests of the models that would be asked; empty while they are not known. */
  readonly digests: readonly string[];
  /** How long deliveries may wait for the answer, in milliseconds. */
  readonly waitMs: number;
}

/** Puts a pattern into the queue unless it is explained, failed only lately, or the queue is full; answers whether it waits now. */
export async function wantExplanation(db: Queryable, want: Want): Promise<boolean> {
  const { rowCount } = await run(
    db.query(
      `insert into explanation_queue as q (pattern, notice, wait_until)
       select $1, $2, clock_timestamp() + make_interval(secs => $5::float8 / 1000)
       where not exists (select 1 from explanations e where e.pattern = $1 and e.prompt_version = $3
         and ((e.content is not null and (cardinality($4::text[]) = 0 or e.model_digest = any($4))) or e.retry_at > clock_timestamp()))
         and ((select count(*) from explanation_queue) < $6::int or exists (select 1 from explanation_queue w where w.pattern = $1))
       on conflict (pattern) do update set notice = q.notice`,
      [want.pattern, want.notice, want.promptVersion, want.digests, want.waitMs, QUEUE_LIMIT],
    ),
  );
  return rowCount === 1;
}

/** A pattern that one run alone asks about; `fence` tells its claim from later ones. */
export interface QueueClaim {
  readonly pattern: string;
  readonly notice: string;
  readonly fence: number;
}

/** Claims one pattern, `first` before the oldest. Whoever plans its deliveries just now holds the row for moments only. */
export async function claimWanted(db: Queryable, first: string): Promise<QueueClaim | undefined> {
  const { rows } = await run(
    db.query<QueueClaim>(
      `update explanation_queue set lease_until = clock_timestamp() + $2::interval, fence = fence + 1
       where pattern = (select pattern from explanation_queue where lease_until is null or lease_until < clock_timestamp()
         order by pattern = $1 desc, wanted_at limit 1 for update)
       returning pattern, notice, fence`,
      [first, LEASE],
    ),
  );
  return rows[0];
}

/** Gives a claim back, so that another run may take it. */
export async function unclaim(db: Queryable, { pattern, fence }: QueueClaim): Promise<void> {
  await run(
    db.query('update explanation_queue set lease_until = null where pattern = $1 and fence = $2', [
      pattern,
      fence,
    ]),
  );
}

/** Takes an entry out whose notice is gone: nobody is left to explain it to. */
export async function dropWanted(db: Queryable, { pattern, fence }: QueueClaim): Promise<void> {
  await run(db.query('delete from explanation_queue where pattern = $1 and fence = $2', [pattern, fence]));
}

/** An entry of the queue that nobody waits for any more, or that somebody is rung for. */
export interface Released {
  readonly pattern: string;
  readonly notice: string;
}

/** Lets go the deliveries of entries whose time is over; each entry is answered once. */
export async function releaseOverdue(db: Queryable): Promise<Released[]> {
  const { rows } = await run(
    db.query<Released>(
      `update explanation_queue set released_at = clock_timestamp()
       where released_at is null and wait_until <= clock_timestamp() returning pattern, notice`,
    ),
  );
  return rows;
}

/** Lets go what nobody works on when no slot is held any more: its turn comes later, nobody waits for it. */
export async function releaseAbandoned(db: Queryable): Promise<Released[]> {
  const { rows } = await run(
    db.query<Released>(
      `update explanation_queue set released_at = clock_timestamp()
       where released_at is null and not exists (select 1 from model_slots where lease_until > clock_timestamp())
       returning pattern, notice`,
    ),
  );
  return rows;
}

/** The oldest pattern that waits and that nobody works on, for the sweep to ring for. */
export async function nextWanted(db: Queryable): Promise<Released | undefined> {
  const { rows } = await run(
    db.query<Released>(
      `select pattern, notice from explanation_queue where lease_until is null or lease_until < clock_timestamp()
       order by wanted_at limit 1`,
    ),
  );
  return rows[0];
}

/** Takes one of `count` slots; null when all are held. */
export async function takeSlot(db: Queryable, holder: string, count: number): Promise<number | null> {
  const { rows } = await run(
    db.query<{ slot: number }>(
      `insert into model_slots as m (slot, holder, lease_until)
       select s, $1, clock_timestamp() + $3::interval from generate_series(1, $2::int) s
       where not exists (select 1 from model_slots h where h.slot = s and h.lease_until > clock_timestamp())
       order by s limit 1
       on conflict (slot) do update set holder = excluded.holder, lease_until = excluded.lease_until
         where m.lease_until <= clock_timestamp()
       returning slot`,
      [holder, count, LEASE],
    ),
  );
  return rows[0]?.slot ?? null;
}

/** Gives a slot back, if it is still the holder's. */
export async function freeSlot(db: Queryable, slot: number, holder: string): Promise<void> {
  await run(db.query('delete from model_slots where slot = $1 and holder = $2', [slot, holder]));
}
