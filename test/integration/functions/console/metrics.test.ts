/** /metrics against a real Postgres in which everything has happened once. */
import { spawnSync } from 'node:child_process';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIngest } from '../../../../functions/receive/ingest.ts';
import { ALERTGEST_METRICS } from '../../../../monitoring/metrics.ts';
import { OWN_METRICS } from '../../../../shared/metrics.ts';
import { appendDecision } from '../../../../shared/postgres/decisions.ts';
import {
  claimDelivery,
  markFailed,
  markSent,
  planDeliveries,
} from '../../../../shared/postgres/deliveries.ts';
import type { Owner } from '../../../../shared/postgres/deliveries.ts';
import { claimOwed, storeBuilt } from '../../../../shared/postgres/digest-claims.ts';
import { deleteOldDigests, finishDigest } from '../../../../shared/postgres/digests.ts';
import { claimWanted, wantExplanation } from '../../../../shared/postgres/explanation-queue.ts';
import { storeExplanation } from '../../../../shared/postgres/explanations.ts';
import { addMetrics, measure, sumMetrics } from '../../../../shared/postgres/metrics.ts';
import { markClassified, markDecided, markFinal } from '../../../../shared/postgres/notices.ts';
import { createPool, transaction } from '../../../../shared/postgres/pool.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import { insertDeadLetter } from '../../../../shared/postgres/records.ts';
import { deleteExpired } from '../../../../shared/postgres/retention.ts';
import { keepWindows } from '../../../../shared/postgres/windows.ts';
import { makeArrival } from '../../../support/alerts.ts';
import { CONSOLE_TOKEN, createTestConsole } from '../../../support/console.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { LONDON, buildDigest } from '../../../support/digests.ts';
import { parseMetrics, valueOf } from '../../../support/metrics.ts';
import type { Sample } from '../../../support/metrics.ts';

const METRICS_TOKEN = 'metrics-token-0123456789';
const DAY_MS = 86_400_000;
const log = pino({ level: 'silent' });
/** Ten days ago: what is received then is over for a retention of one day. */
const THEN = new Date(Date.now() - 10 * DAY_MS);

let pool: Pool;

beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 8 });
  await liveOnce();
});
afterAll(() => pool.end());

