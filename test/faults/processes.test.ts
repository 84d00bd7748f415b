import { afterEach, describe, expect, test } from 'vitest';

import { auditMachine, namesOf, sweepUntilFinal, toldNames } from '../support/machine-audit.ts';
import { makeFiring, startTestMachine } from '../support/machine.ts';
import type { TestAlert, TestMachine } from '../support/machine.ts';

/** The sweep of a test does not wait a minute. */
const SOON = {
  SWEEP_RECEIVED_AFTER: '300ms',
  SWEEP_CLASSIFIED_AFTER: '300ms',
  SWEEP_ADMITTED_AFTER: '300ms',
};
const STEPS = ['receive', 'classify', 'suppress-check', 'notify'] as const;

describe('processes', { timeout: 90_000 }, () => {
  let machine: TestMachine;
  afterEach(() => machine.stop());

  test('F38 each function dies of SIGKILL while it works: nothing is lost', async () => {
    machine = await startTestMachine({ env: SOON });
    const alerts: TestAlert[] = [];
    let kills = 0;
    for (const name of STEPS) {
      const batch = Array.from({ length: 4 }, () => makeFiring());
      alerts.push(...batch);
      const posts = batch.map((alert) => postUntilStored(alert));
      // The sooner the function is behind in the row, the later its work comes.
      await new Promise((done) => setTimeout(done, 15 * (1 + STEPS.indexOf(name))));
      await machine.functions.restart(name, 'SIGKILL');
      kills++;
      await Promise.all(posts);
      await machine.machine.broker.idle();
    }
    await machine.query(`update deliveries set lease_until = clock_timestamp() where status = 'sending'`);
    await sweepUntilFinal(machine);
    const { violations, repeats } = await auditMachine(machine);
    expect(violations).toEqual([]);
    expect(repeats).toBeLessThanOrEqual(4 * kills);
    expect([...new Set(await toldNames(machine))]).toEqual(namesOf(alerts));
  });

  test.each([
    ['two hours fast', 7_200_000],
    ['two hours slow', -7_200_000],
  ])('F39 the clock of notify and suppress-check is %s: nothing twice, nothing lost', async (_, shiftMs) => {
    machine = await startTestMachine({ env: { ...SOON, NODE_OPTIONS: `--import=${toShift(shiftMs)}` } });
    const alerts = Array.from({ length: 6 }, () => makeFiring());
    machine.sink.script({ status: 503 }, { delayMs: 700 });
    for (const alert of alerts) expect(await machine.post([alert])).toBe(200);
    await machine.sweep();
    await sweepUntilFinal(machine);
    expect(await toldNames(machine)).toEqual(namesOf(alerts));
    expect(await auditMachine(machine)).toEqual({ violations: [], repeats: 0 });
    // What is written down as time is the database's.
    const [row] = await machine.query<{ off: number }>(
      `select max(abs(extract(epoch from clock_timestamp() - received_at)))::int as off from notices`,
    );
    expect(row?.off).toBeLessThan(120);
  });

  async function postUntilStored(alert: TestAlert): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const status = await machine.post([alert]).catch(() => 0);
      if (status === 200) return;
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error('never stored');
  }
});

/** Code for a process whose wall clock is wrong; its monotonic timer stays right, as on a real machine. */
function toShift(ms: number): string {
  const code = `if (['notify', 'suppress-check'].includes(process.env.K_SERVICE)) {
    const now = Date.now; const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...words) { if (words.length === 0) super(now() + ${ms}); else super(...words); }
      static now() { return now() + ${ms}; }
    };
  }`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}
