/** console: what people and scripts ask, and what they decide. */
import { parseConfig, resolveEnvironment } from '../../shared/env.ts';
import { createLog } from '../../shared/log.ts';
import { createPool, run } from '../../shared/postgres/pool.ts';
import { createPublisher } from '../../shared/publish.ts';
import { serve } from '../../shared/serve.ts';
import type { HttpReply, HttpRequest } from '../../shared/serve.ts';
import { start } from '../../shared/start.ts';
import { createApi } from './api.ts';
import { configSchema } from './config.ts';

void start('console', async (raw, port) => {
  const config = parseConfig(configSchema, resolveEnvironment(raw));
  const log = createLog('console', config.APP_LOG_LEVEL);
  const pool = createPool({ url: config.DATABASE_URL, name: 'console', size: config.DATABASE_POOL_SIZE });
  const api = createApi({ pool, token: config.CONSOLE_TOKEN ?? null, log });
  return serve(
    {
      name: 'console',
      log,
      publisher: createPublisher({ sink: config.K_SINK, overrides: config.K_CE_OVERRIDES, log }),
      events: {},
      http: async (request) => toReply(await api.fetch(toWebRequest(request))),
      ready: async () => {
        await run(pool.query('select 1'));
        return { postgres: 'ok' };
      },
      close: () => pool.end(),
    },
    port,
  );
});

function toWebRequest({ method, path, query, headers, body }: HttpRequest): Request {
  const search = query.size > 0 ? `?${query.toString()}` : '';
  const pairs = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  const hasBody = method !== 'GET' && method !== 'HEAD' && body.length > 0;
  return new Request(`http://console${path}${search}`, {
    method,
    headers: pairs,
    ...(hasBody ? { body: new Uint8Array(body) } : {}),
  });
}

async function toReply(response: Response): Promise<HttpReply> {
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()),
  };
}
