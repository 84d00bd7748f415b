/** The routes of one issue's page: reading it, and posting a decision on it. */
import type { Context, Hono } from 'hono';
import { readStanding } from '../../../shared/postgres/explanations.ts';
import type { IssueLine } from '../../../shared/postgres/issues.ts';
import { dailyHits, findIssues, findTwins } from '../../../shared/postgres/issues.ts';
import { listDecisions, readLatestAlert, readTimeline } from '../../../shared/postgres/timeline.ts';
import type { ConsoleEnv } from '../sign-in.ts';
import type { DecideForm } from './decide-form.ts';
import type { PagesDeps } from './index.ts';
import { toIssuePage, toUnknownIssuePage } from './issue.ts';
import { CHART_DAYS } from './issues.ts';
import { decisionFormSchema, findProblem, storeDecision, untilOf } from './posts.ts';
import type { Reader } from './reader.ts';
import { DECISION_WORDS } from './sentences.ts';

const INCIDENTS_SHOWN = 10;
const DECISIONS_SHOWN = 20;

/** Adds the routes. */
export function registerIssue(app: Hono<ConsoleEnv>, deps: PagesDeps, reader: Reader): void {
  const { pool } = deps;

  app.get('/issues/:pattern', async (c) => {
    const issue = await find(c.req.param('pattern'));
    if (issue === undefined) return showUnknown(c);
    const done = DECISION_WORDS[c.req.query('done') as keyof typeof DECISION_WORDS];
    return showIssue(c, issue, { done: done === undefined ? null : `Recorded: ${done.state}.` });
  });

  app.post('/issues/:pattern', async (c) => {
    const issue = await find(c.req.param('pattern'));
    if (issue === undefined) return showUnknown(c);
    const fields = await reader.readForm(c);
    const parsed = decisionFormSchema.safeParse(fields ?? {});
    if (fields === null) return showIssue(c, issue, { problem: 'the form was too old; try again.' }, 403);
    if (!parsed.success) return showIssue(c, issue, { problem: 'choose what it is worth.' }, 400);
    const input = parsed.data;
    const now = new Date();
    if (input.act === 'try' && deps.backTest !== null) {
      const backTest = await deps.backTest(issue.pattern, { kind: input.kind, until: untilOf(input, now) });
      return showIssue(c, issue, { filled: input, backTest });
    }
    const problem = findProblem(issue, input);
    if (problem !== null) return showIssue(c, issue, { filled: input, problem }, 400);
    await storeDecision(deps, issue, input, { actor: c.var.user.name, now });
    return c.redirect(`/issues/${encodeURIComponent(issue.pattern)}?done=${input.kind}#decide`, 303);
  });

  async function find(pattern: string): Promise<IssueLine | undefined> {
    const [issue] = await findIssues(pool, { pattern, sort: 'latest', limit: 1, offset: 0 });
    return issue;
  }

  async function showUnknown(c: Context<ConsoleEnv>): Promise<Response> {
    const view = reader.toView(c);
    return reader.show(c, view, toUnknownIssuePage(view), 404);
  }

  async function showIssue(
    c: Context<ConsoleEnv>,
    issue: IssueLine,
    form: Partial<Omit<DecideForm, 'canTry'>>,
    status: 200 | 400 | 403 = 200,
  ): Promise<Response> {
    const view = reader.toView(c);
    const [hits, twins, incidents, decisions, latest, explanation] = await Promise.all([
      dailyHits(pool, [issue.pattern], view.zone, CHART_DAYS),
      findTwins(pool, issue),
      readTimeline(pool, issue.pattern, INCIDENTS_SHOWN),
      listDecisions(pool, issue.pattern, DECISIONS_SHOWN),
      readLatestAlert(pool, issue.pattern),
      readStanding(pool, issue.pattern),
    ]);
    const content = toIssuePage(view, {
      issue,
      hits: hits.get(issue.pattern) ?? [],
      twins,
      incidents,
      decisions,
      latest,
      explanation,
      form: {
        filled: { kind: issue.decision ?? 'ignore', for: '7d', note: issue.decision_note ?? '' },
        problem: null,
        done: null,
        backTest: null,
        ...form,
        canTry: deps.backTest !== null,
      },
    });
    return reader.show(c, view, content, status);
  }
}
