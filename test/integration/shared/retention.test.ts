import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPool } from '../../../shared/postgres/pool.ts';
import type { Pool } from '../../../shared/postgres/pool.ts';
import { deleteExpired } from '../../../shared/postgres/retention.ts';
import { createTestDatabase } from '../../support/database.ts';

const DAYS = 30;

let pool: Pool;
beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 2 });
  await pool.query(
    `insert into patterns (pattern, alertname, severity, title, identity, kept, dropped, heartbeat, own, first_seen, last_seen)
     values ('v1:a', 'A', 'warning', 'a', '{}', '{}', '{}', false, false, now(), now())`,
  );
});
afterAll(() => pool.end());

/** An incident with an episode, an opened notice and its delivery; `closed` and `opened` are days ago. */
async function seed(id: string, opened: number, closed: number | null, status: string): Promise<void> {
  const open = closed === null ? 1 : 0;
  await pool.query(
    `insert into incidents (id, pattern, opened_at, closed_at, open_episodes, episodes, grown_to)
     values ($1, 'v1:a', now() - make_interval(days => $2), now() - make_interval(days => $3), $4, 1, 1)`,
    [id, opened, closed, open],
  );
  await pool.query(
    `insert into episodes (key, pattern, incident, alertname, severity, own, labels, annotations, generator_url, flags,
       starts_at, ended_at, end_reason, received_at, last_seen, end_received_at)
     select $1, 'v1:a', $1, 'A', 'warning', false, '{}', '{}', '', '{}', opened_at, closed_at,
       case when closed_at is null then null else 'resolved' end, opened_at, coalesce(closed_at, now()), closed_at
     from incidents where id = $1`,
    [id],
  );
  await pool.query(
    `insert into notices (id, incident, pattern, kind, status, open_episodes, traceparent, received_at)
     select id || '.opened', id, pattern, 'opened', $2, 1, '', opened_at from incidents where id = $1`,
    [id, status],
  );
  await pool.query(
    `insert into deliveries (notice, channel, status) values ($1 || '.opened', 'phone', 'sent')`,
    [id],
  );
}

it('deletes what is over for longer than the retention, and nothing that is open, unfinished or young', async () => {
  await seed('over', 45, 44, 'notified');
  await seed('young', 45, 2, 'notified');
  await seed('open', 90, null, 'notified');
  await seed('unfinished', 45, 44, 'held');
  for (let sweeps = 0; sweeps < 3; sweeps++) await deleteExpired(pool, DAYS);
  const left = async (query: string): Promise<unknown> =>
    (await pool.query({ text: query, rowMode: 'array' })).rows.flat();
  expect(await left('select id from incidents order by id')).toEqual(['open', 'unfinished', 'young']);
  expect(await left('select key from episodes order by key')).toEqual(['open', 'young']);
  expect(await left('select incident from notices order by incident')).toEqual([
    'open',
    'unfinished',
    'young',
  ]);
  expect(await left('select count(*)::int from deliveries')).toEqual([3]);
});

it('deletes a batch and the incident it was told by once nothing refers to them', async () => {
  await seed('stormy', 60, 59, 'digested');
  await pool.query(
    `with made as (
       insert into batches (kind, key, title, incident, due_at, last_at, closed_at)
       values ('storm', 'warning A', 'A', 'stormy', now() - interval '59 days', now() - interval '59 days', now() - interval '59 days')
       returning id)
     update notices set batch = made.id from made where notices.id = 'stormy.opened'`,
  );
  for (let sweeps = 0; sweeps < 3; sweeps++) await deleteExpired(pool, DAYS);
  const { rows } = await pool.query(
    `select (select count(*)::int from batches) as batches, (select count(*)::int from incidents where id = 'stormy') as incidents`,
  );
  expect(rows).toEqual([{ batches: 0, incidents: 0 }]);
});
