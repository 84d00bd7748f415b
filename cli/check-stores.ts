/** doctor's look at Postgres and Redis. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { findServer } from '../eventing/local/redis.ts';
import { createLog } from '../shared/log.ts';
import { createPool, run, sqlState } from '../shared/postgres/pool.ts';
import type { Pool } from '../shared/postgres/pool.ts';
import { createDecisionCache } from '../shared/redis.ts';
import type { Environment } from '../shared/env.ts';
import type { Check } from './check.ts';
import { toPlace } from './reach.ts';

const MIGRATIONS = new URL('../shared/postgres/migrations/', import.meta.url);
/** Oldest server the schema is tested with. */
const OLDEST_POSTGRES = 16;
/** Six functions with the default pool of four, and room for migrations and people. */
const CONNECTIONS_WANTED = 40;
const REDIS_WITHIN_MS = 2_000;
/** undefined_table and invalid_schema_name: nothing was migrated yet. */
const NO_SCHEMA: ReadonlySet<string> = new Set(['42P01', '3F000']);
const BAD_LOGIN: ReadonlySet<string> = new Set(['28P01', '28000']);

/** Postgres: reachable, new enough, migrated, with enough connections. */
export async function checkPostgres({ DATABASE_URL: url }: Environment): Promise<Check[]> {
  const name = 'Postgres';
  if (url === undefined)
    return [{ name, verdict: 'off', detail: 'DATABASE_URL is not set; "run" and "demo" bring their own' }];
  const place = toPlace(url);
  if (place === null) {
    const fix = 'e.g. DATABASE_URL=postgresql://alertgest@postgres:5432/alertgest';
    return [{ name, verdict: 'fail', detail: 'DATABASE_URL is no address', fix }];
  }
  const pool = createPool({ url, name: 'doctor', size: 1 });
  try {
    return [await checkServer(pool, place), await checkSchema(pool)];
  } catch (error) {
    const state = sqlState(error);
    const fix = BAD_LOGIN.has(state)
      ? 'the server refuses this user or password'
      : 'is it running, and can this machine reach it?';
    return [{ name, verdict: 'fail', detail: `${place} does not let us in (${state || 'no answer'})`, fix }];
  } finally {
    await pool.end();
  }
}

async function checkServer(pool: Pool, place: string): Promise<Check> {
  const { rows } = await run(
    pool.query<{ version: string; major: number; connections: number }>(
      `select current_setting('server_version') as version, current_setting('server_version_num')::int / 10000 as major,
         current_setting('max_connections')::int as connections`,
    ),
  );
  const { version = '', major = 0, connections = 0 } = rows[0] ?? {};
  const detail = `${place}, version ${version.split(' ', 1)[0] ?? ''}, max_connections ${connections}`;
  if (major < OLDEST_POSTGRES)
    return {
      name: 'Postgres',
      verdict: 'warn',
      detail,
      fix: `alertgest is tested with PostgreSQL ${OLDEST_POSTGRES} and later`,
    };
  if (connections < CONNECTIONS_WANTED)
    return {
      name: 'Postgres',
      verdict: 'warn',
      detail,
      fix: `raise max_connections to ${CONNECTIONS_WANTED} or lower DATABASE_POOL_SIZE`,
    };
  return { name: 'Postgres', verdict: 'ok', detail };
}

async function checkSchema(pool: Pool): Promise<Check> {
  const files = readdirSync(MIGRATIONS).filter((file) => file.endsWith('.sql'));
  const applied = await appliedMigrations(pool);
  const missing = files.filter((file) => !applied.has(file));
  if (missing.length === 0)
    return { name: 'Schema', verdict: 'ok', detail: `up to date (${files.length} of ${files.length})` };
  return {
    name: 'Schema',
    verdict: 'fail',
    detail: `${missing.length} of ${files.length} migrations did not run yet`,
    fix: 'npm run --silent alertgest -- migrate',
  };
}

async function appliedMigrations(pool: Pool): Promise<ReadonlySet<string>> {
  try {
    const { rows } = await run(pool.query<{ name: string }>('select name from alertgest.migrations'));
    return new Set(rows.map((row) => row.name));
  } catch (error) {
    if (NO_SCHEMA.has(sqlState(error))) return new Set();
    throw error;
  }
}

/** Redis: a copy of decisions; without it they are read from Postgres. */
export async function checkRedis({ REDIS_URL: url }: Environment): Promise<Check> {
  const name = 'Redis';
  if (url === undefined) {
    const server = findServer();
    const detail =
      server === null
        ? 'REDIS_URL is not set and there is no redis-server; decisions are read from Postgres'
        : `REDIS_URL is not set; "run" and "demo" start ${server}`;
    return { name, verdict: 'off', detail };
  }
  const place = toPlace(url);
  if (place === null)
    return { name, verdict: 'warn', detail: 'REDIS_URL is no address', fix: 'e.g. redis://redis:6379' };
  const cache = await createDecisionCache(url, createLog('doctor', 'silent'));
  try {
    const deadline = Date.now() + REDIS_WITHIN_MS;
    while (cache.state() !== 'ok' && Date.now() < deadline) await sleep(50);
    if (cache.state() === 'ok') return { name, verdict: 'ok', detail: place };
    const fix = 'start it, or leave REDIS_URL unset; until then decisions are read from Postgres';
    return { name, verdict: 'warn', detail: `${place} does not answer`, fix };
  } finally {
    cache.close();
  }
}
