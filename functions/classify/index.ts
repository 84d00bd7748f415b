/** classify: what kind of thing an alert is about. Rules only; nothing here waits for a model. */
import { parseConfig, resolveEnvironment } from '../../shared/env.ts';
import { createLog } from '../../shared/log.ts';
import { createPool, run } from '../../shared/postgres/pool.ts';
import { createPublisher } from '../../shared/publish.ts';
import { serve } from '../../shared/serve.ts';
import { start } from '../../shared/start.ts';
import { configSchema } from './config.ts';
import { createHandler } from './handler.ts';

void start('classify', async (raw, address) => {
  const config = parseConfig(configSchema, resolveEnvironment(raw));
  const log = createLog('classify', config.APP_LOG_LEVEL);
  const pool = createPool({ url: config.DATABASE_URL, name: 'classify', size: config.DATABASE_POOL_SIZE });
  return serve(
    {
      name: 'classify',
      log,
      publisher: createPublisher({ sink: config.K_SINK, overrides: config.K_CE_OVERRIDES, log }),
      events: { '/': createHandler({ pool, source: { cluster: config.CLUSTER_NAME, name: 'classify' } }) },
      ready: async () => {
        await run(pool.query('select 1'));
        return { postgres: 'ok' };
      },
      close: () => pool.end(),
    },
    address,
  );
});
