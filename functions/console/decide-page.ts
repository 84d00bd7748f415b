/** The pages behind "Not concerning" and "Undo": what it is about in words, one form, and what came of it. */
import { html } from 'hono/html';
import type { DecisionKind } from '../../shared/postgres/decisions.ts';
import type { LiveLink } from '../../shared/postgres/decision-links.ts';
import { FORM_FIELD } from './form-guard.ts';
import { LINK_KINDS } from './link-choice.ts';
import type { LinkKind } from './link-choice.ts';
import { badge, when } from './pages/layout.ts';
import type { Html } from './pages/layout.ts';
import { toScope } from './scope.ts';
import { TERM_WORDS } from './terms.ts';
import type { Term } from './terms.ts';

const KIND_WORDS = {
  ignore: ['Ignore it', 'No push. It is still stored and counted.'],
  quiet: ['Push without sound', 'It shows up, but nobody is woken.'],
  snooze: ['Snooze it', 'No push for that time; then you hear of it if it still fires.'],
} as const satisfies Record<LinkKind, readonly [string, string]>;

const DONE_WORDS: Readonly<Record<DecisionKind, string>> = {
  ignore: 'Ignored',
  quiet: 'Pushed without sound',
  digest: 'Kept for the digest',
  snooze: 'Snoozed',
  important: 'Marked important',
  note: 'Noted',
  revoke: 'Told again as before',
};

export interface PageContent {
  readonly title: string;
  readonly content: Html;
}

export interface DecideForm {
  /** Where the form posts to; also the address of the page. */
  readonly action: string;
  readonly field: string;
  readonly terms: readonly Term[];
  readonly chosen: Term;
  /** What went wrong with the last try, in words. */
  readonly problem: string | null;
  /** What the decision would have done so far, line by line; null when that is not known. */
  readonly backtest: readonly string[] | null;
}

/** The page before a decision; `form` is null when only a signed-in person may decide. */
export function toDecidePage(link: LiveLink, form: DecideForm | null, signInUrl: string): PageContent {
  const content = html`<h1>Not concerning?</h1>
    ${toIssueCard(link)}
    ${
      form === null
        ? html`<p class="card loud">
            This is critical. A link may not silence it, because anybody could hold the link.
            <a href="${signInUrl}">Sign in</a> to decide.
          </p>`
        : toForm(form)
    }
    ${toIssueLink(link.pattern)}`;
  return { title: 'Not concerning?', content };
}

/** The page before an undo. */
export function toUndoPage(
  link: LiveLink,
  action: string,
  field: string,
  problem: string | null,
): PageContent {
  const content = html`<h1>Undo the decision?</h1>
    ${toIssueCard(link)} ${toProblem(problem)}
    <form method="post" action="${action}" class="card">
      <p>What held before holds again. If it fires now, you hear of it within a minute.</p>
      <input type="hidden" name="${FORM_FIELD}" value="${field}" />
      <button>Undo</button>
    </form>
    ${toIssueLink(link.pattern)}`;
  return { title: 'Undo', content };
}

/** The page after a decision; `undo` is the form that takes it back. */
export function toDonePage(
  link: LiveLink,
  done: { kind: DecisionKind; until: Date | null },
  undo: { action: string; field: string },
  zone: string,
): PageContent {
  const word = DONE_WORDS[done.kind];
  const content = html`<h1>${word} ${toTerm(done.kind, done.until, zone)}</h1>
    <div class="card fine">
      ${toHeadline(link)}
      <p>The channels that were told hear of this, with a way to undo it.</p>
    </div>
    <form method="post" action="${undo.action}" class="card">
      <p>Changed your mind? This works for 72 hours.</p>
      <input type="hidden" name="${FORM_FIELD}" value="${undo.field}" />
      <button class="quiet-button">Undo</button>
    </form>
    ${toIssueLink(link.pattern)}`;
  return { title: word, content };
}

/** The page after an undo. */
export function toUndonePage(link: LiveLink): PageContent {
  const content = html`<h1>Undone</h1>
    <div class="card fine">
      ${toHeadline(link)}
      <p>
        ${
          link.open_episodes > 0
            ? 'It fires right now, so you hear of it within a minute, unless an earlier decision says otherwise.'
            : 'What held before holds again.'
        }
      </p>
    </div>
    ${toIssueLink(link.pattern)}`;
  return { title: 'Undone', content };
}

