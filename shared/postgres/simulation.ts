/** The queries behind `simulate`: what became of the incidents of some patterns. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

export interface PushCounts {
  readonly pattern: string;
  readonly alertname: string;
  readonly severity: string;
  readonly title: string;
  /** Incidents that opened; those that anybody was told of; those that a decision hid. */
  readonly incidents: number;
  readonly pushed: number;
  readonly hidden: number;
}

/** By SQL: whether an incident `i` was told, its end, what people decided and what was kept for the digest aside. */
const TOLD = `exists (select 1 from notices n where n.incident = i.id and n.kind <> 'resolved' and n.decision is null
  and n.status in ('notified', 'digested') and n.reason is distinct from 'digest-only')`;

/** What became of the incidents that opened since `from`, by pattern; unknown patterns are left out. */
export async function readPushes(
  db: Queryable,
  patterns: readonly string[],
  from: Date,
): Promise<PushCounts[]> {
  const { rows } = await run(
    db.query<PushCounts>(
      `select p.pattern, p.alertname, p.severity, p.title, c.incidents, c.pushed, c.hidden
       from patterns p cross join lateral (
         select count(*)::int as incidents, (count(*) filter (where ${TOLD}))::int as pushed,
           (count(*) filter (where not ${TOLD} and exists (select 1 from notices n where n.incident = i.id
             and n.reason in ('ignored', 'snoozed', 'digest-only'))))::int as hidden
         from incidents i where i.pattern = p.pattern and i.opened_at >= $2) c
       where p.pattern = any($1::text[]) order by c.incidents desc, p.pattern`,
      [patterns, from],
    ),
  );
  return rows;
}

/** How many incidents since `from` anybody was told of, over all patterns. */
export async function countPushes(db: Queryable, from: Date): Promise<number> {
  const { rows } = await run(
    db.query<{ n: number }>(
      `select count(*)::int as n from incidents i where i.opened_at >= $1 and ${TOLD}`,
      [from],
    ),
  );
  return rows[0]?.n ?? 0;
}
