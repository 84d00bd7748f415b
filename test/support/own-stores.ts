/** Stores of a test's own that may be killed, cut off and slowed down, at an address that stays the same. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

import { startPostgres } from '../../eventing/local/postgres.ts';
import { startRedis } from '../../eventing/local/redis.ts';
import type { RedisServer } from '../../eventing/local/redis.ts';
import { createTestDatabase } from './database.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import type { TcpProxy } from './tcp-proxy.ts';

/** A database of the test run's server, behind a proxy. */
export interface ProxiedDatabase {
  /** The address behind the proxy, for the functions. */
  readonly url: string;
  /** The address that always works, for the test. */
  readonly directUrl: string;
  readonly proxy: TcpProxy;
  /** Ends a black hole, a cut or a delay. */
  heal(): void;
}

/** Puts a proxy before a new database of the test run's server. */
export async function startProxiedDatabase(): Promise<ProxiedDatabase> {
  const directUrl = await createTestDatabase();
  const url = new URL(directUrl);
  const port = Number(url.port);
  const proxy = await startTcpProxy(port);
  url.hostname = '127.0.0.1';
  url.port = String(proxy.port);
  return {
    url: url.href,
    directUrl,
    proxy,
    heal() {
      proxy.setLatency(0);
      proxy.resetAfter(null);
      proxy.setTarget(null);
      proxy.setTarget(port);
    },
  };
}

/** A PostgreSQL of the test's own, behind a proxy. */
export interface OwnPostgres {
  readonly url: string;
  readonly proxy: TcpProxy;
  /** SIGKILL to the postmaster, as a machine that fails. */
  kill(): Promise<void>;
  /** Starts it again on what it had stored. */
  startAgain(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server that writes what it is told to disk. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'alertgest-faults-'));
  const start = () => startPostgres({ folder: join(folder, 'postgres'), durable: true });
  let server = await start();
  const data = dirname(pidFileOf(folder));
  const proxy = await startTcpProxy(Number(new URL(server.url).port));
  const url = new URL(server.url);
  url.port = String(proxy.port);
  return {
    url: url.href,
    proxy,
    async kill() {
      const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
      proxy.setTarget(null);
      process.kill(pid, 'SIGKILL');
      while (isAlive(pid)) await sleep(50);
    },
    async startAgain() {
      // The children of a killed postmaster need a moment to notice; until then the data is theirs.
      for (let attempt = 0; ; attempt++) {
        try {
          server = await start();
          break;
        } catch (error) {
          if (attempt === 10) throw error;
          await sleep(500);
        }
      }
      proxy.setTarget(Number(new URL(server.url).port));
    },
    async stop() {
      await proxy.close();
      await server.stop();
      for (const each of [data, folder]) rmSync(each, { recursive: true, force: true });
    },
  };
}

/** As root the data lies where the user `postgres` may read it (see startPostgres). */
function pidFileOf(folder: string): string {
  const places = execFileSync('find', [folder, '/var/tmp/alertgest', '-name', 'postmaster.pid'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).split('\n');
  const mark = folder.replaceAll('/', '_');
  const file = places.find((place) => place.startsWith(folder) || place.includes(mark));
  if (file === undefined) throw new Error('the server has no postmaster.pid');
  return file;
}

function isAlive(pid: number): boolean {
  try {
    // A killed child of ours that nobody waited for yet is a zombie: it answers signals.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

/** A Redis of the test's own, behind a proxy. */
export interface OwnRedis {
  readonly url: string;
  readonly proxy: TcpProxy;
  /** Ends the server; what it held is gone. */
  kill(): Promise<void>;
  /** Starts an empty one at the same address. */
  startAgain(): Promise<void>;
  heal(): void;
  /** One command, answered by the server itself. */
  ask(command: string, ...words: readonly string[]): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts one; throws where the machine has none. */
export async function startOwnRedis(): Promise<OwnRedis> {
  const start = async (): Promise<RedisServer> => {
    const server = await startRedis({ install: false, say: () => undefined });
    if (server === null) throw new Error('Redis did not start');
    return server;
  };
  let server: RedisServer | null = await start();
  const portOf = (one: RedisServer): number => Number(new URL(one.url).port);
  const proxy = await startTcpProxy(portOf(server));
  return {
    url: `redis://127.0.0.1:${proxy.port}`,
    proxy,
    async kill() {
      proxy.setTarget(null);
      await server?.stop();
      server = null;
    },
    async startAgain() {
      server = await start();
      proxy.setTarget(portOf(server));
    },
    heal() {
      proxy.setTarget(null);
      if (server !== null) proxy.setTarget(portOf(server));
    },
    async ask(command, ...words) {
      if (server === null) throw new Error('Redis is not running');
      const client = new Redis(server.url);
      try {
        return await client.call(command, ...words);
      } finally {
        client.disconnect();
      }
    },
    async stop() {
      await proxy.close();
      await server?.stop();
    },
  };
}