/** The one page for links that are used, over, replaced, unknown or forged: nobody learns which. */
export function toDeadPage(): PageContent {
  const content = html`<h1>This link does nothing any more</h1>
    <div class="card">
      <p>It was used, its time is over, a newer decision took its place, or it is not complete.</p>
      <p>If you pressed the button a moment ago, it worked the first time. Nothing was changed now.</p>
      <p><a href="/issues">Open the issues</a> (needs a sign-in)</p>
    </div>`;
  return { title: 'Link not usable', content };
}

/** The page for somebody who tries many links at once. */
export function toCrowdPage(): PageContent {
  const content = html`<h1>Too many at once</h1>
    <p class="card">
      Your network used several of these links within a few seconds, as programs that test links do. Nothing
      was changed. Wait ten seconds and press the button again.
    </p>`;
  return { title: 'Too many at once', content };
}

/** How long a decision holds, after its word. */
export function toTermText(kind: DecisionKind, until: Date | null): string {
  if (until !== null) return `until ${until.toISOString()}`;
  return kind === 'ignore' ? 'until it changes' : '';
}

function toTerm(kind: DecisionKind, until: Date | null, zone: string): Html | string {
  return until === null ? toTermText(kind, until) : html`until ${when(until, zone)}`;
}

function toHeadline({ severity, alertname, title }: LiveLink): Html {
  return html`<p>${badge(severity)} <strong>${alertname}</strong> ${title}</p>`;
}

function toIssueCard(link: LiveLink): Html {
  const { severity, alertname, title, open_episodes: open } = link;
  const others = Object.keys(link.dropped);
  return html`<section class="card" aria-label="What this is about">
    <h2>${badge(severity)} ${alertname}</h2>
    <p>${title}</p>
    <p class="muted">
      ${open === 0 ? 'It does not fire right now.' : `Fires right now: ${open} ${open === 1 ? 'alert' : 'alerts'}.`}
    </p>
    <h3>What you decide about</h3>
    <p>Every alert that agrees in all of this, now and later:</p>
    <dl class="facts">
      ${toScope(link).map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>
    ${others.length === 0 ? '' : html`<p class="muted small">These may differ: ${others.join(', ')}.</p>`}
  </section>`;
}

function toForm({ action, field, terms, chosen, problem, backtest }: DecideForm): Html {
  return html`${toProblem(problem)}
    <form method="post" action="${action}" class="card">
      ${
        backtest === null
          ? ''
          : html`<h2>What it would have done</h2>
              <ul>
                ${backtest.map((line) => html`<li>${line}</li>`)}
              </ul>`
      }
      <fieldset class="choices">
        <legend>Next time</legend>
        ${LINK_KINDS.map((kind, index) => toChoice('kind', kind, index === 0, KIND_WORDS[kind]))}
      </fieldset>
      <fieldset class="choices">
        <legend>For how long</legend>
        ${terms.map((term) =>
          toChoice('term', term, term === chosen, [
            TERM_WORDS[term],
            term === 'until-it-changes' ? 'You hear of it again when it gets worse than it was.' : '',
          ]),
        )}
      </fieldset>
      <p>
        <label>Why (optional)<textarea name="note" rows="2" maxlength="1000"></textarea></label>
      </p>
      <input type="hidden" name="${FORM_FIELD}" value="${field}" />
      <button>Confirm</button>
    </form>`;
}

function toChoice(
  name: string,
  value: string,
  checked: boolean,
  [word, hint]: readonly [string, string],
): Html {
  const input = checked
    ? html`<input type="radio" name="${name}" value="${value}" checked />`
    : html`<input type="radio" name="${name}" value="${value}" />`;
  return html`<label
    >${input}<span>${word}${hint === '' ? '' : html`<span class="muted small">${hint}</span>`}</span></label
  >`;
}

function toProblem(problem: string | null): Html | string {
  return problem === null ? '' : html`<p class="card loud" role="alert">${problem}</p>`;
}

function toIssueLink(pattern: string): Html {
  return html`<p class="small">
    <a href="/issues/${encodeURIComponent(pattern)}">Its whole history</a> (needs a sign-in)
  </p>`;
}
