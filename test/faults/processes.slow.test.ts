import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { bundle } from '../../build/bundle.ts';
import { cacheEnv } from '../../build/warm.ts';
import { createRandom } from '../../eventing/local/switches.ts';
import { auditMachine, namesOf, sweepUntilFinal, toldNames } from '../support/machine-audit.ts';
import { makeFiring, startTestMachine } from '../support/machine.ts';
import type { TestAlert, TestMachine } from '../support/machine.ts';

const STEPS = ['receive', 'classify', 'suppress-check', 'notify'] as const;
/** Polite ends in all. */
const SIGTERMS = 200;
const ENV = {
  SWEEP_RECEIVED_AFTER: '1s',
  SWEEP_CLASSIFIED_AFTER: '1s',
  SWEEP_ADMITTED_AFTER: '1s',
  STORM_INCIDENTS_PER_MINUTE: '10000',
  APP_LOG_LEVEL: 'warn',
};

describe('processes that come and go', { timeout: 600_000 }, () => {
  // As they run on a cluster: sources would spend most of the time on being compiled.
  const bundles = mkdtempSync(join(tmpdir(), 'alertgest-processes-'));
  let machine: TestMachine;
  beforeAll(async () => {
    await bundle(bundles);
  }, 120_000);
  afterAll(() => rmSync(bundles, { recursive: true, force: true }));
  afterEach(() => machine.stop());

  test('F36 the place for dead letters is dead itself: the row is in Postgres, the sweep goes on', async () => {
    machine = await startTestMachine({ bundles, env: { ...ENV, ...cacheEnv(bundles) } });
    await machine.functions.kill('classify', 'SIGKILL');
    const alerts = Array.from({ length: 5 }, () => makeFiring());
    for (const alert of alerts) expect(await machine.post([alert])).toBe(200);
    await machine.functions.kill('receive', 'SIGKILL');
    await machine.machine.broker.idle();
    expect(machine.machine.broker.stats.counts.lost).toBeGreaterThanOrEqual(5);
    await Promise.all(['classify', 'receive'].map((name) => machine.functions.start(name)));
    await sweepUntilFinal(machine);
    expect(await toldNames(machine)).toEqual(namesOf(alerts));
    expect(await auditMachine(machine)).toEqual({ violations: [], repeats: 0 });
  });

  test('F37 two hundred SIGTERMs at random moments of work: each ends within ten seconds, nothing is lost', async () => {
    machine = await startTestMachine({ bundles, env: { ...ENV, ...cacheEnv(bundles) } });
    const random = createRandom(37);
    const load = startLoad();
    let slowestMs = 0;
    await Promise.all(
      STEPS.map(async (name) => {
        for (let index = 0; index < SIGTERMS / STEPS.length; index++) {
          await sleep(random() * 400);
          const startedAt = performance.now();
          await machine.functions.kill(name, 'SIGTERM');
          slowestMs = Math.max(slowestMs, performance.now() - startedAt);
          await machine.functions.start(name);
        }
      }),
    );
    const alerts = await load.stop();
    await sweepUntilFinal(machine, 120_000);
    const { violations, repeats } = await auditMachine(machine);
    expect(violations).toEqual([]);
    expect(slowestMs).toBeLessThan(10_500);
    // Whoever is stopped may finish; on a machine that is too slow for that a message may come again, marked.
    expect(repeats).toBeLessThanOrEqual(SIGTERMS / 10);
    expect([...new Set(await toldNames(machine))]).toEqual(namesOf(alerts));
  });

  test('F52 every function is restarted every five seconds for three minutes: nothing lost, no more repeats than restarts', async () => {
    machine = await startTestMachine({ bundles, env: { ...ENV, ...cacheEnv(bundles) } });
    const load = startLoad();
    let restarts = 0;
    const until = performance.now() + 180_000;
    await Promise.all(
      [...STEPS, 'console'].map(async (name, index) => {
        await sleep(index * 900);
        while (performance.now() < until) {
          const next = sleep(5_000);
          await machine.functions.restart(name);
          restarts++;
          await next;
        }
      }),
    );
    const alerts = await load.stop();
    await sweepUntilFinal(machine);
    const { violations, repeats } = await auditMachine(machine);
    expect(violations).toEqual([]);
    expect(repeats).toBeLessThanOrEqual(restarts);
    expect([...new Set(await toldNames(machine))]).toEqual(namesOf(alerts));
  });

  /** Five new issues a second, each posted until it is stored; and a sweep every two seconds. */
  function startLoad(): { stop(): Promise<TestAlert[]> } {
    const alerts: TestAlert[] = [];
    const posts: Array<Promise<void>> = [];
    const post = async (alert: TestAlert): Promise<void> => {
      for (let attempt = 0; attempt < 300; attempt++) {
        if ((await machine.post([alert]).catch(() => 0)) === 200) return;
        await sleep(200);
      }
      throw new Error('never stored');
    };
    const timer = setInterval(() => {
      const alert = makeFiring();
      alerts.push(alert);
      posts.push(post(alert));
    }, 200);
    const sweeps = setInterval(() => void machine.sweep().catch(() => undefined), 2_000);
    return {
      async stop() {
        clearInterval(timer);
        await Promise.all(posts);
        clearInterval(sweeps);
        return alerts;
      },
    };
  }
});
