/** Nobody says a word about an incident: who is told then, and what counts as a word. On the whole machine. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { makeFiring, resolved, startTestMachine } from '../support/machine.ts';
import type { TestMachine } from '../support/machine.ts';
import { startGotifySink, startNtfySink } from '../support/sinks.ts';
import type { Sink } from '../support/sinks.ts';

const ROUTES = `
channels:
  - { name: phone, type: ntfy }
  - { name: boss, type: gotify }
routes:
  - name: pages
    matchers: [severity="critical"]
    channels: [phone]
    escalate: { after: 15m, channels: [boss] }
  - name: rest
    channels: [phone]
`;

describe('escalation', { timeout: 60_000 }, () => {
  let phone: Sink;
  let boss: Sink;
  let machine: TestMachine;
  beforeAll(async () => {
    phone = await startNtfySink();
    boss = await startGotifySink();
    machine = await startTestMachine({ sink: phone, env: { ...boss.env, ROUTES } });
  }, 60_000);
  afterAll(async () => {
    await machine.stop();
    await boss.close();
  });
  beforeEach(() => {
    phone.clear();
    boss.clear();
  });

  /** A quarter of an hour passes for what waits, and the sweep looks. */
  async function passQuarter(): Promise<void> {
    await machine.query(
      `update escalations set at = at - interval '15 minutes', planned_at = planned_at - interval '15 minutes' where outcome is null`,
    );
    await machine.sweep();
    await machine.settle();
  }

  function outcomes(): Promise<object[]> {
    return machine.query('select step, outcome from escalations order by id desc limit 1');
  }

  it('tells the next one after a quarter of an hour without a word, once', async () => {
    const alert = makeFiring({ severity: 'critical' });
    await machine.post([alert]);
    await machine.settle();
    phone.assertOnly(1);
    await machine.sweep();
    await machine.settle();
    boss.assertOnly(0);
    await passQuarter();
    boss.assertOnly(1);
    phone.assertOnly(1);
    expect(boss.pushes[0]?.text).toContain('not acknowledged for 15 minutes: still firing');
    expect(await outcomes()).toEqual([{ step: 'pages', outcome: 'told' }]);
    await passQuarter();
    boss.assertOnly(1);
    await machine.post([resolved(alert)]);
    await machine.settle();
  });

  it('is called off by any decision, a note included', async () => {
    const alert = makeFiring({ severity: 'critical' });
    await machine.post([alert]);
    await machine.settle();
    const [row] = await machine.query<{ pattern: string }>(
      'select pattern from incidents order by opened_at desc limit 1',
    );
    await machine.decide(row?.pattern ?? '', { kind: 'note', note: 'I am looking at it', by: 'ann' });
    // The decision was made after the plan: only the due time passes.
    await machine.query(`update escalations set at = alert_now() where outcome is null`);
    await machine.sweep();
    await machine.settle();
    boss.assertOnly(0);
    expect(await outcomes()).toEqual([{ step: 'pages', outcome: 'acknowledged' }]);
  });

  it('is called off by the end of the incident', async () => {
    const alert = makeFiring({ severity: 'critical' });
    await machine.post([alert]);
    await machine.settle();
    await machine.post([resolved(alert)]);
    await machine.settle();
    await passQuarter();
    boss.assertOnly(0);
    expect(await outcomes()).toEqual([{ step: 'pages', outcome: 'over' }]);
  });

  it('is not for what its route does not take', async () => {
    await machine.post([makeFiring({ severity: 'warning' })]);
    await machine.settle();
    phone.assertOnly(1);
    await passQuarter();
    boss.assertOnly(0);
    expect(await machine.query(`select 1 from escalations where outcome is null`)).toEqual([]);
  });
});
