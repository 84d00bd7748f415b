/** simulate against a real Postgres: what was told and hidden, and what another decision would have made of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { command } from '../../../cli/simulate.ts';
import { createIngest } from '../../../functions/receive/ingest.ts';
import { createPool } from '../../../shared/postgres/pool.ts';
import { at, makeArrival } from '../../support/alerts.ts';
import { createTestDatabase } from '../../support/database.ts';

const folder = mkdtempSync(join(tmpdir(), 'alertgest-simulate-'));
const noise = makeArrival({ labels: { alertname: 'Noise' } }).pattern.pattern;

beforeAll(async () => {
  const url = await createTestDatabase();
  vi.stubEnv('DATABASE_URL', url);
  const pool = createPool({ url, name: 'test', size: 2 });
  const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
  for (let i = 0; i < 4; i++) {
    const labels = { alertname: 'Noise' };
    const start = i * 120;
    await ingest.store([makeArrival({ labels, startsAt: at(start), receivedAt: at(start) })], at(start));
    await ingest.store(
      [makeArrival({ status: 'resolved', labels, startsAt: at(start), endsAt: at(start + 5) })],
      at(start + 5),
    );
  }
  const down = makeArrival({
    labels: { alertname: 'Down', severity: 'critical' },
    startsAt: at(380),
    receivedAt: at(380),
  });
  await ingest.store([down], at(380));
  // One of the noise was hidden by a decision, everything else was told.
  await pool.query(`update notices set status = 'notified' where kind = 'opened'`);
  await pool.query(
    `update notices set status = 'suppressed', reason = 'ignored' where kind = 'opened' and received_at = $1`,
    [at(0)],
  );
  await pool.end();
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

async function run(...words: string[]): Promise<string> {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  expect(await command.main(words)).toBe(0);
  return text;
}

it('says what an ignore would have hidden and what would have been missed', async () => {
  const result: unknown = JSON.parse(await run('--pattern', noise, '--ignore', '--json'));
  expect(result).toMatchObject({
    pushed: 4,
    wouldPush: 1,
    outcomes: [
      { alertname: 'Noise', incidents: 4, pushed: 3, hidden: 1, wouldPush: 0, wouldHide: 4, missed: 1 },
    ],
  });
});

it('reads a file of decisions and prints a table', async () => {
  const file = join(folder, 'decisions.yaml');
  writeFileSync(
    file,
    `- pattern: ${noise}\n  kind: revoke\n- pattern: v1:unseen\n  kind: ignore\n  until: 2026-02-01\n`,
  );
  const text = await run(file);
  expect(text).toContain('4 incidents were told of, 5 would have been.');
  expect(text).toContain('Never seen here: v1:unseen');
  expect(text).toMatch(/^Noise · .*\(warning\) +revoke +4 +3 +4 +0 +0$/m);
});

it('asks for one of the two', async () => {
  await expect(command.main([])).rejects.toThrow('simulate takes either FILE or --pattern');
});
