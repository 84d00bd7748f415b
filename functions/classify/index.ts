/** classify: what kind of thing an alert is about. Rules answer at once; the model explains beside them, and nothing waits for it. */
import { toClusterReader } from '../../shared/cluster-config.ts';
import { parseConfig, resolveEnvironment } from '../../shared/env.ts';
import { createLog } from '../../shared/log.ts';
import { createLoki } from '../../shared/loki.ts';
import { createModel } from '../../shared/model.ts';
import { toModelSettings } from '../../shared/model-config.ts';
import { measure } from '../../shared/postgres/metrics.ts';
import { createPool, run } from '../../shared/postgres/pool.ts';
import { createPublisher } from '../../shared/publish.ts';
import { serve } from '../../shared/serve.ts';
import { start } from '../../shared/start.ts';
import { configSchema, toLokiOptions } from './config.ts';
import { createExplainHandler } from './explain.ts';
import { createHandler } from './handler.ts';

void start('classify', async (raw, address) => {
  const config = parseConfig(configSchema, resolveEnvironment(raw));
  const log = createLog('classify', config.APP_LOG_LEVEL);
  const pool = createPool({ url: config.DATABASE_URL, name: 'classify', size: config.DATABASE_POOL_SIZE });
  const publisher = createPublisher({ sink: config.K_SINK, overrides: config.K_CE_OVERRIDES, log });
  const source = { cluster: config.CLUSTER_NAME, name: 'classify' } as const;
  const settings = toModelSettings(config);
  const lokiOptions = toLokiOptions(config);
  const explain = createExplainHandler(
    settings && {
      pool,
      source,
      publisher,
      settings,
      model: createModel({ baseUrl: settings.baseUrl }),
      surroundings: {
        cluster: toClusterReader(config),
        loki: lokiOptions && createLoki(lokiOptions),
        measureCluster: (work) =>
          measure({ pool, log }, 'alertgest_k8s_context_collection_duration_seconds', work),
        timeoutMs: config.K8S_CONTEXT_TIMEOUT,
      },
      timeoutMs: config.EXPLAIN_TIMEOUT,
      waitMs: config.EXPLAIN_WAIT,
      log,
    },
    source,
  );
  const explainWaitMs = settings === null ? null : config.EXPLAIN_WAIT;
  return serve(
    {
      name: 'classify',
      log,
      publisher,
      events: { '/': createHandler({ pool, source, explain, explainWaitMs }), '/explain': explain },
      ready: async () => {
        await run(pool.query('select 1'));
        return { postgres: 'ok', model: settings?.model ?? 'none' };
      },
      close: () => pool.end(),
    },
    address,
  );
});
