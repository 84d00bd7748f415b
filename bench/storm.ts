/**
 * A storm night from end to end: 20,000 alerts as fast as they are taken, until every notice is final, over receive
 * alone (the same webhooks while nobody works on what they bring); the memory that takes, and who is told first.
 */
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { cacheEnv } from '../build/warm.ts';
import { readNight, surveyNight } from '../cli/night.ts';
import { replayNight } from '../cli/poster.ts';
import { startMachine } from '../eventing/local/machine.ts';
import { startPhone } from './phone.ts';
import { residentMiB } from './processes.ts';
import type { Progress, Report } from './report.ts';

const ROOT = resolve(import.meta.dirname, '..');
const NIGHTS = ['../shared/corpora/nights/storm.jsonl.gz', 'test/fixtures/night.jsonl'];
const WORKERS = ['receive', 'classify', 'suppress-check', 'notify'] as const;
const LIMIT_MIB = 200;
const OVER_RECEIVE = 2;
const GIVE_UP_MS = 600_000;

interface Run {
  readonly takenMs: number;
  readonly finalMs: number;
  readonly peaks: ReadonlyMap<string, number>;
  readonly pushes: number;
  /** 99 of 100 pushes left within this many seconds after their alert was stored. */
  readonly waits: { readonly critical: number; readonly others: number };
}

/** Measures the bundles of `dist`. */
export async function measureStorm(progress: Progress, dist: string): Promise<Report> {
  const night = NIGHTS.map((file) => resolve(ROOT, file)).find((file) => existsSync(file)) ?? '';
  const { posts, alerts } = await surveyNight(night);
  // What receive emits is accepted and dropped: nobody works on it.
  const alone = await runNight({ night, posts, dist, progress, dropsEvents: true });
  const whole = await runNight({ night, posts, dist, progress, dropsEvents: false });
  const ratio = whole.finalMs / alone.takenMs;
  return {
    name: 'storm night',
    notes: [
      `${relative(ROOT, night)}: ${posts} webhooks, ${alerts} alerts, one after the other without a pause`,
      `${whole.pushes} pushes`,
    ],
    columns: ['what', 'seconds'],
    rows: [
      ['receive alone: every webhook taken', seconds(alone.takenMs)],
      ['all functions: every webhook taken', seconds(whole.takenMs)],
      ['all functions: every notice final', seconds(whole.finalMs)],
      ['from stored to sent, criticals, p99', whole.waits.critical],
      ['from stored to sent, all others, p99', whole.waits.others],
    ],
    verdicts: [
      { what: 'all final over receive alone', value: Number(ratio.toFixed(2)), goal: ['<=', OVER_RECEIVE] },
      {
        what: 'wait of criticals over that of the others, p99',
        value: Number((whole.waits.critical / whole.waits.others).toFixed(2)),
        goal: ['<=', 1],
      },
      ...[...whole.peaks].map(([name, peak]) => ({
        what: `${name}, peak`,
        value: Math.round(peak),
        goal: ['<=', LIMIT_MIB] as const,
        unit: ' MiB',
      })),
    ],
  };
}

async function runNight(options: {
  readonly night: string;
  readonly posts: number;
  readonly dist: string;
  readonly progress: Progress;
  readonly dropsEvents: boolean;
}): Promise<Run> {
  const { night, posts, dist, progress, dropsEvents } = options;
  const phone = await startPhone();
  const machine = await startMachine({
    env: {
      ...cacheEnv(dist),
      APP_LOG_LEVEL: 'warn',
      ALLOW_UNAUTHENTICATED: 'true',
      CONSOLE_ALLOW_UNAUTHENTICATED: 'true',
      ALLOW_REPLAY: 'true',
      ...phone.env,
    },
    port: 0,
    dataFolder: null,
    installRedis: false,
    say: progress,
    schedules: false,
    bundled: true,
    ...(dropsEvents ? { switches: { dropAfterAccept: () => true } } : {}),
  });
  const database = new Client({ connectionString: machine.databaseUrl, options: '-c search_path=alertgest' });
  try {
    await database.connect();
    const startedAt = performance.now();
    let done = 0;
    await replayNight(readNight(night), {
      url: machine.services['receive'] ?? '',
      token: null,
      speed: null,
      onPosted: () => {
        if (++done % 100 === 0)
          progress(`storm: ${done} of ${posts} webhooks${dropsEvents ? ', receive alone' : ''}`);
      },
    });
    const takenMs = performance.now() - startedAt;
    if (!dropsEvents) await untilFinal(database, startedAt + GIVE_UP_MS);
    return {
      takenMs,
      finalMs: performance.now() - startedAt,
      peaks: new Map(WORKERS.map((name) => [name, residentMiB(machine.functions.pid(name)).peak])),
      pushes: phone.pushes.length,
      waits: await readWaits(database),
    };
  } finally {
    await database.end();
    await machine.stop();
    phone.close();
  }
}

async function untilFinal(database: Client, deadline: number): Promise<void> {
  while ((await countMoving(database)) > 0) {
    if (performance.now() > deadline) throw new Error('notices are still on their way');
    await sleep(100);
  }
}

async function countMoving(database: Client): Promise<number> {
  const { rows } = await database.query<{ n: number }>(
    `select count(*)::int as n from notices where status in ('received', 'classified', 'admitted')`,
  );
  return rows[0]?.n ?? 0;
}

async function readWaits(database: Client): Promise<Run['waits']> {
  const { rows } = await database.query<{ critical: number | null; others: number | null }>(
    `select (percentile_disc(0.99) within group (order by waited) filter (where severity = 'critical'))::float8 as critical,
       (percentile_disc(0.99) within group (order by waited) filter (where severity <> 'critical'))::float8 as others
     from (
       select p.severity, round(extract(epoch from d.sent_at - n.created_at)::numeric, 2) as waited
       from deliveries d join notices n on n.id = d.notice join patterns p using (pattern)
       where d.status = 'sent' and n.kind = 'opened') as sent`,
  );
  return { critical: rows[0]?.critical ?? Number.NaN, others: rows[0]?.others ?? Number.NaN };
}

function seconds(ms: number): number {
  return Number((ms / 1_000).toFixed(1));
}
