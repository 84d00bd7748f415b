/** The JSON API's routes, put together from its resources; everything is read straight from Postgres. Described by /api/v1/openapi.json. */
import { Hono } from 'hono';
import { errorReply } from '../../../shared/serve.ts';
import type { ApiDeps } from '../api.ts';
import type { ConsoleEnv } from '../sign-in.ts';
import { addTimeMachine } from '../time-machine.ts';
import { addDecisions } from './decisions.ts';
import { addDeliveries } from './deliveries.ts';
import { addDigests } from './digests.ts';
import { addIssues } from './issues.ts';
import { addNotices } from './notices.ts';
import { answerProblem, toProblemResponse } from './request.ts';
import { addStats } from './stats.ts';

const SEE = [
  '/api/v1/issues',
  '/api/v1/decisions',
  '/api/v1/notices',
  '/api/v1/deliveries',
  '/api/v1/digests',
  '/api/v1/noise',
  '/api/v1/stats',
  '/api/v1/audit',
  '/api/v1/suggestions',
  '/api/v1/openapi.json',
];

/** Creates the API's routes under /api/v1. */
export function createApiRoutes({ pool, signIn, env = {}, ring, log }: ApiDeps): Hono<ConsoleEnv> {
  const api = new Hono<ConsoleEnv>();
  api.use('/api/*', async (c, next) => {
    await next();
    await toProblemResponse(c);
  });
  api.use('/api/*', signIn.require('api'));

  // Postgres stores no NUL; nothing that is asked for can hold one.
  api.use('/api/*', async (c, next) => (/%00/.test(c.req.url) ? c.notFound() : next()));

  addIssues(api, pool);
  addTimeMachine(api, { pool, environment: env });
  addDecisions(api, { pool, log });
  addNotices(api, pool);
  addDeliveries(api, pool);
  addDigests(api, { pool, environment: env, ring: ring ?? null });
  addStats(api, pool);
  // Writing the description down loads every schema once more; it is done when somebody asks.
  api.get('/api/v1/openapi.json', async (c) => c.json((await import('./openapi.ts')).toOpenApi()));

  api.notFound(() => answerProblem(404, { reason: 'not-found', detail: 'nothing is here', see: SEE }));
  api.onError((error) => {
    const { status, body } = errorReply(error, log);
    const { error: detail, reason } = JSON.parse(String(body)) as { error: string; reason: string };
    return answerProblem(status, { reason, detail });
  });
  return api;
}
