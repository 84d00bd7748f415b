/**
 * Who builds a digest: a run claims the windows that are owed in one transaction, builds outside of any, and stores what
 * it built only while its claim holds: so each window is told once, whoever died.
 */
import type { CaptureWindowConfig } from '../capture-window-config.ts';
import { run, transaction } from './pool.ts';
import type { Pool, Queryable } from './pool.ts';
import { keepWindows, owedWindows } from './windows.ts';
import type { WindowSpan } from './windows.ts';

/** How long a claim to build holds; longer than the function's deadline (130 s). */
const LEASE = '150 seconds';
/** Claims of one database take turns, so that a window is never claimed by two. */
const LOCK = 5_420_714;

/** A digest this run alone may build. */
export interface DigestClaim {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly windows: readonly WindowSpan[];
  readonly fence: number;
  /** Times somebody began to build it, this one included. */
  readonly attempts: number;
  readonly tell: boolean;
}

/** Writes down the windows, and claims those that have no digest of this name yet; undefined when none is owed. */
export async function claimOwed(
  pool: Pool,
  { name, calendar, graceMs }: { name: string; calendar: CaptureWindowConfig; graceMs: number },
): Promise<DigestClaim | undefined> {
  return transaction(pool, async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
    await keepWindows(client, calendar);
    const windows = await owedWindows(client, name, graceMs);
    const [first] = windows;
    const last = windows.at(-1);
    if (first === undefined || last === undefined) return undefined;
    const { rows } = await client.query<{ id: string }>(
      `insert into digests (name, kind, window_start, window_end, zone, tell, attempts, fence, lease_until)
       values ($1, 'windows', $2, $3, $4, true, 1, 1, clock_timestamp() + $5::interval) returning id`,
      [name, first.start, last.end, last.zone, LEASE],
    );
    const id = rows[0]?.id ?? '';
    const starts = windows.map(({ start }) => start);
    await client.query(
      `insert into digest_windows (name, window_start, digest) select $1, w, $2 from unnest($3::timestamptz[]) as w`,
      [name, id, starts],
    );
    // What the windows held back is told by this digest; whatever comes now waits for the next.
    if (name === 'all')
      await client.query(
        `update batches set closed_at = clock_timestamp(), digest = $1
         where kind = 'window' and closed_at is null and key::timestamptz = any($2::timestamptz[])`,
        [id, starts],
      );
    return { id, name, zone: last.zone, windows, fence: 1, attempts: 1, tell: true };
  });
}

/** Claims a digest of any span; undefined while somebody builds the same one. */
export async function claimAsked(
  db: Queryable,
  { name, span, zone, tell }: { name: string; span: WindowSpan; zone: string; tell: boolean },
): Promise<DigestClaim | undefined> {
  const { rows } = await run(
    db.query<{ id: string }>(
      `insert into digests (name, kind, window_start, window_end, zone, tell, attempts, fence, lease_until)
       values ($1, 'asked', $2, $3, $4, $5, 1, 1, clock_timestamp() + $6::interval)
       on conflict do nothing returning id`,
      [name, span.start, span.end, zone, tell, LEASE],
    ),
  );
  const id = rows[0]?.id;
  return id === undefined ? undefined : { id, name, zone, windows: [span], fence: 1, attempts: 1, tell };
}

/** Takes over digests whose builder is gone. */
export async function takeOver(db: Queryable): Promise<DigestClaim[]> {
  const { rows } = await run(
    db.query<
      Omit<DigestClaim, 'windows'> & { window_start: Date; window_end: Date; starts: Date[]; ends: Date[] }
    >(
      `with gone as (
         select id from digests where status = 'building' and lease_until < clock_timestamp()
         order by id limit 5 for update skip locked)
       update digests d set fence = d.fence + 1, attempts = d.attempts + 1, lease_until = clock_timestamp() + $1::interval
       from gone where d.id = gone.id
       returning d.id, d.name, d.zone, d.fence, d.attempts, d.tell, d.window_start, d.window_end,
         array(select w.window_start from digest_windows c join capture_windows w using (window_start) where c.digest = d.id order by 1) as starts,
         array(select w.window_end from digest_windows c join capture_windows w using (window_start) where c.digest = d.id order by 1) as ends`,
      [LEASE],
    ),
  );
  return rows.map(({ window_start, window_end, starts, ends, ...claim }) => ({
    ...claim,
    windows:
      starts.length === 0
        ? [{ start: window_start, end: window_end }]
        : starts.map((start, index) => ({ start, end: ends[index] ?? window_end })),
  }));
}

/** Gives a claim back, to be taken over at once by the next run. */
export async function giveBack(db: Queryable, { id, fence }: DigestClaim): Promise<void> {
  await run(
    db.query(
      `update digests set lease_until = clock_timestamp() where id = $1 and fence = $2 and status = 'building'`,
      [id, fence],
    ),
  );
}

/** What a digest came to be. */
export interface BuiltDigest {
  readonly facts: unknown;
  readonly document: unknown;
  readonly text: string;
  readonly model: {
    readonly name: string;
    readonly promptVersion: string;
    readonly prompt: string;
    readonly response: string;
    readonly promptTokens: number;
    readonly completionTokens: number;
    readonly ms: number;
    readonly kept: number;
    readonly dropped: unknown;
  } | null;
}

/** Stores a built digest; false when the claim was lost meanwhile and another run tells it. */
export async function storeBuilt(db: Queryable, claim: DigestClaim, built: BuiltDigest): Promise<boolean> {
  const { model } = built;
  const { rowCount } = await run(
    db.query(
      `update digests set status = case when tell then 'built' else 'kept' end, built_at = clock_timestamp(), lease_until = null,
         final_at = case when tell then null else clock_timestamp() end,
         reason = case when tell then null else 'it was asked for and not told' end,
         facts = $3::jsonb, document = $4::jsonb, formatted_output = $5, llm_model = $6, prompt_version = $7, raw_prompt = $8,
         raw_response = $9, prompt_tokens = $10, completion_tokens = $11, llm_ms = $12, notes_kept = $13, notes_dropped = $14::jsonb
       where id = $1 and fence = $2 and status = 'building'`,
      [
        claim.id,
        claim.fence,
        JSON.stringify(built.facts),
        JSON.stringify(built.document),
        built.text,
        model?.name ?? null,
        model?.promptVersion ?? null,
        model?.prompt ?? null,
        model?.response ?? null,
        model?.promptTokens ?? null,
        model?.completionTokens ?? null,
        model === null ? null : Math.round(model.ms),
        model?.kept ?? null,
        model === null ? null : JSON.stringify(model.dropped),
      ],
    ),
  );
  return rowCount === 1;
}
