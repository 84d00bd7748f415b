/**
 * Cold start: from spawn to the first 200 on /health, for every bundled function with the warmed compile cache, over a
 * bare node:http server on the same Node. Runs are interleaved, so a busy machine slows both sides alike.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OFFLINE_ENV, cacheEnv } from '../build/warm.ts';
import { FUNCTION_NAMES } from '../eventing/local/functions.ts';
import { freePort } from '../eventing/local/port.ts';
import { processorMs } from './processes.ts';
import { median } from './report.ts';
import type { Progress, Report } from './report.ts';

const RUNS = 20;
const POLL_MS = 1;
const GIVE_UP_MS = 20_000;
const HEALTH = 'GET /health HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n';
/** The least a Node server can be. */
const BARE = `require('node:http').createServer((request, response) => response.end('ok')).listen(Number(process.env.PORT));`;

interface Start {
  readonly ms: number;
  readonly cpuMs: number;
}

/** Measures every bundle of `dist`. */
export async function measureColdStart(progress: Progress, dist = resolve('dist')): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'alertgest-bench-'));
  const bare = join(folder, 'bare.cjs');
  writeFileSync(bare, BARE);
  const variants = new Map<string, () => Promise<Start>>([
    ['node:http', () => coldStart(bare, {})],
    ...FUNCTION_NAMES.map((name): [string, () => Promise<Start>] => [
      name,
      () => coldStart(join(dist, 'main.cjs'), { FUNCTION_TARGET: name, ...cacheEnv(dist) }),
    ]),
  ]);
  const starts = new Map<string, Start[]>([...variants.keys()].map((name) => [name, []]));
  try {
    // The first round only brings the files into memory.
    for (let round = 0; round <= RUNS; round++) {
      progress(`cold start: round ${round} of ${RUNS}`);
      for (const [name, start] of variants) {
        const measured = await start();
        if (round > 0) starts.get(name)?.push(measured);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const medianOf = (name: string, field: keyof Start): number =>
    median((starts.get(name) ?? []).map((start) => start[field]));
  const ratioOf = (name: string): number => medianOf(name, 'ms') / medianOf('node:http', 'ms');
  return {
    name: 'cold start',
    notes: [
      `spawn to first 200 on /health, ${RUNS} interleaved runs each, Node ${process.version}, bundles with the compile cache`,
    ],
    columns: ['process', 'median ms', 'fastest ms', 'processor ms', 'over node:http'],
    rows: [...starts].map(([name, runs]) => [
      name,
      Number(medianOf(name, 'ms').toFixed(1)),
      Number(Math.min(...runs.map((run) => run.ms)).toFixed(1)),
      Number(medianOf(name, 'cpuMs').toFixed(0)),
      Number(ratioOf(name).toFixed(2)),
    ]),
    verdicts: FUNCTION_NAMES.map((name) => ({
      what: `${name} over node:http`,
      value: Number(ratioOf(name).toFixed(2)),
      goal: ['<=', 2],
    })),
  };
}

async function coldStart(file: string, env: Record<string, string>): Promise<Start> {
  const port = await freePort();
  const startedAt = performance.now();
  const child = spawn(process.execPath, [file], {
    env: { ...OFFLINE_ENV, ...env, PORT: String(port) },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  try {
    while (!(await answers(port))) {
      if (child.exitCode !== null || performance.now() - startedAt > GIVE_UP_MS)
        throw new Error(`${file} (${env['FUNCTION_TARGET'] ?? 'bare'}) did not answer /health`);
      await sleep(POLL_MS);
    }
    return { ms: performance.now() - startedAt, cpuMs: processorMs(child.pid) };
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

/** One poll over a plain socket: it costs this process little, so it disturbs the start less than an HTTP client. */
function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createConnection({ port, host: '127.0.0.1' });
  socket.on('connect', () => socket.write(HEALTH));
  socket.on('data', (data) => {
    resolve(data.toString('latin1').startsWith('HTTP/1.1 200'));
    socket.destroy();
  });
  socket.on('error', () => resolve(false));
  socket.on('close', () => resolve(false));
  return promise;
}
