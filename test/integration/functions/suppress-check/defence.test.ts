/** Decisions that defend themselves, against a real Postgres: broken once, told once, renewed by deciding again. */
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Arrival } from '../../../../functions/receive/episodes.ts';
import { createIngest } from '../../../../functions/receive/ingest.ts';
import { sweep } from '../../../../functions/receive/sweep.ts';
import { createHandler } from '../../../../functions/suppress-check/handler.ts';
import { createEvent } from '../../../../shared/events.ts';
import { appendDecision, currentDecision } from '../../../../shared/postgres/decisions.ts';
import { readBroken } from '../../../../shared/postgres/envelopes.ts';
import { markClassified } from '../../../../shared/postgres/notices.ts';
import { createPool } from '../../../../shared/postgres/pool.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import type { Context } from '../../../../shared/serve.ts';
import { at, makeArrival } from '../../../support/alerts.ts';
import { createTestDatabase } from '../../../support/database.ts';

const log = pino({ level: 'silent' });
const context: Context = { log, signal: AbortSignal.timeout(60_000), traceparent: '', dryRun: false };
const DAY = 24 * 60;
/** Minutes from the start of history to the night after it. */
const TONIGHT = 15 * DAY;

let pool: Pool;
beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 8 });
});
afterAll(() => pool.end());
let n = 0;
let name: string;
beforeEach(() => {
  name = `Noise${++n}`;
});

interface Decided {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly reason: string | null;
  readonly why: string;
  readonly quiet: boolean;
}

const alarm = (minute: number, labels: Record<string, string> = {}): Arrival =>
  makeArrival({ labels: { alertname: name, ...labels }, startsAt: at(minute), receivedAt: at(minute) });
const end = (start: number, minute: number, labels: Record<string, string> = {}): Arrival =>
  makeArrival({
    status: 'resolved',
    labels: { alertname: name, ...labels },
    startsAt: at(start),
    endsAt: at(minute),
    receivedAt: at(minute),
  });

function handle(canaryOneIn = 0) {
  return createHandler({
    pool,
    source: { cluster: 'test', name: 'suppress-check' },
    canaryOneIn,
    limits: {
      stormIncidents: 30,
      stormCriticals: 10,
      stormSummaryMs: 300_000,
      flapOpenings: 3,
      flapWindowMs: 3_600_000,
      remindAfterMs: 4 * 3_600_000,

      tellAgainMs: 24 * 3_600_000,
    },
    readDecision: (row) => currentDecision(pool, row.pattern, row.received_at),
  });
}

/** Decides notices as the pipeline would; what is admitted counts as sent. */
async function decideAll(ids: readonly string[], canaryOneIn = 0): Promise<Decided[]> {
  const decided: Decided[] = [];
  for (const id of ids) {
    await markClassified(pool, id, null, []);
    await handle(canaryOneIn)(
      createEvent('dev.alertgest.notice.classified', { cluster: 'test', name: 'classify' }, id, 'test', {}),
      context,
    );
    const { rows } = await pool.query<Decided>(
      'select id, kind, status, reason, why, quiet from notices where id = $1',
      [id],
    );
    decided.push(...rows);
    await pool.query(`update notices set status = 'notified' where id = $1 and status = 'admitted'`, [id]);
  }
  return decided;
}

async function receive(arrival: Arrival, canaryOneIn = 0): Promise<Decided[]> {
  const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
  const { notices } = await ingest.store([arrival], arrival.receivedAt);
  return decideAll(
    notices.map(({ notice }) => notice),
    canaryOneIn,
  );
}

/** Sweeps and decides what time made news. */
async function tick(): Promise<Decided[]> {
  const due: string[] = [];
  await sweep(
    {
      pool,
      publisher: {
        publish: (events) => {
          due.push(
            ...events
              .filter((event) => event.type === 'dev.alertgest.notice.received')
              .map((event) => event.subject ?? ''),
          );
          return Promise.resolve([]);
        },
      },
      direct: null,
      source: { cluster: 'test', name: 'receive' },
      waits: { receivedMs: 600_000, classifiedMs: 600_000, admittedMs: 600_000 },
      repeatIntervalMs: 40 * 3_600_000,
      retentionDays: 30,
      heartbeat: null,
      log,
    },
    '',
  );
  // Other tests' issues have news of their own.
  const { rows } = await pool.query<{ id: string }>(
    'select n.id from notices n join patterns p using (pattern) where n.id = any($1) and p.alertname = $2',
    [due, name],
  );
  return (await decideAll(rows.map((row) => row.id))).filter((notice) => notice.kind === 'due');
}

