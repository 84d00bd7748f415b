/**
 * The pages' routes: who reads, in which zone, what is asked for; then data, then a page. Pages are pure functions of
 * what is loaded here. GET and HEAD change nothing but the reader's zone cookie; POST needs the form's own value.
 */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import { AppError } from '../../../shared/errors.ts';
import { countDeliveries, findDeliveries } from '../../../shared/postgres/delivery-log.ts';
import { hourlyCounts, listDigests, readDigest, readDigestById } from '../../../shared/postgres/digests.ts';
import type { DigestRow } from '../../../shared/postgres/digests.ts';
import { dailyHits, findIssues, listCategories } from '../../../shared/postgres/issues.ts';
import { audit } from '../../../shared/postgres/audit.ts';
import { countLastDay, listOpenIncidents } from '../../../shared/postgres/overview.ts';
import { rate, ratingsOf } from '../../../shared/postgres/ratings.ts';
import { errorReply } from '../../../shared/serve.ts';
import type { ConsoleEnv } from '../sign-in.ts';
import { DELIVERIES_PER_PAGE, deliveriesQuerySchema, toDeliveriesPage } from './deliveries.ts';
import { ratingFormSchema, toDigestPage } from './digest.ts';
import { DIGESTS_PER_PAGE, digestPath, toDigestsPage } from './digests.ts';
import { registerIssue } from './issue-routes.ts';
import { CHART_DAYS, ISSUES_PER_PAGE, issuesQuerySchema, toIssuesPage } from './issues.ts';
import { empty } from './layout.ts';
import type { Html } from './layout.ts';
import { toNowPage } from './now.ts';
import { resend } from './posts.ts';
import { createReader } from './reader.ts';
import type { PagesDeps } from './index.ts';
import { registerSetup } from './setup-routes.ts';
import { toSuggestionsPage } from './suggestions.ts';
import { frame } from './view.ts';
import type { View } from './view.ts';

const OPEN_SHOWN = 50;
const EARLIEST = new Date('1970-01-01');
const LATEST = new Date('2200-01-01');

