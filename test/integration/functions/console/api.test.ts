import { BlockList } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApi } from '../../../../functions/console/api.ts';
import { createSignIn } from '../../../../functions/console/sign-in.ts';
import { createIngest } from '../../../../functions/receive/ingest.ts';
import { createPool } from '../../../../shared/postgres/pool.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import { at, makeArrival } from '../../../support/alerts.ts';
import { createTestDatabase } from '../../../support/database.ts';

const token = 'console-token-0123456789';
let pool: Pool;
let api: ReturnType<typeof createApi>;

async function call(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await api.request(path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 4 });
  const signIn = createSignIn({
    token,
    allowAnyone: false,
    userHeader: null,
    proxies: new BlockList(),
    secureCookies: true,
  });
  api = createApi({ pool, signIn, log: pino({ level: 'silent' }) });
  const ingest = createIngest(pool, { isHeartbeat: (name) => name === 'Watchdog', allowReplay: false });
  await ingest.store([
    makeArrival({ startsAt: at(0) }),
    makeArrival({ startsAt: at(1), labels: { alertname: 'NodeDown', severity: 'critical', node: 'node-1' } }),
    makeArrival({ startsAt: at(1), labels: { alertname: 'Watchdog', severity: 'none' } }),
  ]);
});
afterAll(() => pool.end());

async function patternOf(alertname: string): Promise<string> {
  const { body } = await call('GET', '/api/v1/issues');
  const issue = (body['issues'] as Array<{ alertname: string; pattern: string }>).find(
    (each) => each.alertname === alertname,
  );
  return issue?.pattern ?? 'none';
}

describe('reading', () => {
  it('needs the token', async () => {
    expect((await api.request('/api/v1/issues')).status).toBe(401);
    expect((await api.request('/api/v1/issues', { headers: { authorization: 'Bearer wrong' } })).status).toBe(
      401,
    );
  });

  it('lists issues with what is known of them, and no heartbeats', async () => {
    const { body } = await call('GET', '/api/v1/issues');
    expect(body).toMatchObject({ total: 2 });
    const issue = (body['issues'] as object[]).find(
      (each) => 'alertname' in each && each.alertname === 'PodNotReady',
    );
    expect(issue).toMatchObject({
      namespace: 'production',
      severity: 'warning',
      episodes: 1,
      openEpisodes: 1,
      incidents: 1,
      category: null,
      decision: null,
    });
  });

  it('counts a span by severity and type, heartbeats included', async () => {
    const from = encodeURIComponent(at(-10).toISOString());
    const to = encodeURIComponent(at(10).toISOString());
    const { body } = await call('GET', `/api/v1/stats?from=${from}&to=${to}`);
    expect(body).toMatchObject({
      episodes: 3,
      firing: 3,
      bySeverity: { critical: { episodes: 1 }, none: { episodes: 1 } },
      byType: { NodeDown: { firing: 1 } },
    });
  });

  it('filters notices by state and refuses unknown states in words', async () => {
    expect((await call('GET', '/api/v1/notices?state=received')).body['notices']).toHaveLength(3);
    expect((await call('GET', '/api/v1/notices?state=notified')).body['notices']).toHaveLength(0);
    expect(await call('GET', '/api/v1/notices?state=lost')).toMatchObject({
      status: 400,
      body: { reason: 'invalid-input' },
    });
  });

  it('says what is where when nothing is at a path', async () => {
    expect(await call('GET', '/api/v1/nothing')).toMatchObject({
      status: 404,
      body: { see: expect.arrayContaining(['/api/v1/issues']) },
    });
  });
});

describe('deciding', () => {
  it('records an ignore with its term and shows it on the issue', async () => {
    const pattern = await patternOf('PodNotReady');
    const made = await call('POST', `/api/v1/issues/${pattern}/decisions`, {
      kind: 'ignore',
      for: '7d',
      actor: 'ann',
    });
    expect(made).toMatchObject({ status: 201, body: { kind: 'ignore', actor: 'ann', generation: 1 } });
    expect((await call('GET', `/api/v1/issues/${pattern}`)).body).toMatchObject({
      decision: { kind: 'ignore', actor: 'ann' },
    });
  });

  it('takes a decision back, and makes the open incident news at once', async () => {
    const pattern = await patternOf('PodNotReady');
    expect(await call('POST', `/api/v1/issues/${pattern}/decisions`, { kind: 'revoke' })).toMatchObject({
      body: { generation: 2 },
    });
    expect((await call('GET', `/api/v1/issues/${pattern}`)).body).toMatchObject({ decision: null });
    const { rows } = await pool.query('select due_why from incidents where pattern = $1', [pattern]);
    expect(rows).toEqual([{ due_why: 'decision revoked' }]);
  });

  it('silences a critical only with a note', async () => {
    const pattern = await patternOf('NodeDown');
    expect(await call('POST', `/api/v1/issues/${pattern}/decisions`, { kind: 'ignore' })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('note') },
    });
    expect(
      await call('POST', `/api/v1/issues/${pattern}/decisions`, { kind: 'ignore', note: 'being replaced' }),
    ).toMatchObject({ status: 201 });
  });

  it.each([
    [{}, /kind/],
    [{ kind: 'forget' }, /kind/],
    [{ kind: 'snooze' }, /snooze/],
    [{ kind: 'ignore', until: '2001-01-01T00:00:00Z' }, /past/],
  ])('refuses %j in words', async (body, problem) => {
    const answer = await call('POST', `/api/v1/issues/${await patternOf('PodNotReady')}/decisions`, body);
    expect(answer.status).toBe(400);
    expect(String(answer.body['error'])).toMatch(problem);
  });

  it('knows no decision on an issue that is none', async () => {
    expect(await call('POST', '/api/v1/issues/v1:none/decisions', { kind: 'ignore' })).toMatchObject({
      status: 404,
    });
  });

  it('keeps decisions as they were said', async () => {
    await expect(pool.query('update decisions set actor = $1', ['eve'])).rejects.toThrow(/append-only/);
    await expect(pool.query('delete from decisions')).rejects.toThrow(/append-only/);
  });
});
