/**
 * The digest of an impossible night: 1,000,000 alerts of 900 issues and 20,000 label sets received in one window. Measures
 * the facts, which are read by SQL, over one sequential scan of the same rows, and the writing of the text.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startPostgres } from '../eventing/local/postgres.ts';
import { collectFacts } from '../shared/digest/collect.ts';
import { toMarkdown } from '../shared/digest/markdown.ts';
import { toDocument } from '../shared/digest/sections.ts';
import { migrate } from '../shared/postgres/migrate.ts';
import { createPool } from '../shared/postgres/pool.ts';
import type { Pool } from '../shared/postgres/pool.ts';
import { median } from './report.ts';
import type { Progress, Report } from './report.ts';

const EPISODES = Number(process.env['BENCH_EPISODES'] ?? 1_000_000);
const PATTERNS = 900;
const SETS = 20_000;
const SLICE = 50_000;
const RUNS = 7;
const END = new Date('2026-02-03T08:00:00Z');
const START = new Date('2026-02-02T18:00:00Z');
const NIGHT_S = (END.getTime() - START.getTime()) / 1_000;
const CALENDAR = {
  CAPTURE_WINDOW_START: '18:00',
  CAPTURE_WINDOW_END: '08:00',
  CAPTURE_WINDOW_TIMEZONE: 'Europe/London',
};

/** Generates the night, measures, and takes everything down. */
export async function measureDigest(progress: Progress): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'alertgest-bench-'));
  const server = await startPostgres({ folder: join(folder, 'postgres'), durable: false });
  const pool = createPool({ url: server.url, name: 'bench', size: 4, statementTimeoutMs: 60_000 });
  try {
    await migrate(server.url);
    await generate(server.url, progress);
    return await measure(pool, progress);
  } finally {
    await pool.end();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function generate(url: string, progress: Progress): Promise<void> {
  const client = new Client({ connectionString: url, options: '-c search_path=alertgest' });
  await client.connect();
  try {
    await client.query(
      `insert into patterns (pattern, alertname, severity, namespace, cluster, title, identity, kept, dropped, heartbeat, own, first_seen, last_seen)
       select 'v1:' || n, 'Alert' || n % 60, case when n % 10 = 9 then 'critical' when n % 3 = 0 then 'warning' else 'info' end,
         'ns' || n % 11, 'bench', 'ns' || n % 11 || '/thing-' || n, jsonb_build_object('workload', 'thing-' || n), '{}', '{}', false, false,
         $2::timestamptz - interval '40 days', $2 from generate_series(0, $1::int - 1) as n`,
      [PATTERNS, END],
    );
    await client.query(
      `insert into pattern_hours (pattern, hour, opened, healed, lost, seconds, longest, durations, incidents, at_once)
       select p.pattern, h.hour, 1, 1, 0, 60, 60, '{}', 1, 1 from patterns p
       cross join generate_series($1::timestamptz - interval '14 days', $1, '5 hours') as h(hour)`,
      [START],
    );
    // The history's roll-up is not what is measured.
    await client.query('alter table episodes disable trigger user');
    await client.query(
      `insert into incidents (id, pattern, opened_at, closed_at, open_episodes, episodes, grown_to)
       select 'ag-' || n, 'v1:' || n % $2::int, $3::timestamptz + make_interval(secs => (n::bigint * 7919) % $4::int), $5, 0, 1, 1
       from generate_series(1, $1::int) as n`,
      [EPISODES / 20, PATTERNS, START, NIGHT_S, new Date(END.getTime() - 1_000)],
    );
    for (let from = 0; from < EPISODES; from += SLICE) {
      progress(`digest: ${from} of ${EPISODES} alerts`);
      await client.query(
        `insert into episodes (key, pattern, incident, alertname, severity, namespace, own, labels, annotations, generator_url,
           flags, starts_at, ended_at, end_reason, received_at, last_seen, end_received_at)
         select 'k' || set, p.pattern, 'ag-1', p.alertname, p.severity, p.namespace, false,
           jsonb_build_object('alertname', p.alertname, 'severity', p.severity, 'namespace', p.namespace, 'pod', 'thing-' || set, 'team', 'a'),
           jsonb_build_object('summary', 'Pod has been in a non-ready state', 'description', repeat('for longer than 15 minutes ', 8)),
           'http://prometheus:9090/graph', '{}', at, ended, case when ended is not null then 'resolved' end, at, coalesce(ended, at), ended
         from (
           select n, n % $3::int as set, $4::timestamptz + make_interval(secs => (n::bigint * 7919) % $5::int) as at,
             case when n % 997 = 0 then null
               else least($4::timestamptz + make_interval(secs => (n::bigint * 7919) % $5::int + 20 + n % 1700), $6::timestamptz - interval '1 second') end as ended
           from generate_series($1::int, $2::int) as n) m
         join patterns p on p.pattern = 'v1:' || m.set % $7::int
         where ended is not null or not exists (select 1 from episodes o where o.key = 'k' || m.set and o.ended_at is null)
         on conflict do nothing`,
        [from, from + SLICE - 1, SETS, START, NIGHT_S, END, PATTERNS],
      );
    }
    progress('digest: vacuum');
    await client.query('vacuum analyze');
  } finally {
    await client.end();
  }
}

async function measure(pool: Pool, progress: Progress): Promise<Report> {
  const scans: number[] = [];
  const facts: number[] = [];
  const texts: number[] = [];
  let stored = 0;
  let counted = 0;
  for (let run = 0; run < RUNS; run++) {
    progress(`digest: run ${run + 1} of ${RUNS}`);
    scans.push(await timed(async () => (stored = await scan(pool))));
    const startedAt = performance.now();
    const night = await collectFacts(
      pool,
      { name: 'all', zone: 'Europe/London', windows: [{ start: START, end: END }], matches: null },
      CALENDAR,
      { cluster: null, missed: { missed: null, missedWhy: null } },
    );
    facts.push(performance.now() - startedAt);
    counted = night.counts.episodes;
    texts.push(await timed(() => Promise.resolve(toMarkdown(toDocument({ facts: night })))));
  }
  const seconds = (values: readonly number[]): number => median(values) / 1_000;
  return {
    name: 'digest',
    notes: [
      `${stored.toLocaleString('en-GB')} alerts in one night, of ${PATTERNS} issues and ${SETS.toLocaleString('en-GB')} label sets; median of ${RUNS} runs.`,
      'The scan reads the columns that the facts count, sequentially, with as many workers as Postgres takes by itself.',
    ],
    columns: ['part', 'median in s', 'slowest in s'],
    rows: [
      ['one sequential scan', seconds(scans), Math.max(...scans) / 1_000],
      ['facts by SQL', seconds(facts), Math.max(...facts) / 1_000],
      ['text without a model', seconds(texts), Math.max(...texts) / 1_000],
    ],
    verdicts: [
      { what: 'facts', value: seconds(facts), goal: ['<=', 5], unit: 's' },
      { what: 'facts over one scan', value: seconds(facts) / seconds(scans), goal: ['<=', 3] },
      { what: 'alerts counted of those stored', value: counted / stored, goal: ['>=', 1] },
      { what: 'text', value: seconds(texts), goal: ['<=', 1], unit: 's' },
    ],
  };
}

/** The same rows and columns, read once without index and grouped by nothing. */
async function scan(pool: Pool): Promise<number> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('set local enable_indexscan = off');
    await client.query('set local enable_bitmapscan = off');
    await client.query('set local enable_indexonlyscan = off');
    const { rows } = await client.query<{ n: number }>(
      `select count(*)::int as n, max(pattern), max(key), min(starts_at), max(ended_at), max(end_received_at), max(end_reason), max(id)
       from episodes where received_at >= $1 and received_at < $2 and not own`,
      [START, END],
    );
    await client.query('rollback');
    return rows[0]?.n ?? 0;
  } finally {
    client.release();
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
