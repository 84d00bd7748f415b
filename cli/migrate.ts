/** migrate: brings the schema up to date; on the cluster a Job runs it before the functions start. */
import { ConfigError, DependencyError } from '../shared/errors.ts';
import { resolveEnvironment } from '../shared/env.ts';
import { migrate } from '../shared/postgres/migrate.ts';
import { sqlState } from '../shared/postgres/pool.ts';
import { defineCommand } from './command.ts';

export const command = defineCommand({
  help: `
migrate: runs the migrations that DATABASE_URL has not seen yet, under a lock, forward only. Running it again does nothing.

Example:
  DATABASE_URL=postgresql://alertgest@127.0.0.1:5432/alertgest npm run --silent alertgest -- migrate`,
  flags: {},
  words: [],
  async run() {
    const { DATABASE_URL, DATABASE_URL_FILE } = process.env;
    const { DATABASE_URL: url } = resolveEnvironment({ DATABASE_URL, DATABASE_URL_FILE });
    if (url === undefined)
      throw new ConfigError('DATABASE_URL is not set, e.g. postgresql://alertgest@postgres:5432/alertgest');
    try {
      const ran = await migrate(url);
      process.stdout.write(ran.length === 0 ? 'The schema is up to date.\n' : `Ran ${ran.join(', ')}.\n`);
      return 0;
    } catch (cause) {
      // Codes in capitals that begin with E are the network's; anything else is Postgres' own word.
      if (!/^E[A-Z]+$/.test(sqlState(cause))) throw cause;
      throw new DependencyError('Postgres cannot be reached; see "doctor"', { cause });
    }
  },
});
