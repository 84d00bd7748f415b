/**
 * Ingest: alerts per second that receive makes durable, over the rows per second of bare multi-row inserts of the same
 * episodes into a table with the same columns and indexes. Both run against one PostgreSQL with its durable defaults,
 * in turn (A B A B), each from empty tables; the ratio is the median of the pairs.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { cacheEnv } from '../build/warm.ts';
import { reserveServices, startFunctions } from '../eventing/local/functions.ts';
import { startPostgres } from '../eventing/local/postgres.ts';
import { migrate } from '../shared/postgres/migrate.ts';
import { ALERTS_PER_PATTERN } from './alerts.ts';
import type { FloorJob } from './ingest-floor.ts';
import type { LoadJob } from './ingest-load.ts';
import { median } from './report.ts';
import type { Progress, Report } from './report.ts';

const PAIRS = Number(process.env['BENCH_PAIRS'] ?? 3);
const CONNECTIONS = [4, 16] as const;
/** Alerts per webhook (and rows per statement of the floor) → alerts per run: a second or two of work. */
const RUNS = new Map([
  [1, 2_000],
  [10, 8_000],
  [100, 16_000],
]);
const EMPTY = `truncate alertgest.episodes, alertgest.patterns, alertgest.pattern_hours, alertgest.history_queue,
  alertgest.floor_episodes cascade; checkpoint`;

interface Stage {
  readonly database: Client;
  readonly databaseUrl: string;
  readonly port: number;
  readonly load: ChildProcess;
  readonly floor: ChildProcess;
}

interface Cell {
  readonly perWebhook: number;
  readonly connections: number;
  readonly floor: number;
  readonly news: number;
  readonly repeats: number;
  readonly newsRatio: number;
  readonly repeatsRatio: number;
}

/** Measures every cell against a server started for it. */
export async function measureIngest(progress: Progress, dist: string): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'alertgest-bench-'));
  const server = await startPostgres({ folder: join(folder, 'postgres'), durable: true });
  const sink = await startSink();
  const children = ['load', 'floor'].map((name) => fork(join(import.meta.dirname, `ingest-${name}.ts`)));
  const [load, floor] = children as [ChildProcess, ChildProcess];
  const database = new Client({ connectionString: server.url });
  try {
    await migrate(server.url);
    await database.connect();
    await database.query('create table alertgest.floor_episodes (like alertgest.episodes including all)');
    const services = await reserveServices(['receive']);
    const functions = await startFunctions({
      services,
      sink: `http://127.0.0.1:${(sink.address() as AddressInfo).port}/`,
      env: {
        ...cacheEnv(dist),
        APP_LOG_LEVEL: 'warn',
        CLUSTER_NAME: 'bench',
        DATABASE_URL: server.url,
        ALLOW_UNAUTHENTICATED: 'true',
      },
      command: () => [process.execPath, join(dist, 'main.cjs')],
      onLine: (_, line) => process.stderr.write(`${line}\n`),
    });
    try {
      const port = Number(new URL(services['receive'] ?? '').port);
      const cells: Cell[] = [];
      for (const perWebhook of RUNS.keys()) {
        for (const connections of CONNECTIONS) {
          cells.push(
            await measureCell(
              { database, databaseUrl: server.url, port, load, floor },
              perWebhook,
              connections,
              progress,
            ),
          );
        }
      }
      return toReport(cells);
    } finally {
      await functions.stop();
    }
  } finally {
    for (const child of children) child.kill();
    sink.close();
    await database.end();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureCell(
  stage: Stage,
  perWebhook: number,
  connections: number,
  progress: Progress,
): Promise<Cell> {
  const alerts = RUNS.get(perWebhook) ?? 0;
  const pairs: Array<{ floor: number; news: number; repeats: number }> = [];
  // The first pair warms both sides up and is not counted.
  for (let pair = 0; pair <= PAIRS; pair++) {
    progress(`ingest: ${perWebhook} per webhook, ${connections} connections, pair ${pair} of ${PAIRS}`);
    const run = `p${pair}`;
    await stage.database.query(EMPTY);
    const { databaseUrl } = stage;
    const floorJob: FloorJob = { databaseUrl, run, alerts, perStatement: perWebhook, connections };
    const floorMs = await ask(stage.floor, floorJob);
    await expectRows(stage.database, 'floor_episodes', alerts);
    await stage.database.query(EMPTY);
    const loadJob: LoadJob = { port: stage.port, run, alerts, perWebhook, connections, rounds: 1 };
    const newsMs = await ask(stage.load, loadJob);
    await expectRows(stage.database, 'episodes', alerts);
    const repeatsMs = await ask(stage.load, { ...loadJob, rounds: 2 });
    await expectRows(stage.database, 'episodes', alerts);
    if (pair > 0)
      pairs.push({
        floor: rate(alerts, floorMs),
        news: rate(alerts, newsMs),
        repeats: rate(alerts, repeatsMs),
      });
  }
  return {
    perWebhook,
    connections,
    floor: median(pairs.map((pair) => pair.floor)),
    news: median(pairs.map((pair) => pair.news)),
    repeats: median(pairs.map((pair) => pair.repeats)),
    newsRatio: median(pairs.map((pair) => pair.news / pair.floor)),
    repeatsRatio: median(pairs.map((pair) => pair.repeats / pair.floor)),
  };
}

function toReport(cells: readonly Cell[]): Report {
  return {
    name: 'ingest',
    notes: [
      `alerts/s answered 200 over rows/s of a bare multi-row unnest insert of the same episodes (same columns and indexes), ${PAIRS} interleaved pairs, median`,
      `PostgreSQL with fsync and synchronous_commit on; 20 labels an alert; new: every alert a new episode, a new pattern per ${ALERTS_PER_PATTERN}; repeats: the same groups sent again`,
    ],
    columns: ['alerts/webhook', 'connections', 'floor rows/s', 'new alerts/s', 'ratio', 'repeats/s', 'ratio'],
    rows: cells.map((cell) => [
      String(cell.perWebhook),
      String(cell.connections),
      Math.round(cell.floor),
      Math.round(cell.news),
      Number(cell.newsRatio.toFixed(2)),
      Math.round(cell.repeats),
      Number(cell.repeatsRatio.toFixed(2)),
    ]),
    verdicts: cells.map((cell) => ({
      what: `new episodes over bare inserts, ${cell.perWebhook} per webhook, ${cell.connections} connections`,
      value: Number(cell.newsRatio.toFixed(2)),
      goal: ['>=', 0.5],
    })),
  };
}

async function ask(child: ChildProcess, job: LoadJob | FloorJob): Promise<number> {
  child.send(job);
  const [answer] = (await once(child, 'message')) as [{ elapsedMs?: number; error?: string }];
  if (answer.elapsedMs === undefined) throw new Error(answer.error);
  return answer.elapsedMs;
}

async function expectRows(
  database: Client,
  table: 'episodes' | 'floor_episodes',
  rows: number,
): Promise<void> {
  const text = `select count(*)::int as n from alertgest.${table}`;
  const { rows: counted } = await database.query<{ n: number }>(text);
  if (counted[0]?.n !== rows) throw new Error(`${table} holds ${counted[0]?.n} rows instead of ${rows}`);
}

function rate(count: number, elapsedMs: number): number {
  return (count / elapsedMs) * 1_000;
}

async function startSink(): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(202).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
