import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { makeFiring, resolved, startTestMachine } from '../../support/machine.ts';
import type { TestAlert, TestMachine } from '../../support/machine.ts';

describe('beginnings and ends', () => {
  let machine: TestMachine;
  beforeAll(async () => {
    machine = await startTestMachine({ env: { NTFY_SEND_RESOLVED: 'true' } });
  });
  afterAll(() => machine.stop());
  beforeEach(() => machine.sink.clear());

  test('a resolve while other episodes fire closes nothing', async () => {
    const pods = ['aaaaa', 'bbbbb', 'ccccc'].map((hash) =>
      makeFiring({ alertname: 'PodNotReady', pod: `api-7d9f8b6c5-${hash}` }),
    );
    const [first, ...rest] = pods as [TestAlert, TestAlert, TestAlert];
    await postAndSettle(pods);
    machine.sink.assertOnly(1);
    await postAndSettle([resolved(first)]);
    machine.sink.assertOnly(1);
    expect(await incidentsOf('PodNotReady')).toMatchObject([{ open_episodes: 2, closed_at: null }]);
    await postAndSettle(rest.map((alert) => resolved(alert)));
    machine.sink.assertOnly(2);
    expect(machine.sink.pushes[1]?.title).toContain('✅');
    expect(machine.sink.pushes[1]?.key).toBe(machine.sink.pushes[0]?.key);
    expect(await incidentsOf('PodNotReady')).toMatchObject([{ open_episodes: 0, episodes: 3 }]);
  });

  test('F19 a resolve that overtakes its firing leaves no push behind', async () => {
    const alert = makeFiring({}, { startsAt: minutesAgo(3) });
    await postAndSettle([resolved(alert)]);
    await postAndSettle([alert]);
    await postAndSettle([alert]);
    machine.sink.assertOnly(0);
    expect(await livesOf(alert)).toMatchObject([{ end_reason: 'resolved' }]);
  });

  test('a lost resolve does not silence the next firing', async () => {
    const alert = makeFiring({}, { startsAt: minutesAgo(30) });
    await postAndSettle([alert]);
    const next = { ...alert, startsAt: minutesAgo(2) };
    await postAndSettle([next]);
    await postAndSettle([next]);
    // The first incident's end, and the second's beginning.
    expect(machine.sink.pushes.filter(({ title }) => !title.startsWith('✅'))).toHaveLength(2);
    machine.sink.assertOnly(3);
    expect(await livesOf(alert)).toMatchObject([{ end_reason: 'lost-resolve' }, { end_reason: null }]);
  });

  test('F18 a start that moves earlier is the same life', async () => {
    const alert = makeFiring({}, { startsAt: minutesAgo(5) });
    // Beyond two minutes the second start would mean a lost resolve (DESIGN §4).
    const earlier = minutesAgo(6.5);
    await postAndSettle([alert]);
    await postAndSettle([{ ...alert, startsAt: earlier }]);
    await postAndSettle([alert]);
    machine.sink.assertOnly(1);
    expect(await livesOf(alert)).toMatchObject([{ starts_at: new Date(earlier), end_reason: null }]);
  });

  test('F20 fire, resolve and fire within a second are two lives, and of a critical two messages', async () => {
    const startsAt = Date.now() - 10_000;
    const alert = makeFiring({ severity: 'critical' }, { startsAt: new Date(startsAt).toISOString() });
    await machine.post([alert]);
    await machine.post([resolved(alert, new Date(startsAt + 300))]);
    await machine.post([{ ...alert, startsAt: new Date(startsAt + 600).toISOString() }]);
    await machine.settle();
    expect(await livesOf(alert)).toMatchObject([{ end_reason: 'resolved' }, { end_reason: null }]);
    const beginnings = machine.sink.pushes.filter(({ title }) => !title.startsWith('✅'));
    expect(beginnings).toHaveLength(2);
  });

  test('F20 a warning that comes back the next minute is the same story, told already', async () => {
    const alert = makeFiring({}, { startsAt: minutesAgo(10) });
    await postAndSettle([alert]);
    await postAndSettle([resolved(alert, new Date(minutesAgo(8)))]);
    await postAndSettle([{ ...alert, startsAt: minutesAgo(7) }]);
    expect(machine.sink.pushes.filter(({ title }) => !title.startsWith('✅'))).toHaveLength(1);
    const [, second] = (await machine.notices()).filter(
      ({ alertname, kind }) => alertname === alert.labels['alertname'] && kind === 'opened',
    );
    expect(second).toMatchObject({ status: 'suppressed', reason: 'told' });
  });

  test('what began and ended in one webhook is one push that says so', async () => {
    const alert = makeFiring({}, { startsAt: minutesAgo(4) });
    await postAndSettle([alert, resolved(alert)]);
    const [first] = machine.sink.pushes;
    expect(first?.text).toContain('already over');
    expect(await incidentsOf(alert.labels['alertname'] ?? '')).toMatchObject([{ open_episodes: 0 }]);
  });

  test('an end comes after its beginning, even when both are on their way', async () => {
    const alert = makeFiring();
    machine.sink.script({ delayMs: 700 });
    await machine.post([alert]);
    await machine.post([resolved(alert)]);
    await machine.settle();
    machine.sink.assertOnly(2);
    expect(machine.sink.pushes.map(({ title }) => title.startsWith('✅'))).toEqual([false, true]);
  });

  test('the same webhook ten times at once is one episode and one push', async () => {
    const alert = makeFiring();
    const statuses = await Promise.all(Array.from({ length: 10 }, () => machine.post([alert])));
    expect(new Set(statuses)).toEqual(new Set([200]));
    await machine.settle();
    machine.sink.assertOnly(1);
    expect(await livesOf(alert)).toHaveLength(1);
  });

  test('heartbeats are stored and never pushed or listed', async () => {
    const alert = makeFiring({ alertname: 'Watchdog', severity: 'critical' });
    await postAndSettle([alert]);
    await postAndSettle([resolved(alert)]);
    await machine.sweep();
    await machine.settle();
    machine.sink.assertOnly(0);
    expect(await livesOf(alert)).toHaveLength(1);
    const { issues } = await machine.get<{ issues: Array<{ alertname: string }> }>(
      '/api/v1/issues?limit=1000',
    );
    expect(issues.map(({ alertname }) => alertname)).not.toContain('Watchdog');
  });

  test('a severity nobody knows is pushed, one below the threshold is not', async () => {
    await postAndSettle([makeFiring({ severity: 'whatever' })]);
    await postAndSettle([makeFiring({ severity: 'info' })]);
    machine.sink.assertOnly(1);
    expect(machine.sink.pushes[0]?.text).toContain('Unknown severity');
  });

  async function postAndSettle(alerts: readonly TestAlert[]): Promise<void> {
    expect(await machine.post(alerts)).toBe(200);
    await machine.settle();
  }

  function incidentsOf(alertname: string): Promise<object[]> {
    return machine.query(
      `select i.open_episodes, i.episodes, i.closed_at from incidents i join patterns p using (pattern)
       where p.alertname = $1 order by i.opened_at`,
      [alertname],
    );
  }

  function livesOf({ labels }: TestAlert): Promise<object[]> {
    return machine.query(
      'select starts_at, end_reason from episodes where alertname = $1 order by starts_at',
      [labels['alertname']],
    );
  }
});

function minutesAgo(minutes: number): string {
  return new Date(Date.now() - minutes * 60_000).toISOString();
}
