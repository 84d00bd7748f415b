/** The time machine against a real Postgres: dry runs record nothing, and what is consistently noise is suggested. */
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addTimeMachine,
  createBackTest,
  readNightClock,
} from '../../../../functions/console/time-machine.ts';
import { createIngest } from '../../../../functions/receive/ingest.ts';
import { appendDecision } from '../../../../shared/postgres/decisions.ts';
import { rollUpHistory } from '../../../../shared/postgres/history.ts';
import { createPool } from '../../../../shared/postgres/pool.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import { at, makeArrival } from '../../../support/alerts.ts';
import { createTestDatabase } from '../../../support/database.ts';

const DAY = 24 * 60;
let pool: Pool;
const api = new Hono();
const patternOf = (alertname: string, namespace: string): string =>
  makeArrival({ labels: { alertname, namespace } }).pattern.pattern;

beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 4 });
  addTimeMachine(api, { pool, environment: { CAPTURE_WINDOW_TIMEZONE: 'UTC' } });
  api.post('/api/v1/issues/:pattern/decisions', (c) => c.json({ recorded: true }, 201));
  const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
  // Noise at 22:00 and at noon for six days; the same in a namespace where a critical follows once.
  for (let day = 0; day < 6; day++) {
    for (const namespace of ['calm', 'shaky']) {
      for (const minute of [0, 14 * 60]) {
        const start = day * DAY + minute;
        const labels = { alertname: 'Noise', namespace };
        await ingest.store([makeArrival({ labels, startsAt: at(start), receivedAt: at(start) })], at(start));
        await ingest.store(
          [makeArrival({ status: 'resolved', labels, startsAt: at(start), endsAt: at(start + 2) })],
          at(start + 2),
        );
      }
    }
  }
  const labels = { alertname: 'Down', severity: 'critical', namespace: 'shaky' };
  await ingest.store(
    [makeArrival({ labels, startsAt: at(5 * DAY + 20), receivedAt: at(5 * DAY + 20) })],
    at(5 * DAY + 20),
  );
  await ingest.store([makeArrival({ labels: { alertname: 'Last' }, startsAt: at(6 * DAY) })], at(6 * DAY));
});
afterAll(() => pool.end());

async function dryRun(pattern: string, query = '?dry_run=true'): Promise<Response> {
  return api.request(`/api/v1/issues/${pattern}/decisions${query}`, {
    method: 'POST',
    body: JSON.stringify({ kind: 'ignore' }),
  });
}

describe('a dry run', () => {
  it('says what the decision would have done, without a sweep, and records nothing', async () => {
    const response = await dryRun(patternOf('Noise', 'shaky'));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      recorded: false,
      hides: true,
      backtest: {
        episodes: 12,
        incidents: 12,
        healedAlone: { episodes: 12, longestSeconds: 120 },
        beforeCritical: {
          criticals: 1,
          episodes: 1,
          examples: [{ alertname: 'Down', at: at(5 * DAY + 20).toISOString(), minutesAfter: 20 }],
        },
        onlyAtNight: { hidden: 6, told: 6, criticals: 1 },
      },
    });
    const { rows } = await pool.query('select 1 from decisions');
    expect(rows).toEqual([]);
  });

  it('leaves the decision alone when it is none', async () => {
    expect((await dryRun(patternOf('Noise', 'shaky'), '')).status).toBe(201);
  });

  it('speaks in sentences to the pages', async () => {
    const backTest = createBackTest(pool, {});
    expect((await backTest(patternOf('Noise', 'calm'), { kind: 'ignore' }))[0]).toBe(
      'It would have hidden 12 alerts of 12 incidents in the last 30 days.',
    );
    expect(await backTest(patternOf('Noise', 'calm'), { kind: 'important' })).toEqual([
      'It would have hidden nothing.',
    ]);
  });
});

describe('suggestions', () => {
  const list = async (): Promise<Array<{ pattern: string; onDays: number }>> => {
    const response = await api.request('/api/v1/suggestions');
    return ((await response.json()) as { suggestions: Array<{ pattern: string; onDays: number }> })
      .suggestions;
  };

  it('name what always heals alone and never came before a critical, until somebody decides', async () => {
    await rollUpHistory(pool, 30);
    const pattern = patternOf('Noise', 'calm');
    expect(await list()).toMatchObject([{ pattern, episodes: 12, onDays: 7, backtest: { episodes: 12 } }]);
    await appendDecision(pool, pattern, { kind: 'ignore', until: null, note: null, actor: 'ann' });
    expect(await list()).toEqual([]);
  });
});

describe('nights', () => {
  it('cover a span without a hole of their own, across a change of clocks', async () => {
    const clock = await readNightClock({});
    const from = new Date('2026-03-27T12:00:00Z');
    const to = new Date('2026-03-30T03:00:00Z');
    expect(clock.windows({ from, to })).toEqual([
      { from: new Date('2026-03-27T18:00:00Z'), to: new Date('2026-03-28T08:00:00Z') },
      { from: new Date('2026-03-28T18:00:00Z'), to: new Date('2026-03-29T07:00:00Z') },
      { from: new Date('2026-03-29T17:00:00Z'), to: new Date('2026-03-30T07:00:00Z') },
    ]);
  });
});
