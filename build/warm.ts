/**
 * Runs each bundle once so that Node writes what it compiled to dist/compile-cache. Node writes it only at
 * process.exit, so each function is asked for its health and then told to end.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FUNCTION_NAMES } from '../eventing/local/functions.ts';
import { freePort } from '../eventing/local/port.ts';

/** The folder of the cache within dist. */
export const CACHE_FOLDER = 'compile-cache';

/** How long a bundle may take to answer. */
const START_LIMIT_MS = 15_000;

/** What lets a function start without any store; nothing connects before the first request. */
export const OFFLINE_ENV = {
  NODE_ENV: 'production',
  APP_LOG_LEVEL: 'error',
  ALLOW_UNAUTHENTICATED: 'true',
  CONSOLE_ALLOW_UNAUTHENTICATED: 'true',
  DATABASE_URL: 'postgresql://alertgest@127.0.0.1:1/alertgest',
  K_SINK: 'http://127.0.0.1:1/',
} as const;

/** The environment in which a bundle reads (and writes) the compile cache wherever dist lies. */
export function cacheEnv(folder: string): Record<string, string> {
  return { NODE_COMPILE_CACHE: join(folder, CACHE_FOLDER), NODE_COMPILE_CACHE_PORTABLE: '1' };
}

/** Starts every bundle of `folder` once with the cache switched on. */
export async function warmCompileCache(folder: string): Promise<void> {
  for (const name of FUNCTION_NAMES) await runOnce(folder, name);
}

async function runOnce(folder: string, name: string): Promise<void> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(folder, 'main.cjs')], {
    env: { ...OFFLINE_ENV, ...cacheEnv(folder), FUNCTION_TARGET: name, PORT: String(port) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit');
  await answersHealth(name, port, () => child.exitCode !== null);
  child.kill('SIGTERM');
  const [code] = await ended;
  if (code !== 0) throw new Error(`${name} ended with ${String(code)} instead of 0`);
}

async function answersHealth(name: string, port: number, hasEnded: () => boolean): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline && !hasEnded()) {
    const status = await fetch(`http://127.0.0.1:${port}/health`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    await sleep(20);
  }
  throw new Error(`the bundle of ${name} did not answer /health`);
}
