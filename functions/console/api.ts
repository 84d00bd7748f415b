/** The JSON API: issues, notices, deliveries, counts and decisions, read straight from Postgres. */
import { Hono } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';
import { HTTPException } from 'hono/http-exception';
import * as z from 'zod';
import { AppError, InvalidInputError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import { DECISION_KINDS, appendDecision, currentDecisions } from '../../shared/postgres/decisions.ts';
import { listDeliveries } from '../../shared/postgres/deliveries.ts';
import { countEpisodes } from '../../shared/postgres/episodes.ts';
import { setDueNow } from '../../shared/postgres/incidents.ts';
import { audit, countNotices, listNotices } from '../../shared/postgres/notices.ts';
import { countIssues, listIssues } from '../../shared/postgres/patterns.ts';
import type { IssueRow } from '../../shared/postgres/patterns.ts';
import type { Decision } from '../../shared/postgres/decisions.ts';
import { transaction } from '../../shared/postgres/pool.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { readCounters } from '../../shared/postgres/records.ts';
import { errorReply } from '../../shared/serve.ts';

const page = {
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  offset: z.coerce.number().int().min(0).default(0),
};
const issuesQuery = z.object(page);
const noticesQuery = z.object({
  ...page,
  state: z
    .enum(['received', 'classified', 'admitted', 'held', 'suppressed', 'notified', 'digested', 'dead'])
    .optional(),
  pattern: z.string().optional(),
});
const deliveriesQuery = z.object({
  ...page,
  status: z.enum(['planned', 'sending', 'sent', 'dead']).optional(),
  notice: z.string().optional(),
});
const statsQuery = z
  .object({
    from: z.coerce.date().default(new Date(0)),
    to: z.coerce.date().default(() => new Date(Date.now() + 86_400_000)),
  })
  .refine(({ from, to }) => from < to, '"from" must be before "to"');

/** What a person says of an issue. `for` is a duration such as 7d; without it the decision holds until it is taken back. */
const decisionBody = z.object({
  kind: z.enum(DECISION_KINDS),
  for: z.enum(['1h', '4h', '1d', '7d', '30d']).optional(),
  until: z.coerce.date().optional(),
  note: z.string().trim().min(1).max(1_000).optional(),
  actor: z.string().trim().min(1).max(200).default('api'),
});
const TERMS_MS = {
  '1h': 3_600_000,
  '4h': 14_400_000,
  '1d': 86_400_000,
  '7d': 604_800_000,
  '30d': 2_592_000_000,
} as const;

export interface ApiDeps {
  readonly pool: Pool;
  readonly token: string | null;
  readonly log: Logger;
}

/** Creates the API's routes under /api/v1. */
export function createApi({ pool, token, log }: ApiDeps): Hono {
  const api = new Hono();
  if (token !== null) api.use('/api/*', bearerAuth({ token }));

  api.get('/api/v1/issues', async (c) => {
    const { limit, offset } = read(issuesQuery, c.req.query());
    const issues = await listIssues(pool, { limit, offset });
    const decisions = await currentDecisions(
      pool,
      issues.map((issue) => issue.pattern),
    );
    return c.json({
      total: await countIssues(pool),
      issues: issues.map((issue) => toIssue(issue, decisions.get(issue.pattern))),
    });
  });

  api.get('/api/v1/issues/:pattern', async (c) => {
    const issue = await findIssue(pool, c.req.param('pattern'));
    const decisions = await currentDecisions(pool, [issue.pattern]);
    const notices = await listNotices(pool, { pattern: issue.pattern, limit: 50, offset: 0 });
    return c.json({
      ...toIssue(issue, decisions.get(issue.pattern)),
      classification: issue.classification,
      notices,
    });
  });

  api.post('/api/v1/issues/:pattern/decisions', async (c) => {
    const decision = read(decisionBody, await c.req.json().catch(() => ({})));
    const issue = await findIssue(pool, c.req.param('pattern'));
    if (
      issue.severity === 'critical' &&
      ['ignore', 'snooze', 'digest'].includes(decision.kind) &&
      decision.note === undefined
    ) {
      throw new InvalidInputError('a critical issue is only silenced with a "note" that says why');
    }
    const until =
      decision.until ?? (decision.for === undefined ? null : new Date(Date.now() + TERMS_MS[decision.for]));
    if (until !== null && until.getTime() <= Date.now())
      throw new InvalidInputError('"until" is in the past');
    if (decision.kind === 'snooze' && until === null)
      throw new InvalidInputError('a snooze needs "for" or "until", e.g. {"kind":"snooze","for":"1d"}');
    const generation = await transaction(pool, async (client) => {
      const next = await appendDecision(client, issue.pattern, {
        kind: decision.kind,
        until,
        note: decision.note ?? null,
        actor: decision.actor,
      });
      // What still fires becomes news at once when it is no longer silenced.
      if (decision.kind === 'revoke') await setDueNow(client, issue.pattern, 'decision revoked');
      return next;
    });
    log.info({ pattern: issue.pattern, decision: decision.kind, until }, 'decision recorded');
    return c.json(
      {
        pattern: issue.pattern,
        kind: decision.kind,
        until,
        note: decision.note ?? null,
        actor: decision.actor,
        generation,
      },
      201,
    );
  });

  api.get('/api/v1/notices', async (c) => {
    const filter = read(noticesQuery, c.req.query());
    return c.json({ byState: await countNotices(pool), notices: await listNotices(pool, filter) });
  });

  api.get('/api/v1/deliveries', async (c) => {
    const filter = read(deliveriesQuery, c.req.query());
    return c.json({ deliveries: await listDeliveries(pool, filter) });
  });

  api.get('/api/v1/stats', async (c) => {
    const { from, to } = read(statsQuery, c.req.query());
    return c.json({ from, to, ...(await countEpisodes(pool, from, to)), counters: await readCounters(pool) });
  });

  api.get('/api/v1/audit', async (c) => {
    const state = await audit(pool);
    const clean = Object.values(state).every((count) => count === 0);
    return c.json({ clean, ...state }, clean ? 200 : 503);
  });

  api.notFound((c) =>
    c.json(
      {
        error: 'nothing is here',
        reason: 'not-found',
        see: ['/api/v1/issues', '/api/v1/notices', '/api/v1/deliveries', '/api/v1/stats', '/api/v1/audit'],
      },
      404,
    ),
  );
  api.onError((error, c) => {
    if (error instanceof HTTPException) {
      return c.json({ error: 'a bearer token is needed: CONSOLE_TOKEN', reason: 'unauthorized' }, 401);
    }
    const { status, headers, body } = errorReply(error, log);
    return new Response(String(body), { status, ...(headers ? { headers } : {}) });
  });
  return api;
}

function read<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || 'request'}: ${issue.message}`,
  );
  throw new InvalidInputError(problems.join('; '));
}

async function findIssue(pool: Pool, pattern: string): Promise<IssueRow> {
  const [issue] = await listIssues(pool, { pattern, limit: 1, offset: 0 });
  if (issue === undefined) throw new AppError('not-found', 'no issue has this pattern; see /api/v1/issues');
  return issue;
}

function toIssue(issue: IssueRow, decision: Decision | undefined) {
  return {
    pattern: issue.pattern,
    alertname: issue.alertname,
    severity: issue.severity,
    namespace: issue.namespace,
    cluster: issue.cluster,
    title: issue.title,
    identity: issue.identity,
    firstSeen: issue.first_seen,
    lastSeen: issue.last_seen,
    episodes: Number(issue.episodes),
    openEpisodes: Number(issue.open_episodes),
    incidents: Number(issue.incidents),
    category: issue.classification?.category ?? null,
    decision: decision ?? null,
  };
}
