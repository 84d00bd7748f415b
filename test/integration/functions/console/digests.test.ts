/** Digests in the console: the API, the page, and what people think of them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIngest } from '../../../../functions/receive/ingest.ts';
import { rollUpHistory } from '../../../../shared/postgres/history.ts';
import { createPool } from '../../../../shared/postgres/pool.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import { makeArrival } from '../../../support/alerts.ts';
import { runCli } from '../../../support/cli.ts';
import { CONSOLE_TOKEN, createTestConsole } from '../../../support/console.ts';
import type { TestConsole } from '../../../support/console.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { buildDigest } from '../../../support/digests.ts';

const SPAN = { start: new Date('2026-02-02T18:00:00Z'), end: new Date('2026-02-03T08:00:00Z') };
const HOSTILE = '<img src=x onerror=alert(1)>';

let pool: Pool;
let url: string;
let site: TestConsole;
let id: string;

beforeAll(async () => {
  url = await createTestDatabase();
  pool = createPool({ url, name: 'test', size: 4 });
  site = createTestConsole(pool);
  const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
  const receivedAt = new Date('2026-02-02T22:00:00Z');
  for (const labels of [{}, { alertname: 'DiskUsageHigh', severity: 'critical' }, { deployment: HOSTILE }])
    await ingest.store([makeArrival({ startsAt: receivedAt, receivedAt, labels })], receivedAt);
  await rollUpHistory(pool, 3_650);
  id = await buildDigest(pool, SPAN);
});
afterAll(() => pool.end());

async function call(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await site.ask(path, {
    method,
    headers: { authorization: `Bearer ${CONSOLE_TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe('the API of digests', () => {
  it('lists them and shows one', async () => {
    const { body } = await call('GET', '/api/v1/digests');
    expect(body['digests']).toMatchObject([
      {
        id,
        status: 'kept',
        level: 'urgent',
        from: SPAN.start.toISOString(),
        verdict: expect.stringContaining('1 critical alert still firing'),
      },
    ]);
    const one = await call('GET', `/api/v1/digests/${id}`);
    expect(one).toMatchObject({
      status: 200,
      body: { id, document: { version: 1, level: 'urgent' }, ratings: [] },
    });
    expect((await call('GET', '/api/v1/digests/999')).status).toBe(404);
    expect((await call('GET', '/api/v1/digests/x')).status).toBe(404);
  });

  it('says what a digest of any span would say, and keeps nothing', async () => {
    const span = { from: SPAN.start.toISOString(), to: SPAN.end.toISOString() };
    const before = await pool.query('select count(*)::int as n from digests');
    for (const [path, body] of [
      ['/api/v1/digests?dry_run', span],
      ['/api/v1/digests', { ...span, dry_run: true }],
    ] as const) {
      const { status, body: answer } = await call('POST', path, body);
      expect(status).toBe(200);
      expect(answer).toMatchObject({
        document: { level: 'urgent' },
        text: expect.stringContaining('### 🚨 Requires Immediate Attention'),
      });
    }
    expect((await pool.query('select count(*)::int as n from digests')).rows).toEqual(before.rows);
    expect(site.rung).toEqual([]);
  });

  it('rings for a digest that is asked for', async () => {
    const span = { from: SPAN.start.toISOString(), to: SPAN.end.toISOString() };
    expect(await call('POST', '/api/v1/digests', { ...span, tell: true })).toEqual({
      status: 202,
      body: span,
    });
    expect(site.rung).toMatchObject([expect.stringMatching(/^asked\./)]);
    expect((await call('POST', '/api/v1/digests', { from: span.to, to: span.from })).status).toBe(400);
    expect((await call('POST', '/api/v1/digests', { from: '2020-01-01', to: '2026-01-01' })).status).toBe(
      400,
    );
    expect((await call('POST', '/api/v1/digests', {})).status).toBe(400);
  });

  it('takes ratings, the last word of each person', async () => {
    for (const useful of [true, false])
      expect((await call('POST', `/api/v1/digests/${id}/ratings`, { useful })).status).toBe(201);
    await call('POST', `/api/v1/digests/${id}/ratings`, { useful: true, note: 'g1.flapping' });
    const { body } = await call('GET', `/api/v1/digests/${id}`);
    expect(body['ratings']).toEqual([
      { note: null, useful: 0, not_useful: 1 },
      { note: 'g1.flapping', useful: 1, not_useful: 0 },
    ]);
    expect((await call('POST', '/api/v1/digests/999/ratings', { useful: true })).status).toBe(404);
    await pool.query('delete from ratings');
  });

  it('reports the noise of some days', async () => {
    const { status, body } = await call('GET', '/api/v1/noise?days=366');
    expect(status).toBe(200);
    expect(body).toMatchObject({ document: { title: 'Noise report' }, ratings: [] });
  });
});

describe('the page of a digest', () => {
  it('shows the whole document, and texts from alerts as text', async () => {
    const response = await site.ask(`/digests/${id}`, {
      headers: { authorization: `Bearer ${CONSOLE_TOKEN}` },
    });
    const html = await response.text();
    for (const heading of [
      'Requires Immediate Attention',
      'Overnight Summary',
      'Truncated, Rejected or Missed',
      'New alerts',
    ])
      expect(html).toContain(heading);
    expect(html).toContain('DiskUsageHigh (production): 1 still firing');
    expect(html).not.toContain('<img');
    expect(html).toContain('&lt;img');
  });

  it('takes a rating by its form, and none without it', async () => {
    const opened = createTestConsole(pool, {
      CONSOLE_ALLOW_UNAUTHENTICATED: 'true',
      CONSOLE_URL: 'http://console',
    });
    const answer = await opened.post(`/digests/${id}`, { useful: 'yes', note: '' });
    expect(answer.status).toBe(303);
    expect((await pool.query('select useful from ratings')).rows).toEqual([{ useful: true }]);
    const forged = await opened.ask(`/digests/${id}/rate`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'useful=no',
    });
    expect(forged.status).toBe(403);
    expect((await pool.query('select useful from ratings')).rows).toEqual([{ useful: true }]);
  });
});

describe('alertgest digest', () => {
  const env = { DATABASE_URL: '' };
  it('previews a span by rules, and reports noise', async () => {
    env.DATABASE_URL = url;
    const { code, stdout } = await runCli(
      ['digest', 'preview', '--since', '2026-02-02T18:00Z', '--until', '2026-02-03T08:00Z', '--no-llm'],
      { env },
    );
    expect(stdout).toContain('🔴 1 critical alert still firing: DiskUsageHigh (production)');
    expect(code).toBe(0);
    const noise = await runCli(['digest', 'noise', '--days', '366', '--markdown'], { env });
    expect(noise.stdout).toContain('Noise report');
  });

  it('takes a time of day in the zone of the window, and refuses what is none', async () => {
    const { stdout } = await runCli(
      ['digest', 'preview', '--since', '18:00', '--until', '2026-07-03T08:00Z', '--no-llm'],
      {
        env: { DATABASE_URL: url },
      },
    );
    // Six in the evening in London is five in UTC in July.
    expect(stdout).toContain('Thu 2 Jul 18:00 → Fri 3 Jul 09:00 (Europe/London)');
    const bad = await runCli(['digest', 'preview', '--since', 'noon'], { env: { DATABASE_URL: url } });
    expect(bad).toMatchObject({ code: 2, stderr: expect.stringContaining('--since takes 18:00') });
  });
});
