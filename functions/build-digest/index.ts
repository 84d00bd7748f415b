/** build-digest: what the nights were, in true numbers. */
import { toClusterReader } from '../../shared/cluster-config.ts';
import { parseConfig, resolveEnvironment } from '../../shared/env.ts';
import { createLog } from '../../shared/log.ts';
import { labelsOpenIn } from '../../shared/postgres/digest-around.ts';
import { toModelSettings } from '../../shared/model-config.ts';
import { createModel } from '../../shared/model.ts';
import { measure } from '../../shared/postgres/metrics.ts';
import { createPool, run } from '../../shared/postgres/pool.ts';
import { createPublisher } from '../../shared/publish.ts';
import { serve } from '../../shared/serve.ts';
import { start } from '../../shared/start.ts';
import { createBuilder } from './builder.ts';
import { readCluster } from './cluster.ts';
import { configSchema } from './config.ts';
import { EVERYTHING, readDefinitions } from './definitions.ts';
import { createHandler } from './handler.ts';
import { readMissed } from './missed.ts';
import { createWriter } from './writer.ts';

/** Shorter than the Trigger's timeout (150 s). */
const DEADLINE_MS = 130_000;
/** Of one statement of the facts. */
const STATEMENT_TIMEOUT_MS = 30_000;

void start('build-digest', async (raw, address) => {
  const config = parseConfig(configSchema, resolveEnvironment(raw));
  const log = createLog('build-digest', config.APP_LOG_LEVEL);
  const pool = createPool({
    url: config.DATABASE_URL,
    name: 'build-digest',
    size: config.DATABASE_POOL_SIZE,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  const cluster = toClusterReader(config);
  const settings = toModelSettings(config);
  const prometheus = config.PROMETHEUS_URL?.replace(/\/+$/, '');
  const build = createBuilder({
    pool,
    calendar: config,
    readCluster:
      cluster === null
        ? null
        : (since, to, signal) =>
            measure(
              { pool, log },
              'alertgest_k8s_context_collection_duration_seconds',
              readCluster(cluster, since, to, signal),
            ),
    readMissed: (windows, signal) =>
      prometheus === undefined
        ? Promise.resolve({ missed: null, missedWhy: null })
        : readMissed(prometheus, windows, (...span) => labelsOpenIn(pool, ...span), signal),
    write: settings === null ? null : createWriter({ model: createModel(settings), settings, log }),
  });
  return serve(
    {
      name: 'build-digest',
      log,
      deadlineMs: DEADLINE_MS,
      publisher: createPublisher({ sink: config.K_SINK, overrides: config.K_CE_OVERRIDES, log }),
      events: {
        '/': createHandler({
          pool,
          source: { cluster: config.CLUSTER_NAME, name: 'build-digest' },
          calendar: config,
          graceMs: config.DIGEST_GRACE,
          digests: config.ROUTES === undefined ? [EVERYTHING] : await readDefinitions(config.ROUTES),
          build,
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
