import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, describe, expect, inject, onTestFinished, test } from 'vitest';

import { findServer } from '../../eventing/local/redis.ts';
import { reserveServices, startFunctions } from '../../eventing/local/functions.ts';
import { createTestDatabase } from '../support/database.ts';
import { auditMachine, namesOf, sweepUntilFinal, toldNames } from '../support/machine-audit.ts';
import { makeFiring, startTestMachine, toWebhook } from '../support/machine.ts';
import type { TestAlert, TestMachine } from '../support/machine.ts';
import { startOwnRedis, startProxiedDatabase } from '../support/own-stores.ts';

/** The sweep of a test does not wait a minute. */
const SOON = {
  SWEEP_RECEIVED_AFTER: '300ms',
  SWEEP_CLASSIFIED_AFTER: '300ms',
  SWEEP_ADMITTED_AFTER: '300ms',
};

describe('Postgres', { timeout: 120_000 }, () => {
  let machine: TestMachine;
  afterEach(() => machine.stop());

  test('F03 half-open: 503 within seven seconds, the pool is whole again within ten, no socket is left behind', async () => {
    const database = await startProxiedDatabase();
    onTestFinished(() => database.proxy.close());
    machine = await startTestMachine({ databaseUrl: database.url, env: SOON });
    const first = makeFiring();
    // As many at once as later, so that senders and pool hold as many connections before as after.
    const warm = await Promise.all(Array.from({ length: 12 }, () => machine.post([first])));
    expect(new Set(warm)).toEqual(new Set([200]));
    await machine.settle();
    const before = countHandles('receive');
    database.proxy.blackhole();
    const alerts = Array.from({ length: 12 }, () => makeFiring());
    const answers = await Promise.all(alerts.map((alert) => timed(() => machine.post([alert]))));
    expect(answers.map(({ answer }) => answer)).toEqual(alerts.map(() => 503));
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(7_000);
    database.heal();
    await expect.poll(() => machine.post([first]), { timeout: 10_000 }).toBe(200);
    for (const alert of alerts.slice(0, 5)) expect(await machine.post([alert])).toBe(200);
    await sweepUntilFinal(machine);
    expect(await toldNames(machine)).toEqual(namesOf([first, ...alerts.slice(0, 5)]));
    await expect
      .poll(() => Math.abs(countHandles('receive') - before), { timeout: 10_000 })
      .toBeLessThanOrEqual(5);
    expect(await auditMachine(machine)).toEqual({ violations: [], repeats: 0 });
  });

  test('F04 slow by 300 ms an answer: no error, and no webhook waits longer than two seconds', async () => {
    const database = await startProxiedDatabase();
    onTestFinished(() => database.proxy.close());
    machine = await startTestMachine({ databaseUrl: database.url, env: SOON });
    expect(await machine.post([makeFiring({ severity: 'info' })])).toBe(200);
    database.proxy.setLatency(300);
    const alerts = Array.from({ length: 20 }, () => makeFiring());
    const times: number[] = [];
    for (const alert of alerts) {
      // Five a second, as the rows' load would be on two receives.
      const wait = sleep(200);
      times.push((await timed(async () => expect(await machine.post([alert])).toBe(200))).ms);
      await wait;
    }
    expect(Math.max(...times)).toBeLessThan(2_000);
    database.proxy.setLatency(0);
    await sweepUntilFinal(machine);
    expect(await toldNames(machine)).toEqual(namesOf(alerts));
    expect(await auditMachine(machine)).toEqual({ violations: [], repeats: 0 });
  });

  test('F05 "too many connections": 503 or stored, nothing lost, no process ends', async () => {
    const { url, setLimit } = await createLimitedLogin();
    machine = await startTestMachine({ databaseUrl: url, env: { ...SOON, DATABASE_POOL_SIZE: '10' } });
    await setLimit(3);
    const alerts = Array.from({ length: 20 }, () => makeFiring());
    const statuses = await Promise.all(alerts.map((alert) => postUntilStored(alert)));
    expect(statuses.flat().every((status) => status === 200 || status === 503)).toBe(true);
    await setLimit(100);
    await sweepUntilFinal(machine);
    expect(await toldNames(machine)).toEqual(namesOf(alerts));
    expect(await auditMachine(machine)).toEqual({ violations: [], repeats: 0 });
  });

  test('F06 read-only: never a false 2xx, not ready, and all is well when it may write again', async () => {
    machine = await startTestMachine({ env: SOON });
    const name = new URL(machine.databaseUrl).pathname.slice(1);
    const setReadOnly = async (value: 'on' | 'off'): Promise<void> => {
      await ask(inject('adminUrl'), `alter database ${name} set default_transaction_read_only = ${value}`);
      await ask(
        inject('adminUrl'),
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and application_name like 'alertgest-%'`,
      );
    };
    await setReadOnly('on');
    const alerts = [makeFiring(), makeFiring(), makeFiring()];
    for (const alert of alerts) expect(await machine.post([alert])).toBe(503);
    expect((await fetch(`${machine.functions.urls['receive'] ?? ''}/ready`)).status).toBe(503);
    await setReadOnly('off');
    await expect.poll(() => machine.post(alerts), { timeout: 10_000 }).toBe(200);
    expect((await fetch(`${machine.functions.urls['receive'] ?? ''}/ready`)).status).toBe(200);
    await sweepUntilFinal(machine);
    expect(await toldNames(machine)).toEqual(namesOf(alerts));
  });

  test('F07 two receives store the same alerts in opposite orders: nobody sees an error, each episode once', async () => {
    machine = await startTestMachine();
    const services = await reserveServices(['receive']);
    const twin = await startFunctions({
      services,
      sink: machine.machine.broker.url,
      env: { DATABASE_URL: machine.databaseUrl, RECEIVE_TOKEN: machine.token, APP_LOG_LEVEL: 'warn' },
    });
    const alerts = Array.from({ length: 25 }, () => makeFiring({ severity: 'info' }));
    const post = async (base: string, body: object): Promise<number> => {
      const response = await fetch(`${base}/api/v1/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${machine.token}` },
        body: JSON.stringify(body),
      });
      await response.arrayBuffer();
      return response.status;
    };
    const statuses = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        index % 2 === 0
          ? post(machine.functions.urls['receive'] ?? '', toWebhook(alerts))
          : post(services['receive'] ?? '', toWebhook(alerts.toReversed())),
      ),
    );
    await twin.stop();
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await machine.query('select count(*)::int as episodes from episodes')).toEqual([{ episodes: 25 }]);
  });

  test.skipIf(findServer() === null)(
    'F13 gone together with Redis: 503, and nothing is silently suppressed',
    async () => {
      const database = await startProxiedDatabase();
      const redis = await startOwnRedis();
      onTestFinished(async () => {
        await database.proxy.close();
        await redis.stop();
      });
      machine = await startTestMachine({ databaseUrl: database.url, env: { ...SOON, REDIS_URL: redis.url } });
      const [before, after] = [makeFiring(), makeFiring()];
      expect(await machine.post([before])).toBe(200);
      database.proxy.setTarget(null);
      await redis.kill();
      expect(await machine.post([after])).toBe(503);
      await sleep(1_000);
      await redis.startAgain();
      database.heal();
      await expect.poll(() => machine.post([after]), { timeout: 10_000 }).toBe(200);
      await sweepUntilFinal(machine);
      expect(await toldNames(machine)).toEqual(namesOf([before, after]));
      expect(await machine.query(`select id from notices where status = 'suppressed'`)).toEqual([]);
    },
  );

  /** Open files and sockets of a function. */
  function countHandles(name: string): number {
    return readdirSync(`/proc/${machine.functions.pid(name) ?? 0}/fd`).length;
  }

  async function postUntilStored(alert: TestAlert): Promise<number[]> {
    const statuses: number[] = [];
    while (statuses.at(-1) !== 200 && statuses.length < 100) {
      if (statuses.length > 0) await sleep(200);
      statuses.push(await machine.post([alert]));
    }
    return statuses;
  }
});

/** A login that is no superuser, so that its limit of connections holds. */
async function createLimitedLogin(): Promise<{
  url: string;
  setLimit: (limit: number) => Promise<void>;
}> {
  const url = new URL(await createTestDatabase());
  const name = `limited_${process.pid}_${Date.now()}`;
  const admin = inject('adminUrl');
  await ask(admin, `create role ${name} login password 'limited' connection limit 100`);
  const direct = url.href;
  await ask(direct, `grant ${decodeURIComponent(url.username)} to ${name}`);
  onTestFinished(() => ask(admin, `drop role if exists ${name}`));
  url.username = name;
  url.password = 'limited';
  return {
    url: url.href,
    setLimit: (limit) => ask(admin, `alter role ${name} connection limit ${limit}`),
  };
}

async function ask(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function timed<T>(work: () => Promise<T>): Promise<{ answer: T; ms: number }> {
  const startedAt = performance.now();
  return { answer: await work(), ms: performance.now() - startedAt };
}
