/** Queries on what people judged: a pattern's latest alert with the decision that is in force. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

export interface JudgedIssue {
  readonly pattern: string;
  readonly kind: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Issues that a person called important or not concerning, with their latest alert; latest decisions first. */
export async function listJudged(db: Queryable, limit: number): Promise<JudgedIssue[]> {
  const { rows } = await run(
    db.query<JudgedIssue>(
      `select p.pattern, d.kind, e.labels, e.annotations
       from patterns p
       cross join lateral (select kind, created_at from decisions l where l.pattern = p.pattern and l.kind <> 'note'
         order by l.generation desc limit 1) d
       cross join lateral (select labels, annotations from episodes where pattern = p.pattern
         order by received_at desc limit 1) e
       where p.generation > 0 and d.kind in ('important', 'ignore', 'digest', 'snooze')
       order by d.created_at desc limit $1`,
      [limit],
    ),
  );
  return rows;
}
