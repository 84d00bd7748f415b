import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { makeFiring, resolved, startTestMachine } from '../../support/machine.ts';
import type { TestMachine } from '../../support/machine.ts';
import { startGotifySink } from '../../support/sinks.ts';

describe('providers', { timeout: 60_000 }, () => {
  let machine: TestMachine;
  afterEach(() => machine.stop());

  describe('one channel', () => {
    beforeEach(async () => {
      machine = await startTestMachine();
    });

    test('a provider that is down and comes back gets the message once', async () => {
      machine.sink.script({ status: 503 }, { status: 503 });
      await machine.post([makeFiring()]);
      await machine.settle();
      expect(machine.sink.requests).toHaveLength(3);
      machine.sink.assertOnly(1);
      expect(machine.sink.pushes[0]?.text).not.toContain('Possibly repeated');
      expect(await deliveries()).toMatchObject([{ status: 'sent', attempts: 3 }]);
    });

    test('F24 a provider that asks for a pause gets it', async () => {
      machine.sink.script({ status: 429, headers: { 'retry-after': '2' } });
      await machine.post([makeFiring()]);
      await machine.settle();
      machine.sink.assertOnly(1);
      const [first, second] = machine.sink.requests;
      expect((second?.at.getTime() ?? 0) - (first?.at.getTime() ?? 0)).toBeGreaterThanOrEqual(2_000);
    });

    test('F28 a connection that breaks after the request: sent again later, marked, under the same key', async () => {
      machine.sink.script('reset');
      await machine.post([makeFiring()]);
      await machine.settle();
      machine.sink.assertOnly(2);
      expect(machine.sink.pushes[1]?.key).toBe(machine.sink.pushes[0]?.key);
      expect(machine.sink.pushes[1]?.text).toContain('Possibly repeated');
    });

    test('a refusal is final and loud: the notice is dead, the audit says so, others are told', async () => {
      machine.sink.script({ status: 403, body: { code: 40301, http: 403, error: 'forbidden' } });
      const alert = makeFiring({ severity: 'critical' });
      await machine.post([alert]);
      await machine.settle();
      expect(machine.sink.requests).toHaveLength(1);
      expect(await machine.notices()).toMatchObject([{ status: 'dead', reason: 'undeliverable' }]);
      const audit = await fetch(`${machine.machine.url}/api/v1/audit`);
      expect(audit.status).toBe(503);
      expect(await audit.json()).toMatchObject({ clean: false, dead: 1, unfinished: 0 });
      await machine.post([resolved(alert)]);
      await machine.post([makeFiring()]);
      await machine.settle();
      machine.sink.assertOnly(1);
    });

    test('F27 notify is killed between the provider\u2019s yes and its mark: sent again, marked possibly repeated', async () => {
      machine.sink.script({ delayMs: 1_500 });
      await machine.post([makeFiring()]);
      await expect.poll(() => machine.sink.requests.length, { timeout: 10_000 }).toBe(1);
      await machine.functions.kill('notify', 'SIGKILL');
      await machine.sink.waitFor(1);
      await machine.functions.start('notify');
      await machine.machine.broker.idle();
      // The lease of the dead process still holds, so nobody sends.
      machine.sink.assertOnly(1);
      await machine.query(`update deliveries set lease_until = clock_timestamp() - interval '1 second'`);
      await machine.sweep();
      await machine.sink.waitFor(2);
      await machine.settle();
      machine.sink.assertOnly(2);
      const [first, second] = machine.sink.pushes;
      expect(first?.text).not.toContain('Possibly repeated');
      expect(second?.text).toContain('Possibly repeated');
      expect(second?.key).toBe(first?.key);
      expect(await deliveries()).toMatchObject([{ status: 'sent', attempts: 2, unknown_outcomes: 1 }]);
    });

    test('notify is stopped politely while it sends: told once', async () => {
      machine.sink.script({ delayMs: 800 });
      await machine.post([makeFiring()]);
      await expect.poll(() => machine.sink.requests.length, { timeout: 10_000 }).toBe(1);
      await machine.functions.restart('notify', 'SIGTERM');
      await machine.settle();
      machine.sink.assertOnly(1);
      expect(await machine.notices()).toMatchObject([{ status: 'notified' }]);
    });
  });

  test('F26 one dead channel does not keep the other from telling', async () => {
    const gotify = await startGotifySink();
    machine = await startTestMachine({ env: gotify.env });
    machine.sink.script({ status: 403 });
    await machine.post([makeFiring()]);
    await machine.settle();
    machine.sink.assertOnly(0);
    gotify.assertOnly(1);
    expect(await machine.notices()).toMatchObject([{ status: 'notified' }]);
    expect(await deliveries()).toMatchObject([{ status: 'sent' }, { status: 'dead' }]);
    await gotify.close();
  });

  function deliveries(): Promise<object[]> {
    return machine.query(
      'select channel, status, attempts, unknown_outcomes from deliveries order by channel',
    );
  }
});
