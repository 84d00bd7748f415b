/** The whole of alertgest for one test file: its own database, a phone that keeps a ledger, and ways to wait. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

import type { Functions } from '../../eventing/local/functions.ts';
import { startMachine } from '../../eventing/local/machine.ts';
import type { Machine } from '../../eventing/local/machine.ts';
import type { Switches } from '../../eventing/local/switches.ts';
import { createTestDatabase } from './database.ts';
import { startNtfySink } from './sinks.ts';
import type { Sink } from './sinks.ts';

/** The PingSource that carries on what stopped. */
const SWEEP = 'sweep';
const TOKEN = 'token-of-the-tests';
/** A firing alert's end, as Alertmanager writes it. */
const ZERO_TIME = '0001-01-01T00:00:00Z';

export interface TestAlert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

export interface NoticeStanding {
  readonly id: string;
  readonly incident: string;
  readonly kind: 'opened' | 'grew' | 'resolved' | 'due';
  readonly status: string;
  readonly reason: string | null;
  readonly alertname: string;
}

export interface TestMachine {
  readonly machine: Machine;
  readonly functions: Functions;
  readonly sink: Sink;
  readonly token: string;
  readonly databaseUrl: string;
  /** Every line that a function wrote. */
  readonly lines: readonly string[];
  /** Functions that ended without being told to. */
  readonly crashes: readonly string[];
  /** Posts alerts as one webhook; `at` is the stamp of a replay. Answers the status. */
  post(alerts: readonly TestAlert[], options?: { at?: Date }): Promise<number>;
  /** Posts a body as it is. */
  postBody(body: string, at?: string): Promise<number>;
  get<T>(path: string): Promise<T>;
  decide(pattern: string, decision: Readonly<Record<string, unknown>>): Promise<void>;
  query<T extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<T[]>;
  notices(): Promise<NoticeStanding[]>;
  sweep(): Promise<void>;
  /** Waits until the broker is silent and no notice is on its way. */
  settle(withinMs?: number): Promise<void>;
  stop(): Promise<void>;
}

export interface TestMachineOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly switches?: Partial<Switches>;
  /** Another phone than a new ntfy. */
  readonly sink?: Sink;
  /** The folder of bundles to run instead of the sources. */
  readonly bundles?: string;
  /** Another database than a new one of the test run's server. */
  readonly databaseUrl?: string;
}

/** Starts it; stop it after the tests. */
export async function startTestMachine(options: TestMachineOptions = {}): Promise<TestMachine> {
  const databaseUrl = options.databaseUrl ?? (await createTestDatabase());
  const sink = options.sink ?? (await startNtfySink());
  const lines: string[] = [];
  const crashes: string[] = [];
  const machine = await startMachine({
    env: {
      DATABASE_URL: databaseUrl,
      RECEIVE_TOKEN: TOKEN,
      CONSOLE_ALLOW_UNAUTHENTICATED: 'true',
      ALLOW_REPLAY: 'true',
      ...sink.env,
      ...options.env,
    },
    port: 0,
    dataFolder: null,
    installRedis: false,
    say: (line) => {
      if (line.includes('unexpectedly')) crashes.push(line);
    },
    onLine: (name, line) => lines.push(`${name} ${line}`),
    ...(options.switches === undefined ? {} : { switches: options.switches }),
    ...(options.bundles === undefined
      ? {}
      : { command: (name) => [process.execPath, join(options.bundles ?? '', `${name}.cjs`)] }),
    schedules: false,
  });
  const pool = new pg.Pool({ connectionString: databaseUrl, options: '-c search_path=alertgest', max: 2 });
  pool.on('error', () => undefined);

  const query = async <T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> =>
    (await pool.query<T>(text, values)).rows;
  const postBody = async (body: string, at?: string): Promise<number> => {
    const response = await fetch(`${machine.url}/api/v1/alerts`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${TOKEN}`,
        ...(at === undefined ? {} : { 'x-alertgest-received-at': at }),
      },
      body,
    });
    await response.arrayBuffer();
    return response.status;
  };
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${machine.url}${path}`);
    return (await response.json()) as T;
  };

  return {
    machine,
    functions: machine.functions,
    sink,
    token: TOKEN,
    databaseUrl,
    lines,
    crashes,
    post: (alerts, { at } = {}) => postBody(JSON.stringify(toWebhook(alerts)), at?.toISOString()),
    postBody,
    get,
    async decide(pattern, decision) {
      const response = await fetch(`${machine.url}/api/v1/issues/${pattern}/decisions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(decision),
      });
      if (response.status !== 201) throw new Error(`not decided: ${await response.text()}`);
    },
    query,
    notices: () =>
      query<NoticeStanding & pg.QueryResultRow>(
        `select n.id, n.incident, n.kind, n.status, n.reason, p.alertname
         from notices n join patterns p using (pattern) order by n.created_at, n.id`,
      ),
    async sweep() {
      const status = await machine.broker.tick(SWEEP);
      if (status === undefined || status >= 300) throw new Error(`the sweep answered ${String(status)}`);
    },
    async settle(withinMs = 30_000) {
      const deadline = performance.now() + withinMs;
      for (;;) {
        await machine.broker.idle();
        const moving = await query<{ id: string; status: string }>(
          `select id, status from notices where status in ('received', 'classified', 'admitted')`,
        );
        if (moving.length === 0) return;
        if (performance.now() > deadline)
          throw new Error(`still on their way: ${JSON.stringify(moving.slice(0, 5))}`);
        await sleep(50);
      }
    },
    async stop() {
      // A test whose machine never started finds the one before it here.
      if (pool.ending) return;
      await pool.end();
      await machine.stop();
      await sink.close();
    },
  };
}

let counter = 0;

/** A firing alert of an issue of its own unless labels say otherwise; it began a minute ago. */
export function makeFiring(
  labels: Readonly<Record<string, string>> = {},
  overrides: Partial<TestAlert> = {},
): TestAlert {
  return {
    status: 'firing',
    labels: { alertname: `Test${++counter}`, severity: 'warning', namespace: 'test', ...labels },
    annotations: { summary: 'made by a test' },
    startsAt: new Date(Date.now() - 60_000).toISOString(),
    endsAt: ZERO_TIME,
    ...overrides,
  };
}

/** The same alert, over now or at `endsAt`. */
export function resolved(alert: TestAlert, endsAt: Date = new Date()): TestAlert {
  return { ...alert, status: 'resolved', endsAt: endsAt.toISOString() };
}

/** The body of a webhook with these alerts. */
export function toWebhook(alerts: readonly TestAlert[]): object {
  const firing = alerts.some((alert) => alert.status === 'firing');
  return {
    version: '4',
    groupKey: '{}:{}',
    truncatedAlerts: 0,
    status: firing ? 'firing' : 'resolved',
    receiver: 'alertgest',
    externalURL: 'http://alertmanager:9093',
    alerts,
  };
}
