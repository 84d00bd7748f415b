/**
 * A history made by SQL: episodes of 30 days, one in ten of them in one pattern, the rest over 900 others, each closed
 * and in an incident of its own.
 */
import { Client } from 'pg';
import type { Progress } from './report.ts';

/** The pattern with a tenth of all episodes. */
export const LARGEST_PATTERN = 'v1:largest';
const PATTERNS = 900;
const SLICE = 50_000;

/** Fills a migrated, empty database. One pattern in ten is critical; each is active in its own 100 hours, the largest in all. */
export async function generateHistory(url: string, episodes: number, progress: Progress): Promise<void> {
  const largest = Math.ceil(episodes / 10);
  const slice = Math.min(SLICE, largest);
  const client = new Client({ connectionString: url, options: '-c search_path=alertgest' });
  await client.connect();
  try {
    await client.query(
      `insert into patterns (pattern, alertname, severity, namespace, cluster, title, identity, kept, dropped, heartbeat, own, first_seen, last_seen)
       select case when n = 0 then '${LARGEST_PATTERN}' else 'v1:' || n end, 'Alert' || n % 60,
         case when n % 10 = 9 then 'critical' when n % 3 = 0 then 'warning' else 'info' end, 'ns' || n % 11, 'bench', 'thing ' || n,
         jsonb_build_object('alertname', 'Alert' || n % 60, 'severity', n % 10, 'workload', n), '{}', '{}', false, false,
         now() - interval '40 days', now() from generate_series(0, $1::int) as n`,
      [PATTERNS],
    );
    for (let from = 0; from < episodes; from += slice) {
      progress(`history: ${from} of ${episodes} episodes`);
      await client.query(
        `with made as materialized (
           select n, case when n < $3 then '${LARGEST_PATTERN}' else 'v1:' || (1 + n % $4) end as pattern,
             date_trunc('hour', now()) - case when n < $3 then interval '30 days' * ((n + 0.5) / $3)
               else make_interval(hours => ((n % $4) * 7 + (n / $4) % 100 * 7) % 719, secs => 1 + n % 3500) end as at,
             make_interval(secs => 20 + (n::bigint * 7919) % 1700) as lasted
           from generate_series($1::int, $2::int) as n),
         opened as (
           insert into incidents (id, pattern, opened_at, closed_at, open_episodes, episodes, grown_to)
           select 'ag-' || n, pattern, at, at + lasted, 0, 1, 1 from made)
         insert into episodes (key, pattern, incident, alertname, severity, namespace, own, labels, annotations, generator_url,
           flags, starts_at, ended_at, end_reason, received_at, last_seen, end_received_at)
         select 'k' || n, m.pattern, 'ag-' || n, p.alertname, p.severity, p.namespace, false,
           jsonb_build_object('alertname', p.alertname, 'severity', p.severity, 'namespace', p.namespace, 'pod', 'api-' || n),
           jsonb_build_object('summary', 'Pod has been in a non-ready state', 'description', repeat('for longer than 15 minutes ', 8)),
           'http://prometheus:9090/graph', '{}', at, at + lasted, 'resolved', at, at + lasted, at + lasted
         from made m join patterns p using (pattern)`,
        [from, Math.min(from + slice, episodes) - 1, largest, PATTERNS],
      );
    }
    progress('history: vacuum');
    await client.query('vacuum analyze');
  } finally {
    await client.end();
  }
}
