/**
 * The time machine on a large history: 1,000,000 episodes of 30 days, 100,000 of them in one pattern. Measures the
 * back-test and the facts of an envelope for that pattern over one sequential scan of the same rows.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../eventing/local/postgres.ts';
import { readNightClock, suggest, testBack } from '../functions/console/time-machine.ts';
import { makeEnvelope, readGuard, storeEnvelopes, wakeOutside } from '../shared/postgres/envelopes.ts';
import { appendDecision } from '../shared/postgres/decisions.ts';
import { rollUpHistory } from '../shared/postgres/history.ts';
import { migrate } from '../shared/postgres/migrate.ts';
import { createPool, transaction } from '../shared/postgres/pool.ts';
import type { Pool } from '../shared/postgres/pool.ts';
import { LARGEST_PATTERN, generateHistory } from './history.ts';
import { median } from './report.ts';
import type { Progress, Report } from './report.ts';

const EPISODES = Number(process.env['BENCH_EPISODES'] ?? 1_000_000);
const RUNS = 15;
/** What the same counts cost without index or roll-up. */
const SCAN = `select count(*), count(*) filter (where end_reason = 'resolved'), max(ended_at - starts_at)
  from episodes where pattern || '' = '${LARGEST_PATTERN}' and received_at > now() - interval '30 days'`;

/** Generates the history, measures, and takes everything down. */
export async function measureBacktest(progress: Progress): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'alertgest-bench-'));
  const server = await startPostgres({ folder: join(folder, 'postgres'), durable: false });
  const pool = createPool({ url: server.url, name: 'bench', size: 4 });
  try {
    await migrate(server.url);
    await generateHistory(server.url, EPISODES, progress);
    const rolledUp = await rollUpAll(pool, progress);
    return await measure(pool, rolledUp, progress);
  } finally {
    await pool.end();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Rolls everything up as sweeps after an outage would; answers how long and how many sweeps that took. */
async function rollUpAll(pool: Pool, progress: Progress): Promise<{ seconds: number; sweeps: number }> {
  const startedAt = performance.now();
  let sweeps = 0;
  do {
    progress(`back-test: roll-up, sweep ${++sweeps}`);
  } while ((await rollUpHistory(pool, 30)) > 0);
  await pool.query('analyze pattern_hours');
  return { seconds: (performance.now() - startedAt) / 1_000, sweeps };
}

async function measure(
  pool: Pool,
  rolledUp: { seconds: number; sweeps: number },
  progress: Progress,
): Promise<Report> {
  const night = await readNightClock({});
  const { rows } = await pool.query<{ incident: string }>(
    'select incident from episodes where pattern = $1 limit 1',
    [LARGEST_PATTERN],
  );
  const generation = await transaction(pool, (client) =>
    appendDecision(client, LARGEST_PATTERN, { kind: 'ignore', until: null, note: null, actor: 'bench' }),
  );
  const notice = { pattern: LARGEST_PATTERN, incident: rows[0]?.incident ?? '', received_at: new Date() };
  const works: ReadonlyArray<readonly [string, () => Promise<unknown>]> = [
    ['sequential scan', () => pool.query(SCAN)],
    ['back-test', () => testBack(pool, LARGEST_PATTERN, night)],
    ['make envelope', () => makeEnvelope(pool, LARGEST_PATTERN, new Date())],
    ['store envelopes (sweep)', () => storeEnvelopes(pool, 30)],
    ['facts of a notice', () => readGuard(pool, notice, generation ?? 0)],
    ['wake what is outside (sweep)', () => wakeOutside(pool)],
    ['suggestions', () => suggest(pool, night, { episodes: 10, seconds: 3_600 })],
  ];
  const times = new Map<string, number[]>(works.map(([name]) => [name, []]));
  for (let round = 0; round <= RUNS; round++) {
    progress(`back-test: round ${round} of ${RUNS}`);
    for (const [name, work] of works) {
      const startedAt = performance.now();
      await work();
      if (round > 0) times.get(name)?.push(performance.now() - startedAt);
    }
  }
  const of = (name: string): number => median(times.get(name) ?? []);
  const slowest = (name: string): number => Math.max(...(times.get(name) ?? []));
  const { episodes, beforeCritical } = await testBack(pool, LARGEST_PATTERN, night);
  return {
    name: 'back-test',
    notes: [
      `${EPISODES} episodes of 30 days, ${episodes} of them in the pattern asked about, ${beforeCritical.criticals} criticals after it`,
      `rolled up from nothing in ${rolledUp.seconds.toFixed(1)} s over ${rolledUp.sweeps} sweeps; ${RUNS} interleaved runs each, warm`,
    ],
    columns: ['work', 'median ms', 'slowest ms', 'over one scan'],
    rows: works.map(([name]) => [
      name,
      Number(of(name).toFixed(1)),
      Number(slowest(name).toFixed(1)),
      Number((of(name) / of('sequential scan')).toFixed(3)),
    ]),
    verdicts: [
      {
        what: 'back-test of the largest pattern, median',
        value: of('back-test'),
        goal: ['<=', 300],
        unit: ' ms',
      },
      {
        what: 'back-test over one scan',
        value: of('back-test') / of('sequential scan'),
        goal: ['<=', 1],
      },
    ],
  };
}
