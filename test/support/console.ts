/** The console on a database of its own, asked as a browser or a phone would, with links as notify makes them. */
import { pino } from 'pino';
import { createApp } from '../../functions/console/app.ts';
import { configSchema } from '../../functions/console/config.ts';
import { createIngest } from '../../functions/receive/ingest.ts';
import { signLink } from '../../shared/decision-link.ts';
import type { KeyRing } from '../../shared/decision-link.ts';
import { parseConfig } from '../../shared/env.ts';
import { ensureLink } from '../../shared/postgres/decision-links.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { makeArrival } from './alerts.ts';

export const CONSOLE_TOKEN = 'console-token-0123456789';
export const DECISION_KEYS: KeyRing = ['k'.repeat(32), 'o'.repeat(32)];

export interface TestConsole {
  /** Notices that were rung for. */
  readonly rung: readonly string[];
  /** What was logged as an error or worse. */
  readonly errors: ReadonlyArray<Readonly<Record<string, unknown>>>;
  /** Asks from an address. */
  ask(path: string, init?: RequestInit & { from?: string }): Promise<Response>;
  /** Opens a page as a browser does and posts its first form with these fields. */
  post(path: string, fields: Readonly<Record<string, string>>, from?: string): Promise<Response>;
}

/** Creates it; `env` adds variables. */
export function createTestConsole(pool: Pool, env: Readonly<Record<string, string>> = {}): TestConsole {
  const rung: string[] = [];
  const errors: Array<Readonly<Record<string, unknown>>> = [];
  const variables = {
    DATABASE_URL: 'postgresql://test',
    CONSOLE_TOKEN,
    DECISION_KEYS: DECISION_KEYS.join(','),
    ...env,
  };
  const app = createApp({
    config: parseConfig(configSchema, variables),
    env: variables,
    pool,
    publisher: {
      publish: (events) => {
        rung.push(...events.map((event) => event.subject ?? ''));
        return Promise.resolve([]);
      },
    },
    log: pino(
      { level: 'error' },
      { write: (line: string) => void errors.push(JSON.parse(line) as Record<string, unknown>) },
    ),
  });
  const ask: TestConsole['ask'] = (path, { from = '203.0.113.9', ...init } = {}) =>
    app(new Request(`http://console${path}`, init), { remoteAddress: from, traceparent: '' });
  return {
    rung,
    errors,
    ask,
    async post(path, fields, from = '203.0.113.9') {
      const shown = await ask(path, { from });
      const html = await shown.text();
      const [, action = path] = /<form[^>]* action="([^"]+)"/.exec(html) ?? [];
      const [, form = ''] = /name="form" value="([^"]*)"/.exec(html) ?? [];
      return ask(action, {
        method: 'POST',
        from,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          cookie: (shown.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '',
          'sec-fetch-site': 'same-origin',
        },
        body: new URLSearchParams({ ...fields, form }).toString(),
      });
    },
  };
}

export interface TestLink {
  readonly id: string;
  readonly token: string;
  readonly pattern: string;
  readonly notice: string;
}

let count = 0;

/** Receives an alert of an issue of its own and makes the link that its message would carry. */
export async function makeLink(
  pool: Pool,
  options: {
    labels?: Readonly<Record<string, string>>;
    purpose?: 'decide' | 'undo';
    undoGeneration?: number;
    keys?: KeyRing;
    /** An issue that is known already. */
    of?: TestLink;
    channel?: string;
  } = {},
): Promise<TestLink> {
  const { purpose = 'decide', undoGeneration = null, channel = 'ntfy' } = options;
  const arrival = makeArrival({ labels: { namespace: `links-${++count}`, ...options.labels } });
  const pattern = options.of?.pattern ?? arrival.pattern.pattern;
  if (options.of === undefined) {
    await createIngest(pool, { isHeartbeat: () => false, allowReplay: false }).store([arrival]);
  }
  const { rows } = await pool.query<{ id: string }>(
    'select id from notices where pattern = $1 order by created_at desc limit 1',
    [pattern],
  );
  const notice = rows[0]?.id ?? '';
  const id = await ensureLink(pool, { pattern, notice, channel, purpose, undoGeneration });
  return { id, token: signLink(options.keys ?? DECISION_KEYS, id), pattern, notice };
}

/** Everything in the tables, to see that nothing changed. */
export async function dumpTables(pool: Pool): Promise<string> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'alertgest' order by 1`,
  );
  const parts = [];
  for (const { name } of tables) {
    const { rows } = await pool.query<{ text: string }>(
      `select coalesce(jsonb_agg(to_jsonb(t) order by to_jsonb(t)::text), '[]')::text as text from "${name}" t`,
    );
    parts.push(`${name} ${rows[0]?.text}`);
  }
  return parts.join('\n');
}
