/** Queries on `decisions`: what people said about a pattern. Append-only; a revocation is a row of its own. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

export const DECISION_KINDS = ['ignore', 'quiet', 'digest', 'snooze', 'important', 'note', 'revoke'] as const;
export type DecisionKind = (typeof DECISION_KINDS)[number];

export interface Decision {
  readonly kind: DecisionKind;
  /** When it ends; null until it is taken back. */
  readonly until: Date | null;
  readonly note: string | null;
  readonly actor: string;
  readonly generation: number;
}

/** The decision in force on a pattern at a time, or null. Notes do not change what is in force. */
export async function currentDecision(db: Queryable, pattern: string, at: Date): Promise<Decision | null> {
  const { rows } = await run(
    db.query<{
      kind: DecisionKind;
      until: Date | null;
      note: string | null;
      actor: string;
      generation: string;
    }>(
      `select kind, until, note, actor, generation from decisions
       where pattern = $1 and kind <> 'note' order by generation desc limit 1`,
      [pattern],
    ),
  );
  const row = rows[0];
  if (row === undefined || row.kind === 'revoke' || (row.until !== null && row.until <= at)) return null;
  return { ...row, generation: Number(row.generation) };
}

/** The decision that a generation stands for, and whether a newer one took its place; undefined when there is none. */
export async function readDecision(
  db: Queryable,
  pattern: string,
  generation: string,
): Promise<(Decision & { readonly superseded: boolean }) | undefined> {
  const { rows } = await run(
    db.query<Omit<Decision, 'generation'> & { generation: string; superseded: boolean }>(
      `select kind, until, note, actor, generation, exists (select 1 from decisions n
         where n.pattern = d.pattern and n.generation > d.generation and n.kind <> 'note') as superseded
       from decisions d where pattern = $1 and generation = $2`,
      [pattern, generation],
    ),
  );
  const row = rows[0];
  return row && { ...row, generation: Number(row.generation) };
}

/** The decision before a generation, notes aside, as it would be in force now; null when that was none. */
export async function decisionBefore(
  db: Queryable,
  pattern: string,
  generation: number,
  at: Date,
): Promise<Omit<Decision, 'generation'> | null> {
  const { rows } = await db.query<Omit<Decision, 'generation'>>(
    `select kind, until, note, actor from decisions
     where pattern = $1 and generation < $2 and kind <> 'note' order by generation desc limit 1`,
    [pattern, generation],
  );
  const row = rows[0];
  return row === undefined || row.kind === 'revoke' || (row.until !== null && row.until <= at) ? null : row;
}

/** Appends a decision under the pattern's lock and raises its generation; undefined when the pattern is unknown. */
export async function appendDecision(
  db: Queryable,
  pattern: string,
  decision: Omit<Decision, 'generation'>,
): Promise<number | undefined> {
  const { rows } = await db.query<{ generation: string }>(
    'update patterns set generation = generation + 1 where pattern = $1 returning generation',
    [pattern],
  );
  const generation = rows[0]?.generation;
  if (generation === undefined) return undefined;
  await db.query(
    `insert into decisions (pattern, kind, until, note, actor, generation, decided_at) values ($1, $2, $3, $4, $5, $6, alert_now())`,
    [pattern, decision.kind, decision.until, decision.note, decision.actor, generation],
  );
  return Number(generation);
}

/** The decisions in force on some patterns, for lists. */
export async function currentDecisions(
  db: Queryable,
  patterns: readonly string[],
): Promise<Map<string, Decision>> {
  const { rows } = await run(
    db.query<{
      pattern: string;
      kind: DecisionKind;
      until: Date | null;
      note: string | null;
      actor: string;
      generation: string;
    }>(
      `select distinct on (pattern) pattern, kind, until, note, actor, generation from decisions
       where pattern = any($1::text[]) and kind <> 'note' order by pattern, generation desc`,
      [patterns],
    ),
  );
  const now = Date.now();
  return new Map(
    rows
      .filter((row) => row.kind !== 'revoke' && (row.until === null || row.until.getTime() > now))
      .map((row) => [row.pattern, { ...row, generation: Number(row.generation) }]),
  );
}
