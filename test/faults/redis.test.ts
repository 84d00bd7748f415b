import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { pino } from 'pino';

import { findServer } from '../../eventing/local/redis.ts';
import { createDecisionCache } from '../../shared/redis.ts';
import type { Decision } from '../../shared/postgres/decisions.ts';
import { makeFiring, resolved, startTestMachine } from '../support/machine.ts';
import type { TestAlert, TestMachine } from '../support/machine.ts';
import { startOwnRedis } from '../support/own-stores.ts';
import type { OwnRedis } from '../support/own-stores.ts';

const log = pino({ level: 'silent' });
const IGNORED: Decision = { kind: 'ignore', until: null, note: null, actor: 'test', generation: 3 };

describe.skipIf(findServer() === null)('Redis', { timeout: 60_000 }, () => {
  let machine: TestMachine;
  let redis: OwnRedis;
  let minutes = 600;
  beforeAll(async () => {
    redis = await startOwnRedis();
    // What comes back is told anew, so that only the decision keeps it from being told.
    machine = await startTestMachine({
      env: { REDIS_URL: redis.url, REMIND_AFTER: '1m', FLAP_OPENINGS: '100' },
    });
  });
  afterAll(async () => {
    await machine.stop();
    await redis.stop();
  });
  beforeEach(() => machine.sink.clear());

  test('F08 is killed: what is ignored stays ignored, what is not is told, and nobody waits 300 ms longer', async () => {
    const ignored = await makeIgnored();
    await redis.kill();
    onTestFinished(() => redis.startAgain());
    await live(ignored);
    await live(makeFiring());
    machine.sink.assertOnly(1);
    expect(await slowestRead(redis.url)).toBeLessThan(300);
  });

  test('F09 hangs: a read waits 200 ms at most and Postgres answers', async () => {
    const ignored = await makeIgnored();
    redis.proxy.blackhole();
    onTestFinished(() => redis.heal());
    const startedAt = performance.now();
    await live(ignored);
    await live(makeFiring());
    machine.sink.assertOnly(1);
    // Two lives, two decisions each; no step waits for a Redis that does not answer.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(await slowestRead(redis.url)).toBeLessThan(500);
  });

  test.each([
    ['evicts what it likes', 'allkeys-lru'],
    ['refuses to write when it is full', 'noeviction'],
  ])('F10 %s: what is ignored stays ignored, no request fails', async (_, policy) => {
    const many = [await makeIgnored(), await makeIgnored(), await makeIgnored()];
    await redis.ask('config', 'set', 'maxmemory-policy', policy);
    await redis.ask('config', 'set', 'maxmemory', '3mb');
    onTestFinished(async () => {
      await redis.ask('flushall');
      await redis.ask('config', 'set', 'maxmemory', '0');
    });
    const noise = 'x'.repeat(100_000);
    for (let index = 0; index < 60; index++)
      await redis.ask('set', `noise:${index}`, noise).catch(() => undefined);
    const fresh = await makeIgnored();
    const told = makeFiring();
    for (const alert of [...many, fresh, told]) await live(alert);
    machine.sink.assertOnly(1);
    expect(machine.sink.pushes[0]?.title).toContain(told.labels['alertname']);
    expect(machine.machine.broker.stats.counts.failed).toBe(0);
  });

  test('F11 comes back empty: filled again from Postgres', async () => {
    const ignored = await makeIgnored();
    await redis.kill();
    await redis.startAgain();
    expect(await redis.ask('dbsize')).toBe(0);
    await expect.poll(() => readiness(), { timeout: 10_000 }).toContain('"redis":"ok"');
    machine.sink.clear();
    await live(ignored);
    await live(ignored);
    machine.sink.assertOnly(0);
    expect(await redis.ask('exists', `ag:decision:${await patternOf(ignored)}`)).toBe(1);
  });

  test('F12 was cut off while a decision was taken back: within five seconds of its return Postgres has won', async () => {
    const ignored = await makeIgnored();
    await live(ignored);
    machine.sink.clear();
    const pattern = await patternOf(ignored);
    expect(await redis.ask('exists', `ag:decision:${pattern}`)).toBe(1);
    redis.proxy.setTarget(null);
    await machine.decide(pattern, { kind: 'revoke' });
    redis.heal();
    const healedAt = performance.now();
    await live(ignored);
    machine.sink.assertOnly(1);
    expect(performance.now() - healedAt).toBeLessThan(5_000);
  });

  /** An issue that was told once and is ignored since; the phone has forgotten it but for that push. */
  async function makeIgnored(): Promise<TestAlert> {
    const alert = makeFiring();
    await live(alert);
    await machine.decide(await patternOf(alert), { kind: 'ignore', for: '30d' });
    const { pushes } = machine.sink;
    expect(pushes.at(-1)?.title).toContain(alert.labels['alertname']);
    machine.sink.clear();
    return alert;
  }

  /** One life of the alert, long ago and a good while after the one before. */
  async function live(alert: TestAlert): Promise<void> {
    minutes -= 5;
    const at = (plus: number): Date => new Date(Date.now() - (minutes - plus) * 60_000);
    const life = { ...alert, startsAt: at(0).toISOString() };
    expect(await machine.post([life], { at: at(0) })).toBe(200);
    await machine.settle();
    expect(await machine.post([resolved(life, at(1))], { at: at(1) })).toBe(200);
    await machine.settle();
  }

  async function patternOf({ labels }: TestAlert): Promise<string> {
    const [row] = await machine.query<{ pattern: string }>(
      'select pattern from patterns where alertname = $1',
      [labels['alertname']],
    );
    return row?.pattern ?? '';
  }

  async function readiness(): Promise<string> {
    return (await fetch(`${machine.functions.urls['suppress-check'] ?? ''}/ready`)).text();
  }
});

/** The longest of twenty reads through a client as suppress-check has one. */
async function slowestRead(url: string): Promise<number> {
  const cache = await createDecisionCache(url, log);
  let slowest = 0;
  for (let index = 0; index < 20; index++) {
    const startedAt = performance.now();
    expect(await cache.read(`pattern-${index}`, 3, new Date(), () => Promise.resolve(IGNORED))).toEqual(
      IGNORED,
    );
    slowest = Math.max(slowest, performance.now() - startedAt);
  }
  cache.close();
  return slowest;
}
