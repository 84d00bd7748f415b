/** One real PostgreSQL for the whole run, with a migrated template database that every test file clones. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { createDatabase, startPostgres } from '../../eventing/local/postgres.ts';
import { startRedis } from '../../eventing/local/redis.ts';
import { migrate } from '../../shared/postgres/migrate.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of the server's maintenance database. */
    adminUrl: string;
    /** URL of a Redis, or null where the machine has none. */
    redisUrl: string | null;
  }
}

const TEMPLATE = 'alertgest_template';

/** Starts the stores, provides their addresses, and stops what it started. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const own = process.env['DATABASE_URL'];
  const folder = mkdtempSync(join(tmpdir(), 'alertgest-test-'));
  const server =
    own === undefined ? await startPostgres({ folder: join(folder, 'postgres'), durable: false }) : null;
  const adminUrl = own ?? server?.url.replace(/\/alertgest$/, '/postgres') ?? '';
  const template = new URL(adminUrl);
  template.pathname = `/${TEMPLATE}`;
  await createDatabase(adminUrl, TEMPLATE);
  await migrate(template.href);
  const redis =
    process.env['REDIS_URL'] === undefined
      ? await startRedis({ install: false, say: () => undefined })
      : null;
  project.provide('adminUrl', adminUrl);
  project.provide('redisUrl', process.env['REDIS_URL'] ?? redis?.url ?? null);
  return async () => {
    await redis?.stop();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
