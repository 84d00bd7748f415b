/** More than can be worked off: memory and the list of issues stay bounded, and what is turned away is told to come again. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createIngest } from '../../functions/receive/ingest.ts';
import { createOwnIssues } from '../../functions/receive/own-issue.ts';
import { createClock } from '../../shared/postgres/clock.ts';
import { createPool } from '../../shared/postgres/pool.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { makeArrival } from '../support/alerts.ts';
import { createTestDatabase } from '../support/database.ts';

let pool: Pool;
beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'flood', size: 4 });
});
afterAll(() => pool.end());

it(
  'alerts beyond the queue are refused with 503, which Alertmanager sends again',
  { timeout: 60_000 },
  async () => {
    const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: false });
    const arrival = makeArrival();
    const blocker = await pool.connect();
    await blocker.query('begin');
    await blocker.query('lock table patterns in access exclusive mode');
    const waiting = ingest.store(Array.from({ length: 50_000 }, () => arrival));
    await expect(ingest.store([arrival])).rejects.toMatchObject({
      reason: 'overloaded',
      status: 503,
      retryable: true,
    });
    await blocker.query('rollback');
    blocker.release();
    await waiting;
    const { rows } = await pool.query<{ count: string }>('select count(*) from episodes');
    expect(rows).toEqual([{ count: '1' }]);
  },
);

it('forged dead letters make no more than a bounded number of issues', { timeout: 60_000 }, async () => {
  const report = createOwnIssues({
    ingest: createIngest(pool, { isHeartbeat: () => false, allowReplay: false }),
    publisher: { publish: () => Promise.resolve([]) },
    source: { cluster: 'test', name: 'receive' },
    clock: createClock(pool),
  });
  const words = Array.from({ length: 300 }, (_, index) =>
    String.fromCharCode(97 + (index % 26), 97 + ((index / 26) | 0)),
  );
  for (const word of words)
    await report({
      alertname: 'AlertgestDeadLetter',
      reason: `place-${word}`,
      summary: 's',
      description: 'd',
    });
  const { rows } = await pool.query<{ count: number }>(
    'select count(*)::int as count from patterns where own',
  );
  expect(rows[0]?.count).toBeGreaterThan(10);
  expect(rows[0]?.count).toBeLessThanOrEqual(51);
});
