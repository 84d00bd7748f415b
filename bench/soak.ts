/**
 * The soak: a hundred thousand alerts in Alertmanager-shaped load through every function as a process of its own, with
 * random faults on, and afterwards an audit of the database against the provider's ledger. Stops by itself within ten
 * minutes. Run: node bench/soak.ts [--alerts N] [--seed N]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { bundle } from '../build/bundle.ts';
import { cacheEnv } from '../build/warm.ts';
import { FUNCTION_NAMES } from '../eventing/local/functions.ts';
import { startMachine } from '../eventing/local/machine.ts';
import type { Machine } from '../eventing/local/machine.ts';
import { startPostgres } from '../eventing/local/postgres.ts';
import { startRedis } from '../eventing/local/redis.ts';
import { createRandom } from '../eventing/local/switches.ts';
import { auditMachine } from '../test/support/machine-audit.ts';
import { startNtfySink } from '../test/support/sinks.ts';
import type { Sink } from '../test/support/sinks.ts';
import { startTcpProxy } from '../test/support/tcp-proxy.ts';
import type { TcpProxy } from '../test/support/tcp-proxy.ts';
import { residentMiB } from './processes.ts';
import { isReached, showProgress, toText } from './report.ts';
import type { Report } from './report.ts';
import { injectFaults } from './soak-faults.ts';
import type { FaultStage, Injected } from './soak-faults.ts';
import { sendLoad } from './soak-load.ts';
import type { LoadResult } from './soak-load.ts';

const TOKEN = 'token-of-the-soak';
/** All in all, in milliseconds. */
const BUDGET_MS = 590_000;
/** The load's share of it; what is left is for the last leases and sweeps. */
const LOAD_MS = 330_000;
/** At least this is left for the end, whatever is still to be sent. */
const LAST_MS = 130_000;
/** Alerts a second that two cores carry beside everything else; shorter runs take no longer than they need. */
const ALERTS_PER_S = 350;
const SWEEP_EVERY_MS = 5_000;
const FLOORS = { capture: 0.999, delivery: 0.99 } as const;

interface Stage extends FaultStage {
  readonly pool: pg.Pool;
  /** Functions that ended although nobody killed them. */
  readonly crashes: readonly string[];
  stop(): Promise<void>;
}

