/** suppress-check: one decision per notice, with a reason a person understands. */
import { createDecisionCache } from '../../shared/redis.ts';
import { parseConfig, resolveEnvironment } from '../../shared/env.ts';
import { createLog } from '../../shared/log.ts';
import { currentDecision } from '../../shared/postgres/decisions.ts';
import { checkWritable, createPool } from '../../shared/postgres/pool.ts';
import { createPublisher } from '../../shared/publish.ts';
import { serve } from '../../shared/serve.ts';
import { start } from '../../shared/start.ts';
import { configSchema } from './config.ts';
import { createHandler } from './handler.ts';

void start('suppress-check', async (raw, address) => {
  const config = parseConfig(configSchema, resolveEnvironment(raw));
  const log = createLog('suppress-check', config.APP_LOG_LEVEL);
  const pool = createPool({
    url: config.DATABASE_URL,
    name: 'suppress-check',
    size: config.DATABASE_POOL_SIZE,
  });
  const cache = await createDecisionCache(config.REDIS_URL, log);
  const handler = createHandler({
    pool,
    source: { cluster: config.CLUSTER_NAME, name: 'suppress-check' },
    limits: {
      stormIncidents: config.STORM_INCIDENTS_PER_MINUTE,
      stormCriticals: config.STORM_CRITICALS_PER_MINUTE,
      flapOpenings: config.FLAP_OPENINGS,
      flapWindowMs: config.FLAP_WINDOW,
      stormSummaryMs: config.STORM_SUMMARY_INTERVAL,
      remindAfterMs: config.REMIND_AFTER,
      tellAgainMs: config.TELL_AGAIN_AFTER,
      nightPushSeverity: config.NIGHT_PUSH_SEVERITY ?? null,
    },
    calendar: config,
    canaryOneIn: config.IGNORE_CANARY_ONE_IN,
    readDecision: (row, db) =>
      cache.read(row.pattern, Number(row.generation), row.received_at, () =>
        currentDecision(db, row.pattern, row.received_at),
      ),
  });
  return serve(
    {
      name: 'suppress-check',
      log,
      publisher: createPublisher({ sink: config.K_SINK, overrides: config.K_CE_OVERRIDES, log }),
      events: { '/': handler },
      ready: async () => {
        await checkWritable(pool);
        return { postgres: 'ok', redis: cache.state() };
      },
      close: async () => {
        cache.close();
        await pool.end();
      },
    },
    address,
  );
});
