/** Queries behind the list of decisions in force, with the issue of each: what an export needs to be read elsewhere. */
import type { Decision, DecisionKind } from './decisions.ts';
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

export interface IssueIdentity {
  readonly pattern: string;
  readonly alertname: string;
  readonly severity: string;
  readonly namespace: string | null;
  readonly cluster: string | null;
  readonly title: string;
  readonly identity: Readonly<Record<string, string>>;
  readonly kept: Readonly<Record<string, string>>;
  readonly dropped: Readonly<Record<string, string>>;
}

export type InForceRow = IssueIdentity & Decision;

/** Decisions in force in order of their patterns, behind `after`; a null limit means all. */
export async function listInForce(
  db: Queryable,
  { after, limit }: { after: string | undefined; limit: number | null },
): Promise<InForceRow[]> {
  const { rows } = await run(
    db.query<Omit<InForceRow, 'generation' | 'kind'> & { kind: DecisionKind; generation: string }>(
      `select p.pattern, p.alertname, p.severity, p.namespace, p.cluster, p.title, p.identity, p.kept, p.dropped,
         d.kind, d.until, d.note, d.actor, d.generation
       from patterns p cross join lateral (
         select kind, until, note, actor, generation from decisions l
         where l.pattern = p.pattern and l.kind <> 'note' order by l.generation desc limit 1) d
       where p.generation > 0 and d.kind <> 'revoke' and (d.until is null or d.until > (select alert_now()))
         and ($1::text is null or p.pattern > $1)
       order by p.pattern limit $2`,
      [after ?? null, limit],
    ),
  );
  return rows.map((row) => ({ ...row, generation: Number(row.generation) }));
}

/** Makes sure that an issue exists, so that it can be decided on before its first alert; a known one stays as it is. */
export async function ensurePattern(db: Queryable, issue: IssueIdentity): Promise<void> {
  await db.query(
    `insert into patterns (pattern, alertname, severity, namespace, cluster, title, identity, kept, dropped, heartbeat, own, first_seen, last_seen)
     values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb, $9::jsonb, false, false, alert_now(), alert_now())
     on conflict (pattern) do nothing`,
    [
      issue.pattern,
      issue.alertname,
      issue.severity,
      issue.namespace,
      issue.cluster,
      issue.title,
      JSON.stringify(issue.identity),
      JSON.stringify(issue.kept),
      JSON.stringify(issue.dropped),
    ],
  );
}
