/** The least that the functions need of Postgres and Redis (docs/security.md, "Hardening") is enough, and no more is granted. */
import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createIngest } from '../../functions/receive/ingest.ts';
import { sweep } from '../../functions/receive/sweep.ts';
import { appendDecision } from '../../shared/postgres/decisions.ts';
import { createPool, transaction } from '../../shared/postgres/pool.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { createDecisionCache } from '../../shared/redis.ts';
import { at, makeArrival } from '../support/alerts.ts';
import { createTestDatabase } from '../support/database.ts';

const role = `functions_${randomBytes(4).toString('hex')}`;
let owner: Pool;
let pool: Pool;
beforeAll(async () => {
  const url = new URL(await createTestDatabase());
  owner = createPool({ url: url.href, name: 'owner', size: 1 });
  await owner.query(`create role ${role} login password 'secret'`);
  await owner.query(`grant usage on schema alertgest to ${role}`);
  await owner.query(`grant select, insert, update, delete on all tables in schema alertgest to ${role}`);
  await owner.query(`grant usage on all sequences in schema alertgest to ${role}`);
  url.username = role;
  url.password = 'secret';
  pool = createPool({ url: url.href, name: 'functions', size: 4 });
});
afterAll(async () => {
  await pool.end();
  await owner.query(`drop owned by ${role}`);
  await owner.query(`drop role ${role}`);
  await owner.end();
});

it('alerts are stored, swept and decided on by it', async () => {
  const arrival = makeArrival();
  const { notices } = await createIngest(pool, { isHeartbeat: () => false, allowReplay: false }).store([
    arrival,
  ]);
  expect(notices).toHaveLength(1);
  await transaction(pool, (client) =>
    appendDecision(client, arrival.pattern.pattern, { kind: 'quiet', until: null, note: null, actor: 'ann' }),
  );
  const errors: string[] = [];
  await sweep(
    {
      pool,
      publisher: { publish: () => Promise.resolve([]) },
      direct: null,
      source: { cluster: 'test', name: 'receive' },
      waits: { receivedMs: 0, classifiedMs: 0, admittedMs: 0 },
      repeatIntervalMs: 3_600_000,
      retentionDays: 30,
      heartbeat: null,
      log: pino({ level: 'error' }, { write: (line: string) => void errors.push(line) }),
    },
    '',
  );
  expect(errors).toEqual([]);
});

it.each([
  'drop table alertgest.decisions',
  'create table alertgest.mine (a int)',
  'alter table alertgest.decisions disable trigger all',
  'truncate alertgest.decisions',
  "copy alertgest.decisions to program 'true'",
])('%s is refused to it', async (statement) => {
  await expect(pool.query(statement)).rejects.toMatchObject({ code: '42501' });
});

const redisUrl = inject('redisUrl');

describe.skipIf(redisUrl === null)('a Redis user (skipped where no Redis is installed)', () => {
  it('reads and writes copies of decisions and nothing else', async () => {
    const admin = new Redis(redisUrl ?? '');
    const rules = [
      'on',
      '>secret',
      '~ag:*',
      '-@all',
      '+get',
      '+set',
      '+mget',
      '+ping',
      '+info',
      '+hello',
      '+client',
    ];
    await admin.call('ACL', 'SETUSER', role, ...rules);
    const url = new URL(redisUrl ?? '');
    url.username = role;
    url.password = 'secret';
    const cache = await createDecisionCache(url.href, pino({ level: 'silent' }));
    const bound = new Redis(url.href);
    try {
      await vi.waitUntil(() => cache.state() === 'ok');
      const decision = { kind: 'ignore' as const, until: at(60), note: null, actor: 'ann', generation: 2 };
      const pattern = `v1:${role}`;
      expect(await cache.read(pattern, 2, at(0), () => Promise.resolve(decision))).toEqual(decision);
      expect(
        await cache.read(pattern, 2, at(0), () => Promise.reject(new Error('the copy is there'))),
      ).toEqual(decision);
      for (const command of [
        ['get', 'other'],
        ['keys', '*'],
        ['flushall'],
        ['eval', 'return 1', '0'],
        ['config', 'get', '*'],
      ])
        await expect(bound.call(command[0] ?? '', ...command.slice(1))).rejects.toThrow(/NOPERM/);
    } finally {
      cache.close();
      bound.disconnect();
      await admin.call('ACL', 'DELUSER', role);
      admin.disconnect();
    }
  });
});
