/**
 * What an alert costs when there is much history: the same new alerts are stored over 10,000, 100,000 and 1,000,000
 * episodes. The cost has to stay flat, because nothing that receive does may read more than it writes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../eventing/local/postgres.ts';
import { createIngest } from '../functions/receive/ingest.ts';
import type { Ingest } from '../functions/receive/ingest.ts';
import { normalizeAlert } from '../shared/alert.ts';
import { toPattern } from '../shared/pattern.ts';
import { migrate } from '../shared/postgres/migrate.ts';
import { createPool } from '../shared/postgres/pool.ts';
import { makeAlert } from './alerts.ts';
import { generateHistory } from './history.ts';
import { median } from './report.ts';
import type { Progress, Report } from './report.ts';

const SIZES = [10_000, 100_000, 1_000_000];
const ROUNDS = 7;
const WEBHOOKS = 40;
const ALERTS = 50;
/** How far the cost over the largest history may lie from that over the smallest. */
const FLAT = 1.15;

interface Store {
  readonly size: number;
  readonly ingest: Ingest;
  readonly times: number[];
  close(): Promise<void>;
}

/** Measures all sizes in turn, round after round, each in a database of its own on one server. */
export async function measureHistoryCost(progress: Progress): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'alertgest-bench-'));
  const server = await startPostgres({ folder: join(folder, 'postgres'), durable: false });
  const stores: Store[] = [];
  try {
    for (const size of SIZES) stores.push(await createStore(server.url, size, progress));
    for (let round = 0; round <= ROUNDS; round++) {
      progress(`history cost: round ${round} of ${ROUNDS}`);
      for (const store of stores) {
        const startedAt = performance.now();
        await storeRound(store.ingest, `r${round}`);
        const perAlert = ((performance.now() - startedAt) * 1_000) / (WEBHOOKS * ALERTS);
        if (round > 0) store.times.push(perAlert);
      }
    }
  } finally {
    for (const store of stores) await store.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const of = (index: number): number => median(stores[index]?.times ?? []);
  const growth = of(stores.length - 1) / of(0);
  return {
    name: 'cost per alert over history',
    notes: [
      `${WEBHOOKS} webhooks of ${ALERTS} new alerts a round, one after the other, ${ROUNDS} interleaved rounds, in this process`,
    ],
    columns: ['episodes of history', 'median µs an alert', 'over the smallest'],
    rows: stores.map(({ size }, index) => [
      size.toLocaleString('en-GB'),
      Number(of(index).toFixed(1)),
      Number((of(index) / of(0)).toFixed(3)),
    ]),
    verdicts: [{ what: 'largest history over the smallest', value: growth, goal: ['<=', FLAT] }],
  };
}

async function createStore(serverUrl: string, size: number, progress: Progress): Promise<Store> {
  const url = new URL(serverUrl);
  const admin = createPool({ url: serverUrl, name: 'bench', size: 1 });
  await admin.query(`create database history_${size}`);
  await admin.end();
  url.pathname = `/history_${size}`;
  await migrate(url.href);
  await generateHistory(url.href, size, progress);
  const pool = createPool({ url: url.href, name: 'bench', size: 2 });
  return {
    size,
    ingest: createIngest(pool, { isHeartbeat: () => false, allowReplay: false }),
    times: [],
    close: () => pool.end(),
  };
}

async function storeRound(ingest: Ingest, run: string): Promise<void> {
  const receivedAt = new Date();
  const startsAt = new Date(receivedAt.getTime() - 60_000).toISOString();
  for (let webhook = 0; webhook < WEBHOOKS; webhook++) {
    await ingest.store(
      Array.from({ length: ALERTS }, (_, index) => {
        const entry = { ...makeAlert(run, webhook * ALERTS + index, startsAt) };
        const alert = normalizeAlert(entry, 'firing', { receivedAt, cluster: 'bench' });
        if (typeof alert === 'string') throw new Error(alert);
        return {
          alert,
          pattern: toPattern(alert, { cluster: 'bench' }),
          receivedAt,
          traceparent: '',
          own: false,
        };
      }),
    );
  }
}