/** Fourteen nights of three short episodes each, then `ann` ignores the pattern. */
async function ignoreAfterTwoWeeks(kind: 'ignore' | 'quiet' = 'ignore'): Promise<string> {
  const { pattern } = alarm(0).pattern;
  const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
  for (let night = 0; night < 14; night++) {
    for (const minute of [0, 90, 200]) {
      const start = night * DAY + minute;
      await ingest.store([alarm(start)], at(start));
      await ingest.store([end(start, start + 5 + (night % 3))], at(start + 5 + (night % 3)));
    }
  }
  await pool.query(`update notices set status = 'suppressed' where status = 'received'`);
  await decide(pattern, kind, TONIGHT - 600);
  return pattern;
}

async function decide(pattern: string, kind: 'ignore' | 'quiet', minute: number): Promise<void> {
  await moveClock(minute);
  await appendDecision(pool, pattern, { kind, until: null, note: null, actor: 'ann' });
  await tick();
}

/** The clock of the rules stands at the last thing received. */
async function moveClock(minute: number): Promise<void> {
  const other = makeArrival({
    labels: { alertname: 'Clock', severity: 'info' },
    startsAt: at(minute),
    receivedAt: at(minute),
  });
  const ingest = createIngest(pool, { isHeartbeat: () => true, allowReplay: true });
  await ingest.store([other], at(minute));
  await pool.query(
    `update notices set status = 'suppressed', reason = 'heartbeat' where status = 'received'`,
  );
}

const brokenOf = async (pattern: string) =>
  (
    await pool.query<{ sentence: string; generation: string; notice: string }>(
      'select sentence, generation, notice from broken_decisions where pattern = $1 order by generation',
      [pattern],
    )
  ).rows;

describe('an ignored issue that comes far more often', () => {
  it('is told once, with the reason, follows the usual rules after, and is quiet again when renewed', async () => {
    const pattern = await ignoreAfterTwoWeeks();
    const opened: Decided[] = [];
    for (let i = 0; i < 16; i++) {
      opened.push(...(await receive(alarm(TONIGHT + 3 * i))).filter((one) => one.kind === 'opened'));
      await receive(end(TONIGHT + 3 * i, TONIGHT + 3 * i + 1));
    }
    const told = opened.filter((one) => one.status === 'admitted');
    expect(opened.slice(0, 3).map((one) => one.reason)).toEqual(['ignored', 'ignored', 'ignored']);
    expect(told).toHaveLength(1);
    expect(told[0]?.why).toMatch(
      /^ignored by ann since \d+ Jan, but \d+ in the last hour \(normally at most 1\)$/,
    );
    expect(opened.at(-1)).toMatchObject({ status: 'held', reason: 'flap' });
    const broken = await brokenOf(pattern);
    expect(broken).toEqual([{ sentence: told[0]?.why, generation: '1', notice: told[0]?.id }]);
    const inForce = new Map([[pattern, { generation: 1 }]]);
    expect((await readBroken(pool, inForce)).get(pattern)).toMatchObject({
      evidence: { usual: { perHour: 1 } },
    });

    // The next night it is an issue like any other.
    expect(await receive(alarm(TONIGHT + DAY))).toMatchObject([
      { status: 'admitted', why: 'first alert of a new incident' },
    ]);
    await receive(end(TONIGHT + DAY, TONIGHT + DAY + 5));
    await decide(pattern, 'ignore', TONIGHT + DAY + 60);
    expect(await receive(alarm(TONIGHT + DAY + 200))).toMatchObject([{ reason: 'ignored' }]);
    expect(await brokenOf(pattern)).toHaveLength(1);
  });

  it('is broken once when notices are decided at the same time', async () => {
    const pattern = await ignoreAfterTwoWeeks();
    const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
    const ids: string[] = [];
    for (let i = 0; i < 12; i++) {
      const { notices } = await ingest.store([alarm(TONIGHT + 4 * i)], at(TONIGHT + 4 * i));
      ids.push(...notices.map((notice) => notice.notice));
      await ingest.store([end(TONIGHT + 4 * i, TONIGHT + 4 * i + 1)], at(TONIGHT + 4 * i + 1));
    }
    const late = ids.slice(-4);
    for (const id of late) await markClassified(pool, id, null, []);
    await Promise.all(
      late.map((id) =>
        handle()(
          createEvent(
            'dev.alertgest.notice.classified',
            { cluster: 'test', name: 'classify' },
            id,
            'test',
            {},
          ),
          context,
        ),
      ),
    );
    expect(await brokenOf(pattern)).toHaveLength(1);
    const { rows } = await pool.query<{ n: number }>(
      `select count(*)::int as n from notices where id = any($1) and why like 'ignored by ann since%'`,
      [late],
    );
    expect(rows[0]?.n).toBe(1);
  });
});

