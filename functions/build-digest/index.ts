/** build-digest: what a capture window was, in true numbers. */
import { parseConfig, resolveEnvironment } from '../../shared/env.ts';
import { createLog } from '../../shared/log.ts';
import { createPool, run } from '../../shared/postgres/pool.ts';
import { createPublisher } from '../../shared/publish.ts';
import { serve } from '../../shared/serve.ts';
import { start } from '../../shared/start.ts';
import { configSchema } from './config.ts';
import { createHandler } from './handler.ts';

void start('build-digest', async (raw, address) => {
  const config = parseConfig(configSchema, resolveEnvironment(raw));
  const log = createLog('build-digest', config.APP_LOG_LEVEL);
  const pool = createPool({
    url: config.DATABASE_URL,
    name: 'build-digest',
    size: config.DATABASE_POOL_SIZE,
  });
  return serve(
    {
      name: 'build-digest',
      log,
      publisher: createPublisher({ sink: config.K_SINK, overrides: config.K_CE_OVERRIDES, log }),
      events: {
        '/': createHandler({
          pool,
          source: { cluster: config.CLUSTER_NAME, name: 'build-digest' },
          window: config,
        }),
      },
      ready: async () => {
        await run(pool.query('select 1'));
        return { postgres: 'ok' };
      },
      close: () => pool.end(),
    },
    address,
  );
});
