/**
 * The database's clock, read without asking it every time: it is fetched now and then and carried on by the process's
 * monotonic timer, so a jump of this machine's clock changes nothing.
 */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** How long a fetched time is carried on, in milliseconds. */
const REFRESH_MS = 30_000;

export interface Clock {
  /** The database's time; alerts are stamped with it. */
  now(): Promise<Date>;
}

/** Creates the clock of one process. */
export function createClock(db: Queryable): Clock {
  let base = 0;
  let fetchedAt = -Infinity;
  return {
    async now() {
      if (performance.now() - fetchedAt > REFRESH_MS) {
        const { rows } = await run(db.query<{ now: Date }>('select clock_timestamp() as now'));
        base = rows[0]?.now.getTime() ?? Date.now();
        fetchedAt = performance.now();
      }
      return new Date(base + (performance.now() - fetchedAt));
    },
  };
}

/** Shifts the clock of rules about alerts so that it stands at `at` now; null sets it back. Only a replay does this. */
export async function shiftAlertClock(db: Queryable, at: Date | null): Promise<void> {
  await db.query(
    `update clock set shift = coalesce($1::timestamptz - clock_timestamp(), interval '0')
     where $1::timestamptz is not null or shift <> interval '0'`,
    [at],
  );
}

/** The time by which rules about alerts are judged. */
export async function readAlertClock(db: Queryable): Promise<Date> {
  const { rows } = await run(db.query<{ now: Date }>('select alert_now() as now'));
  return rows[0]?.now ?? new Date();
}
