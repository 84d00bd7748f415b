/** What the night holds back, against a real Postgres: which window's batch it waits in, and who tells of it in the end. */
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createIngest } from '../../../../functions/receive/ingest.ts';
import { makeTimeNews } from '../../../../functions/receive/time-news.ts';
import { createHandler } from '../../../../functions/suppress-check/handler.ts';
import { createEvent } from '../../../../shared/events.ts';
import { readAlertClock, shiftAlertClock } from '../../../../shared/postgres/clock.ts';
import { currentDecision } from '../../../../shared/postgres/decisions.ts';
import { claimOwed, storeBuilt } from '../../../../shared/postgres/digest-claims.ts';
import { finishDigest } from '../../../../shared/postgres/digests.ts';
import { createPool } from '../../../../shared/postgres/pool.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import type { Context } from '../../../../shared/serve.ts';
import { makeArrival } from '../../../support/alerts.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { LONDON, composeDigest } from '../../../support/digests.ts';

const context: Context = {
  log: pino({ level: 'silent' }),
  signal: AbortSignal.timeout(60_000),
  traceparent: '',
  dryRun: false,
};
const NIGHT = new Date('2026-02-02T22:00:00Z');
const DAY = new Date('2026-02-03T12:00:00Z');

let pool: Pool;
beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 4 });
});
afterAll(() => pool.end());
beforeEach(async () => {
  await shiftAlertClock(pool, null);
  await pool.query(
    'truncate patterns, episodes, incidents, notices, deliveries, batches, digests, digest_windows, capture_windows cascade',
  );
});

/** Receives one alert at a time and decides on its notice. */
async function decideOn(receivedAt: Date, labels: Record<string, string> = {}): Promise<string> {
  const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
  const { notices } = await ingest.store(
    [makeArrival({ startsAt: receivedAt, receivedAt, labels })],
    receivedAt,
  );
  const id = notices[0]?.notice ?? '';
  await decideNotice(id);
  return id;
}

async function decideNotice(id: string): Promise<void> {
  const suppress = createHandler({
    pool,
    source: { cluster: 'test', name: 'suppress-check' },
    limits: {
      stormIncidents: 30,
      stormCriticals: 10,
      stormSummaryMs: 300_000,
      flapOpenings: 3,
      flapWindowMs: 3_600_000,
      remindAfterMs: 4 * 3_600_000,
      tellAgainMs: 24 * 3_600_000,
      nightPushSeverity: 'critical',
    },
    calendar: LONDON,
    readDecision: (row) => currentDecision(pool, row.pattern, row.received_at),
  });
  await pool.query(`update notices set status = 'classified' where id = $1`, [id]);
  await suppress(
    createEvent('dev.alertgest.notice.classified', { cluster: 'test', name: 'classify' }, id, 'test', {}),
    context,
  );
}

async function standing(): Promise<unknown> {
  const { rows } = await pool.query(
    `select n.status, n.reason, b.kind, b.key from notices n left join batches b on b.id = n.batch order by n.created_at, n.id`,
  );
  return rows;
}

/** Builds the digest of the night and makes it final. */
async function endNight(status: 'sent' | 'dead'): Promise<void> {
  await shiftAlertClock(pool, new Date('2026-02-03T08:06:00Z'));
  const claim = await claimOwed(pool, { name: 'all', calendar: LONDON, graceMs: 300_000 });
  if (claim === undefined) throw new Error('no night is owed');
  await storeBuilt(pool, claim, await composeDigest(pool, claim.windows));
  await finishDigest(pool, claim.id, status, null);
}

describe('what the night holds back', () => {
  it('waits in the batch of its window and is told by the digest of that window alone', async () => {
    await decideOn(NIGHT);
    await decideOn(NIGHT, { deployment: 'loud', severity: 'critical' });
    const held = { kind: 'window', key: '2026-02-02T18:00:00.000Z', reason: 'window' };
    expect(await standing()).toEqual([
      { status: 'held', ...held },
      { status: 'admitted', reason: null, kind: null, key: null },
    ]);
    await endNight('sent');
    expect(await standing()).toMatchObject([{ status: 'digested', ...held }, { status: 'admitted' }]);
  });

  it('waits for the next window when the digest is already being built', async () => {
    await decideOn(NIGHT);
    await shiftAlertClock(pool, new Date('2026-02-03T08:06:00Z'));
    await claimOwed(pool, { name: 'all', calendar: LONDON, graceMs: 300_000 });
    await decideOn(new Date('2026-02-03T20:00:00Z'), { deployment: 'later' });
    expect(await standing()).toMatchObject([
      { status: 'held', key: '2026-02-02T18:00:00.000Z' },
      { status: 'held', key: '2026-02-03T18:00:00.000Z' },
    ]);
  });

  it('is told by itself when nobody could be told of the digest', async () => {
    await decideOn(NIGHT);
    await endNight('dead');
    const moment = { now: await readAlertClock(pool), traceparent: '', limit: 10 };
    const [due = ''] = await makeTimeNews(pool, moment);
    await decideNotice(due);
    expect(await standing()).toMatchObject([{ status: 'held' }, { status: 'admitted', kind: 'window' }]);
  });

  it('by a decision joins the next window by day', async () => {
    const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
    const { notices } = await ingest.store([makeArrival({ startsAt: DAY, receivedAt: DAY })], DAY);
    await pool.query(
      `with p as (update patterns set generation = 1 returning pattern)
       insert into decisions (pattern, kind, actor, generation, decided_at) select pattern, 'digest', 'anna', 1, $1 from p`,
      [new Date(DAY.getTime() - 60_000)],
    );
    await decideNotice(notices[0]?.notice ?? '');
    expect(await standing()).toEqual([
      { status: 'held', reason: 'digest-only', kind: 'window', key: '2026-02-03T18:00:00.000Z' },
    ]);
  });
});
