/**
 * The routes behind "Not concerning" and "Undo". GET shows and never acts, because programs open every link they see;
 * POST acts once. A link that is used, over, replaced, unknown or forged gets one answer, after the same work.
 */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { DECISION_HEADER, signLink, verifyLink } from '../../shared/decision-link.ts';
import type { KeyRing } from '../../shared/decision-link.ts';
import type { Logger } from '../../shared/log.ts';
import { readAlertClock } from '../../shared/postgres/clock.ts';
import {
  consumeLink,
  ensureLink,
  noteDecision,
  noteTry,
  readLiveLink,
} from '../../shared/postgres/decision-links.ts';
import type { LiveLink } from '../../shared/postgres/decision-links.ts';
import type { DecisionKind } from '../../shared/postgres/decisions.ts';
import { run, transaction } from '../../shared/postgres/pool.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import {
  toCrowdPage,
  toDeadPage,
  toDecidePage,
  toDonePage,
  toTermText,
  toUndoPage,
  toUndonePage,
} from './decide-page.ts';
import { recordDecision, undoDecision } from './decision.ts';
import { readChoice } from './link-choice.ts';
import type { Choice } from './link-choice.ts';
import { FORM_FIELD, isOwnForm, openForm } from './form-guard.ts';
import { answerPage } from './frame.ts';
import { networkOf } from './network.ts';
import { askedBy, isPerson } from './sign-in.ts';
import type { ConsoleEnv, SignIn } from './sign-in.ts';
import { defaultTerm, endOf, offeredTerms } from './terms.ts';
import type { TermLimits } from './terms.ts';

/** Looked up for a token that is none, so that a forged one takes as long as one that was used. */
const NO_LINK = '00000000-0000-0000-0000-000000000000';
const DEAD = 'this link does nothing any more';
const AGAIN =
  'Nothing was changed: this page was open for long, or your browser did not keep its cookie. Please press the button again.';

export interface DecideDeps {
  readonly pool: Pool;
  readonly keys: KeyRing | null;
  readonly signIn: SignIn;
  readonly limits: TermLimits;
  /** Zone of the times on the pages. */
  readonly zone: string;
  readonly log: Logger;
  /** Rings for a stored notice. Never throws; what is not rung now is found by the sweep. */
  readonly ring: (notice: string) => Promise<void>;
  /** What ignoring a pattern would have done so far, line by line. */
  readonly backtest?: (pattern: string) => Promise<readonly string[]>;
}

type Outcome =
  | { readonly is: 'dead' }
  | { readonly is: 'crowd' }
  | { readonly is: 'undone'; readonly notice: string | null }
  | {
      readonly is: 'decided';
      readonly kind: DecisionKind;
      readonly until: Date | null;
      readonly undoLink: string;
      readonly notice: string | null;
    };

/** Creates the routes under /d. */
export function createDecideRoutes(deps: DecideDeps): Hono<ConsoleEnv> {
  const app = new Hono<ConsoleEnv>();
  const secure = deps.signIn.options.secureCookies;
  const dead = (c: Context<ConsoleEnv>): Promise<Response> => answerPage(c, 404, toDeadPage());

  app.get('/d/:token', async (c) => {
    const link = await findLink(deps, c.req.param('token'));
    return link === undefined ? dead(c) : showLink(deps, c, link, 200, null);
  });

  app.post('/d/:token', async (c) => {
    const link = await findLink(deps, c.req.param('token'));
    if (link === undefined) return dead(c);
    const form: Record<string, unknown> = await c.req.parseBody().catch(() => ({}));
    if (!isOwnForm(c.req.raw.headers, link.id, form[FORM_FIELD], secure))
      return showLink(deps, c, link, 403, AGAIN);
    const choice =
      link.purpose === 'undo'
        ? null
        : readChoice(form, link.severity, deps.limits, isPerson(deps.signIn.whoIs(c)));
    if (typeof choice === 'string')
      return showLink(deps, c, link, link.severity === 'critical' ? 409 : 400, choice);
    const outcome = await act(deps, c, link, choice);
    if (outcome.is === 'dead') return dead(c);
    if (outcome.is === 'crowd') return answerPage(c, 429, toCrowdPage(), { 'retry-after': '10' });
    if (outcome.is === 'undone') return answerPage(c, 200, toUndonePage(link));
    const { field, cookie } = openForm(c.req.raw.headers, outcome.undoLink, secure);
    const undo = { action: `/d/${tokenOf(deps, outcome.undoLink)}`, field };
    return answerPage(c, 200, toDonePage(link, outcome, undo, deps.zone), { 'set-cookie': cookie });
  });

  // What a button posts: no cookie, because no page of another site can know the token that it sends in a header.
  // The browser version of ntfy asks first whether it may.
  app.options('/d', (c) =>
    c.body(null, 204, {
      ...OPEN_TO_PAGES,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': DECISION_HEADER,
    }),
  );
  app.post('/d', async (c) => {
    const link = await findLink(deps, c.req.header(DECISION_HEADER) ?? '');
    if (link === undefined) return say(c, 404, DEAD);
    if (link.purpose === 'decide' && link.severity === 'critical')
      return say(c, 409, 'this is critical: sign in to the console to decide');
    const term = defaultTerm(deps.limits, false);
    const outcome = await act(
      deps,
      c,
      link,
      link.purpose === 'undo' ? null : { kind: 'ignore', term, note: null },
    );
    if (outcome.is === 'dead') return say(c, 404, DEAD);
    if (outcome.is === 'crowd')
      return say(c, 429, 'too many links at once from this network; wait ten seconds');
    if (outcome.is === 'undone') return say(c, 200, 'undone');
    return say(c, 200, `ignored ${toTermText('ignore', outcome.until)}`);
  });

  app.all('/d', (c) => say(c, 404, DEAD));
  app.all('/d/*', dead);
  return app;
}

