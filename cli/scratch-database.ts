/** A database of its own on the user's server, so that a demo never touches theirs; dropped at the end. */
import { randomBytes } from 'node:crypto';
import { createDatabase } from '../eventing/local/postgres.ts';
import { createPool, run } from '../shared/postgres/pool.ts';

export interface ScratchDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** Creates it next to the database of `serverUrl`; null without a server. */
export async function createScratchDatabase(serverUrl: string | undefined): Promise<ScratchDatabase | null> {
  if (serverUrl === undefined || serverUrl === '') return null;
  const name = `alertgest_demo_${randomBytes(4).toString('hex')}`;
  await createDatabase(serverUrl, name);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async drop() {
      const pool = createPool({ url: serverUrl, name: 'demo', size: 1 });
      try {
        // The name is ours: letters, digits and underscores.
        await run(pool.query(`drop database if exists ${name} with (force)`));
      } finally {
        await pool.end();
      }
    },
  };
}
