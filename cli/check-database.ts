/** doctor's look into the database: room for connections, clocks that agree, and what the stored alerts give away. */
import { diagnose } from '../shared/diagnosis.ts';
import type { Environment } from '../shared/env.ts';
import { DependencyError } from '../shared/errors.ts';
import { createPool, run, sqlState } from '../shared/postgres/pool.ts';
import type { Pool } from '../shared/postgres/pool.ts';
import { readGenerations } from '../shared/redis.ts';
import type { Check } from './check.ts';

const COPIES_LOOKED_AT = 5_000;

/** Everything that only the database knows; nothing when it cannot be asked (checkPostgres says why). */
export async function checkDatabase({ DATABASE_URL: url, REDIS_URL: redis }: Environment): Promise<Check[]> {
  if (url === undefined || !URL.canParse(url)) return [];
  const pool = createPool({ url, name: 'doctor', size: 1 });
  try {
    return [...(await diagnose(pool)), ...(redis === undefined ? [] : await checkCopies(pool, redis))];
  } catch (error) {
    // checkPostgres says why the server cannot be asked.
    if (error instanceof DependencyError || sqlState(error) !== '') return [];
    throw error;
  } finally {
    await pool.end();
  }
}

/** Copies from the future: Redis holds decisions of a database that this one is not, or not any more. */
async function checkCopies(pool: Pool, redis: string): Promise<Check[]> {
  const name = 'Copies';
  const copies = await readGenerations(redis, COPIES_LOOKED_AT);
  if (copies === null) return [];
  const { rows } = await run(
    pool.query<{ ahead: number; behind: number }>(
      `select count(*) filter (where c.generation > coalesce(p.generation, 0))::int as ahead,
         count(*) filter (where c.generation < p.generation)::int as behind
       from unnest($1::text[], $2::bigint[]) as c (pattern, generation) left join alertgest.patterns p using (pattern)`,
      [[...copies.keys()], [...copies.values()]],
    ),
  );
  const { ahead = 0, behind = 0 } = rows[0] ?? {};
  if (ahead === 0) {
    const detail =
      behind === 0
        ? `${copies.size} in Redis, none stale`
        : `${behind} of ${copies.size} in Redis are stale and ignored`;
    return [{ name, verdict: 'ok', detail }];
  }
  return [
    {
      name,
      verdict: 'fail',
      detail: `${ahead} of ${copies.size} decisions in Redis are newer than the database knows them`,
      fix: 'the database was restored from a backup, or two alertgests share one Redis; they would win once the database counts as far: redis-cli --scan --pattern "ag:decision:*" | xargs redis-cli del',
    },
  ];
}
