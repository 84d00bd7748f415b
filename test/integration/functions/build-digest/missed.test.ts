/** What Prometheus saw firing and nobody sent, against a Prometheus that answers, refuses, or is not there. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMissed } from '../../../../functions/build-digest/missed.ts';
import { createIngest } from '../../../../functions/receive/ingest.ts';
import { labelsOpenIn } from '../../../../shared/postgres/digest-around.ts';
import { createPool } from '../../../../shared/postgres/pool.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import { makeArrival } from '../../../support/alerts.ts';
import { createTestDatabase } from '../../../support/database.ts';

const WINDOW = { start: new Date('2026-02-02T18:00:00Z'), end: new Date('2026-02-03T08:00:00Z') };
const arrived = { alertname: 'PodNotReady', severity: 'warning', namespace: 'production', deployment: 'api' };

let pool: Pool;
let prometheus: Server;
let url: string;
let answer: { status: number; body: string };
let asked: URL;

beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 2 });
  const receivedAt = new Date('2026-02-02T22:00:00Z');
  // Alertmanager's copy carries an external label that the series does not have.
  const arrival = makeArrival({ startsAt: receivedAt, receivedAt, labels: { prometheus: 'monitoring/k8s' } });
  await createIngest(pool, { isHeartbeat: () => false, allowReplay: true }).store([arrival], receivedAt);
  prometheus = createServer((incoming, outgoing) => {
    asked = new URL(incoming.url ?? '/', 'http://prometheus');
    outgoing.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
  await new Promise<void>((done) => prometheus.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(prometheus.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await pool.end();
  prometheus.close();
});

function ask(at = url) {
  return readMissed(at, [WINDOW], (...span) => labelsOpenIn(pool, ...span), AbortSignal.timeout(10_000));
}

function seen(...series: ReadonlyArray<Readonly<Record<string, string>>>): { status: number; body: string } {
  const result = series.map((labels) => ({
    metric: { alertstate: 'firing', ...labels },
    values: [[1, '1']],
  }));
  return { status: 200, body: JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } }) };
}

describe('alerts that never arrived', () => {
  it('are those that fired in Prometheus and are not stored, every one of them', async () => {
    const lost = Array.from({ length: 12 }, (_, index) => ({ alertname: 'Short', pod: `api-${index}` }));
    answer = seen(arrived, { ...arrived, deployment: 'other' }, ...lost);
    const { missed, missedWhy } = await ask();
    expect(missedWhy).toBeNull();
    expect(missed?.total).toBe(13);
    expect(missed?.shown[0]).toBe('PodNotReady (production, other)');
    expect(asked.searchParams.get('query')).toContain('ALERTS{alertstate="firing"}');
    expect(asked.searchParams.get('start')).toBe(WINDOW.start.toISOString());
  });

  it('are none when all of them arrived', async () => {
    answer = seen(arrived);
    expect(await ask()).toEqual({ missed: { total: 0, shown: [] }, missedWhy: null });
  });

  it('are not claimed when Prometheus cannot be asked, and the digest says why', async () => {
    answer = { status: 503, body: 'no' };
    expect(await ask()).toEqual({ missed: null, missedWhy: 'Prometheus answered 503' });
    answer = { status: 200, body: '{"status":"error"}' };
    expect(await ask()).toEqual({ missed: null, missedWhy: 'its answer could not be read' });
    const { missedWhy } = await ask('http://127.0.0.1:9');
    expect(missedWhy).toContain('no connection');
  });
});
