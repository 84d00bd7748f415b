/** The JSON API, as the console mounts it; loaded with the first call, so that a cold start for anything else is short. */
import { Hono } from 'hono';
import type { Environment } from '../../shared/env.ts';
import type { EventSource } from '../../shared/events.ts';
import type { Logger } from '../../shared/log.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import type { Publisher } from '../../shared/publish.ts';
import type { ConsoleEnv, SignIn } from './sign-in.ts';

export interface ApiDeps {
  readonly pool: Pool;
  readonly signIn: SignIn;
  /** Rings for digests that are asked for. */
  readonly ring?: { readonly publisher: Publisher; readonly source: EventSource };
  /** Where the time machine finds what a night is. */
  readonly env?: Environment;
  readonly log: Logger;
}

/** Creates the API under /api/v1. */
export function createApi(deps: ApiDeps): Hono<ConsoleEnv> {
  let routes: Promise<Hono<ConsoleEnv>> | undefined;
  return new Hono<ConsoleEnv>().all('*', async (c) => {
    routes ??= import('./api/routes.ts').then(({ createApiRoutes }) => createApiRoutes(deps));
    return (await routes).fetch(c.req.raw, c.env);
  });
}
