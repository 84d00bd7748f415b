/**
 * Memory: what each bundled function keeps resident when idle after its start, and after a whole night was replayed
 * through all of them over the local broker.
 */
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheEnv } from '../build/warm.ts';
import { readNight, surveyNight } from '../cli/night.ts';
import { replayNight } from '../cli/poster.ts';
import { FUNCTION_NAMES } from '../eventing/local/functions.ts';
import { startMachine } from '../eventing/local/machine.ts';
import type { Machine } from '../eventing/local/machine.ts';
import { startPhone } from './phone.ts';
import { residentMiB } from './processes.ts';
import type { Progress, Report } from './report.ts';

const ROOT = resolve(import.meta.dirname, '..');
/** The recorded night beside the project, or the project's own. */
const NIGHTS = ['../shared/corpora/nights/busy.jsonl', 'test/fixtures/night.jsonl'];
const IDLE_MS = 3_000;
const LIMIT_MIB = 150;
const IDLE_SUM_MIB = 200;

interface Resident {
  readonly name: string;
  readonly idle: number;
  readonly after: number;
  readonly peak: number;
}

/** Measures the bundles of `dist`. */
export async function measureMemory(progress: Progress, dist: string): Promise<Report> {
  const night = NIGHTS.map((file) => resolve(ROOT, file)).find((file) => existsSync(file)) ?? '';
  const phone = await startPhone();
  const machine = await startMachine({
    env: {
      ...cacheEnv(dist),
      APP_LOG_LEVEL: 'warn',
      CLUSTER_NAME: 'bench',
      ALLOW_UNAUTHENTICATED: 'true',
      CONSOLE_ALLOW_UNAUTHENTICATED: 'true',
      ALLOW_REPLAY: 'true',
      ...phone.env,
    },
    port: 0,
    dataFolder: null,
    installRedis: false,
    say: progress,
    schedules: true,
    bundled: true,
  });
  try {
    await sleep(IDLE_MS);
    const idle = residents(machine);
    const { posts, alerts } = await surveyNight(night);
    let done = 0;
    await replayNight(readNight(night), {
      url: machine.services['receive'] ?? '',
      token: null,
      speed: null,
      onPosted: () => {
        if (++done % 100 === 0) progress(`memory: ${done} of ${posts} webhooks`);
      },
    });
    await machine.broker.idle();
    await sleep(IDLE_MS);
    const after = residents(machine);
    const rows = FUNCTION_NAMES.map((name) => ({
      name,
      idle: idle.get(name)?.now ?? Number.NaN,
      after: after.get(name)?.now ?? Number.NaN,
      peak: after.get(name)?.peak ?? Number.NaN,
    }));
    return toReport(rows, `${relative(ROOT, night)}: ${posts} webhooks, ${alerts} alerts`);
  } finally {
    await machine.stop();
    phone.close();
  }
}

function residents(machine: Machine): Map<string, { now: number; peak: number }> {
  return new Map(FUNCTION_NAMES.map((name) => [name, residentMiB(machine.functions.pid(name))]));
}

function toReport(rows: readonly Resident[], night: string): Report {
  const sum = (field: 'idle' | 'after'): number => rows.reduce((total, row) => total + row[field], 0);
  const receive = rows.find(({ name }) => name === 'receive')?.idle ?? Number.NaN;
  return {
    name: 'memory',
    notes: [
      `resident MiB of each bundled function ${IDLE_MS / 1_000} s after its start, and after ${night}`,
      'only receive has to stay warm (min-scale 1); the others go to zero between alerts',
    ],
    columns: ['function', 'idle', 'after the night', 'peak'],
    rows: [
      ...rows.map((row) => [row.name, Math.round(row.idle), Math.round(row.after), Math.round(row.peak)]),
      ['sum', Math.round(sum('idle')), Math.round(sum('after')), ''],
    ],
    verdicts: [
      ...rows.map(({ name, peak }) => ({
        what: `${name}, peak`,
        value: Math.round(peak),
        goal: ['<=', LIMIT_MIB] as const,
        unit: ' MiB',
      })),
      {
        what: 'idle, what must stay warm (receive)',
        value: Math.round(receive),
        goal: ['<=', IDLE_SUM_MIB],
        unit: ' MiB',
      },
      { what: 'idle, all six at once', value: Math.round(sum('idle')), goal: null, unit: ' MiB' },
    ],
  };
}
