import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { makeAlert, makeWebhook } from '../../bench/alerts.ts';
import { processorMs, residentMiB } from '../../bench/processes.ts';
import { bundle } from '../../build/bundle.ts';
import { cacheEnv } from '../../build/warm.ts';
import { FUNCTION_NAMES } from '../../eventing/local/functions.ts';
import { findAlertmanager, startAlertmanager } from '../support/alertmanager.ts';
import { auditMachine, namesOf, sweepUntilFinal, toldNames } from '../support/machine-audit.ts';
import { makeFiring, startTestMachine } from '../support/machine.ts';
import type { TestMachine } from '../support/machine.ts';
import { startModelStub } from '../support/model-stub.ts';
import { startProxiedDatabase } from '../support/own-stores.ts';

const ENV = {
  SWEEP_RECEIVED_AFTER: '1s',
  SWEEP_CLASSIFIED_AFTER: '1s',
  SWEEP_ADMITTED_AFTER: '1s',
  APP_LOG_LEVEL: 'warn',
};
const NO_STORM = { ...ENV, STORM_INCIDENTS_PER_MINUTE: '10000' };
const command = findAlertmanager();

describe('load', { timeout: 400_000 }, () => {
  // As they run on a cluster; sources start slower and hold more.
  const bundles = mkdtempSync(join(tmpdir(), 'alertgest-load-'));
  let machine: TestMachine;
  beforeAll(async () => {
    await bundle(bundles);
  }, 120_000);
  afterAll(() => rmSync(bundles, { recursive: true, force: true }));
  afterEach(() => machine.stop());

  test.skipIf(command === null)(
    'F30 a real Alertmanager tries fifty groups for a minute while receive says 503: half a core at most, no row twice',
    async () => {
      const database = await startProxiedDatabase();
      onTestFinished(() => database.proxy.close());
      machine = await startTestMachine({ databaseUrl: database.url, env: NO_STORM });
      const alertmanager = await startAlertmanager(command ?? '', {
        url: machine.machine.url,
        token: machine.token,
      });
      onTestFinished(() => alertmanager.stop());
      const alerts = Array.from({ length: 50 }, () => makeFiring());
      database.proxy.setTarget(null);
      const pid = machine.functions.pid('receive');
      const before = processorMs(pid);
      const startedAt = performance.now();
      for (const { labels } of alerts) await alertmanager.fire(labels);
      await sleep(60_000);
      const share = (processorMs(pid) - before) / (performance.now() - startedAt);
      expect(share).toBeLessThan(0.5);
      database.heal();
      await machine.sink.waitFor(50, 90_000);
      await sweepUntilFinal(machine);
      expect(await toldNames(machine)).toEqual(namesOf(alerts));
      expect(await machine.query('select count(*)::int as episodes from episodes')).toEqual([
        { episodes: 50 },
      ]);
    },
  );

  test('F31 five hundred webhooks in a second while every function is at zero: all stored within fifteen seconds', async () => {
    machine = await startTestMachine({ bundles, env: { ...NO_STORM, ...cacheEnv(bundles) } });
    await Promise.all(FUNCTION_NAMES.map((name) => machine.functions.kill(name, 'SIGTERM')));
    const alerts = Array.from({ length: 500 }, () => makeFiring());
    const startedAt = performance.now();
    let mostConnections = 0;
    const over = new AbortController();
    onTestFinished(() => over.abort());
    const watch = (async () => {
      while (!over.signal.aborted) {
        const [row] = await machine.query<{ open: number }>(
          `select count(*)::int as open from pg_stat_activity where datname = current_database() and application_name like 'alertgest-%'`,
        );
        mostConnections = Math.max(mostConnections, row?.open ?? 0);
        await sleep(100);
      }
    })();
    const posts = alerts.map(async (alert, index) => {
      await sleep(index * 2);
      while ((await machine.post([alert]).catch(() => 0)) !== 200) await sleep(250);
      return performance.now() - startedAt;
    });
    // An activator holds the requests until the first instance is there; here the senders try again.
    await sleep(1_500);
    await Promise.all(FUNCTION_NAMES.map((name) => machine.functions.start(name)));
    const acked = await Promise.all(posts);
    expect(Math.max(...acked)).toBeLessThan(15_000);
    await sweepUntilFinal(machine, 180_000);
    over.abort();
    await watch;
    expect(mostConnections).toBeLessThanOrEqual(52);
    expect(await toldNames(machine)).toEqual(namesOf(alerts));
    expect(await auditMachine(machine)).toEqual({ violations: [], repeats: 0 });
  });

  test('F46 the model hangs: a critical is told at most 50 ms later than by the rules alone', async () => {
    const model = await startModelStub();
    model.usually('hang');
    onTestFinished(() => model.close());
    machine = await startTestMachine({ env: { ...NO_STORM, STORM_CRITICALS_PER_MINUTE: '1000' } });
    const asking = await startTestMachine({
      env: { ...NO_STORM, STORM_CRITICALS_PER_MINUTE: '1000', OLLAMA_BASE_URL: model.url },
    });
    onTestFinished(() => asking.stop());
    const times = { rules: [] as number[], model: [] as number[] };
    for (let index = 0; index < 25; index++) {
      times.rules.push(await timePush(machine));
      times.model.push(await timePush(asking));
    }
    // The first ones warm everything up.
    const median = (values: number[]): number => values.slice(5).toSorted((a, b) => a - b)[10] ?? Infinity;
    expect(median(times.model) - median(times.rules)).toBeLessThan(50);
  });

  test('F53 ten thousand alerts in a minute: below 200 MB a function, criticals first, all final', async () => {
    machine = await startTestMachine({
      bundles,
      // The heap that Node allows itself in a container of 256 Mi, which is what the manifests give it.
      env: { ...ENV, STORM_SUMMARY_INTERVAL: '15s', NODE_OPTIONS: '--max-old-space-size=128' },
    });
    const startsAt = new Date(Date.now() - 60_000).toISOString();
    const startedAt = performance.now();
    const posts: Array<Promise<void>> = [];
    for (let webhook = 0; webhook < 500; webhook++) {
      const body = makeWebhook(
        Array.from({ length: 20 }, (_, index) => makeAlert('storm', webhook * 20 + index, startsAt)),
      );
      posts.push(machine.postBody(body).then((status) => expect(status).toBe(200)));
      await sleep(Math.max(0, startedAt + webhook * 120 - performance.now()));
    }
    await Promise.all(posts);
    expect(performance.now() - startedAt).toBeLessThan(70_000);
    await sleep(16_000);
    await sweepUntilFinal(machine, 120_000);
    const peaks = FUNCTION_NAMES.map((name) => ({
      name,
      peak: residentMiB(machine.functions.pid(name)).peak,
    }));
    for (const { name, peak } of peaks) expect(peak, name).toBeLessThan(200);
    // Ten criticals a minute are told one by one before any summary; the others among them are summed up from the 31st on.
    const criticals = machine.sink.pushes.slice(0, 40).filter(({ priority }) => priority === 5);
    expect(criticals.length).toBeGreaterThanOrEqual(10);
    expect(machine.sink.pushes.length).toBeLessThan(100);
    expect(await machine.query('select count(*)::int as episodes from episodes')).toEqual([
      { episodes: 10_000 },
    ]);
    const { violations, repeats } = await auditMachine(machine);
    expect({ violations, repeats }).toEqual({ violations: [], repeats: 0 });
  });

  test('F24 a provider that asks for thirty seconds gets them, and one try in that time', async () => {
    machine = await startTestMachine({ env: ENV });
    machine.sink.script({ status: 429, headers: { 'retry-after': '30' } });
    await machine.post([makeFiring()]);
    await expect.poll(() => machine.sink.requests.length, { timeout: 10_000 }).toBe(1);
    await sleep(500);
    await machine.post([makeFiring()]);
    const until = performance.now() + 45_000;
    while (machine.sink.pushes.length < 2 && performance.now() < until) {
      await machine.sweep();
      await sleep(1_000);
    }
    machine.sink.assertOnly(2);
    const [first, ...later] = machine.sink.requests.map(({ at }) => at.getTime());
    for (const time of later) expect(time - (first ?? 0)).toBeGreaterThanOrEqual(30_000);
  });

  async function timePush(on: TestMachine): Promise<number> {
    const before = on.sink.pushes.length;
    const startedAt = performance.now();
    await on.post([makeFiring({ severity: 'critical' })]);
    while (on.sink.pushes.length === before) await sleep(2);
    return performance.now() - startedAt;
  }
});
