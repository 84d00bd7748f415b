/** Queries on `escalations`: who else is told when nobody acknowledged an incident. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** One escalation to be written. */
export interface EscalationInsert {
  readonly step: string;
  readonly afterMs: number;
  readonly channels: readonly string[];
}

/** Plans escalations of an open incident; one that was planned before stays as it was. */
export async function planEscalations(
  db: Queryable,
  incident: string,
  escalations: readonly EscalationInsert[],
): Promise<void> {
  if (escalations.length === 0) return;
  const rows = escalations.map(({ step, afterMs, channels }) => ({
    step,
    after_s: afterMs / 1_000,
    channels,
  }));
  await db.query(
    `insert into escalations (incident, step, planned_at, at, channels)
     select i.id, r.step, alert_now(), alert_now() + make_interval(secs => r.after_s), r.channels
     from incidents i, jsonb_to_recordset($2::jsonb) as r(step text, after_s float8, channels text[])
     where i.id = $1 and i.closed_at is null
     on conflict (incident, step) do nothing`,
    [incident, JSON.stringify(rows)],
  );
}

/** An escalation whose time has come. */
export interface DueEscalation {
  readonly id: string;
  readonly incident: string;
  readonly outcome: 'told' | 'acknowledged' | 'over';
  readonly after_ms: number;
}

/**
 * Takes escalations whose time has come, locked, with what becomes of each: an incident that is over needs nobody, and any
 * decision on its pattern since (a note counts) means that somebody has it. Call {@link finishEscalation} for each.
 */
export async function takeDueEscalations(db: Queryable, limit: number): Promise<DueEscalation[]> {
  const { rows } = await db.query<DueEscalation>(
    `select e.id, e.incident, (extract(epoch from e.at - e.planned_at) * 1000)::float8 as after_ms,
       case when i.closed_at is not null then 'over'
         when exists (select 1 from decisions d where d.pattern = i.pattern and d.decided_at >= e.planned_at) then 'acknowledged'
         else 'told' end as outcome
     from escalations e join incidents i on i.id = e.incident
     where e.outcome is null and e.at <= alert_now() order by e.at, e.id limit $1 for update of e skip locked`,
    [limit],
  );
  return rows;
}

/** Notes what became of an escalation; `notice` is the one that tells of it. */
export async function finishEscalation(
  db: Queryable,
  { id, outcome }: Pick<DueEscalation, 'id' | 'outcome'>,
  notice: string | null,
): Promise<void> {
  await db.query('update escalations set outcome = $2, notice = $3 where id = $1::bigint', [
    id,
    outcome,
    notice,
  ]);
}

/** The channels of the escalation that a notice tells of; null when it tells of none. */
export async function readEscalation(db: Queryable, notice: string): Promise<readonly string[] | null> {
  const { rows } = await run(
    db.query<{ channels: string[] }>('select channels from escalations where notice = $1', [notice]),
  );
  return rows[0]?.channels ?? null;
}
