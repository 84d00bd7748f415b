/** Decisions: making one, and the list of those in force, as JSON and as a YAML file that can live in git. */
import type { Hono } from 'hono';
import * as z from 'zod';
import { InvalidInputError } from '../../../shared/errors.ts';
import type { Logger } from '../../../shared/log.ts';
import { DECISION_KINDS } from '../../../shared/postgres/decisions.ts';
import { listInForce } from '../../../shared/postgres/decision-list.ts';
import { transaction } from '../../../shared/postgres/pool.ts';
import type { Pool } from '../../../shared/postgres/pool.ts';
import { recordDecision } from '../decision.ts';
import type { ConsoleEnv, User } from '../sign-in.ts';
import { fileSchema, importFile, importedSchema, readFile, writeFile } from './decision-file.ts';
import { findIssue, inForceSchema } from './issues.ts';
import { keyCursor, nextCursor, pageQuery, read, readCursor, storableText } from './request.ts';
import type { Operation } from './request.ts';

/** What a person says of an issue. `for` is a duration such as 7d; without it the decision holds until it is taken back. */
const decisionBody = z.object({
  kind: z.enum(DECISION_KINDS),
  for: z.enum(['1h', '4h', '1d', '7d', '30d']).optional(),
  until: z.coerce.date().optional(),
  note: storableText(1, 1_000).optional(),
  /** Only a script with the token may name somebody; whoever is signed in is the actor. */
  actor: storableText(1, 200).default('api'),
});
const TERMS_MS = {
  '1h': 3_600_000,
  '4h': 14_400_000,
  '1d': 86_400_000,
  '7d': 604_800_000,
  '30d': 2_592_000_000,
} as const;

const listQuery = z.object({ limit: pageQuery.limit, cursor: pageQuery.cursor });

const listedSchema = inForceSchema.extend({
  pattern: z.string(),
  alertname: z.string(),
  severity: z.string(),
  namespace: z.string().nullable(),
  title: z.string(),
});

export const decisionOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/v1/issues/{pattern}/decisions',
    summary: 'Decide on an issue; `?dry_run=true` says what it would have done and records nothing',
    query: z.object({ dry_run: z.enum(['true', 'false']).optional() }),
    body: { schema: decisionBody },
    answers: {
      200: {
        meaning: 'What it would have done (dry run)',
        schema: z.looseObject({ recorded: z.literal(false) }),
      },
      201: { meaning: 'Recorded', schema: inForceSchema.extend({ pattern: z.string() }) },
    },
  },
  {
    method: 'get',
    path: '/api/v1/decisions',
    summary: 'Decisions in force, by pattern',
    query: listQuery,
    answers: {
      200: {
        meaning: 'A page of decisions',
        schema: z.object({ decisions: z.array(listedSchema), next: z.string().nullable() }),
      },
    },
  },
  {
    method: 'get',
    path: '/api/v1/decisions.yaml',
    summary: 'All decisions in force as a file',
    answers: { 200: { meaning: 'The file', schema: fileSchema, type: 'application/yaml' } },
  },
  {
    method: 'put',
    path: '/api/v1/decisions.yaml',
    summary:
      'Make the decisions of a file; those that are in force already change nothing, others stay as they are',
    body: { schema: fileSchema, type: 'application/yaml' },
    answers: { 200: { meaning: 'What was done', schema: importedSchema } },
  },
];

/** Adds the routes. */
export function addDecisions(api: Hono<ConsoleEnv>, { pool, log }: { pool: Pool; log: Logger }): void {
  api.post('/api/v1/issues/:pattern/decisions', async (c) => {
    const decision = read(decisionBody, await c.req.json().catch(() => ({})));
    const issue = await findIssue(pool, c.req.param('pattern'));
    const until =
      decision.until ?? (decision.for === undefined ? null : new Date(Date.now() + TERMS_MS[decision.for]));
    const problem = findProblem(issue.severity, { ...decision, until });
    if (problem !== null) throw new InvalidInputError(problem);
    const actor = actorOf(c.get('user'), decision.actor);
    const { kind, note = null } = decision;
    const recorded = await transaction(pool, (client) =>
      recordDecision(client, issue.pattern, { kind, until, note, actor }, null),
    );
    log.info({ pattern: issue.pattern, decision: kind, until }, 'decision recorded');
    return c.json(
      { pattern: issue.pattern, kind, until, note, actor, generation: recorded?.generation },
      201,
    );
  });

  api.get('/api/v1/decisions', async (c) => {
    const { limit, cursor } = read(listQuery, c.req.query());
    const decisions = await listInForce(pool, { after: readCursor(keyCursor, cursor), limit });
    return c.json({
      decisions: decisions.map(({ identity: _identity, kept: _kept, dropped: _dropped, ...shown }) => shown),
      next: nextCursor(decisions, limit, ({ pattern }) => pattern),
    });
  });

  api.get('/api/v1/decisions.yaml', async (c) =>
    c.body(await writeFile(await listInForce(pool, { after: undefined, limit: null })), 200, {
      'content-type': 'application/yaml; charset=utf-8',
      'content-disposition': 'attachment; filename="decisions.yaml"',
      'cache-control': 'no-store',
    }),
  );

  api.put('/api/v1/decisions.yaml', async (c) => {
    const entries = await readFile(await c.req.text());
    for (const [index, entry] of entries.entries()) {
      const problem =
        entry.until !== null && entry.until <= new Date() ? null : findProblem(entry.severity, entry);
      if (problem !== null) throw new InvalidInputError(`decisions.${index}: ${problem}`);
    }
    const { how, name } = c.get('user');
    const done = await importFile(pool, entries, how === 'proxy' || how === 'session' ? name : null);
    log.info({ ...done }, 'decisions imported');
    return c.json(done);
  });
}

/** Why a decision cannot be made like this; null when it can. */
export function findProblem(
  severity: string,
  { kind, until, note }: { kind: string; until: Date | null; note?: string | null | undefined },
): string | null {
  const hides = kind === 'ignore' || kind === 'snooze' || kind === 'digest';
  if (severity === 'critical' && hides && !note)
    return 'a critical issue is only silenced with a "note" that says why';
  if (until !== null && until.getTime() <= Date.now()) return '"until" is in the past';
  if (kind === 'snooze' && until === null)
    return 'a snooze needs "for" or "until", e.g. {"kind":"snooze","for":"1d"}';
  return null;
}

function actorOf({ how, name }: User, said: string): string {
  return how === 'token' || how === 'open' ? said : name;
}
