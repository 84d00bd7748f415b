/** The migration Job: brings the schema of DATABASE_URL up to date and ends. */
import * as z from 'zod';
import { databaseConfig, parseConfig, resolveEnvironment } from '../shared/env.ts';
import { ConfigError } from '../shared/errors.ts';
import { createLog, describeError } from '../shared/log.ts';
import { migrate } from '../shared/postgres/migrate.ts';

const configSchema = z.object({ DATABASE_URL: databaseConfig.shape.DATABASE_URL });
const log = createLog('migrate', 'info');

async function main(): Promise<void> {
  try {
    const config = parseConfig(configSchema, resolveEnvironment(process.env));
    log.info({ applied: await migrate(config.DATABASE_URL) }, 'schema is up to date');
  } catch (error) {
    log.error(describeError(error), 'schema not migrated');
    process.exitCode = error instanceof ConfigError ? 78 : 1;
  }
}

void main();