const OPEN_TO_PAGES = { 'access-control-allow-origin': '*', 'cache-control': 'no-store' };

function say(c: Context, status: 200 | 404 | 409 | 429, text: string): Response {
  return c.json({ decided: status === 200, text }, status, OPEN_TO_PAGES);
}

async function findLink({ pool, keys }: DecideDeps, token: string): Promise<LiveLink | undefined> {
  const id = keys === null ? null : verifyLink(keys, token);
  return readLiveLink(pool, id ?? NO_LINK);
}

async function showLink(
  deps: DecideDeps,
  c: Context<ConsoleEnv>,
  link: LiveLink,
  status: 200 | 400 | 403 | 409,
  problem: string | null,
): Promise<Response> {
  const { field, cookie } = openForm(c.req.raw.headers, link.id, deps.signIn.options.secureCookies);
  const action = `/d/${tokenOf(deps, link.id)}`;
  const isKnown = isPerson(deps.signIn.whoIs(c));
  if (link.purpose === 'undo')
    return answerPage(c, status, toUndoPage(link, action, field, problem), { 'set-cookie': cookie });
  const form =
    link.severity === 'critical' && !isKnown
      ? null
      : {
          action,
          field,
          terms: offeredTerms(deps.limits, isKnown),
          chosen: defaultTerm(deps.limits, isKnown),
          problem,
          backtest: await readBacktest(deps, link.pattern),
        };
  const content = toDecidePage(link, form, `/sign-in?next=${encodeURIComponent(action)}`);
  return answerPage(c, status, content, { 'set-cookie': cookie });
}

async function readBacktest(
  { backtest, log }: DecideDeps,
  pattern: string,
): Promise<readonly string[] | null> {
  try {
    return (await backtest?.(pattern)) ?? null;
  } catch (error) {
    log.warn(
      { err: error instanceof Error ? error.message : 'unknown' },
      'no back-test on the decision page',
    );
    return null;
  }
}

/** Uses the link up and does what it is for, all or nothing. `choice` is null for an undo. */
async function act(
  deps: DecideDeps,
  c: Context<ConsoleEnv>,
  link: LiveLink,
  choice: Choice | null,
): Promise<Outcome> {
  const network = networkOf(deps.signIn.originOf(c).client);
  const user = deps.signIn.whoIs(c);
  const actor = isPerson(user) ? user.name : `link:${link.channel}`;
  const traceparent = askedBy(c).traceparent ?? '';
  const outcome = await transaction(deps.pool, async (client): Promise<Outcome> => {
    if (!(await noteTry(client, link.id, network))) return { is: 'crowd' };
    if (!(await consumeLink(client, link.id, network))) return { is: 'dead' };
    const tell = { now: await readAlertClock(client), traceparent };
    if (choice === null) {
      const undone = await undoDecision(client, link.pattern, Number(link.undo_generation), actor, tell);
      if (undone === undefined) return { is: 'dead' };
      await noteDecision(client, link.id, undone.generation);
      return { is: 'undone', notice: undone.notice };
    }
    const { kind, note } = choice;
    const until = endOf(choice.term, tell.now);
    const recorded = await recordDecision(client, link.pattern, { kind, until, note, actor }, tell);
    if (recorded === undefined) return { is: 'dead' };
    await noteDecision(client, link.id, recorded.generation);
    const undoLink = await ensureLink(client, {
      ...link,
      purpose: 'undo',
      undoGeneration: recorded.generation,
    });
    return { is: 'decided', kind, until, undoLink, notice: recorded.notice };
  });
  report(deps.log, outcome, link, network, actor);
  if ('notice' in outcome && outcome.notice !== null) await run(deps.ring(outcome.notice));
  return outcome;
}

function report(log: Logger, outcome: Outcome, link: LiveLink, network: string, actor: string): void {
  const facts = { pattern: link.pattern, channel: link.channel, network };
  if (outcome.is === 'crowd')
    log.error(facts, 'one network tries many decision links at once: all of them are refused');
  else if (outcome.is !== 'dead') log.info({ ...facts, actor, outcome: outcome.is }, 'decision link used');
}

function tokenOf({ keys }: DecideDeps, id: string): string {
  if (keys === null) throw new Error('there are no links without DECISION_KEYS');
  return signLink(keys, id);
}
