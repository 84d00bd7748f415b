/** A real receive process in front of a test database, with a broker that takes everything and tells nobody. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

import { reserveServices, startFunctions } from '../../eventing/local/functions.ts';
import { createTestDatabase } from './database.ts';

/** Writes what every object inherits to the log when asked by SIGUSR2; a clean process inherits nothing. */
const PROBE = `process.on('SIGUSR2', () => {
  const inherited = []; for (const name in {}) inherited.push(name);
  console.log(JSON.stringify({ probe: true, inherited, polluted: ({}).polluted ?? null }));
})`;

export interface Receiver {
  /** The webhook's address. */
  readonly url: string;
  readonly token: string;
  /** The log so far, line by line. */
  readonly lines: readonly string[];
  /** Ways the process has ended without being told to. */
  readonly crashes: readonly string[];
  post(body: unknown, options?: PostOptions): Promise<{ status: number; body: Record<string, unknown> }>;
  query<T extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<T[]>;
  /** Deletes everything stored. */
  clear(): Promise<void>;
  isUp(): Promise<boolean>;
  pid(): number | undefined;
  rssMb(): number;
  /** What every object of the process inherits; nothing, unless a prototype was polluted. */
  inherited(): Promise<unknown>;
  stop(): Promise<void>;
}

export interface PostOptions {
  /** Null sends none. */
  readonly authorization?: string | null;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Starts the process; stop it after the tests. */
export async function startReceiver(env: Readonly<Record<string, string>> = {}): Promise<Receiver> {
  const databaseUrl = await createTestDatabase();
  const token = 'token-of-the-tests';
  const broker = createServer((incoming, outgoing) => {
    incoming.resume().on('end', () => outgoing.writeHead(202).end());
  });
  await new Promise<void>((done) => broker.listen(0, '127.0.0.1', done));
  const lines: string[] = [];
  const crashes: string[] = [];
  const services = await reserveServices(['receive']);
  const functions = await startFunctions({
    services,
    sink: `http://127.0.0.1:${(broker.address() as AddressInfo).port}`,
    env: { DATABASE_URL: databaseUrl, RECEIVE_TOKEN: token, ...env },
    command: () => [
      process.execPath,
      `--import=data:text/javascript,${encodeURIComponent(PROBE)}`,
      resolve(import.meta.dirname, '../../functions/receive/index.ts'),
    ],
    onLine: (_name, line) => lines.push(line),
    onCrash: (_name, code, signal) => crashes.push(signal ?? `exit code ${String(code)}`),
  });
  const pool = new pg.Pool({ connectionString: databaseUrl, options: '-c search_path=alertgest', max: 2 });
  const base = services['receive'] ?? '';
  const url = `${base}/api/v1/alerts`;

  return {
    url,
    token,
    lines,
    crashes,
    async post(body, { authorization = `Bearer ${token}`, query = '', headers = {} } = {}) {
      const response = await fetch(url + query, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...headers,
          ...(authorization === null ? {} : { authorization }),
        },
        body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    async query<T extends pg.QueryResultRow>(text: string, values: unknown[] = []) {
      return (await pool.query<T>(text, values)).rows;
    },
    async clear() {
      // In the order in which receive locks them, so that a late transaction is waited for.
      await pool.query('truncate patterns, episodes, incidents, notices, deliveries, batches cascade');
    },
    async isUp() {
      const response = await fetch(`${base}/health`);
      return response.status === 200;
    },
    pid: () => functions.pid('receive'),
    rssMb: () => (functions.rss('receive') ?? 0) / 2 ** 20,
    async inherited() {
      const before = lines.length;
      process.kill(functions.pid('receive') ?? 0, 'SIGUSR2');
      for (let waited = 0; waited < 5_000; waited += 10) {
        const line = lines.slice(before).find((text) => text.startsWith('{"probe":true'));
        if (line !== undefined) {
          const { inherited, polluted } = JSON.parse(line) as { inherited: string[]; polluted: unknown };
          return polluted === null ? inherited : [...inherited, polluted];
        }
        await sleep(10);
      }
      throw new Error('the process did not answer the probe');
    },
    async stop() {
      await functions.stop();
      await pool.end();
      await new Promise<void>((done) => {
        broker.close(() => done());
        broker.closeAllConnections();
      });
    },
  };
}
