/** GET /metrics: what Postgres knows, for Prometheus. Asked for often, it is read at most every five seconds. */
import { Hono } from 'hono';
import manifest from '../../package.json' with { type: 'json' };
import { readMetrics } from '../../shared/postgres/metrics.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { errorReply } from '../../shared/serve.ts';
import type { Logger } from '../../shared/log.ts';
import { toMetricsText } from './metrics-text.ts';
import { isEqual } from './sign-in.ts';
import type { ConsoleEnv, SignIn } from './sign-in.ts';

/** How long one reading is served, in milliseconds. */
const KEPT_MS = 5_000;

export interface MetricsDeps {
  readonly pool: Pool;
  readonly signIn: SignIn;
  /** A token that opens this page and nothing else, so that a scraper need not have the console's; null when there is none. */
  readonly token: string | null;
  /** How long after its end a capture window may go without a digest. */
  readonly graceMs: number;
  readonly log: Logger;
}

/** Creates the route. */
export function createMetrics({ pool, signIn, token, graceMs, log }: MetricsDeps): Hono<ConsoleEnv> {
  let kept: { readonly text: Promise<string>; readonly at: number } | null = null;
  const read = (): Promise<string> => {
    if (kept === null || performance.now() - kept.at > KEPT_MS) {
      const text = readText(pool, graceMs);
      const reading = { text, at: performance.now() };
      kept = reading;
      // A failure is told to those who wait for it and not kept.
      text.catch(() => {
        if (kept === reading) kept = null;
      });
    }
    return kept.text;
  };
  const api = signIn.require('api');
  const app = new Hono<ConsoleEnv>();
  app.use('*', (c, next) => {
    const bearer = /^bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    return token !== null && bearer !== undefined && isEqual(bearer, token) ? next() : api(c, next);
  });
  app.get('/metrics', async (c) => {
    const text = await read();
    return c.body(text, 200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'cache-control': 'no-store',
    });
  });
  app.onError((error) => {
    const { status, body } = errorReply(error, log, { path: '/metrics' });
    return new Response(String(body), { status, headers: { 'content-type': 'application/json' } });
  });
  return app;
}

async function readText(pool: Pool, graceMs: number): Promise<string> {
  const { series, bounds } = await readMetrics(pool, graceMs);
  const build = {
    name: 'alertgest_build_info',
    labels: { version: manifest.version },
    le: Infinity,
    value: 1,
    times: 1,
  };
  return toMetricsText({ series: [...series, build], bounds });
}
