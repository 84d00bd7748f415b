/** Queries on `decision_links`: the rows behind "Not concerning" and "Undo". Every time is the database's. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** How long "Not concerning" under a message works. */
const DECIDE_LIFE = '7 days';
/** How long a decision can be undone by a link. */
const UNDO_LIFE = '72 hours';
/** Links that one network may try within the span; whoever tries more is a program. */
const TRIED_LINKS = 3;
const TRIED_SPAN = '10 seconds';

export type LinkPurpose = 'decide' | 'undo';

export interface LinkWanted {
  readonly pattern: string;
  readonly notice: string;
  readonly channel: string;
  readonly purpose: LinkPurpose;
  /** For `undo`: the generation of the decision to take back. */
  readonly undoGeneration: number | null;
}

/** Creates the link of a message, or answers the one that the message has already; answers its id. */
export async function ensureLink(db: Queryable, wanted: LinkWanted): Promise<string> {
  const { rows } = await run(
    db.query<{ id: string }>(
      `insert into decision_links as l (pattern, notice, channel, purpose, undo_generation, expires_at)
       values ($1, $2, $3, $4, $5, clock_timestamp() + case $4 when 'undo' then $7::interval else $6::interval end)
       on conflict (notice, channel, purpose) do update set notice = l.notice
       returning id`,
      [
        wanted.pattern,
        wanted.notice,
        wanted.channel,
        wanted.purpose,
        wanted.undoGeneration,
        DECIDE_LIFE,
        UNDO_LIFE,
      ],
    ),
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('the link was not stored');
  return id;
}

/** A link that can still be used, with what its page says. */
export interface LiveLink {
  readonly id: string;
  readonly purpose: LinkPurpose;
  readonly notice: string;
  readonly channel: string;
  readonly undo_generation: string | null;
  readonly expires_at: Date;
  readonly pattern: string;
  readonly generation: string;
  readonly alertname: string;
  readonly severity: 'critical' | 'warning' | 'info' | 'none' | 'unknown';
  readonly title: string;
  readonly identity: Readonly<Record<string, string>>;
  readonly dropped: Readonly<Record<string, string>>;
  readonly open_episodes: number;
}

/** Reads a link; undefined when it is used, expired or unknown, or when a newer decision left nothing to undo. */
export async function readLiveLink(db: Queryable, id: string): Promise<LiveLink | undefined> {
  const { rows } = await run(
    db.query<LiveLink>(
      `select l.id, l.purpose, l.notice, l.channel, l.undo_generation, l.expires_at, p.pattern, p.generation, p.alertname,
         p.severity, p.title, p.identity, p.dropped,
         coalesce((select i.open_episodes from incidents i where i.pattern = p.pattern and i.closed_at is null), 0) as open_episodes
       from decision_links l join patterns p using (pattern)
       where l.id = $1 and l.used_at is null and l.expires_at > clock_timestamp()
         and (l.purpose = 'decide' or l.undo_generation =
           (select max(d.generation) from decisions d where d.pattern = l.pattern and d.kind <> 'note'))`,
      [id],
    ),
  );
  return rows[0];
}

/**
 * Notes a try and says whether its network may act: false once it tried more than {@link TRIED_LINKS} links in the
 * span, refused tries included. The lock makes tries of one network count one after the other.
 */
export async function noteTry(db: Queryable, id: string, network: string): Promise<boolean> {
  await db.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`decision link ${network}`]);
  await db.query('update decision_links set tried_at = clock_timestamp(), tried_from = $2 where id = $1', [
    id,
    network,
  ]);
  const { rows } = await db.query<{ tried: number }>(
    `select count(*)::int as tried from decision_links
     where tried_from = $1 and tried_at > clock_timestamp() - $2::interval`,
    [network, TRIED_SPAN],
  );
  return (rows[0]?.tried ?? 0) <= TRIED_LINKS;
}

/** Takes a link for good; false when somebody was faster or its time is over. One of many at once gets true. */
export async function consumeLink(db: Queryable, id: string, network: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `update decision_links set used_at = clock_timestamp(), used_from = $2
     where id = $1 and used_at is null and expires_at > clock_timestamp()`,
    [id, network],
  );
  return rowCount === 1;
}

/** Remembers which decision a used link made. */
export async function noteDecision(db: Queryable, id: string, generation: number): Promise<void> {
  await db.query('update decision_links set generation = $2 where id = $1', [id, generation]);
}
