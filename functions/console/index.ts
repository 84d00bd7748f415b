/** console: what people and scripts ask, and what they decide. */
import { parseConfig, resolveEnvironment } from '../../shared/env.ts';
import { createLog } from '../../shared/log.ts';
import { createPool, run } from '../../shared/postgres/pool.ts';
import { createPublisher } from '../../shared/publish.ts';
import { serve } from '../../shared/serve.ts';
import { start } from '../../shared/start.ts';
import { createApp } from './app.ts';
import { configSchema } from './config.ts';
import { toReply, toWebRequest } from './web-request.ts';

void start('console', async (raw, address) => {
  const env = resolveEnvironment(raw);
  const config = parseConfig(configSchema, env);
  const log = createLog('console', config.APP_LOG_LEVEL);
  const pool = createPool({ url: config.DATABASE_URL, name: 'console', size: config.DATABASE_POOL_SIZE });
  const publisher = createPublisher({ sink: config.K_SINK, overrides: config.K_CE_OVERRIDES, log });
  const app = createApp({ config, env, pool, publisher, log });
  return serve(
    {
      name: 'console',
      log,
      publisher,
      events: {},
      http: async (request, { traceparent }) =>
        toReply(await app(toWebRequest(request), { remoteAddress: request.remoteAddress, traceparent })),
      ready: async () => {
        await run(pool.query('select 1'));
        return { postgres: 'ok' };
      },
      close: () => pool.end(),
    },
    address,
  );
});
