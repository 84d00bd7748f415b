import { afterEach, describe, expect, test } from 'vitest';

import { postEvent } from '../../support/event-post.ts';
import type { EventAnswer } from '../../support/event-post.ts';
import { makeFiring, resolved, startTestMachine } from '../../support/machine.ts';
import type { TestAlert, TestMachine } from '../../support/machine.ts';

/** Below the storm limit of 30 a minute. */
const INCIDENTS = 20;

describe('a broker that misbehaves', { timeout: 90_000 }, () => {
  let machine: TestMachine;
  afterEach(() => machine.stop());

  test('F33 loses three of ten events it accepted: the sweep carries every notice to its end', async () => {
    machine = await startTestMachine({
      switches: { dropAfterAccept: 0.3 },
      env: { SWEEP_RECEIVED_AFTER: '500ms', SWEEP_CLASSIFIED_AFTER: '500ms', SWEEP_ADMITTED_AFTER: '500ms' },
    });
    const alerts = makeIncidents();
    for (const alert of alerts) expect(await machine.post([alert])).toBe(200);
    for (const alert of alerts.slice(0, 5)) expect(await machine.post([resolved(alert)])).toBe(200);
    await expect.poll(sweepAndCountUnfinished, { timeout: 60_000, interval: 300 }).toBe(0);
    expect(machine.machine.broker.stats.counts.dropped).toBeGreaterThan(10);
    await expectOnePushEach(alerts);
  });

  test('F32 refuses everything: receive still answers 200, and the sweep publishes later', async () => {
    machine = await startTestMachine({
      switches: { queueMax: 0 },
      env: { SWEEP_RECEIVED_AFTER: '200ms', SWEEP_CLASSIFIED_AFTER: '200ms', SWEEP_ADMITTED_AFTER: '200ms' },
    });
    const alerts = makeIncidents().slice(0, 5);
    const startedAt = performance.now();
    for (const alert of alerts) expect(await machine.post([alert])).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(5 * 3_000);
    machine.sink.assertOnly(0);
    machine.machine.broker.switches.queueMax = Infinity;
    await expect.poll(sweepAndCountUnfinished, { timeout: 30_000, interval: 300 }).toBe(0);
    await expectOnePushEach(alerts);
  });

  test('delivers everything twice and out of order: one push each', async () => {
    machine = await startTestMachine({ switches: { duplicate: 1, reorderMs: 400 } });
    const alerts = makeIncidents();
    await Promise.all(alerts.map((alert) => machine.post([alert])));
    await Promise.all(alerts.slice(0, 10).map((alert) => machine.post([resolved(alert)])));
    await machine.settle();
    await expectOnePushEach(alerts);
    expect(await sweepAndCountUnfinished()).toBe(0);
  });

  test('F14 delivers one event ten times at once to each function: one push', async () => {
    machine = await startTestMachine({ switches: { dropAfterAccept: 1 } });
    await machine.post([makeFiring()]);
    const [notice] = await machine.notices();
    let type = 'dev.alertgest.notice.received';
    for (const name of ['classify', 'suppress-check'] as const) {
      const answers = await sendTenTimes(name, type, notice?.id ?? '');
      const replies = answers.filter(({ status }) => status === 200);
      expect(replies.length).toBeGreaterThan(0);
      expect(answers.every(({ status }) => status === 200 || status === 204)).toBe(true);
      expect(new Set(replies.map(({ id }) => id)).size).toBe(1);
      type = replies[0]?.type ?? '';
    }
    expect(type).toBe('dev.alertgest.notice.admitted');
    machine.sink.script({ delayMs: 300 });
    const answers = await sendTenTimes('notify', type, notice?.id ?? '');
    expect(answers.every(({ status }) => status === 200 || status === 204)).toBe(true);
    expect(answers.filter(({ status }) => status === 200).map((answer) => answer.type)).toContain(
      'dev.alertgest.notice.notified',
    );
    expect(machine.sink.requests).toHaveLength(1);
    machine.sink.assertOnly(1);
    const again = await sendTenTimes('notify', type, notice?.id ?? '');
    expect(again.every(({ status }) => status < 300)).toBe(true);
    machine.sink.assertOnly(1);
    expect(await machine.notices()).toMatchObject([{ status: 'notified' }]);
  });

  test('brings events nobody sent, of the wrong type, or too early: nothing changes', async () => {
    machine = await startTestMachine({ switches: { dropAfterAccept: 1 } });
    await machine.post([makeFiring()]);
    const [notice] = await machine.notices();
    const send = (name: string, type: string, subject: string): Promise<EventAnswer> =>
      postEvent(machine.functions.urls[name] ?? '', type, subject);
    expect(await send('notify', 'dev.alertgest.notice.admitted', 'ag-0000000000000000.opened')).toMatchObject(
      {
        status: 400,
      },
    );
    expect(await send('notify', 'dev.alertgest.notice.received', notice?.id ?? '')).toMatchObject({
      status: 400,
    });
    expect(await send('notify', 'dev.alertgest.notice.admitted', notice?.id ?? '')).toMatchObject({
      status: 409,
    });
    expect(await send('suppress-check', 'dev.alertgest.notice.classified', notice?.id ?? '')).toMatchObject({
      status: 409,
    });
    expect(await machine.notices()).toMatchObject([{ status: 'received' }]);
    machine.sink.assertOnly(0);
  });

  async function sweepAndCountUnfinished(): Promise<number> {
    await machine.sweep();
    await machine.machine.broker.idle();
    const notices = await machine.notices();
    return notices.filter(({ status }) => ['received', 'classified', 'admitted'].includes(status)).length;
  }

  async function expectOnePushEach(alerts: readonly TestAlert[]): Promise<void> {
    machine.sink.assertOnly(alerts.length);
    for (const { labels } of alerts) {
      const name = labels['alertname'] ?? '';
      expect(machine.sink.pushes.filter(({ title }) => title.includes(`${name} `))).toHaveLength(1);
    }
    expect(await machine.get('/api/v1/audit')).toMatchObject({ clean: true });
    expect(machine.crashes).toEqual([]);
  }

  function sendTenTimes(name: string, type: string, subject: string): Promise<EventAnswer[]> {
    const url = machine.functions.urls[name] ?? '';
    return Promise.all(Array.from({ length: 10 }, () => postEvent(url, type, subject)));
  }
});

function makeIncidents(): TestAlert[] {
  return Array.from({ length: INCIDENTS }, () => makeFiring());
}
