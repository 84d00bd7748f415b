/** The form in which a person says what an issue is worth, and what that would have done to its history. */
import { html } from 'hono/html';
import type { IssueLine } from '../../../shared/postgres/issues.ts';
import { TERMS, TERM_WORDS } from '../terms.ts';
import type { Html } from './layout.ts';
import { DECISION_WORDS } from './sentences.ts';
import { issuePath, select } from './view.ts';
import type { View } from './view.ts';

const KINDS = ['ignore', 'quiet', 'digest', 'snooze', 'important', 'note'] as const;

export interface DecideForm {
  /** What was filled in before, to be shown again. */
  readonly filled: { readonly kind: string; readonly for: string; readonly note: string };
  /** Why the last try was refused, or what it did. */
  readonly problem: string | null;
  readonly done: string | null;
  /** What the decision would have done, in sentences; null when nobody asked. */
  readonly backTest: readonly string[] | null;
  /** Whether trying a decision on the history is possible here. */
  readonly canTry: boolean;
}

/** Renders the form. */
export function toDecideCard(view: View, issue: IssueLine, form: DecideForm): Html {
  const kinds = issue.decision === null ? KINDS : (['revoke', ...KINDS] as const);
  const { filled } = form;
  return html`<section class="card" id="decide">
    <h2>Decide</h2>
    ${form.done === null ? '' : html`<p role="status"><strong>${form.done}</strong></p>`}
    ${form.problem === null ? '' : html`<p role="alert"><strong>Not recorded:</strong> ${form.problem}</p>`}
    ${toRenewal(view, issue)}
    <form method="post" action="${issuePath(issue.pattern)}#decide">
      ${view.formFields}
      <fieldset class="choices">
        <legend>What is it worth?</legend>
        ${kinds.map(
          (kind) =>
            html`<label
              ><input
                type="radio"
                name="kind"
                value="${kind}"
                required
                ${kind === filled.kind ? 'checked' : ''}
              /><span
                >${DECISION_WORDS[kind].button}
                <span class="muted small">${DECISION_WORDS[kind].help}</span></span
              ></label
            >`,
        )}
      </fieldset>
      <div class="row">
        ${select(
          'for',
          'For',
          TERMS.map((term) => [term, TERM_WORDS[term]] as const),
          filled.for,
        )}
        <label class="wide"
          >Note${issue.severity === 'critical' ? ' (needed to silence a critical)' : ''}
          <input name="note" maxlength="1000" value="${filled.note}" autocomplete="off"
        /></label>
      </div>
      <div class="row">
        <button name="act" value="decide">Record</button>
        ${form.canTry ? html`<button class="quiet-button" name="act" value="try">What would it have done?</button>` : ''}
      </div>
    </form>
    ${
      form.backTest === null
        ? ''
        : html`<h3>Over the last 30 days</h3>
            <ul>
              ${form.backTest.map((sentence) => html`<li>${sentence}</li>`)}
            </ul>`
    }
  </section>`;
}

/** One tap to make a decision again that was set aside, now that its maker knows why. */
function toRenewal(view: View, issue: IssueLine): Html | '' {
  if (issue.decision === null || issue.decision_broken === null) return '';
  const term = issue.decision_until === null ? 'until-it-changes' : '7d';
  return html`<form method="post" action="${issuePath(issue.pattern)}#decide" class="loud-box">
    <p><strong>The decision was set aside:</strong> ${issue.decision_broken}</p>
    ${view.formFields}
    <input type="hidden" name="kind" value="${issue.decision}" />
    <input type="hidden" name="for" value="${term}" />
    <input type="hidden" name="note" value="${issue.decision_note ?? ''}" />
    <p>
      <button>
        Renew: ${DECISION_WORDS[issue.decision].button.toLowerCase()}, ${TERM_WORDS[term].toLowerCase()}
      </button>
    </p>
  </form>`;
}