/** Creates the routes of all pages. */
export function createPageRoutes(deps: PagesDeps): Hono<ConsoleEnv> {
  const { pool, log, signIn } = deps;
  const app = new Hono<ConsoleEnv>();
  const reader = createReader(deps);
  const { toView, show } = reader;
  for (const path of ['/', '/issues/*', '/digests/*', '/deliveries/*', '/setup/*'])
    app.use(path, signIn.require('page'));

  // Postgres stores no NUL; nothing that is asked for can hold one.
  app.use('*', async (c, next) => (/%00/.test(c.req.url) ? c.notFound() : next()));

  app.get('/', async (c) => {
    const [open, day, state] = await Promise.all([
      listOpenIncidents(pool, OPEN_SHOWN),
      countLastDay(pool),
      audit(pool),
    ]);
    const view = toView(c);
    return show(c, view, toNowPage(view, { open, day, audit: state }));
  });

  app.get('/issues', async (c) => {
    const view = toView(c);
    const query = issuesQuerySchema.parse(c.req.query());
    const { q, severity, category, decision, open, sort, page } = query;
    const [issues, categories] = await Promise.all([
      findIssues(pool, {
        search: q,
        severity,
        category,
        decision,
        open: open === undefined ? undefined : open === 'yes',
        sort,
        limit: ISSUES_PER_PAGE,
        offset: (page - 1) * ISSUES_PER_PAGE,
      }),
      listCategories(pool),
    ]);
    const hits = await dailyHits(
      pool,
      issues.map(({ pattern }) => pattern),
      view.zone,
      CHART_DAYS,
    );
    return show(c, view, toIssuesPage(view, { query, issues, hits, categories }));
  });

  app.get('/issues/suggestions', async (c) => {
    const view = toView(c);
    const suggestions = await deps.suggestions();
    const lines = suggestions.map(({ backtest, ...line }) => ({ ...line, sentences: backtest.sentences }));
    return show(c, view, toSuggestionsPage(view, lines));
  });

  registerIssue(app, deps, reader);

  app.get('/digests', async (c) => {
    const view = toView(c);
    const before = toDate(c.req.query('before'));
    const digests = await listDigests(pool, { before, limit: DIGESTS_PER_PAGE });
    return show(c, view, toDigestsPage(view, digests, before === undefined));
  });

  app.get('/digests/:start/:end', async (c) => {
    const view = toView(c);
    const [start, end] = [toDate(c.req.param('start')), toDate(c.req.param('end'))];
    const digest = start && end && (await readDigest(pool, start, end));
    return digest === undefined ? show(c, view, toLostPage(view), 404) : showDigest(c, view, digest);
  });

  app.get('/digests/:id{[0-9]{1,18}}', async (c) => {
    const view = toView(c);
    const digest = await readDigestById(pool, c.req.param('id'));
    return digest === undefined ? show(c, view, toLostPage(view), 404) : showDigest(c, view, digest);
  });

  app.post('/digests/:id{[0-9]{1,18}}/rate', async (c) => {
    const fields = await reader.readForm(c);
    const view = toView(c);
    const digest = await readDigestById(pool, c.req.param('id'));
    if (digest === undefined) return show(c, view, toLostPage(view), 404);
    if (fields === null) return showDigest(c, view, digest, 'The form was too old. Press again.');
    const { note, useful } = ratingFormSchema.parse(fields);
    await rate(pool, { digest: digest.id, note, useful: useful === 'yes', actor: c.var.user.name });
    return c.redirect(digestPath(digest), 303);
  });

  app.get('/deliveries', async (c) => showDeliveries(c, null));

  app.post('/deliveries/:id{[0-9]{1,18}}/resend', async (c) => {
    const fields = await reader.readForm(c);
    if (fields === null) return showDeliveries(c, 'The form was too old. Press again.', 403);
    return showDeliveries(c, await resend(deps, c.req.param('id')));
  });

  registerSetup(app, deps, reader);

  app.notFound((c) => {
    const view = toView(c);
    return show(c, view, toLostPage(view), 404);
  });
  app.onError((error, c) => {
    const { status } = errorReply(error, log, { path: c.req.path });
    const view = toView(c);
    const text =
      error instanceof AppError ? error.message : 'Something failed here; the log has the details.';
    return show(c, view, toErrorPage(view, text), status === 503 || status === 400 ? status : 500);
  });
  return app;

  async function showDigest(
    c: Context<ConsoleEnv>,
    view: View,
    digest: DigestRow,
    said: string | null = null,
  ): Promise<Response> {
    const [hours, ratings] = await Promise.all([
      hourlyCounts(pool, digest.window_start, digest.window_end),
      ratingsOf(pool, digest.id),
    ]);
    return show(c, view, toDigestPage(view, { digest, hours, ratings, said }), said === null ? 200 : 403);
  }

  async function showDeliveries(
    c: Context<ConsoleEnv>,
    said: string | null,
    status: 200 | 403 = 200,
  ): Promise<Response> {
    const view = toView(c);
    const query = deliveriesQuerySchema.parse(c.req.query());
    const [deliveries, counts] = await Promise.all([
      findDeliveries(pool, { ...query, limit: DELIVERIES_PER_PAGE }),
      countDeliveries(pool),
    ]);
    return show(c, view, toDeliveriesPage(view, { query, deliveries, counts, said }), status);
  }
}

function toLostPage(view: View): Html {
  return frame(view, {
    title: 'Nothing here',
    content: html`<h1>Nothing is here</h1>
      ${empty('No page has this address.')}`,
  });
}

function toErrorPage(view: View, text: string): Html {
  return frame(view, {
    title: 'It did not work',
    content: html`<h1>It did not work</h1>
      <p class="card loud" role="alert">${text}</p>`,
  });
}

/** A time from an address; one that no night of ours can have counts as none. */
function toDate(text: string | undefined): Date | undefined {
  const time = new Date(text ?? '');
  return time > EARLIEST && time < LATEST ? time : undefined;
}
