/** All of the console as one function from request to answer: the API, the links in messages, the sign-in, the pages. */
import type { EventSource } from '../../shared/events.ts';
import type { Environment } from '../../shared/env.ts';
import { describeError } from '../../shared/log.ts';
import type { Logger } from '../../shared/log.ts';
import { createNoticeEvent, toNoticeData } from '../../shared/notice-event.ts';
import { readNotice } from '../../shared/postgres/notices.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import type { Publisher } from '../../shared/publish.ts';
import { createApi } from './api.ts';
import { configSchema } from './config.ts';
import type { Config } from './config.ts';
import { createDecideRoutes } from './decide.ts';
import { keepsSecureCookies } from './form-guard.ts';
import { createMetrics } from './metrics.ts';
import { createPages } from './pages/index.ts';
import { createSignInRoutes } from './sign-in-page.ts';
import { createSignIn } from './sign-in.ts';
import type { Asked } from './sign-in.ts';
import { createBackTest, createSuggestions } from './time-machine.ts';

export interface AppDeps {
  readonly config: Config;
  /** The environment the config was read from, to show which variables are set. */
  readonly env: Environment;
  readonly pool: Pool;
  readonly publisher: Publisher;
  readonly log: Logger;
}

export type App = (request: Request, asked: Asked) => Promise<Response>;

/** Puts the console together. */
export function createApp({ config, env, pool, publisher, log }: AppDeps): App {
  const source: EventSource = { cluster: config.CLUSTER_NAME, name: 'console' };
  const zone = config.NOTIFY_TIMEZONE;
  const signIn = createSignIn({
    token: config.CONSOLE_TOKEN ?? null,
    allowAnyone: config.CONSOLE_ALLOW_UNAUTHENTICATED,
    userHeader: config.TRUSTED_USER_HEADER ?? null,
    proxies: config.TRUSTED_PROXIES,
    secureCookies: keepsSecureCookies(config.CONSOLE_URL),
    ownHost: config.CONSOLE_URL === undefined ? null : new URL(config.CONSOLE_URL).host,
  });
  const backTest = createBackTest(pool, env);
  const api = createApi({ pool, signIn, env, ring: { publisher, source }, log });
  const links = createDecideRoutes({
    pool,
    keys: config.DECISION_KEYS ?? null,
    signIn,
    limits: { byDefault: config.IGNORE_DEFAULT, anonymousMax: config.ANONYMOUS_IGNORE_MAX ?? null },
    zone,
    log,
    backtest: (pattern) => backTest(pattern, { kind: 'ignore' }),
    ring: (notice) => ring({ pool, publisher, log, source }, notice),
  });
  const entry = createSignInRoutes(signIn, log);
  const metrics = createMetrics({
    pool,
    signIn,
    token: config.METRICS_TOKEN ?? null,
    graceMs: config.DIGEST_GRACE,
    log,
  });
  const variables = Object.keys(configSchema.shape).map((name) => ({ name, isSet: env[name] !== undefined }));
  const suggestions = createSuggestions(pool, env);
  const pages = createPages({ pool, publisher, source, signIn, zone, variables, backTest, suggestions, log });
  return async (request, asked) => {
    const first = new URL(request.url).pathname.split('/', 2)[1];
    const app =
      first === 'api'
        ? api
        : first === 'd'
          ? links
          : first === 'sign-in' || first === 'sign-out'
            ? entry
            : first === 'metrics'
              ? metrics
              : pages;
    return app.fetch(request, asked);
  };
}

/** Rings for a notice that console stored. What fails here is found by the sweep. */
async function ring(
  { pool, publisher, log, source }: Pick<AppDeps, 'pool' | 'publisher' | 'log'> & { source: EventSource },
  notice: string,
): Promise<void> {
  try {
    const row = await readNotice(pool, notice);
    if (row === undefined) return;
    const data = toNoticeData(row);
    await publisher.publish([
      createNoticeEvent('dev.alertgest.notice.received', source, data, row.traceparent),
    ]);
  } catch (error) {
    log.warn({ notice, ...describeError(error) }, 'not rung for a notice; the sweep carries it on');
  }
}
