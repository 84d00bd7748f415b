/** Watches how long others wait for locks, by asking Postgres every few milliseconds. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';

const EVERY_MS = 4;

export interface LockWatch {
  /** Ends it; answers the longest wait that was seen, in milliseconds. */
  stop(): Promise<number>;
}

/** Starts watching. A wait that is over between two looks is shorter than the time between them and counts as none. */
export async function watchLocks(url: string): Promise<LockWatch> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const over = new AbortController();
  let longestMs = 0;
  const watching = (async () => {
    while (!over.signal.aborted) {
      const { rows } = await client.query<{ waited: number | null }>(
        `select max(extract(epoch from clock_timestamp() - waitstart) * 1000)::float8 as waited from pg_locks where not granted`,
      );
      longestMs = Math.max(longestMs, rows[0]?.waited ?? 0);
      await sleep(EVERY_MS);
    }
    await client.end();
  })();
  return {
    async stop() {
      over.abort();
      await watching;
      return longestMs;
    },
  };
}
