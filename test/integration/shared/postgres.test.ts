import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createDatabase } from '../../../eventing/local/postgres.ts';
import { DependencyError } from '../../../shared/errors.ts';
import { migrate } from '../../../shared/postgres/migrate.ts';
import { createPool, run, sqlState, transaction } from '../../../shared/postgres/pool.ts';
import type { Pool } from '../../../shared/postgres/pool.ts';
import { createTestDatabase } from '../../support/database.ts';

let pool: Pool;

beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 4 });
});
afterAll(() => pool.end());

describe('migrations', () => {
  it('run once, and wait for each other', async () => {
    const name = `migrate_${Date.now()}`;
    await createDatabase(inject('adminUrl'), name);
    const url = new URL(inject('adminUrl'));
    url.pathname = `/${name}`;
    const ran = await Promise.all([migrate(url.href), migrate(url.href), migrate(url.href)]);
    expect(ran.filter((files) => files.length > 0)).toHaveLength(1);
    expect(await migrate(url.href)).toEqual([]);
    await pool.query(`drop database ${name} with (force)`);
  });

  it('refuse a file that changed after it ran', async () => {
    const url = await createTestDatabase();
    const folder = mkdtempSync(join(tmpdir(), 'migrations-'));
    writeFileSync(join(folder, '0002_extra.sql'), 'create table extra (id int);');
    const files = pathToFileURL(`${folder}/`);
    expect(await migrate(url, files)).toEqual(['0002_extra.sql']);
    writeFileSync(join(folder, '0002_extra.sql'), 'create table extra (id bigint);');
    await expect(migrate(url, files)).rejects.toThrow(/0002_extra.sql was changed/);
  });
});

describe('failures of Postgres', () => {
  it('that mean an outage are retryable and say that nothing was stored', async () => {
    const nobody = createPool({ url: 'postgresql://nobody@127.0.0.1:1/none', name: 'test', size: 1 });
    await expect(run(nobody.query('select 1'))).rejects.toMatchObject({
      reason: 'dependency-down',
      retryable: true,
      status: 503,
    });
    await nobody.end();
    await expect(
      run(pool.query("set statement_timeout = '50ms'; select pg_sleep(1)")),
    ).rejects.toBeInstanceOf(DependencyError);
  });

  it('that mean a bug stay what they are', async () => {
    await expect(run(pool.query('select * from no_such_table'))).rejects.toMatchObject({ code: '42P01' });
    await expect(run(pool.query('insert into clock values (false)'))).rejects.toMatchObject({
      code: '23514',
    });
  });

  it('leave a read-only server unready and nothing half-written', async () => {
    const work = transaction(pool, async (client) => {
      await client.query('set local transaction_read_only = on');
      await client.query("insert into counters (name, value) values ('x', 1)");
    });
    await expect(work).rejects.toMatchObject({ reason: 'dependency-down' });
  });

  it('that lose their connection fail as an outage, and nothing else fails with them', async () => {
    const uncaught: unknown[] = [];
    const listen = (error: unknown): void => void uncaught.push(error);
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', listen);
    try {
      for (const wait of ['select pg_sleep(5)', null]) {
        const work = transaction(pool, async (client) => {
          const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
          const waiting = wait === null ? null : client.query(wait);
          waiting?.catch(() => undefined);
          await pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
          // Between two statements nobody waits for the connection that is gone.
          await new Promise((done) => setTimeout(done, 200));
          await waiting;
          await client.query('select 1');
        });
        await expect(work).rejects.toMatchObject({ reason: 'dependency-down' });
      }
    } finally {
      process.removeListener('uncaughtException', listen);
      for (const other of others) process.on('uncaughtException', other);
    }
    expect(uncaught).toEqual([]);
    await expect(pool.query('select 1')).resolves.toMatchObject({ rowCount: 1 });
  });

  it('that are deadlocks are run again, and both transactions succeed', async () => {
    await pool.query("insert into counters (name, value) values ('a', 0), ('b', 0)");
    let runs = 0;
    const add = (first: string, second: string): Promise<void> =>
      transaction(pool, async (client) => {
        runs++;
        await client.query('update counters set value = value + 1 where name = $1', [first]);
        await client.query('select pg_sleep(0.2)');
        await client.query('update counters set value = value + 1 where name = $1', [second]);
      });
    await Promise.all([add('a', 'b'), add('b', 'a')]);
    const { rows } = await pool.query("select value from counters where name in ('a', 'b')");
    expect(rows).toEqual([{ value: '2' }, { value: '2' }]);
    expect(runs).toBeGreaterThan(2);
  });

  it('keep their code inside a dependency error', async () => {
    const error = await run(pool.query("do $$ begin raise sqlstate '40001'; end $$")).catch(
      (cause: unknown) => cause,
    );
    expect(sqlState(error)).toBe('40001');
  });
});
