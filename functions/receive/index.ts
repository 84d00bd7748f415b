/** receive: Alertmanager's webhooks in, notices out; and the sweep that carries on whatever stopped. */
import { createLog, describeError } from '../../shared/log.ts';
import { parseConfig, resolveEnvironment } from '../../shared/env.ts';
import { InvalidInputError } from '../../shared/errors.ts';
import { createClock } from '../../shared/postgres/clock.ts';
import { addMetrics } from '../../shared/postgres/metrics.ts';
import { checkWritable, createPool } from '../../shared/postgres/pool.ts';
import { addToCounter, insertDeadLetter } from '../../shared/postgres/records.ts';
import { createPublisher } from '../../shared/publish.ts';
import { serve } from '../../shared/serve.ts';
import { start } from '../../shared/start.ts';
import { watchChannels } from './channel-watch.ts';
import { configSchema } from './config.ts';
import { createDirectCall } from './direct.ts';
import { createDeadLetterHandler, createTickHandler } from './handler.ts';
import { createHeartbeat } from './heartbeat.ts';
import { createIngest } from './ingest.ts';
import { createOwnIssues } from './own-issue.ts';
import { sweep } from './sweep.ts';
import { createWebhook } from './webhook.ts';

void start('receive', async (raw, address) => {
  const config = parseConfig(configSchema, resolveEnvironment(raw));
  const log = createLog('receive', config.APP_LOG_LEVEL);
  const source = { cluster: config.CLUSTER_NAME, name: 'receive' } as const;
  const pool = createPool({ url: config.DATABASE_URL, name: 'receive', size: config.DATABASE_POOL_SIZE });
  const publisher = createPublisher({ sink: config.K_SINK, overrides: config.K_CE_OVERRIDES, log });
  const clock = createClock(pool);
  const ingest = createIngest(pool, {
    isHeartbeat: (name) => config.HEARTBEAT_ALERTNAMES.has(name),
    allowReplay: config.ALLOW_REPLAY,
  });
  const reportOwnIssue = createOwnIssues({ ingest, publisher, source, clock });
  const webhook = createWebhook({
    ingest,
    publisher,
    source,
    credentials: {
      tokens: config.RECEIVE_TOKEN ?? [],
      basic: config.RECEIVE_BASIC_AUTH ?? null,
      allowAnyone: config.ALLOW_UNAUTHENTICATED,
    },
    allowReplay: config.ALLOW_REPLAY,
    clock,
    reportOwnIssue,
    count: (name, amount) => addToCounter(pool, name, amount),
    addMetrics: (changes) => addMetrics(pool, changes),
    log,
  });
  const deps = {
    sweep: async (traceparent: string) => {
      await watchChannels(pool, reportOwnIssue, log);
      return sweep(
        {
          pool,
          publisher,
          direct: config.FUNCTION_URL === undefined ? null : createDirectCall(config.FUNCTION_URL),
          source,
          waits: {
            receivedMs: config.SWEEP_RECEIVED_AFTER,
            classifiedMs: config.SWEEP_CLASSIFIED_AFTER,
            admittedMs: config.SWEEP_ADMITTED_AFTER,
          },
          repeatIntervalMs: config.ALERT_REPEAT_INTERVAL,
          retentionDays: config.ALERT_RETENTION_DAYS,
          digests: config,
          heartbeat:
            config.HEARTBEAT_URL === undefined
              ? null
              : createHeartbeat(config.HEARTBEAT_URL, pool, config.ALERT_REPEAT_INTERVAL),
          log,
        },
        traceparent,
      );
    },
    recordDeadLetter: (letter: Parameters<typeof insertDeadLetter>[1]) => insertDeadLetter(pool, letter),
    reportOwnIssue,
  };
  return serve(
    {
      name: 'receive',
      log,
      publisher,
      events: { '/': createTickHandler(deps), '/dead-letters': createDeadLetterHandler(deps) },
      async http(request, context) {
        if (request.path === '/api/v1/alerts') return webhook.handle(request, context);
        throw new InvalidInputError('POST alerts to /api/v1/alerts', 'not-found');
      },
      refused: (path, error) => (path === '/api/v1/alerts' ? webhook.refused(error) : Promise.resolve()),
      ready: async () => {
        await checkWritable(pool);
        return { postgres: 'ok' };
      },
      close: async () => {
        await webhook
          .close()
          .catch((error: unknown) => log.warn(describeError(error), 'refusals not counted'));
        await pool.end();
      },
    },
    address,
  );
});
