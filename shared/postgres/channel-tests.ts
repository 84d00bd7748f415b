/** Queries on `channel_tests`: the last test message of each channel, asked for by the console and sent by notify. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** Stands for every channel that notify has. */
export const EVERY_CHANNEL = '*';

/** A channel and what became of its last test. */
export interface ChannelTest {
  readonly channel: string;
  /** When a test was asked for that was not taken up yet; null when none waits. */
  readonly asked_at: Date | null;
  readonly tested_at: Date | null;
  readonly taken: boolean | null;
  readonly answer: string | null;
}

/** Asks for a test of one channel or of all. */
export async function askForTest(db: Queryable, channel: string, by: string): Promise<void> {
  await run(
    db.query(
      `insert into channel_tests (channel, asked_at, asked_by) values ($1, clock_timestamp(), $2)
       on conflict (channel) do update set asked_at = excluded.asked_at, asked_by = excluded.asked_by`,
      [channel, by],
    ),
  );
}

/** Takes what was asked for, so that nobody else sends it; answers the channels and who asked. */
export async function takeTests(db: Queryable): Promise<Array<{ channel: string; asked_by: string }>> {
  const { rows } = await run(
    db.query<{ channel: string; asked_by: string }>(
      `update channel_tests set asked_at = null where asked_at is not null returning channel, asked_by`,
    ),
  );
  return rows;
}

/** Stores what became of a test. */
export async function storeTest(
  db: Queryable,
  test: { readonly channel: string; readonly by: string; readonly taken: boolean; readonly answer: string },
): Promise<void> {
  await run(
    db.query(
      `insert into channel_tests (channel, asked_by, tested_at, taken, answer) values ($1, $2, clock_timestamp(), $3, $4)
       on conflict (channel) do update set asked_by = excluded.asked_by, tested_at = excluded.tested_at,
         taken = excluded.taken, answer = excluded.answer`,
      [test.channel, test.by, test.taken, test.answer],
    ),
  );
}

/** Every channel that was tested, or that a message was planned for in the last 30 days; all of them asked for as `*`. */
export async function listChannelTests(db: Queryable): Promise<ChannelTest[]> {
  const { rows } = await run(
    db.query<ChannelTest>(
      `select coalesce(t.channel, d.channel) as channel, t.asked_at, t.tested_at, t.taken, t.answer
       from channel_tests t
       full join (select distinct channel from deliveries where created_at > clock_timestamp() - interval '30 days') d
         on d.channel = t.channel
       order by 1`,
    ),
  );
  return rows;
}