describe('the page', () => {
  it('serves every metric of the contract with its type and labels, and nothing else', async () => {
    const families = parseMetrics(await readPage());
    expect([...families.keys()]).toEqual(ALERTGEST_METRICS.map(({ name }) => name));
    for (const { name, type, labels } of ALERTGEST_METRICS) {
      const family = families.get(name);
      expect(family?.type, name).toBe(type === 'info' ? 'gauge' : type);
      expect(family?.samples.length, name).toBeGreaterThan(0);
      for (const sample of family?.samples ?? []) {
        const own = Object.keys(sample.labels).filter((label) => label !== 'le');
        expect(own.toSorted(), sample.name).toEqual(labels.toSorted());
        expect(sample.name.replace(/_(bucket|sum|count)$/, ''), name).toBe(
          type === 'histogram' ? name : sample.name.replace(/_(bucket|sum|count)$/, ''),
        );
        expect('le' in sample.labels, sample.name).toBe(sample.name.endsWith('_bucket'));
      }
    }
  });

  const promtool = spawnSync('promtool', ['--version']).error;
  it.skipIf(promtool !== undefined)(
    `passes promtool check metrics${promtool === undefined ? '' : ' (promtool is not installed)'}`,
    async () => {
      const checked = spawnSync('promtool', ['check', 'metrics'], {
        input: await readPage(),
        encoding: 'utf8',
      });
      expect(`${checked.stdout}${checked.stderr}`).toBe('');
      expect(checked.status).toBe(0);
    },
  );

  it('counts what happened', async () => {
    const page = await readPage();
    const read = (name: string, labels?: Readonly<Record<string, string>>): number | undefined =>
      valueOf(page, `alertgest_${name}`, labels);
    expect(read('alerts_received_total', { severity: 'warning', status: 'firing' })).toBe(3);
    expect(read('alerts_received_total', { severity: 'warning', status: 'resolved' })).toBe(2);
    expect(read('alerts_received_total', { severity: 'critical', status: 'firing' })).toBe(1);
    expect(read('alerts_stored_total', { severity: 'warning' })).toBe(5);
    // A late copy of an ended episode, and its end told twice.
    expect(read('alerts_discarded_total', { reason: 'duplicate' })).toBe(2);
    expect(read('alerts_discarded_total', { reason: 'unauthorized' })).toBe(0);
    expect(read('delivery_total', { channel: 'phone', status: 'sent' })).toBe(2);
    expect(read('delivery_total', { channel: 'teams', status: 'dead' })).toBe(1);
    expect(read('teams_delivery_total', { status: 'dead' })).toBe(1);
    expect(read('digest_delivery_total', { channel: 'phone', status: 'sent' })).toBe(1);
    expect(read('delivery_attempts_total', { channel: 'phone', outcome: 'sent' })).toBe(2);
    expect(read('delivery_attempts_total', { channel: 'phone', outcome: 'retry' })).toBe(1);
    expect(read('delivery_attempts_total', { channel: 'teams', outcome: 'unknown' })).toBe(1);
    expect(read('delivery_attempts_total', { channel: 'teams', outcome: 'refused' })).toBe(1);
    expect(read('delivery_attempts_total', { channel: 'pager', outcome: 'unknown' })).toBe(1);
    expect(read('delivery_attempts_total', { channel: 'pager', outcome: 'sent' })).toBe(1);
    expect(read('delivery_duration_seconds_count', { channel: 'phone' })).toBe(1);
    expect(read('digest_time_to_message_seconds_count')).toBe(1);
    expect(read('digest_generation_duration_seconds_count')).toBe(1);
    expect(read('digest_ratings_total', { rating: 'useful' })).toBe(1);
    expect(read('digest_ratings_total', { rating: 'useless' })).toBe(1);
    expect(read('llm_request_duration_seconds_sum', { model: 'llama3.1:8b' })).toBe(42);
    expect(read('llm_request_duration_seconds_bucket', { model: 'llama3.1:8b', le: '30' })).toBe(0);
    expect(read('llm_request_duration_seconds_bucket', { model: 'llama3.1:8b', le: '60' })).toBe(1);
    expect(read('llm_request_duration_seconds_bucket', { model: 'llama3.1:8b', le: '+Inf' })).toBe(1);
    expect(read('llm_tokens_total', { model: 'llama3.1:8b', type: 'prompt' })).toBe(700);
    expect(read('explanations_total', { result: 'invalid' })).toBe(1);
    expect(read('explanations_total', { result: 'explained' })).toBe(0);
    expect(read('k8s_context_collection_duration_seconds_count')).toBe(1);
    expect(read('notices_total', { status: 'notified', reason: '' })).toBe(1);
    expect(read('notices_total', { status: 'suppressed', reason: 'resolved-untold' })).toBe(1);
    expect(read('notices', { status: 'received' })).toBe(2);
    expect(read('incidents_open', { severity: 'critical' })).toBe(1);
    expect(read('episodes_open', { severity: 'critical' })).toBe(1);
    expect(read('incidents_open', { severity: 'info' })).toBe(0);
    expect(read('decisions_active', { kind: 'important' })).toBe(1);
    expect(read('dead_letters_total')).toBe(1);
    expect(read('audit', { check: 'miscounted' })).toBe(0);
    expect(read('sweep_last_run_timestamp_seconds')).toBeCloseTo(Date.now() / 1_000, -2);
    expect(read('watchdog_last_seen_timestamp_seconds')).toBeCloseTo(Date.now() / 1_000, -2);
    expect(read('digest_last_delivered_timestamp_seconds')).toBeCloseTo(Date.now() / 1_000, -2);
  });

  it('reads at most every five seconds', async () => {
    const console = createTestConsole(pool, { METRICS_TOKEN });
    const ask = async (): Promise<string> =>
      (await console.ask('/metrics', { headers: { authorization: `Bearer ${METRICS_TOKEN}` } })).text();
    const [first, second] = await Promise.all([ask(), ask()]);
    await pool.query(`insert into metric_changes (name, value) values ('alertgest_dead_letters_total', 0.5)`);
    expect([second, await ask()]).toEqual([first, first]);
    await pool.query(`delete from metric_changes where value = 0.5`);
  });

  it('opens to its own token and to whoever may use the API', async () => {
    const console = createTestConsole(pool, { METRICS_TOKEN });
    const status = async (path: string, token?: string): Promise<number> =>
      (await console.ask(path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }))
        .status;
    expect(await status('/metrics')).toBe(401);
    expect(await status('/metrics', 'a-wrong-token-0123456789')).toBe(401);
    expect(await status('/metrics', METRICS_TOKEN)).toBe(200);
    expect(await status('/metrics', CONSOLE_TOKEN)).toBe(200);
    expect(await status('/api/v1/audit', METRICS_TOKEN)).toBe(401);
    expect(
      await createTestConsole(pool)
        .ask('/metrics')
        .then((answer) => answer.status),
    ).toBe(401);
  });
});

