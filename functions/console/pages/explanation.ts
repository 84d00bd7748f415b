/** What the model said of an issue and what it was given: marked as a suggestion, with the facts to check it by. */
import { html } from 'hono/html';
import type { ExplanationRow } from '../../../shared/postgres/explanations.ts';
import { badge, when } from './layout.ts';
import type { Html } from './layout.ts';
import { clip } from './view.ts';
import type { View } from './view.ts';

/** Known severities get their badge, anything else plain text. */
const SEVERITIES = ['critical', 'warning', 'info'] as const;

/** What is known of an issue's explanation. */
export interface ExplanationStanding {
  readonly row: ExplanationRow | undefined;
  readonly isWanted: boolean;
}

/** The card; nothing when no model was ever asked about the issue. */
export function toExplanationCard(view: View, { row, isWanted }: ExplanationStanding): Html | '' {
  if (row === undefined) {
    return isWanted
      ? html`<section class="card">
          <h2>What the model suggests</h2>
          <p class="muted">It has not answered yet.</p>
        </section>`
      : '';
  }
  return html`<section class="card">
    <h2>What the model suggests</h2>
    ${toAnswer(row)}
    <p class="small muted">
      ${row.model === '' ? 'No model could be asked' : html`By <code>${clip(row.model, 80)}</code>`},
      ${when(row.created_at, view.zone)}. A suggestion: it decides nothing, and may be wrong.
    </p>
    ${toFacts(row)}
  </section>`;
}

function toAnswer({ content, reason, detail }: ExplanationRow): Html {
  if (content === null)
    return html`<p>No explanation: ${clip(reason ?? 'unknown', 40)}.</p>
      ${detail === null ? '' : html`<p class="small muted">${clip(detail, 300)}</p>`}`;
  const suggested = SEVERITIES.find((severity) => severity === content.suggestedSeverity);
  return html`<p><strong>${clip(content.summary, 200)}</strong></p>
    <p>${clip(content.explanation, 600)}</p>
    <p><strong>Next step:</strong> ${clip(content.nextStep, 300)}</p>
    <dl class="facts small">
      <dt>Category</dt>
      <dd>${clip(content.category, 40)}</dd>
      <dt>Suggested severity</dt>
      <dd>${suggested === undefined ? 'no louder than it is' : badge(suggested)}</dd>
      <dt>Confidence</dt>
      <dd>${Math.round(content.confidence * 100)} %</dd>
    </dl>`;
}

function toFacts({ context }: ExplanationRow): Html {
  const { cluster, logs, missing } = context;
  return html`${
    cluster.length === 0
      ? ''
      : html`<details>
          <summary>What the cluster said</summary>
          <ul class="small">
            ${cluster.map((line) => html`<li>${clip(line, 400)}</li>`)}
          </ul>
        </details>`
  }
  ${
    logs.length === 0
      ? ''
      : html`<details>
          <summary>What the logs said</summary>
          <ul class="small">
            ${logs.map(
              ({ template, count, example }) =>
                html`<li>
                  ${count} × <code>${clip(template, 300)}</code>
                  <div class="muted">such as ${clip(example, 300)}</div>
                </li>`,
            )}
          </ul>
        </details>`
  }
  ${missing.length === 0 ? '' : html`<p class="small muted">Not known: ${clip(missing.join('; '), 400)}.</p>`}`;
}
