/** Issues: the patterns as people see them. */
import type { Hono } from 'hono';
import * as z from 'zod';
import { AppError } from '../../../shared/errors.ts';
import { DECISION_KINDS, currentDecisions } from '../../../shared/postgres/decisions.ts';
import type { Decision } from '../../../shared/postgres/decisions.ts';
import { readBroken } from '../../../shared/postgres/envelopes.ts';
import type { BrokenDecision } from '../../../shared/postgres/envelopes.ts';
import { readExplanation } from '../../../shared/postgres/explanations.ts';
import type { ExplanationRow } from '../../../shared/postgres/explanations.ts';
import { listNotices } from '../../../shared/postgres/notice-list.ts';
import { countIssues, listIssues } from '../../../shared/postgres/patterns.ts';
import type { IssueRow } from '../../../shared/postgres/patterns.ts';
import type { Pool } from '../../../shared/postgres/pool.ts';
import { SEVERITIES } from '../../../shared/severity.ts';
import type { ConsoleEnv } from '../sign-in.ts';
import { noticeSchema } from './notices.ts';
import { nextCursor, pageQuery, read, readCursor, timeCursor } from './request.ts';
import type { Operation } from './request.ts';

/** Notices shown with one issue. */
const NOTICES_SHOWN = 50;

const issuesQuery = z.object(pageQuery);

export const inForceSchema = z.object({
  kind: z.enum(DECISION_KINDS),
  until: z.iso.datetime().nullable().describe('null: until it is taken back'),
  note: z.string().nullable(),
  actor: z.string(),
  generation: z.int(),
});

const issueSchema = z.object({
  pattern: z.string(),
  alertname: z.string(),
  severity: z.enum(SEVERITIES),
  namespace: z.string().nullable(),
  cluster: z.string().nullable(),
  title: z.string(),
  identity: z.record(z.string(), z.string()).describe('what makes alerts this issue'),
  firstSeen: z.iso.datetime(),
  lastSeen: z.iso.datetime(),
  episodes: z.int(),
  openEpisodes: z.int(),
  incidents: z.int(),
  category: z.string().nullable(),
  decision: inForceSchema
    .extend({
      broken: z
        .object({ brokenAt: z.iso.datetime(), sentence: z.string(), evidence: z.looseObject({}) })
        .nullable()
        .describe('set aside because the issue is not what was judged; posting the decision again renews it'),
    })
    .nullable()
    .describe('the decision in force'),
});

/** Suggestions of the model, and the facts it was given. */
const explanationSchema = z.object({
  model: z.string(),
  at: z.iso.datetime(),
  why: z.string().nullable().describe('why there is no explanation'),
  category: z.string().nullable(),
  suggestedSeverity: z
    .string()
    .nullable()
    .describe("only when louder than the alert's own; acted on by nobody"),
  summary: z.string().nullable(),
  explanation: z.string().nullable(),
  nextStep: z.string().nullable(),
  confidence: z.number().nullable(),
  cluster: z.array(z.string()),
  logs: z.array(z.object({ template: z.string(), count: z.int(), example: z.string() })),
  missing: z.array(z.string()).describe('what could not be looked at'),
});

export const issueOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/issues',
    summary: 'Issues, latest first',
    query: issuesQuery,
    answers: {
      200: {
        meaning: 'A page of issues',
        schema: z.object({ total: z.int(), issues: z.array(issueSchema), next: z.string().nullable() }),
      },
    },
  },
  {
    method: 'get',
    path: '/api/v1/issues/{pattern}',
    summary: 'One issue with its latest notices',
    answers: {
      200: {
        meaning: 'The issue',
        schema: issueSchema.extend({
          classification: z.looseObject({}).nullable(),
          explanation: explanationSchema
            .nullable()
            .describe('what the model said last; null when it was not asked'),
          notices: z.array(noticeSchema),
        }),
      },
    },
  },
];

/** Adds the routes. */
export function addIssues(api: Hono<ConsoleEnv>, pool: Pool): void {
  api.get('/api/v1/issues', async (c) => {
    const { limit, offset, cursor } = read(issuesQuery, c.req.query());
    const place = readCursor(timeCursor, cursor);
    const after = place && { at: place[0], pattern: place[1] };
    const issues = await listIssues(pool, { after, limit, offset });
    const decisions = await currentDecisions(
      pool,
      issues.map((issue) => issue.pattern),
    );
    const broken = await readBroken(pool, decisions);
    return c.json({
      total: await countIssues(pool),
      issues: issues.map((issue) => toIssue(issue, decisions.get(issue.pattern), broken.get(issue.pattern))),
      next: nextCursor(issues, limit, (issue) => [issue.last_seen_us, issue.pattern]),
    });
  });

  api.get('/api/v1/issues/:pattern', async (c) => {
    const issue = await findIssue(pool, c.req.param('pattern'));
    const decisions = await currentDecisions(pool, [issue.pattern]);
    const broken = await readBroken(pool, decisions);
    const notices = await listNotices(pool, { pattern: issue.pattern, limit: NOTICES_SHOWN, offset: 0 });
    return c.json({
      ...toIssue(issue, decisions.get(issue.pattern), broken.get(issue.pattern)),
      classification: issue.classification,
      explanation: toExplanation(await readExplanation(pool, issue.pattern)),
      notices,
    });
  });
}

/** One issue; 404 when nobody knows it. */
export async function findIssue(pool: Pool, pattern: string): Promise<IssueRow> {
  const [issue] = await listIssues(pool, { pattern, limit: 1, offset: 0 });
  if (issue === undefined) throw new AppError('not-found', 'no issue has this pattern; see /api/v1/issues');
  return issue;
}

function toIssue(issue: IssueRow, decision: Decision | undefined, broken: BrokenDecision | undefined) {
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
    // A broken decision is set aside until somebody decides again; posting the same one renews it.
    decision: decision === undefined ? null : { ...toInForce(decision), broken: broken ?? null },
  };
}

function toExplanation(row: ExplanationRow | undefined): unknown {
  if (row === undefined) return null;
  const { model, created_at: at, reason: why, content, context } = row;
  return {
    model,
    at,
    why,
    category: content?.category ?? null,
    suggestedSeverity: content?.suggestedSeverity ?? null,
    summary: content?.summary ?? null,
    explanation: content?.explanation ?? null,
    nextStep: content?.nextStep ?? null,
    confidence: content?.confidence ?? null,
    ...context,
  };
}

function toInForce({ kind, until, note, actor, generation }: Decision): Decision {
  return { kind, until, note, actor, generation };
}