describe('nights', () => {
  const calendar = { ...LONDON, CAPTURE_WINDOW_TIMEZONE: 'UTC' };

  it('are missing from their grace until a digest of them was told', async () => {
    const missing = async (): Promise<number | undefined> =>
      valueOf(await readPage(), 'alertgest_digest_windows_missing');
    // Within ten days some windows of the first alert's time on are over.
    expect(await missing()).toBeGreaterThanOrEqual(8);
    const claim = await claimOwed(pool, { name: 'all', calendar, graceMs: 0 });
    if (claim === undefined) throw new Error('no digest is owed');
    await storeBuilt(pool, claim, { facts: {}, document: {}, text: '', model: null });
    expect(await missing()).toBeGreaterThanOrEqual(8);
    await finishDigest(pool, claim.id, 'sent', null);
    expect(await missing()).toBe(0);
    await pool.query('delete from digests where id = $1', [claim.id]);
    expect(await missing()).toBe(0);
  });

  it('are active while one is open', async () => {
    const isActive = async (): Promise<number | undefined> =>
      valueOf(await readPage(), 'alertgest_capture_window_active');
    await pool.query(`delete from capture_windows where status = 'active'`);
    expect(await isActive()).toBe(0);
    await pool.query(
      `insert into capture_windows (window_start, window_end, zone)
       values (alert_now() - interval '1 minute', alert_now() + interval '1 minute', 'UTC')`,
    );
    expect(await isActive()).toBe(1);
  });
});

