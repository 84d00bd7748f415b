/** notify: tells people, once per notice and channel. */
import { parseConfig, resolveEnvironment } from '../../shared/env.ts';
import { createLog } from '../../shared/log.ts';
import { createPool, run } from '../../shared/postgres/pool.ts';
import { createPublisher } from '../../shared/publish.ts';
import { serve } from '../../shared/serve.ts';
import { start } from '../../shared/start.ts';
import { configSchema } from './config.ts';
import { createDeliverer } from './delivery.ts';
import { readDestinations } from './destinations.ts';
import { chooseDigestChannels } from './digest.ts';
import { createHandler } from './handler.ts';
import { toAllowedHosts } from './links.ts';

void start('notify', async (raw, address) => {
  const env = resolveEnvironment(raw);
  const config = parseConfig(configSchema, env);
  const { channels, router, paces, digests } = await readDestinations(config, env);
  const log = createLog('notify', config.APP_LOG_LEVEL);
  if (channels.length === 0)
    log.warn(
      'no channel is configured: nobody will be told; set e.g. NTFY_TOPIC or GOTIFY_URL and GOTIFY_TOKEN',
    );
  const consoleUrl = config.CONSOLE_URL?.replace(/\/+$/, '') ?? null;
  const decisionKeys = config.DECISION_KEYS ?? null;
  if (consoleUrl === null || decisionKeys === null)
    log.info(
      'messages carry no "Not concerning" button: set CONSOLE_URL and DECISION_KEYS, the same at console and notify',
    );
  const pool = createPool({ url: config.DATABASE_URL, name: 'notify', size: config.DATABASE_POOL_SIZE });
  const deliverer = createDeliverer({
    pool,
    channels: new Map(channels.map((channel) => [channel.name, channel])),
    paces,
    giveUpAfterMs: config.DELIVERY_GIVE_UP_AFTER,
    log,
  });
  const handler = createHandler({
    pool,
    source: { cluster: config.CLUSTER_NAME, name: 'notify' },
    channels,
    deliverer,
    router,
    digestChannels: (name) =>
      chooseDigestChannels(
        channels,
        digests.get(name) ?? (name === 'all' ? (config.DIGEST_CHANNELS ?? null) : []),
      ),
    story: {
      cluster: config.CLUSTER_NAME,
      consoleUrl,
      decisionKeys,
      timeZone: config.NOTIFY_TIMEZONE,
      allowedHosts: toAllowedHosts(config.LINK_ALLOWED_HOSTS, consoleUrl),
    },
  });
  return serve(
    {
      name: 'notify',
      log,
      publisher: createPublisher({ sink: config.K_SINK, overrides: config.K_CE_OVERRIDES, log }),
      events: { '/': handler },
      ready: async () => {
        await run(pool.query('select 1'));
        return {
          postgres: 'ok',
          channels: channels.map((channel) => channel.name).join(', ') || 'none configured',
        };
      },
      close: () => pool.end(),
    },
    address,
  );
});
