/** What a decision brings with it, in the transaction that stores it: when it is over, what becomes news, who hears of it. */
import type { Decision } from '../../shared/postgres/decisions.ts';
import { appendDecision, decisionBefore } from '../../shared/postgres/decisions.ts';
import { latestIncident, setDueAt, setDueNow } from '../../shared/postgres/incidents.ts';
import { insertNotices } from '../../shared/postgres/notices.ts';
import type { Queryable } from '../../shared/postgres/pool.ts';

export interface Recorded {
  readonly generation: number;
  /** The notice by which the channels hear of it; null when they do not. */
  readonly notice: string | null;
}

/** Tells the channels of a decision; left out for one that only its maker needs to know of. */
export interface Tell {
  readonly now: Date;
  readonly traceparent: string;
}

/** Stores a decision; undefined when the pattern is unknown. The pattern stays locked until the transaction ends. */
export async function recordDecision(
  db: Queryable,
  pattern: string,
  decision: Omit<Decision, 'generation'>,
  tell: Tell | null,
): Promise<Recorded | undefined> {
  const generation = await appendDecision(db, pattern, decision);
  if (generation === undefined) return undefined;
  const { kind, until } = decision;
  // What still fires becomes news at once when it is no longer silenced, and again when the silence is over.
  if (kind === 'revoke') await setDueNow(db, pattern, 'decision revoked');
  if (until !== null && (kind === 'ignore' || kind === 'snooze' || kind === 'digest'))
    await setDueAt(db, pattern, { at: until, why: `${kind} over` });
  return { generation, notice: tell === null ? null : await tellChannels(db, pattern, generation, tell) };
}

/**
 * Takes a decision back: what was in force before it holds again. Undefined when a newer decision took its place.
 * Channels hear of it when nothing fires; what fires is told by itself.
 */
export async function undoDecision(
  db: Queryable,
  pattern: string,
  undone: number,
  actor: string,
  tell: Tell,
): Promise<Recorded | undefined> {
  await db.query('select 1 from patterns where pattern = $1 for update', [pattern]);
  const { rows } = await db.query<{ latest: string | null }>(
    `select max(generation) as latest from decisions where pattern = $1 and kind <> 'note'`,
    [pattern],
  );
  if (Number(rows[0]?.latest) !== undone) return undefined;
  const before = await decisionBefore(db, pattern, undone, tell.now);
  const incident = await latestIncident(db, pattern);
  const fires = (incident?.open_episodes ?? 0) > 0;
  const recorded = await recordDecision(
    db,
    pattern,
    before === null ? { kind: 'revoke', until: null, note: 'undone by a link', actor } : { ...before, actor },
    fires ? null : tell,
  );
  if (before !== null) await setDueNow(db, pattern, 'decision revoked');
  return recorded;
}

async function tellChannels(
  db: Queryable,
  pattern: string,
  generation: number,
  { now, traceparent }: Tell,
): Promise<string | null> {
  const incident = await latestIncident(db, pattern);
  if (incident === undefined) return null;
  const id = `${incident.id}.decided-${generation}`;
  await insertNotices(db, [
    {
      id,
      incident: incident.id,
      pattern,
      kind: 'due',
      why: 'decided',
      batch: null,
      open_episodes: incident.open_episodes,
      traceparent,
      received_at: now,
      decision: generation,
    },
  ]);
  return id;
}