describe('an ignored issue that fires on', () => {
  it('is told while it still fires, when it has done so for longer than ever', async () => {
    const pattern = await ignoreAfterTwoWeeks();
    expect(await receive(alarm(TONIGHT))).toMatchObject([{ reason: 'ignored' }]);
    const { rows } = await pool.query<{ due_at: Date; due_why: string }>(
      'select due_at, due_why from incidents where pattern = $1 and closed_at is null',
      [pattern],
    );
    expect(rows[0]?.due_why).toBe('longer than usual');
    const dueMinute = Math.ceil(((rows[0]?.due_at.getTime() ?? 0) - at(TONIGHT).getTime()) / 60_000);
    expect(dueMinute).toBeGreaterThanOrEqual(10);
    expect(dueMinute).toBeLessThan(30);
    await moveClock(TONIGHT + dueMinute - 2);
    expect(await tick()).toEqual([]);
    await moveClock(TONIGHT + dueMinute + 1);
    expect(await tick()).toMatchObject([
      { status: 'admitted', why: expect.stringMatching(/, but it has fired for \d+ min/) as string },
    ]);
    await moveClock(TONIGHT + dueMinute + 90);
    expect(await tick()).toEqual([]);
    expect(await receive(end(TONIGHT, TONIGHT + 200))).toMatchObject([
      { kind: 'resolved', status: 'admitted' },
    ]);
    expect(await brokenOf(pattern)).toHaveLength(1);
  });

  it('is heard again, not only seen, when it was made quiet', async () => {
    await ignoreAfterTwoWeeks('quiet');
    expect(await receive(alarm(TONIGHT))).toMatchObject([{ status: 'admitted', quiet: true }]);
    await moveClock(TONIGHT + 60);
    expect(await tick()).toMatchObject([{ status: 'admitted', quiet: false }]);
  });
});

describe('an ignored issue that changes while it fires', () => {
  it('is told when more fire at once than ever', async () => {
    await ignoreAfterTwoWeeks();
    const pods = ['aaaaa', 'bbbbb', 'ccccc', 'ddddd'].map((pod) => ({ pod: `api-7d9f8c6b5-${pod}` }));
    const decided: Decided[] = [];
    for (const labels of pods) decided.push(...(await receive(alarm(TONIGHT, labels))));
    expect(decided.at(-1)).toMatchObject({
      kind: 'grew',
      status: 'admitted',
      why: expect.stringContaining('4 alerts at once (normally at most 1)') as string,
    });
  });

  it('is told when the same alert turns critical', async () => {
    await ignoreAfterTwoWeeks();
    await receive(alarm(TONIGHT));
    expect(await tick()).toEqual([]);
    await receive(alarm(TONIGHT + 2, { severity: 'critical' }));
    expect(await tick()).toMatchObject([
      { status: 'admitted', why: expect.stringContaining('the same alert is critical now') as string },
    ]);
    expect(await tick()).toEqual([]);
  });
});

describe('a canary', () => {
  it('is told without sound, and says what it is', async () => {
    await ignoreAfterTwoWeeks();
    expect(await receive(alarm(TONIGHT), 1)).toMatchObject([
      { status: 'admitted', quiet: true, why: 'canary: 1 in 1 of an ignored issue' },
    ]);
  });
});
