import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { auditMachine, namesOf, sweepUntilFinal, toldNames } from '../support/machine-audit.ts';
import { makeFiring, startTestMachine } from '../support/machine.ts';
import type { TestAlert, TestMachine } from '../support/machine.ts';
import { startOwnPostgres } from '../support/own-stores.ts';
import type { OwnPostgres } from '../support/own-stores.ts';

/** How long the server stays away; the broker's own retries end after about seven seconds. */
const DOWN_MS = 20_000;
const SOON = { SWEEP_RECEIVED_AFTER: '1s', SWEEP_CLASSIFIED_AFTER: '1s', SWEEP_ADMITTED_AFTER: '1s' };

describe('a PostgreSQL that dies', { timeout: 300_000 }, () => {
  let postgres: OwnPostgres;
  let machine: TestMachine;
  beforeEach(async () => {
    postgres = await startOwnPostgres();
    machine = await startTestMachine({
      databaseUrl: postgres.url,
      env: { ...SOON, STORM_INCIDENTS_PER_MINUTE: '1000' },
    });
  });
  afterEach(async () => {
    await machine.stop();
    await postgres.stop();
  });

  test('F01 by SIGKILL in the middle of a burst: nothing lost, all final a minute after it is back', async () => {
    const alerts = Array.from({ length: 60 }, () => makeFiring());
    const slowest = { ms: 0 };
    const burst = postLikeAlertmanager(alerts, slowest);
    await sleep(1_500);
    await postgres.kill();
    await sleep(DOWN_MS);
    await postgres.startAgain();
    const backAt = performance.now();
    await burst;
    await sweepUntilFinal(machine, 90_000);
    // A claim of the moment of the death holds for a minute.
    expect(performance.now() - backAt).toBeLessThan(75_000);
    expect(slowest.ms).toBeLessThan(3_000);
    const { violations, repeats } = await auditMachine(machine);
    expect(violations).toEqual([]);
    // What the phone had taken and the database had not heard of yet comes again, and says so.
    expect(repeats).toBeLessThanOrEqual(4);
    expect([...new Set(await toldNames(machine))]).toEqual(namesOf(alerts));
  });

  test('F02 for longer than the broker tries: two sweeps carry everything to its end', async () => {
    const alerts = Array.from({ length: 20 }, () => makeFiring());
    machine.machine.broker.switches.reorderMs = 3_000;
    for (const alert of alerts) expect(await machine.post([alert])).toBe(200);
    await postgres.kill();
    machine.machine.broker.switches.reorderMs = 0;
    await machine.machine.broker.idle();
    expect(machine.machine.broker.stats.counts.lost).toBeGreaterThan(0);
    await postgres.startAgain();
    await expect.poll(() => machine.post([alerts[0] as TestAlert]), { timeout: 20_000 }).toBe(200);
    await sleep(1_500);
    for (let sweeps = 0; sweeps < 2; sweeps++) {
      await machine.sweep();
      await machine.machine.broker.idle();
    }
    const moving = await machine.query(
      `select id from notices where status in ('received', 'classified', 'admitted')`,
    );
    expect(moving).toEqual([]);
    expect(await auditMachine(machine)).toEqual({ violations: [], repeats: 0 });
    expect(await toldNames(machine)).toEqual(namesOf(alerts));
  });

  /** Twenty a second, each again after a second until it is stored. */
  async function postLikeAlertmanager(alerts: readonly TestAlert[], slowest: { ms: number }): Promise<void> {
    await Promise.all(
      alerts.map(async (alert, index) => {
        await sleep(index * 50);
        for (let attempt = 0; attempt < 120; attempt++) {
          const startedAt = performance.now();
          const status = await machine.post([alert]);
          slowest.ms = Math.max(slowest.ms, performance.now() - startedAt);
          if (status === 200) return;
          await sleep(1_000);
        }
        throw new Error('never stored');
      }),
    );
  }
});
