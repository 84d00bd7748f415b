import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { findAlertmanager, startAlertmanager } from '../support/alertmanager.ts';
import type { Alertmanager } from '../support/alertmanager.ts';
import { startTestMachine } from '../support/machine.ts';
import type { TestMachine } from '../support/machine.ts';

const command = findAlertmanager();
let issues = 0;

describe.skipIf(command === null)('a real Alertmanager', { timeout: 60_000 }, () => {
  let machine: TestMachine;
  let alertmanager: Alertmanager;
  const others: Alertmanager[] = [];
  beforeAll(async () => {
    machine = await startTestMachine();
  });
  afterAll(() => machine.stop());
  beforeEach(async () => {
    machine.sink.clear();
    alertmanager = await start();
  });
  afterEach(async () => {
    await Promise.all(others.splice(0).map((each) => each.stop()));
    await machine.settle();
  });

  test('F16 one incident is one push, over repeats and a growing group', async () => {
    const issue = newIssue();
    await alertmanager.fire({ ...issue, pod: 'api-7d9f8b6c5-aaaaa' });
    await machine.sink.waitFor(1);
    const before = await alertmanager.delivered();
    await alertmanager.fire({ ...issue, pod: 'api-7d9f8b6c5-bbbbb' });
    await alertmanager.fire({ ...issue, pod: 'api-7d9f8b6c5-ccccc' });
    await expectOpen(issue, 3);
    // A changed group is one webhook, and a repeat after five seconds another.
    await expect.poll(() => alertmanager.delivered(), { timeout: 20_000 }).toBeGreaterThanOrEqual(before + 2);
    await machine.settle();
    machine.sink.assertOnly(1);
    expect(machine.sink.pushes[0]?.title).toContain(issue.alertname);
    expect(await episodesOf(issue)).toHaveLength(3);
  });

  test('a resolve closes the incident, and the next firing is a new one', async () => {
    // Of a warning the next firing would be the same story.
    const issue = { ...newIssue(), severity: 'critical' };
    const startsAt = new Date();
    await alertmanager.fire(issue, { startsAt });
    await machine.sink.waitFor(1);
    await alertmanager.fire(issue, { startsAt, endsAt: new Date() });
    await expectOpen(issue, 0);
    await alertmanager.fire(issue);
    await machine.sink.waitFor(2);
    await machine.settle();
    machine.sink.assertOnly(2);
    expect(await episodesOf(issue)).toMatchObject([{ end_reason: 'resolved' }, { end_reason: null }]);
  });

  test('F17 two Alertmanagers that do not know each other are one push', async () => {
    const twin = await start();
    const issue = newIssue();
    const startsAt = new Date();
    await Promise.all([
      alertmanager.fire({ ...issue, prometheus_replica: 'a' }, { startsAt }),
      twin.fire({ ...issue, prometheus_replica: 'b' }, { startsAt: new Date(startsAt.getTime() + 500) }),
    ]);
    for (const each of [alertmanager, twin])
      await expect.poll(() => each.delivered(), { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
    await machine.settle();
    machine.sink.assertOnly(1);
    expect(await episodesOf(issue)).toHaveLength(1);
  });

  test('nothing is lost while receive restarts, and nothing is told twice', async () => {
    const early = newIssue();
    await alertmanager.fire(early);
    await machine.sink.waitFor(1);
    await machine.functions.kill('receive', 'SIGKILL');
    const late = [newIssue(), newIssue(), newIssue()];
    for (const issue of late) await alertmanager.fire(issue);
    await expect.poll(() => failures(alertmanager), { timeout: 20_000 }).toBeGreaterThan(0);
    await machine.functions.start('receive');
    await machine.sink.waitFor(4, 30_000);
    await machine.settle();
    machine.sink.assertOnly(4);
    for (const issue of [early, ...late]) expect(await episodesOf(issue)).toHaveLength(1);
  });

  async function start(): Promise<Alertmanager> {
    const started = await startAlertmanager(command ?? '', {
      url: machine.machine.url,
      token: machine.token,
    });
    others.push(started);
    return started;
  }

  async function expectOpen(issue: { alertname: string }, count: number): Promise<void> {
    const open = async (): Promise<number> =>
      (await episodesOf(issue)).filter(({ end_reason }) => end_reason === null).length;
    await expect.poll(open, { timeout: 20_000 }).toBe(count);
  }

  function episodesOf({ alertname }: { alertname: string }): Promise<Array<{ end_reason: string | null }>> {
    return machine.query('select end_reason from episodes where alertname = $1 order by starts_at', [
      alertname,
    ]);
  }
});

function newIssue(): { alertname: string; severity: string; namespace: string } {
  return { alertname: `Real${++issues}`, severity: 'warning', namespace: 'shop' };
}

/** Webhooks that got no answer, as Alertmanager counts them; each is tried again. */
async function failures({ url }: Alertmanager): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const pattern = /^alertmanager_notification_requests_failed_total\{integration="webhook".*\} (\S+)$/m;
  return Number(pattern.exec(metrics)?.[1] ?? 0);
}