describe('a counter', () => {
  it('stays what it is when it is summed up, by several sweeps at once while others count', async () => {
    const change = { name: 'alertgest_dead_letters_total', labels: {}, value: 1 } as const;
    const before = valueOf(await readPage(), change.name) ?? 0;
    let lowest = before;
    await Promise.all([
      ...Array.from({ length: 40 }, () => addMetrics(pool, [change])),
      ...Array.from({ length: 4 }, () => sumMetrics(pool)),
      (async () => {
        for (let reading = 0; reading < 5; reading++) {
          const value = valueOf(await readPage(), change.name) ?? 0;
          expect(value).toBeGreaterThanOrEqual(lowest);
          lowest = value;
        }
      })(),
    ]);
    expect(valueOf(await readPage(), change.name)).toBe(before + 40);
    await sumMetrics(pool);
    expect(valueOf(await readPage(), change.name)).toBe(before + 40);
  });

  it('never falls when retention deletes what it counted', async () => {
    const before = growing(await readPage());
    await sumMetrics(pool);
    const deleted = await deleteExpired(pool, 1);
    await pool.query(
      `update digests set window_end = window_end - interval '3 days', window_start = window_start - interval '3 days'`,
    );
    await deleteOldDigests(pool, { days: 1, promptDays: 1 });
    const { rows } = await pool.query<{ left: number }>(
      `select (select count(*) from digests) + (select count(*) from notices where status = 'notified') as left`,
    );
    expect([deleted > 0, Number(rows[0]?.left)]).toEqual([true, 0]);
    expect(growing(await readPage())).toEqual(before);
  });

  it('has labels out of closed sets, whatever alerts call themselves', async () => {
    const before = parseMetrics(await readPage());
    const hostile = Array.from({ length: 100 }, (_, index) =>
      makeArrival({
        labels: {
          alertname: `Evil"${index}\n} 1`,
          severity: `odd-${index}`,
          namespace: `ns-${index}`,
          channel: `c-${index}`,
        },
        annotations: { summary: `{"x${index}` },
      }),
    );
    await createIngest(pool, { isHeartbeat: () => false, allowReplay: false }).store(hostile);
    await pool.query(
      `update notices set status = 'dead', reason = 'what ' || pattern where status = 'received'`,
    );
    const after = parseMetrics(await readPage());
    expect(
      valueOf(await readPage(), 'alertgest_alerts_received_total', { severity: 'unknown', status: 'firing' }),
    ).toBe(100);
    expect(valueOf(await readPage(), 'alertgest_notices_total', { status: 'dead', reason: 'other' })).toBe(
      102,
    );
    for (const { name, labels } of OWN_METRICS) {
      const samples = after.get(name)?.samples ?? [];
      const strange = samples.filter((sample) =>
        Object.entries(labels).some(
          ([label, values]) => Array.isArray(values) && !values.includes(sample.labels[label] ?? ''),
        ),
      );
      expect(strange, name).toEqual([]);
      const isNew = name === 'alertgest_notices_total' ? 1 : 0;
      expect(samples.length, name).toBe((before.get(name)?.samples.length ?? 0) + isNew);
    }
  });
});

async function readPage(): Promise<string> {
  const answer = await createTestConsole(pool, { METRICS_TOKEN }).ask('/metrics', {
    headers: { authorization: `Bearer ${METRICS_TOKEN}` },
  });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  return answer.text();
}

/** Everything that may only grow. */
function growing(page: string): Sample[] {
  return [...parseMetrics(page).values()]
    .filter(({ type }) => type !== 'gauge')
    .flatMap(({ samples }) => samples);
}

/** Everything that is counted, once. */
async function liveOnce(): Promise<void> {
  const ingest = createIngest(pool, { isHeartbeat: (name) => name === 'Watchdog', allowReplay: false });
  const alert = (status: 'firing' | 'resolved', minutes: number) =>
    makeArrival({
      status,
      startsAt: THEN,
      ...(status === 'resolved' && { endsAt: after(2) }),
      receivedAt: after(minutes),
    });
  const {
    notices: [opened],
  } = await ingest.store([alert('firing', 0)]);
  const {
    notices: [ended],
  } = await ingest.store([alert('resolved', 2)]);
  await ingest.store([alert('firing', 3), alert('resolved', 3)]);
  const {
    notices: [loud],
  } = await ingest.store([
    makeArrival({ labels: { alertname: 'Loud', severity: 'critical' }, startsAt: new Date() }),
  ]);
  await ingest.store([
    makeArrival({ labels: { alertname: 'Watchdog', severity: 'warning' }, startsAt: new Date() }),
  ]);
  await tell({ notice: opened?.notice ?? '' });
  await decideAndFinish(opened?.notice ?? '', ended?.notice ?? '');
  await transaction(pool, (client) =>
    appendDecision(client, loud?.pattern ?? '', {
      kind: 'important',
      until: null,
      note: null,
      actor: 'anna',
    }),
  );
  await explain(loud?.pattern ?? '', loud?.notice ?? '');
  await keepWindows(pool, LONDON);
  const digest = await buildDigest(
    pool,
    { start: new Date(Date.now() - 2 * DAY_MS), end: new Date(Date.now() - DAY_MS) },
    true,
  );
  await deliver({ digest }, 'phone');
  await finishDigest(pool, digest, 'sent', null);
  await pool.query(`insert into ratings (digest, useful, actor) values ($1, true, 'anna')`, [digest]);
  await pool.query(`update ratings set useful = false`);
  await insertDeadLetter(pool, {
    eventId: '1',
    type: 't',
    subject: null,
    destination: null,
    code: null,
    detail: null,
  });
  await pool.query(`update dead_letters set recorded_at = recorded_at - interval '10 days'`);
  await measure({ pool, log }, 'alertgest_k8s_context_collection_duration_seconds', Promise.resolve());
  await sumMetrics(pool);
}

