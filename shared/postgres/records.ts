/** Queries on the small tables that only record: dead letters, counters. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

export interface DeadLetter {
  readonly eventId: string;
  readonly type: string;
  readonly subject: string | null;
  readonly destination: string | null;
  readonly code: string | null;
  readonly detail: string | null;
}

/** Records an event the broker gave up on. */
export async function insertDeadLetter(db: Queryable, letter: DeadLetter): Promise<void> {
  await run(
    db.query(
      'insert into dead_letters (event_id, type, subject, destination, code, detail) values ($1, $2, $3, $4, $5, $6)',
      [letter.eventId, letter.type, letter.subject, letter.destination, letter.code, letter.detail],
    ),
  );
}

/** Adds to a counter that never falls. */
export async function addToCounter(db: Queryable, name: string, amount: number): Promise<void> {
  await run(
    db.query(
      `insert into counters as c (name, value) values ($1, $2) on conflict (name) do update set value = c.value + excluded.value`,
      [name, amount],
    ),
  );
}

/** All counters by name. */
export async function readCounters(db: Queryable): Promise<Record<string, number>> {
  const { rows } = await run(
    db.query<{ name: string; value: string }>('select name, value from counters order by name'),
  );
  return Object.fromEntries(rows.map((row) => [row.name, Number(row.value)]));
}
