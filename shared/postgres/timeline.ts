/** Queries behind an issue's page: its incidents, what was made of each, and what people said. */
import type { DecisionKind } from './decisions.ts';
import type { NoticeKind, NoticeStatus } from './notices.ts';
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

export interface TimelineDelivery {
  readonly channel: string;
  readonly status: 'planned' | 'sending' | 'sent' | 'dead';
  readonly attempts: number;
  readonly last_error: string | null;
  readonly sent_at: string | null;
  readonly next_attempt_at: string;
  /** The channel that could not be reached and for which this one stands in. */
  readonly instead_of: string | null;
}

export interface TimelineNotice {
  readonly id: string;
  readonly kind: NoticeKind;
  readonly status: NoticeStatus;
  readonly reason: string | null;
  readonly why: string | null;
  readonly quiet: boolean;
  readonly missing: readonly string[];
  readonly open_episodes: number;
  readonly classification: Readonly<Record<string, unknown>> | null;
  readonly received_at: string;
  readonly status_at: string;
  readonly deliveries: readonly TimelineDelivery[];
}

export interface TimelineIncident {
  readonly id: string;
  readonly opened_at: Date;
  readonly closed_at: Date | null;
  readonly open_episodes: number;
  readonly episodes: number;
  readonly due_at: Date | null;
  readonly due_why: string | null;
  /** Oldest first. */
  readonly notices: readonly TimelineNotice[];
}

/** The latest incidents of a pattern with their notices and deliveries, in one round trip. */
export async function readTimeline(
  db: Queryable,
  pattern: string,
  limit: number,
): Promise<TimelineIncident[]> {
  const { rows } = await run(
    db.query<TimelineIncident>(
      `select i.id, i.opened_at, i.closed_at, i.open_episodes, i.episodes, i.due_at, i.due_why, coalesce((
         select jsonb_agg(to_jsonb(n) order by n.received_at, n.created_at, n.id) from (
           select n.id, n.kind, n.status, n.reason, n.why, n.quiet, n.missing, n.open_episodes, n.classification,
             n.received_at, n.created_at, n.status_at, coalesce((
               select jsonb_agg(jsonb_build_object('channel', d.channel, 'status', d.status, 'attempts', d.attempts,
                 'last_error', d.last_error, 'sent_at', d.sent_at, 'next_attempt_at', d.next_attempt_at,
                'instead_of', d.instead_of) order by d.id)
               from deliveries d where d.notice = n.id), '[]'::jsonb) as deliveries
           from notices n where n.incident = i.id order by n.created_at limit 50) n), '[]'::jsonb) as notices
       from (select * from incidents where pattern = $1 order by opened_at desc, id desc limit $2) i
       order by i.opened_at desc, i.id desc`,
      [pattern, limit],
    ),
  );
  return rows;
}

export interface DecisionEntry {
  readonly kind: DecisionKind;
  readonly until: Date | null;
  readonly note: string | null;
  readonly actor: string;
  readonly decided_at: Date;
}

/** Everything that was said about a pattern, latest first. */
export async function listDecisions(db: Queryable, pattern: string, limit: number): Promise<DecisionEntry[]> {
  const { rows } = await run(
    db.query<DecisionEntry>(
      `select kind, until, note, actor, decided_at from decisions where pattern = $1 order by generation desc limit $2`,
      [pattern, limit],
    ),
  );
  return rows;
}

export interface LatestAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly generator_url: string;
  readonly flags: readonly string[];
  readonly starts_at: Date;
  readonly ended_at: Date | null;
}

/** The latest alert of a pattern, as an example of what it looks like. */
export async function readLatestAlert(db: Queryable, pattern: string): Promise<LatestAlert | undefined> {
  const { rows } = await run(
    db.query<LatestAlert>(
      `select labels, annotations, generator_url, flags, starts_at, ended_at from episodes
       where pattern = $1 order by received_at desc limit 1`,
      [pattern],
    ),
  );
  return rows[0];
}
