/** How a decision stands for one notice: in force, set aside, or about to be because the pattern left its envelope. */
import { createHash } from 'node:crypto';
import type { Decision } from '../../shared/postgres/decisions.ts';
import { GUARDED_KINDS, readGuard } from '../../shared/postgres/envelopes.ts';
import type { NoticeRow } from '../../shared/postgres/notices.ts';
import type { Queryable } from '../../shared/postgres/pool.ts';
import { longerThanUsualAt, outside, toBreakSentence } from './envelope.ts';

export interface Standing {
  /** The decision in force; null when there is none or it was set aside. */
  readonly decision: Decision | null;
  /** Why it no longer holds, as the sentence of the push; null while it does. */
  readonly outside: string | null;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly longerAt: Date | null;
}

/** What is known where no decision defends itself. */
export const UNGUARDED = { outside: null, longerAt: null } as const;

/** Reads it; patterns without a hiding decision cost nothing. Call it with the incident locked. */
export async function readStanding(
  db: Queryable,
  row: NoticeRow,
  decision: Decision | null,
): Promise<Standing> {
  const unguarded = { decision, ...UNGUARDED, evidence: {} };
  if (decision === null || !GUARDED_KINDS.has(decision.kind) || row.kind === 'resolved') return unguarded;
  // Without a note it hides no critical, so there is nothing to break.
  if (row.severity === 'critical' && decision.note === null && decision.kind !== 'quiet') return unguarded;
  const guard = await readGuard(db, row, decision.generation);
  if (guard?.broken === true) return { ...unguarded, decision: null };
  if (guard?.envelope == null) return unguarded;
  const openForMs =
    guard.oldestOpen === null ? null : Math.max(0, row.received_at.getTime() - guard.oldestOpen.getTime());
  const found = outside(guard.envelope, {
    at: row.received_at,
    inHour: guard.inHour,
    inDay: guard.inDay,
    atOnce: guard.atOnce,
    openForSeconds: openForMs === null ? null : openForMs / 1_000,
    louder: guard.louder,
  });
  return {
    decision,
    outside: found && toBreakSentence(decision, guard.decidedAt, found.why),
    evidence: { ...found?.evidence },
    longerAt: longerThanUsualAt(guard.envelope, guard.oldestOpen),
  };
}

/** Whether a notice is the one in `oneIn` that keeps an eye on an ignored issue: always the same answer for one id. */
export function isCanary(id: string, oneIn: number): boolean {
  if (oneIn === 0) return false;
  return createHash('sha256').update(id).digest().readUInt32BE(0) % oneIn === 0;
}
