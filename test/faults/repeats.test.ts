import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';

import { readMissed } from '../../functions/build-digest/missed.ts';
import { postEvent } from '../support/event-post.ts';
import { makeFiring, startTestMachine, toWebhook } from '../support/machine.ts';
import type { TestMachine } from '../support/machine.ts';

const HOUR = 3_600_000;
/** Bodies that are no webhook, however much they look like one. */
const POISON: readonly string[] = [
  `{"version":"4","alerts":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
  '{"version":"4","alerts":[{"status":"firing","labels":',
  '{"version":"4","alerts":"many"}',
  '{"version":"4","alerts":[1,2,3]}',
  '{"version":"4","alerts":[{"status":"firing","labels":"none"}]}',
  '[]',
  'null',
  '"alerts"',
  '\0\0\0',
  '{"__proto__":{"polluted":true}}',
  '<alerts/>',
  JSON.stringify({ version: '4', alerts: [], padding: 'x'.repeat(17 * 1024 * 1024) }),
];

describe('what comes again, late or cut', { timeout: 60_000 }, () => {
  let machine: TestMachine;
  beforeAll(async () => {
    machine = await startTestMachine();
  });
  afterAll(() => machine.stop());
  beforeEach(() => machine.sink.clear());

  test('F15 the same event and the same webhook after 24 hours and after 8 days: no further push', async () => {
    const start = Date.now() - 9 * 24 * HOUR;
    const alert = makeFiring({}, { startsAt: new Date(start).toISOString() });
    expect(await machine.post([alert], { at: new Date(start) })).toBe(200);
    await machine.settle();
    machine.sink.assertOnly(1);
    const [notice] = await machine.notices();
    for (const after of [24 * HOUR, 8 * 24 * HOUR]) {
      expect(await machine.post([alert], { at: new Date(start + after) })).toBe(200);
      for (const [name, type] of [
        ['classify', 'dev.alertgest.notice.received'],
        ['suppress-check', 'dev.alertgest.notice.classified'],
        ['notify', 'dev.alertgest.notice.admitted'],
      ] as const) {
        const { status } = await postEvent(machine.functions.urls[name] ?? '', type, notice?.id ?? '');
        expect(status).toBeLessThan(300);
      }
      await machine.settle();
    }
    machine.sink.assertOnly(1);
    expect(await machine.query('select count(*)::int as episodes from episodes')).toEqual([{ episodes: 1 }]);
  });

  test('F22 alerts that Alertmanager cut off are counted', async () => {
    const alerts = [makeFiring(), makeFiring()];
    const body = JSON.stringify({ ...toWebhook(alerts), truncatedAlerts: 3 });
    expect(await machine.postBody(body)).toBe(200);
    await machine.settle();
    machine.sink.assertOnly(2);
    expect(
      await machine.query(`select value::int from counters where name = 'alerts_truncated_total'`),
    ).toEqual([{ value: 3 }]);
  });

  test('F35 poison among good alerts is refused at the door; the good ones flow, the process lives', async () => {
    const pid = machine.functions.pid('receive');
    const times: number[] = [];
    const good = POISON.map(() => makeFiring({ severity: 'info' }));
    for (const [index, poison] of POISON.entries()) {
      const status = await machine.postBody(poison).catch(() => 413);
      // What is too large is cut off while it is sent; the gateway before receive may only see that: 502.
      expect([400, 413, 502], poison.slice(0, 60)).toContain(status);
      const startedAt = performance.now();
      expect(await machine.post([good[index] ?? makeFiring()])).toBe(200);
      times.push(performance.now() - startedAt);
    }
    expect(Math.max(...times)).toBeLessThan(1_000);
    expect(machine.functions.pid('receive')).toBe(pid);
    expect(machine.crashes).toEqual([]);
    await machine.settle();
    const rows = await machine.query<{ alertname: string }>(
      'select alertname from episodes where alertname = any($1) group by 1',
      [good.map(({ labels }) => labels['alertname'])],
    );
    expect(rows).toHaveLength(POISON.length);
  });

  test('F21 what fired while receive was down is named by the digest, each of it', async () => {
    const missed = Array.from({ length: 3 }, (_, index) => ({
      alertname: `Short${index}`,
      severity: 'warning',
      namespace: 'shop',
    }));
    const series = missed.map((labels) => ({
      metric: { __name__: 'ALERTS', alertstate: 'firing', ...labels },
      values: [[1_700_000_000, '1']],
    }));
    const prometheus = createServer((_, response) => {
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: series } }));
    });
    await new Promise<void>((done) => prometheus.listen(0, '127.0.0.1', done));
    onTestFinished(() => void prometheus.close());
    const url = `http://127.0.0.1:${(prometheus.address() as AddressInfo).port}`;
    const window = { start: new Date('2026-02-02T18:00:00Z'), end: new Date('2026-02-03T08:00:00Z') };
    const answer = await readMissed(url, [window], () => Promise.resolve([]), AbortSignal.timeout(10_000));
    for (const { alertname } of missed) expect(JSON.stringify(answer.missed)).toContain(alertname);
    expect(answer.missedWhy).toBeNull();
  });
});
