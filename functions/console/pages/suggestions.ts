/** What could be ignored: issues that are consistently noise, each with what ignoring it would have done. */
import { html } from 'hono/html';
import { badge, empty } from './layout.ts';
import type { Html } from './layout.ts';
import { count, toSpan } from './sentences.ts';
import { frame, issueLink, issuePath } from './view.ts';
import type { View } from './view.ts';

/** An issue that always heals alone, with the back-test of ignoring it in sentences. */
export interface SuggestionLine {
  readonly pattern: string;
  readonly alertname: string;
  readonly severity: string;
  readonly namespace: string | null;
  readonly title: string;
  readonly episodes: number;
  readonly longestSeconds: number;
  readonly onDays: number;
  readonly sentences: readonly string[];
}

/** Renders the page. */
export function toSuggestionsPage(view: View, suggestions: readonly SuggestionLine[]): Html {
  return frame(view, {
    title: 'Suggestions',
    here: 'issues',
    content: html`<h1>What could be ignored</h1>
      <p class="muted small">
        Issues of the last 30 days that come often, always heal alone within minutes, never came before a
        critical, and that nobody decided about. Nothing is ignored until you say so.
      </p>
      ${suggestions.length === 0 ? empty('Nothing is noise by these measures.') : suggestions.map(toCard)}`,
  });
}

function toCard(suggestion: SuggestionLine): Html {
  const { pattern, severity, episodes, longestSeconds, onDays, sentences } = suggestion;
  return html`<section class="card">
    <div class="row">${badge(severity)} ${issueLink(suggestion)}</div>
    <p>
      ${count(episodes, 'alert')} on ${count(onDays, 'day')}, all healed alone, the longest after
      ${toSpan(longestSeconds * 1_000)}.
    </p>
    <details>
      <summary>Had it been ignored for the last 30 days</summary>
      <ul>
        ${sentences.map((sentence) => html`<li>${sentence}</li>`)}
      </ul>
    </details>
    <a class="button" href="${issuePath(pattern)}#decide">Decide</a>
  </section>`;
}
