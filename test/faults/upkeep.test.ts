import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, describe, expect, onTestFinished, test } from 'vitest';

import { makeFiring, startTestMachine } from '../support/machine.ts';
import type { TestMachine } from '../support/machine.ts';
import { startModelStub } from '../support/model-stub.ts';

const MIGRATIONS = new URL('../../shared/postgres/migrations/', import.meta.url);
/** Written before the first release: nobody's old code runs beside them. */
const BEFORE_RELEASE = '0007_channel-tests.sql';
/** What old code does not survive; a constraint or a not-null may be dropped at any time. */
const BREAKS_OLD_CODE =
  /\b(drop (table|column|view|function)|rename (to|column)|alter column \w+ (type|set not null)|add column \w+ [^,;]*\bnot null\b(?![^,;]*default))/i;

describe('upkeep', { timeout: 90_000 }, () => {
  test('F51 every migration since the first release leaves code of the version before it working', () => {
    const later = readdirSync(MIGRATIONS).filter((file) => file.endsWith('.sql') && file > BEFORE_RELEASE);
    const broken = later.filter((file) =>
      readFileSync(new URL(file, MIGRATIONS), 'utf8')
        .replaceAll(/--.*$/gm, '')
        .split(';')
        .some((statement) => BREAKS_OLD_CODE.test(statement.replaceAll(/\s+/g, ' '))),
    );
    expect(broken).toEqual([]);
    expect(BREAKS_OLD_CODE.test('alter table notices drop column why')).toBe(true);
    expect(BREAKS_OLD_CODE.test('alter table notices add column loud boolean not null')).toBe(true);
    expect(BREAKS_OLD_CODE.test('alter table notices add column loud boolean not null default false')).toBe(
      false,
    );
  });

  describe('of a running machine', () => {
    let machine: TestMachine;
    afterEach(() => machine.stop());

    test('F34 a broker that answers after its deliveries, and a model that hangs: receive answers within 3.5 s', async () => {
      const model = await startModelStub();
      model.usually('hang');
      onTestFinished(() => model.close());
      machine = await startTestMachine({
        switches: { sync: true },
        env: { OLLAMA_BASE_URL: model.url },
      });
      const times: number[] = [];
      for (let index = 0; index < 5; index++) {
        const startedAt = performance.now();
        expect(await machine.post([makeFiring()])).toBe(200);
        times.push(performance.now() - startedAt);
      }
      expect(Math.max(...times)).toBeLessThan(3_500);
      await machine.sink.waitFor(5, 60_000);
      machine.sink.assertOnly(5);
    });

    test('F54 retention deletes thousands of rows while alerts come: no lock is waited for 200 ms, no webhook half a second', async () => {
      machine = await startTestMachine();
      await machine.post([makeFiring({ severity: 'info' })]);
      await machine.query(
        `insert into episodes (key, pattern, alertname, severity, own, labels, annotations, generator_url, flags,
           starts_at, ended_at, end_reason, received_at, last_seen, end_received_at)
         select 'old' || g, 'v1:old', 'Old', 'info', false, '{}', '{}', '', '{}', t, t, 'resolved', t, t, t
         from generate_series(1, 20000) g, lateral (select clock_timestamp() - interval '60 days') as o(t)`,
      );
      // As fast as this machine is when nothing is deleted.
      const calm = await postMany(20);
      let worstWaitMs = 0;
      const over = new AbortController();
      onTestFinished(() => over.abort());
      const watch = (async () => {
        while (!over.signal.aborted) {
          const [row] = await machine.query<{ waited: number | null }>(
            `select max(extract(epoch from clock_timestamp() - waitstart) * 1000)::float8 as waited from pg_locks where not granted`,
          );
          worstWaitMs = Math.max(worstWaitMs, row?.waited ?? 0);
          await sleep(20);
        }
      })();
      const sweeps = (async () => {
        for (let index = 0; index < 5; index++) await machine.sweep();
      })();
      const busy = await postMany(40);
      await sweeps;
      over.abort();
      await watch;
      const [row] = await machine.query<{ left: number }>(
        `select count(*)::int as left from episodes where alertname = 'Old'`,
      );
      expect(row?.left).toBe(15_000);
      expect(worstWaitMs).toBeLessThan(200);
      expect(busy).toBeLessThan(calm + 500);
    });

    test('F55 the watcher outside hears a beat only while nothing is stuck, and none when alertgest is dead', async () => {
      let beats = 0;
      const watcher = createServer((_, response) => {
        beats++;
        response.end('ok');
      });
      await new Promise<void>((done) => watcher.listen(0, '127.0.0.1', done));
      onTestFinished(() => void watcher.close());
      const url = `http://127.0.0.1:${(watcher.address() as AddressInfo).port}/ping`;
      machine = await startTestMachine({ env: { HEARTBEAT_URL: url, ALERT_REPEAT_INTERVAL: '1h' } });
      await machine.post([makeFiring(), makeFiring({ alertname: 'Watchdog', severity: 'none' })]);
      await machine.settle();
      await machine.sweep();
      expect(beats).toBe(1);

      // Six minutes old and told to nobody: something is stuck.
      await machine.functions.kill('notify', 'SIGKILL');
      await machine.post([makeFiring()]);
      const stuck = `select id from notices where status = 'admitted'`;
      await expect.poll(() => machine.query(stuck), { timeout: 10_000 }).toHaveLength(1);
      await machine.query(
        `update notices set status_at = clock_timestamp() - interval '6 minutes' where status = 'admitted'`,
      );
      beats = 0;
      await machine.sweep();
      expect(beats).toBe(0);
      expect(machine.lines.some((line) => line.includes('the heartbeat is withheld'))).toBe(true);

      await machine.functions.kill('receive', 'SIGKILL');
      await expect(machine.sweep()).rejects.toThrow('the sweep answered');
      expect(beats).toBe(0);
    });

    test('F55 a Watchdog that is not seen any more stops the beat', async () => {
      let beats = 0;
      const watcher = createServer((_, response) => {
        beats++;
        response.end('ok');
      });
      await new Promise<void>((done) => watcher.listen(0, '127.0.0.1', done));
      onTestFinished(() => void watcher.close());
      const url = `http://127.0.0.1:${(watcher.address() as AddressInfo).port}/ping`;
      machine = await startTestMachine({ env: { HEARTBEAT_URL: url, ALERT_REPEAT_INTERVAL: '1h' } });
      await machine.post([makeFiring({ alertname: 'Watchdog', severity: 'none' })]);
      await machine.settle();
      await machine.sweep();
      expect(beats).toBe(1);
      await machine.query(`update patterns set last_seen = clock_timestamp() - interval '3 hours'`);
      await machine.sweep();
      expect(beats).toBe(1);
    });

    /** Posts so many new alerts, one after the other; answers the longest wait for an answer in milliseconds. */
    async function postMany(count: number): Promise<number> {
      let worstMs = 0;
      for (let index = 0; index < count; index++) {
        const startedAt = performance.now();
        expect(await machine.post([makeFiring({ severity: 'info' })])).toBe(200);
        worstMs = Math.max(worstMs, performance.now() - startedAt);
      }
      return worstMs;
    }
  });
});