const { values } = parseArgs({
  options: { alerts: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
const alerts = Number(values.alerts);
const seed = Number(values.seed);
if (!Number.isInteger(alerts) || alerts < 100 || !Number.isInteger(seed)) {
  console.error('--alerts takes a whole number from 100, --seed a whole number');
  process.exit(64);
}
process.exitCode = await soak();

async function soak(): Promise<number> {
  const startedAt = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'alertgest-soak-'));
  showProgress('bundling');
  await bundle(join(folder, 'dist'));
  const stage = await setUp(folder);
  const peaks = watchMemory(stage.machine);
  const sweeps = setInterval(() => void stage.machine.broker.tick('sweep'), SWEEP_EVERY_MS);
  try {
    const over = new AbortController();
    const chaos = injectFaults(stage, over.signal);
    const load = await sendLoad({
      alerts,
      durationMs: Math.min(LOAD_MS, 65_000 + (alerts / ALERTS_PER_S) * 1_000),
      url: stage.machine.url,
      token: TOKEN,
      signal: AbortSignal.timeout(BUDGET_MS - LAST_MS),
      onProgress: (accepted) => showProgress(`${accepted} of ${alerts} alerts accepted`),
    });
    over.abort();
    const injected = await chaos;
    heal(stage);
    const endedAt = performance.now();
    const isFinal = await settle(stage, startedAt + BUDGET_MS);
    const report = await judge(stage, load, injected, {
      isFinal,
      loadMs: endedAt - startedAt,
      wholeMs: performance.now() - startedAt,
      peaks: peaks.stop(),
    });
    console.log(toText(report));
    return report.verdicts.every(isReached) ? 0 : 1;
  } finally {
    clearInterval(sweeps);
    await stage.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Stores behind proxies, the machine with its bundles, and a broker that drops, doubles and reorders. */
async function setUp(folder: string): Promise<Stage> {
  const server = await startPostgres({ folder: join(folder, 'postgres'), durable: true });
  const postgres = await startTcpProxy(Number(new URL(server.url).port));
  const databaseUrl = new URL(server.url);
  databaseUrl.port = String(postgres.port);
  const redis = await startRedis({ install: false, say: () => undefined });
  const redisProxy = redis === null ? null : await startTcpProxy(Number(new URL(redis.url).port));
  const sink = await startNtfySink();
  const dist = join(folder, 'dist');
  const crashes: string[] = [];
  const machine = await startMachine({
    env: {
      ...cacheEnv(dist),
      DATABASE_URL: databaseUrl.href,
      ...(redisProxy !== null && { REDIS_URL: `redis://127.0.0.1:${redisProxy.port}` }),
      RECEIVE_TOKEN: TOKEN,
      CONSOLE_ALLOW_UNAUTHENTICATED: 'true',
      APP_LOG_LEVEL: 'error',
      SWEEP_RECEIVED_AFTER: '10s',
      SWEEP_CLASSIFIED_AFTER: '10s',
      SWEEP_ADMITTED_AFTER: '10s',
      // Every incident is to be told by itself, so that each is one push to account for.
      STORM_INCIDENTS_PER_MINUTE: '10000',
      STORM_CRITICALS_PER_MINUTE: '10000',
      ...sink.env,
    },
    port: 0,
    dataFolder: null,
    installRedis: false,
    say: (line) => {
      const name = /^(\S+) ended unexpectedly/.exec(line)?.[1];
      if (name === undefined) return;
      crashes.push(line);
      // As a cluster does; the audit calls it a violation all the same.
      void machine.functions.start(name).catch(() => undefined);
    },
    switches: { dropAfterAccept: 0.02, duplicate: 0.05, reorderMs: 200 },
    schedules: false,
    command: (name) => [process.execPath, join(dist, `${name}.cjs`)],
  });
  // The audit's own connection goes past the proxy.
  const pool = new pg.Pool({ connectionString: server.url, options: '-c search_path=alertgest', max: 2 });
  pool.on('error', () => undefined);
  const stage: Stage = {
    machine,
    postgres,
    redis: redis === null || redisProxy === null ? null : { proxy: redisProxy, server: redis },
    sink,
    random: createRandom(seed),
    crashes,
    pool,
    async stop() {
      await machine.stop();
      const { rows } = await pool.query<{ data_directory: string }>('show data_directory');
      await pool.end();
      await stopStores(stage, postgres, sink);
      await server.stop();
      // As root the data lies outside of our folder.
      for (const { data_directory } of rows) rmSync(data_directory, { recursive: true, force: true });
    },
  };
  return stage;
}

async function stopStores({ redis }: Stage, postgres: TcpProxy, sink: Sink): Promise<void> {
  await sink.close();
  await postgres.close();
  await redis?.proxy.close();
  await redis?.server.stop();
}

function heal({ machine }: Stage): void {
  const { switches } = machine.broker;
  switches.dropAfterAccept = 0;
  switches.duplicate = 0;
  switches.reorderMs = 0;
}

/** Waits until nothing is on its way; false when the time is up before. */
async function settle({ pool }: Stage, deadline: number): Promise<boolean> {
  for (;;) {
    const { rows } = await pool.query<{ moving: number }>(
      `select (select count(*) from notices where status in ('received', 'classified', 'admitted'))::int
         + (select count(*) from deliveries where status in ('planned', 'sending'))::int as moving`,
    );
    const moving = rows[0]?.moving ?? 0;
    if (moving === 0) return true;
    if (performance.now() > deadline) return false;
    showProgress(`${moving} still on their way`);
    await sleep(1_000);
  }
}

interface Outcome {
  readonly isFinal: boolean;
  readonly loadMs: number;
  readonly wholeMs: number;
  readonly peaks: ReadonlyMap<string, number>;
}

async function judge(
  { machine, pool, sink, crashes: ends }: Stage,
  load: LoadResult,
  injected: Injected,
  outcome: Outcome,
): Promise<Report> {
  const query = async <T extends pg.QueryResultRow>(text: string, list: unknown[] = []): Promise<T[]> =>
    (await pool.query<T>(text, list)).rows;
  const { violations, repeats } = await auditMachine({
    query,
    get: async <T>(path: string) => (await (await fetch(machine.url + path)).json()) as T,
    crashes: ends,
    sink,
  });
  const stored = new Set(
    (await query<{ pod: string }>(`select distinct labels ->> 'pod' as pod from episodes where not own`)).map(
      ({ pod }) => pod,
    ),
  );
  const captured = [...load.pods].filter((pod) => stored.has(pod)).length;
  const [counts] = await query<{ episodes: number; incidents: number; told: number; dead: number }>(
    `select (select count(*) from episodes where not own)::int as episodes, (select count(*) from incidents i join patterns p using (pattern) where not p.own)::int as incidents,
       (select count(distinct n.incident) from notices n join patterns p using (pattern) where n.kind = 'opened' and n.status in ('notified', 'digested') and not p.own)::int as told,
       (select count(*) from notices where status = 'dead')::int as dead`,
  );
  const { episodes = 0, incidents = 0, told = 0, dead = 0 } = counts ?? {};
  const crashes = sumOf(injected, /SIGKILL of notify|reset|hang|PostgreSQL/);
  return {
    name: 'soak',
    notes: [
      `${load.accepted} alerts in ${load.webhooks} webhooks of two Alertmanagers (${load.retries} tried again): ${load.groups} groups, ${load.pods.size} lives; seed ${seed}`,
      `injected: ${Object.entries(injected)
        .map(([what, count]) => `${what} ${count}`)
        .join(
          ', ',
        )}; broker: 2 % of events forgotten, 5 % doubled, all reordered by up to 200 ms (${machine.broker.stats.counts.dropped} forgotten)`,
      `${Math.round(outcome.loadMs / 1_000)} s until the last webhook was taken, ${Math.round(outcome.wholeMs / 1_000)} s until ${outcome.isFinal ? 'all was final' : 'the time was up'}; webhook p99 ${Math.round(load.p99Ms)} ms, slowest ${Math.round(load.slowestMs)} ms`,
      ...violations.slice(0, 20).map((violation) => `violation: ${violation}`),
    ],
    columns: ['function', 'peak MiB'],
    rows: [...outcome.peaks].map(([name, peak]) => [name, Math.round(peak)]),
    verdicts: [
      {
        what: 'capture rate (lives stored of lives accepted)',
        value: captured / load.pods.size,
        goal: ['>=', FLOORS.capture],
      },
      { what: 'lives lost', value: load.pods.size - captured, goal: ['<=', 0] },
      { what: 'lives stored twice', value: episodes - stored.size, goal: ['<=', 0] },
      {
        what: 'delivery rate (incidents told of incidents)',
        value: told / incidents,
        goal: ['>=', FLOORS.delivery],
      },
      { what: 'incidents not told', value: incidents - told, goal: ['<=', 0] },
      { what: 'notices dead', value: dead, goal: ['<=', 0] },
      { what: 'incidents beyond one a group', value: incidents - load.groups, goal: ['<=', 0] },
      {
        what: `messages seen twice, against ${crashes} injected interruptions of a send`,
        value: repeats,
        goal: ['<=', crashes],
      },
      { what: 'violations found by the audit', value: violations.length, goal: ['<=', 0] },
    ],
  };
}

function sumOf(injected: Injected, names: RegExp): number {
  return Object.entries(injected).reduce((sum, [name, count]) => sum + (names.test(name) ? count : 0), 0);
}

/** The most each function held, over all its processes. */
function watchMemory(machine: Machine): { stop(): ReadonlyMap<string, number> } {
  const peaks = new Map<string, number>(FUNCTION_NAMES.map((name) => [name, 0]));
  const look = (): void => {
    for (const name of FUNCTION_NAMES) {
      const { peak } = residentMiB(machine.functions.pid(name));
      if (peak > (peaks.get(name) ?? 0)) peaks.set(name, peak);
    }
  };
  const timer = setInterval(look, 1_000);
  return {
    stop() {
      look();
      clearInterval(timer);
      return peaks;
    },
  };
}
