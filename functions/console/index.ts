/** console: what people and scripts ask, and what they decide. */
import { parseConfig, resolveEnvironment } from '../../shared/env.ts';
import { createLog } from '../../shared/log.ts';
import { createPool, run } from '../../shared/postgres/pool.ts';
import { createPublisher } from '../../shared/publish.ts';
import { serve } from '../../shared/serve.ts';
import type { HttpReply, HttpRequest } from '../../shared/serve.ts';
import { start } from '../../shared/start.ts';
import { createApp } from './app.ts';
import { configSchema } from './config.ts';

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
  const cookies = response.headers.getSetCookie();
  return {
    status: response.status,
    headers: {
      ...Object.fromEntries(response.headers),
      // Cookies are the one header that cannot be folded into one line.
      ...(cookies.length > 0 && { 'set-cookie': cookies }),
    },
    body: Buffer.from(await response.arrayBuffer()),
  };
}