function after(minutes: number): Date {
  return new Date(THEN.getTime() + minutes * 60_000);
}

async function deliver(owner: Owner, channel: string): Promise<void> {
  await planDeliveries(pool, owner, [{ channel }]);
  const claim = await claimFor(owner, channel);
  await markSent(pool, claim, { providerId: null });
}

async function claimFor(owner: Owner, channel: string) {
  const { rows } = await pool.query<{ id: string }>(
    'select id from deliveries where channel = $1 and (notice = $2 or digest = $3::bigint)',
    [channel, 'notice' in owner ? owner.notice : null, 'digest' in owner ? owner.digest : null],
  );
  const claim = await claimDelivery(pool, rows[0]?.id ?? '0');
  if (claim === undefined) throw new Error('nothing to claim');
  return claim;
}

/** The phone is told at the second try; Teams first says nothing and then no; who called the pager first never came back. */
async function tell(owner: Owner): Promise<void> {
  await planDeliveries(pool, owner, [{ channel: 'pager' }]);
  await claimFor(owner, 'pager');
  await pool.query(
    `update deliveries set lease_until = lease_until - interval '1 hour' where channel = 'pager'`,
  );
  await markSent(pool, await claimFor(owner, 'pager'), { providerId: '1' });
  await planDeliveries(pool, owner, [{ channel: 'phone' }, { channel: 'teams' }]);
  await markFailed(pool, await claimFor(owner, 'phone'), {
    error: 'busy',
    outcomeUnknown: false,
    delayMs: 0,
  });
  await markSent(pool, await claimFor(owner, 'phone'), { providerId: '1' });
  await markFailed(pool, await claimFor(owner, 'teams'), {
    error: 'silent',
    outcomeUnknown: true,
    delayMs: 0,
  });
  await markFailed(pool, await claimFor(owner, 'teams'), {
    error: 'gone',
    outcomeUnknown: false,
    delayMs: null,
  });
}

async function decideAndFinish(opened: string, ended: string): Promise<void> {
  const outcome = { reason: null, why: 'test', batch: null, quiet: false, missing: [] };
  for (const id of [opened, ended]) await markClassified(pool, id, null, []);
  await markDecided(pool, opened, { ...outcome, status: 'admitted' });
  await markFinal(pool, opened, 'notified', null, null);
  await markDecided(pool, ended, { ...outcome, status: 'suppressed', reason: 'resolved-untold' });
}

async function explain(pattern: string, notice: string): Promise<void> {
  await wantExplanation(pool, { pattern, notice, promptVersion: '1', digests: [], waitMs: 1_000 });
  const claim = await claimWanted(pool, pattern);
  if (claim === undefined) throw new Error('nothing to explain');
  await storeExplanation(pool, claim, {
    pattern,
    promptVersion: '1',
    modelDigest: 'd',
    model: 'llama3.1:8b',
    content: null,
    reason: 'wrong-schema',
    detail: 'x',
    context: { cluster: [], logs: [], missing: [] },
    prompt: 'p',
    response: 'r',
    promptTokens: 700,
    outputTokens: 50,
    calls: 2,
    durationMs: 42_000,
    retryInMs: 1_000,
  });
}
