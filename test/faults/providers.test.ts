import { afterEach, describe, expect, onTestFinished, test } from 'vitest';

import { auditMachine, namesOf, sweepUntilFinal, toldNames } from '../support/machine-audit.ts';
import { makeFiring, startTestMachine } from '../support/machine.ts';
import type { TestMachine } from '../support/machine.ts';
import { startGotifySink } from '../support/sinks.ts';

describe('a provider', { timeout: 60_000 }, () => {
  let machine: TestMachine;
  afterEach(() => machine.stop());

  test('F23 drips its answer for ever: the other channel is told within three seconds, the slow one is cut off', async () => {
    const gotify = await startGotifySink();
    onTestFinished(() => gotify.close());
    machine = await startTestMachine({ env: gotify.env });
    // As fast as this machine is without a fault.
    const calmAt = Date.now();
    await machine.post([makeFiring()]);
    await gotify.waitFor(1, 15_000);
    await machine.settle();
    const calmMs = (gotify.pushes[0]?.at.getTime() ?? 0) - calmAt;
    gotify.clear();
    machine.sink.clear();
    machine.sink.script('drip', 'drip', 'drip');
    const alerts = [makeFiring(), makeFiring(), makeFiring()];
    const postedAt = Date.now();
    await Promise.all(alerts.map((alert) => machine.post([alert])));
    await gotify.waitFor(3, 15_000);
    const delays = gotify.pushes.map(({ at }) => at.getTime() - postedAt);
    expect(Math.max(...delays)).toBeLessThan(calmMs + 3_000);
    const cutOff = async (): Promise<number> => {
      const rows = await machine.query(
        `select 1 from deliveries where channel = 'ntfy' and unknown_outcomes > 0`,
      );
      return rows.length;
    };
    // Ten seconds are what a provider may take.
    await expect.poll(cutOff, { timeout: 15_000 }).toBe(3);
    gotify.assertOnly(3);
  });

  test('F26 takes no token: one final failure a message, the other channel stands in within ten seconds', async () => {
    const gotify = await startGotifySink();
    onTestFinished(() => gotify.close());
    const ROUTES = `
routes:
  - name: everybody
    channels: [ntfy]
    fallback: [gotify]
`;
    machine = await startTestMachine({ env: { ...gotify.env, ROUTES } });
    machine.sink.script({ status: 401 }, { status: 401 }, { status: 401 });
    const postedAt = Date.now();
    const alerts = [makeFiring(), makeFiring(), makeFiring()];
    for (const alert of alerts) await machine.post([alert]);
    await gotify.waitFor(3, 15_000);
    expect(Math.max(...gotify.pushes.map(({ at }) => at.getTime() - postedAt))).toBeLessThan(10_000);
    await machine.settle();
    gotify.assertOnly(3);
    expect(machine.sink.requests).toHaveLength(3);
    const rows = await machine.query(
      'select channel, status, count(*)::int from deliveries group by 1, 2 order by 1',
    );
    expect(rows).toEqual([
      { channel: 'gotify', status: 'sent', count: 3 },
      { channel: 'ntfy', status: 'dead', count: 3 },
    ]);
  });

  test('F28 breaks the connection after it read the message, again and again: never lost', async () => {
    machine = await startTestMachine();
    machine.sink.script('reset', 'ok', 'reset', 'ok', 'reset', 'ok');
    const alerts = [makeFiring(), makeFiring(), makeFiring()];
    for (const alert of alerts) await machine.post([alert]);
    await sweepUntilFinal(machine);
    expect([...new Set(await toldNames(machine))]).toEqual(namesOf(alerts));
    expect(machine.sink.pushes.length).toBeLessThanOrEqual(6);
    expect((await auditMachine(machine)).violations).toEqual([]);
  });

  test('F29 was down while forty messages waited: one message about them when it is back, two sends a second at most', async () => {
    machine = await startTestMachine({
      env: { SWEEP_ADMITTED_AFTER: '300ms', STORM_INCIDENTS_PER_MINUTE: '1000' },
    });
    machine.sink.script(...Array.from({ length: 400 }, () => ({ status: 503 })));
    const alerts = Array.from({ length: 40 }, () => makeFiring());
    for (const alert of alerts) await machine.post([alert]);
    const tried = async (): Promise<number> => {
      const [row] = await machine.query<{ tried: number }>(
        `select count(*)::int as tried from deliveries where attempts > 0 or last_error is not null`,
      );
      return row?.tried ?? 0;
    };
    await expect.poll(tried, { timeout: 20_000 }).toBeGreaterThan(0);
    await machine.machine.broker.idle();
    machine.sink.clear();
    // It is back: what waits is due now, and claims of the outage are over.
    await machine.query(`update deliveries set next_attempt_at = clock_timestamp(), lease_until = null,
      status = 'planned', attempts = greatest(attempts, 1) where status <> 'sent'`);
    await machine.functions.restart('notify');
    await sweepUntilFinal(machine, 45_000);
    expect(machine.sink.pushes.length).toBeLessThan(10);
    const times = machine.sink.requests.map(({ at }) => at.getTime());
    const gaps = times.slice(3).map((time, index) => time - (times[index] ?? 0));
    expect(Math.min(Infinity, ...gaps)).toBeGreaterThan(900);
    const rows = await machine.query(`select status, count(*)::int from notices group by 1`);
    expect(rows).toEqual([{ status: 'notified', count: 40 }]);
  });
});
