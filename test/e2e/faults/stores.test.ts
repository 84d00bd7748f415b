import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Redis } from 'ioredis';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';

import { startPostgres } from '../../../eventing/local/postgres.ts';
import { findServer, startRedis } from '../../../eventing/local/redis.ts';
import { makeFiring, resolved, startTestMachine } from '../../support/machine.ts';
import type { TestAlert, TestMachine } from '../../support/machine.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';

const hasRedis = findServer() !== null;
if (!hasRedis) process.stderr.write('redis: skipped, neither redis-server nor valkey-server is on PATH\n');

describe.skipIf(!hasRedis)('Redis', { timeout: 60_000 }, () => {
  let machine: TestMachine;
  afterEach(() => machine.stop());

  test('is killed: what is ignored stays ignored, and everything else is told', async () => {
    const redis = await startOwnRedis();
    machine = await startTestMachine({ env: { REDIS_URL: redis.url } });
    const alert = makeFiring({}, { startsAt: minutesAgo(50) });
    await fireAgain(alert, 50);
    machine.sink.assertOnly(1);
    await machine.decide(await patternOf(alert), { kind: 'ignore', for: '1d' });
    await fireAgain(alert, 40);
    expect(await readCopy(redis.url, await patternOf(alert))).toMatchObject({ decision: { kind: 'ignore' } });
    await redis.stop();
    await fireAgain(alert, 30);
    await fireAgain(makeFiring(), 20);
    machine.sink.assertOnly(2);
    const reasons = (await machine.notices())
      .filter(({ kind }) => kind === 'opened')
      .map(({ reason }) => reason);
    expect(reasons).toEqual([null, 'ignored', 'ignored', null]);
    expect(machine.crashes).toEqual([]);
  });

  test('holds the copy of a decision that was taken back: Postgres wins', async () => {
    const redis = await startOwnRedis();
    machine = await startTestMachine({ env: { REDIS_URL: redis.url } });
    const alert = makeFiring({}, { startsAt: minutesAgo(50) });
    await fireAgain(alert, 50);
    const pattern = await patternOf(alert);
    await machine.decide(pattern, { kind: 'ignore', for: '1d' });
    await fireAgain(alert, 40);
    const stale = await readCopy(redis.url, pattern);
    await machine.decide(pattern, { kind: 'revoke' });
    await writeCopy(redis.url, pattern, stale);
    await fireAgain(alert, 30);
    machine.sink.assertOnly(2);
    expect(await readCopy(redis.url, pattern)).toMatchObject({ decision: null });
    await redis.stop();
  });

  async function startOwnRedis() {
    const redis = await startRedis({ install: false, say: () => undefined });
    if (redis === null) throw new Error('Redis did not start');
    return redis;
  }

  /** One life of the alert that began some minutes ago and is over. */
  async function fireAgain(alert: TestAlert, minutes: number): Promise<void> {
    const life = { ...alert, startsAt: minutesAgo(minutes) };
    await machine.post([life]);
    await machine.settle();
    await machine.post([resolved(life, new Date(Date.parse(life.startsAt) + 60_000))]);
    await machine.settle();
  }

  async function patternOf({ labels }: TestAlert): Promise<string> {
    const [row] = await machine.query<{ pattern: string }>(
      'select pattern from patterns where alertname = $1',
      [labels['alertname']],
    );
    return row?.pattern ?? '';
  }
});

describe('Postgres', { timeout: 120_000 }, () => {
  test('is stopped: 503 within three seconds; when it is back, the alert is stored and told once', async () => {
    const { machine, stopPostgres, startAgain } = await startOnOwnPostgres();
    const [known, fresh] = [makeFiring(), makeFiring()];
    expect(await machine.post([known])).toBe(200);
    await machine.settle();
    machine.sink.assertOnly(1);

    await stopPostgres();
    for (const alert of [known, fresh])
      expect(await timed(() => machine.post([alert]))).toMatchObject({ answer: 503, inTime: true });
    const receive = machine.functions.urls['receive'] ?? '';
    expect((await fetch(`${receive}/health`)).status).toBe(200);
    expect((await fetch(`${receive}/ready`)).status).toBe(503);

    await startAgain();
    await expect.poll(() => machine.post([known, fresh]), { timeout: 20_000 }).toBe(200);
    await machine.settle();
    machine.sink.assertOnly(2);
    expect(await machine.get('/api/v1/audit')).toMatchObject({ clean: true });
    expect(machine.crashes).toEqual([]);
  });

  test('takes connections and never answers: 503, and all is well when it answers again', async () => {
    const { machine, proxy, heal } = await startOnOwnPostgres();
    const alert = makeFiring();
    expect(await machine.post([alert])).toBe(200);
    await machine.settle();
    proxy.blackhole();
    expect(await timed(() => machine.post([makeFiring()]), 8_000)).toMatchObject({
      answer: 503,
      inTime: true,
    });
    heal();
    await expect.poll(() => machine.post([alert]), { timeout: 20_000 }).toBe(200);
    await machine.settle();
    machine.sink.assertOnly(1);
    expect(machine.crashes).toEqual([]);
  });

  /** A machine whose Postgres is its own, behind a proxy that keeps the address. */
  async function startOnOwnPostgres() {
    const folder = mkdtempSync(join(tmpdir(), 'alertgest-stores-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    let server = await startPostgres({ folder: join(folder, 'postgres'), durable: true });
    onTestFinished(() => server.stop());
    const proxy = await startTcpProxy(portOf(server.url));
    onTestFinished(() => proxy.close());
    const url = new URL(server.url);
    url.port = String(proxy.port);
    const machine = await startTestMachine({ databaseUrl: url.href });
    onTestFinished(() => machine.stop());
    return {
      machine,
      proxy,
      stopPostgres: async (): Promise<void> => {
        proxy.setTarget(null);
        await server.stop();
      },
      startAgain: async (): Promise<void> => {
        server = await startPostgres({ folder: join(folder, 'postgres'), durable: true });
        proxy.setTarget(portOf(server.url));
      },
      heal: (): void => {
        proxy.setTarget(null);
        proxy.setTarget(portOf(server.url));
      },
    };
  }
});

async function timed<T>(work: () => Promise<T>, withinMs = 3_000): Promise<{ answer: T; inTime: boolean }> {
  const startedAt = performance.now();
  const answer = await work();
  return { answer, inTime: performance.now() - startedAt < withinMs };
}

async function readCopy(url: string, pattern: string): Promise<object> {
  const client = new Redis(url);
  const text = await client.get(`ag:decision:${pattern}`);
  client.disconnect();
  return JSON.parse(text ?? '{}') as object;
}

async function writeCopy(url: string, pattern: string, copy: object): Promise<void> {
  const client = new Redis(url);
  await client.set(`ag:decision:${pattern}`, JSON.stringify(copy));
  client.disconnect();
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

function minutesAgo(minutes: number): string {
  return new Date(Date.now() - minutes * 60_000).toISOString();
}
