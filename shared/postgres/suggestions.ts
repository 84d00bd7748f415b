/** The query behind suggestions: which patterns are consistently noise, from the roll-up alone. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** A pattern that comes often, always heals alone within minutes, and that nobody decided about. */
export interface Noise {
  readonly pattern: string;
  readonly alertname: string;
  readonly severity: string;
  readonly namespace: string | null;
  readonly title: string;
  readonly episodes: number;
  readonly longestSeconds: number;
  /** Days on which it came. */
  readonly onDays: number;
}

/** Lists them, the most frequent first. On three days at least: one bad afternoon is not noise. */
export async function listNoise(
  db: Queryable,
  noise: {
    readonly episodes: number;
    readonly seconds: number;
    readonly days: number;
    readonly limit: number;
  },
): Promise<Noise[]> {
  const { rows } = await run(
    db.query<Noise>(
      `with sums as materialized (
         select pattern, sum(opened)::int as episodes, max(longest) as longest,
           count(distinct date_trunc('day', hour, 'UTC'))::int as on_days
         from pattern_hours where hour >= (select alert_now()) - make_interval(days => $1)
         group by pattern
         having sum(opened) >= $2 and sum(opened) = sum(healed) and max(longest) <= $3
           and count(distinct date_trunc('day', hour, 'UTC')) >= 3)
       select p.pattern, p.alertname, p.severity, p.namespace, p.title, s.episodes,
         s.longest as "longestSeconds", s.on_days as "onDays"
       from sums s join patterns p using (pattern)
       where p.severity <> 'critical' and not p.heartbeat and not p.own
         and not exists (
           select 1 from (
             select kind, until from decisions d where d.pattern = p.pattern and d.kind <> 'note'
             order by generation desc limit 1) as latest
           where latest.kind <> 'revoke' and (latest.until is null or latest.until > (select alert_now())))
       order by s.episodes desc, p.pattern limit $4`,
      [noise.days, noise.episodes, noise.seconds, noise.limit],
    ),
  );
  return rows;
}
