/** Applies the numbered .sql files, forward only, under an advisory lock, and refuses files that changed after they ran. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { Client } from 'pg';
import { ConfigError } from '../errors.ts';
import { SCHEMA } from './pool.ts';

/** Any constant: migrators of one database wait for each other on it. */
const LOCK = 5_420_711;

/** Brings the schema up to date; answers the names of the files that ran now. */
export async function migrate(
  databaseUrl: string,
  folder: URL = new URL('./migrations/', import.meta.url),
): Promise<string[]> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    await client.query(`create schema if not exists ${SCHEMA}`);
    await client.query(`set search_path = ${SCHEMA}, public`);
    await client.query(
      'create table if not exists migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now())',
    );
    const { rows } = await client.query<{ name: string; checksum: string }>(
      'select name, checksum from migrations',
    );
    const applied = new Map(rows.map((row) => [row.name, row.checksum]));
    const ran: string[] = [];
    for (const name of migrationFiles(folder)) {
      const sql = readFileSync(new URL(name, folder), 'utf8');
      const checksum = createHash('sha256').update(sql).digest('hex');
      const known = applied.get(name);
      if (known === checksum) continue;
      if (known !== undefined)
        throw new ConfigError(`migration ${name} was changed after it ran; add a new file instead`);
      await applyMigration(client, name, checksum, sql);
      ran.push(name);
    }
    return ran;
  } finally {
    await client.end();
  }
}

async function applyMigration(client: Client, name: string, checksum: string, sql: string): Promise<void> {
  await client.query('begin');
  try {
    await client.query(sql);
    await client.query('insert into migrations (name, checksum) values ($1, $2)', [name, checksum]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

function migrationFiles(folder: URL): string[] {
  return readdirSync(folder)
    .filter((name) => /^\d{4}_[a-z0-9-]+\.sql$/.test(name))
    .toSorted();
}
