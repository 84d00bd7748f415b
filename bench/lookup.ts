/** Looking up the decision on a pattern, as suppress-check does for every notice: by the copy in Redis, and by Postgres alone. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startPostgres } from '../eventing/local/postgres.ts';
import { startRedis } from '../eventing/local/redis.ts';
import { appendDecision, currentDecision } from '../shared/postgres/decisions.ts';
import { migrate } from '../shared/postgres/migrate.ts';
import { createPool, transaction } from '../shared/postgres/pool.ts';
import type { Pool } from '../shared/postgres/pool.ts';
import { createDecisionCache } from '../shared/redis.ts';
import { generateHistory } from './history.ts';
import { median } from './report.ts';
import type { Progress, Report } from './report.ts';

const EPISODES = 50_000;
const DECIDED = 500;
const LOOKUPS = 4_000;

/** Measures both over the same decisions, in turn. */
export async function measureLookup(progress: Progress): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'alertgest-bench-'));
  const server = await startPostgres({ folder: join(folder, 'postgres'), durable: false });
  const redis = await startRedis({ install: false, say: progress });
  const pool = createPool({ url: server.url, name: 'bench', size: 4 });
  try {
    await migrate(server.url);
    await generateHistory(server.url, EPISODES, progress);
    progress('decision lookup: deciding');
    const generations = await decideAll(pool);
    const times = new Map<string, number[]>();
    for (const [name, url] of [
      ['Postgres alone', undefined],
      ['Redis copy', redis?.url],
    ] as const) {
      if (name === 'Redis copy' && url === undefined) continue;
      times.set(name, await lookUp(pool, generations, url));
    }
    return toReport(times);
  } finally {
    await pool.end();
    await redis?.stop();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function decideAll(pool: Pool): Promise<ReadonlyArray<readonly [string, number]>> {
  const { rows } = await pool.query<{ pattern: string }>('select pattern from patterns limit $1', [DECIDED]);
  const generations: Array<readonly [string, number]> = [];
  for (const { pattern } of rows) {
    const generation = await transaction(pool, (client) =>
      appendDecision(client, pattern, { kind: 'ignore', until: null, note: null, actor: 'bench' }),
    );
    generations.push([pattern, generation ?? 0]);
  }
  return generations;
}

async function lookUp(
  pool: Pool,
  generations: ReadonlyArray<readonly [string, number]>,
  url: string | undefined,
): Promise<number[]> {
  const cache = await createDecisionCache(url, pino({ level: 'silent' }));
  const times: number[] = [];
  try {
    // The first rounds connect and fill the copy.
    for (let index = -2 * DECIDED; index < LOOKUPS; index++) {
      const [pattern, generation] = generations.at(index % DECIDED) ?? ['', 0];
      const at = new Date();
      const startedAt = performance.now();
      const decision = await cache.read(pattern, generation, at, () => currentDecision(pool, pattern, at));
      if (decision?.kind !== 'ignore') throw new Error(`no decision was found on ${pattern}`);
      if (index >= 0) times.push((performance.now() - startedAt) * 1_000);
    }
  } finally {
    cache.close();
  }
  return times;
}

function toReport(times: ReadonlyMap<string, readonly number[]>): Report {
  const at = (name: string, share: number): number =>
    (times.get(name) ?? []).toSorted((a, b) => a - b)[Math.floor(share * LOOKUPS)] ?? Number.NaN;
  const isWithout = !times.has('Redis copy');
  return {
    name: 'decision lookup',
    notes: [
      `${LOOKUPS} lookups, one after the other, over ${DECIDED} decided patterns`,
      ...(isWithout ? ['no Redis on this machine: only Postgres was measured'] : []),
    ],
    columns: ['store', 'median µs', 'p99 µs'],
    rows: [...times].map(([name, all]) => [
      name,
      Number(median(all).toFixed(0)),
      Number(at(name, 0.99).toFixed(0)),
    ]),
    verdicts: isWithout
      ? []
      : [
          {
            what: 'Redis copy over Postgres alone, median',
            value: median(times.get('Redis copy') ?? []) / median(times.get('Postgres alone') ?? []),
            goal: ['<=', 1],
          },
        ],
  };
}
