/**
 * Runs every function as its own process on this machine, as a cluster would: told nothing but its environment, asked
 * nothing but over HTTP, stopped with SIGTERM. Addresses stay the same over restarts, so nobody has to be told.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

import type { FunctionName } from '../../shared/events.ts';
import { freePort } from './port.ts';

/** Every function, in the order in which an alert meets them. */
export const FUNCTION_NAMES = [
  'receive',
  'classify',
  'suppress-check',
  'notify',
  'build-digest',
  'console',
] as const satisfies readonly FunctionName[];

export interface FunctionsOptions {
  /** Name → base URL, from `reserveServices`; the functions in it are the ones that are started. */
  readonly services: Readonly<Record<string, string>>;
  /** The broker's URL, handed to each function as K_SINK. */
  readonly sink: string;
  /** The environment of every function, or a function's own; nothing else but PATH and HOME is inherited. */
  readonly env: Readonly<Record<string, string>> | ((name: string) => Readonly<Record<string, string>>);
  /** Only these of `services`. */
  readonly names?: readonly string[];
  /** Runs `dist/<name>.cjs` instead of the source. */
  readonly bundled?: boolean;
  /** Another command line than `node functions/<name>/index.ts`. */
  readonly command?: (name: string) => readonly [string, ...string[]];
  /** Gets every line a function writes, from either stream. */
  readonly onLine?: (name: string, line: string) => void;
  /** Hears of a function that ended without being told to. */
  readonly onCrash?: (name: string, code: number | null, signal: NodeJS.Signals | null) => void;
  readonly readyWithinMs?: number;
}

export interface Functions {
  readonly urls: Readonly<Record<string, string>>;
  pid(name: string): number | undefined;
  /** Resident memory in bytes; undefined when the function is not running. */
  rss(name: string): number | undefined;
  /** Ends a function (SIGTERM, and SIGKILL 10 s later) and starts it again; resolves when it is ready. */
  restart(name: string, signal?: NodeJS.Signals): Promise<void>;
  /** Sends a signal and waits for the end. */
  kill(name: string, signal: NodeJS.Signals): Promise<void>;
  start(name: string): Promise<void>;
  stop(): Promise<void>;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  /** Set before we end it ourselves. */
  expected: boolean;
}

const STOP_WITHIN_MS = 10_000;
const HEALTH_EVERY_MS = 50;
const LINES_KEPT = 20;

/**
 * What every function runs Node with, here and in the image (Dockerfile). Young objects die young: a small nursery is
 * emptied more often and keeps a third of the memory that a busy night would otherwise leave behind (bench memory).
 */
export const NODE_OPTIONS = '--max-semi-space-size=4';

/** Finds a free port for each name; hand the result to the broker and to `startFunctions`. */
export async function reserveServices(
  names: readonly string[] = FUNCTION_NAMES,
): Promise<Record<string, string>> {
  const services: Record<string, string> = {};
  for (const name of names) services[name] = `http://127.0.0.1:${await freePort()}`;
  return services;
}

/** Starts the functions and waits until each answers its health check; ends them all when one does not. */
export async function startFunctions(options: FunctionsOptions): Promise<Functions> {
  const { services, names = Object.keys(services), readyWithinMs = 30_000 } = options;
  const running = new Map<string, Running>();
  const lastLines = new Map<string, string[]>();
  const killAll = (): void => {
    for (const { child } of running.values()) child.kill('SIGKILL');
  };
  process.once('exit', killAll);

  const functions: Functions = {
    urls: services,
    pid: (name) => running.get(name)?.child.pid,
    rss: (name) => readRss(running.get(name)?.child.pid),
    kill: end,
    async restart(name, signal = 'SIGTERM') {
      await end(name, signal);
      await start(name);
    },
    start,
    async stop() {
      process.removeListener('exit', killAll);
      await Promise.all([...running.keys()].map((name) => end(name, 'SIGTERM')));
    },
  };
  try {
    await Promise.all(names.map(start));
  } catch (error) {
    await functions.stop();
    throw error;
  }
  return functions;

  async function start(name: string): Promise<void> {
    const base = services[name];
    if (base === undefined) throw new Error(`function ${name} has no address`);
    if (running.has(name)) throw new Error(`function ${name} is running already`);
    const entry = launch(name, base);
    running.set(name, entry);
    const readyBy = Date.now() + readyWithinMs;
    while (!(await isHealthy(base))) {
      if (running.get(name) !== entry) throw new Error(explain(name, 'ended before it was ready'));
      if (Date.now() > readyBy)
        throw new Error(explain(name, `did not answer /health in ${readyWithinMs} ms`));
      await sleep(HEALTH_EVERY_MS);
    }
  }

  function launch(name: string, base: string): Running {
    const [file, ...args] = commandFor(name, options);
    const env = typeof options.env === 'function' ? options.env(name) : options.env;
    const child = spawn(file, args, {
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        NODE_ENV: 'production',
        NODE_OPTIONS,
        ...env,
        PORT: new URL(base).port,
        LISTEN_HOST: new URL(base).hostname,
        K_SINK: options.sink,
        K_CE_OVERRIDES: '',
        K_SERVICE: name,
        FUNCTION_TARGET: name,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    lastLines.set(name, []);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => note(name, line));
    }
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const entry: Running = { child, ended, expected: false };
    child.on('error', (error) => note(name, `cannot start: ${error.message}`));
    child.on('close', (code, signal) => {
      if (running.get(name) === entry) running.delete(name);
      if (!entry.expected) options.onCrash?.(name, code, signal);
      resolve();
    });
    return entry;
  }

  async function end(name: string, signal: NodeJS.Signals): Promise<void> {
    const entry = running.get(name);
    if (!entry) return;
    entry.expected = true;
    entry.child.kill(signal);
    const timer = setTimeout(() => entry.child.kill('SIGKILL'), STOP_WITHIN_MS);
    await entry.ended;
    clearTimeout(timer);
  }

  function note(name: string, line: string): void {
    const lines = lastLines.get(name) ?? [];
    lines.push(line);
    if (lines.length > LINES_KEPT) lines.shift();
    options.onLine?.(name, line);
  }

  function explain(name: string, what: string): string {
    return [`function ${name} ${what}; its last lines:`, ...(lastLines.get(name) ?? [])].join('\n  ');
  }
}

function commandFor(
  name: string,
  { command, bundled = false }: FunctionsOptions,
): readonly [string, ...string[]] {
  if (command) return command(name);
  const root = resolve(import.meta.dirname, '../..');
  const file = bundled ? `dist/${name}.cjs` : `functions/${name}/index.ts`;
  return [process.execPath, resolve(root, file)];
}

function readRss(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}

function isHealthy(base: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const outgoing = request(`${base}/health`, { agent: false, timeout: 2_000 }, (incoming) => {
    incoming.resume();
    resolve(incoming.statusCode === 200);
  });
  outgoing.on('timeout', () => outgoing.destroy());
  outgoing.on('error', () => resolve(false));
  outgoing.end();
  return promise;
}
