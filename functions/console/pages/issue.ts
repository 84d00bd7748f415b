/** One issue: what it is, what happened and why somebody was or was not told, what people decided. */
import { html } from 'hono/html';
import type { IssueLine, Twin } from '../../../shared/postgres/issues.ts';
import type { DecisionEntry, LatestAlert, TimelineIncident } from '../../../shared/postgres/timeline.ts';
import { sparkline } from './chart.ts';
import { toDecideCard } from './decide-form.ts';
import type { DecideForm } from './decide-form.ts';
import { toExplanationCard } from './explanation.ts';
import type { ExplanationStanding } from './explanation.ts';
import { toDecision } from './issues.ts';
import { badge, empty, tag, when } from './layout.ts';
import type { Html } from './layout.ts';
import { DECISION_WORDS, count } from './sentences.ts';
import { toTimeline } from './timeline.ts';
import { clip, frame, issuePath, safeLink } from './view.ts';
import type { View } from './view.ts';

/** Labels and annotations shown of the latest alert. */
const ENTRIES_SHOWN = 40;

export interface IssueData {
  readonly issue: IssueLine;
  readonly hits: readonly number[];
  readonly twins: readonly Twin[];
  readonly incidents: readonly TimelineIncident[];
  readonly decisions: readonly DecisionEntry[];
  readonly latest: LatestAlert | undefined;
  readonly explanation: ExplanationStanding;
  readonly form: DecideForm;
}

/** Renders the page. */
export function toIssuePage(view: View, data: IssueData): Html {
  const { issue, incidents } = data;
  return frame(view, {
    title: clip(issue.alertname, 80),
    here: 'issues',
    content: html`<h1>${clip(issue.alertname, 200)}</h1>
      <p>
        ${badge(issue.severity)}
        ${issue.open_episodes > 0 ? tag(`firing: ${count(issue.open_episodes, 'alert')}`, 'warning') : tag('not firing')}
        ${issue.decision === null ? '' : tag(DECISION_WORDS[issue.decision].state, 'info')}
        <span>${clip(issue.title, 200)}</span>
      </p>
      <p class="only-narrow"><a class="button quiet-button" href="#decide">Decide</a></p>
      <div class="halves">
        <div>
          ${toSummaryCard(view, data)} ${toExplanationCard(view, data.explanation)}
          <section class="card">
            <h2>What happened</h2>
            ${incidents.length === 0 ? html`<p class="muted">Its history is no longer stored.</p>` : toTimeline(view, incidents)}
          </section>
        </div>
        <div>
          ${toDecideCard(view, issue, data.form)} ${toDecisionLog(view, data.decisions)}
          ${toIdentityCard(issue, data.twins)} ${toLatestCard(data.latest)}
        </div>
      </div>`,
  });
}

/** The page for a pattern nobody knows. */
export function toUnknownIssuePage(view: View): Html {
  return frame(view, {
    title: 'No such issue',
    here: 'issues',
    content: html`<h1>No such issue</h1>
      ${empty('No issue has this address.')}
      <p><a href="/issues">All issues</a></p>`,
  });
}

function toSummaryCard(view: View, { issue, hits }: IssueData): Html {
  const { category, nextStep, runbookUrl, likelyNoise } = readClassification(issue.classification);
  return html`<section class="card">
    <h2>What it is</h2>
    ${nextStep === null ? '' : html`<p><strong>Next step:</strong> ${clip(nextStep, 500)}</p>`}
    ${runbookUrl === null ? '' : html`<p><strong>Runbook:</strong> ${safeLink(runbookUrl)}</p>`}
    <dl class="facts">
      <dt>Category</dt>
      <dd>${category ?? 'not classified yet'}${likelyNoise ? ', likely noise' : ''}</dd>
      <dt>Namespace</dt>
      <dd>${clip(issue.namespace ?? 'none', 200)}</dd>
      <dt>Cluster</dt>
      <dd>${clip(issue.cluster ?? 'none', 200)}</dd>
      <dt>Decision</dt>
      <dd>${issue.decision === null ? 'none' : toDecision(view, issue)}</dd>
      <dt>First seen</dt>
      <dd>${when(issue.first_seen, view.zone)}</dd>
      <dt>Last seen</dt>
      <dd>${when(issue.last_seen, view.zone)}</dd>
      <dt>Hits</dt>
      <dd>
        ${issue.hits_7d.toLocaleString('en-GB')} in 7 days, ${issue.hits_30d.toLocaleString('en-GB')} in 30
        days
      </dd>
    </dl>
    <h3>Hits per day</h3>
    ${sparkline(hits, `Hits on each of the last ${hits.length} days, ${issue.hits_30d} in all`, { width: 480, height: 56 })}
  </section>`;
}

function toDecisionLog(view: View, decisions: readonly DecisionEntry[]): Html | '' {
  if (decisions.length === 0) return '';
  return html`<section class="card">
    <h2>What people said</h2>
    <ul class="steps">
      ${decisions.map(
        ({ kind, until, note, actor, decided_at }) =>
          html`<li>
            <strong>${DECISION_WORDS[kind].state}</strong> by ${clip(actor, 80)},
            ${when(decided_at, view.zone)}
            ${until === null ? '' : html`<div class="small">until ${when(until, view.zone)}</div>`}
            ${note === null ? '' : html`<div class="muted small">${clip(note, 1_000)}</div>`}
          </li>`,
      )}
    </ul>
  </section>`;
}

function toIdentityCard(issue: IssueLine, twins: readonly Twin[]): Html {
  return html`<section class="card">
    <h2>What makes it this issue</h2>
    <p class="small muted">Alerts that agree in these are the same issue; a decision covers all of them.</p>
    ${entries(issue.identity)}
    ${
      Object.keys(issue.dropped).length === 0
        ? ''
        : html`<details>
            <summary>Labels that do not count</summary>
            ${entries(issue.dropped)}
          </details>`
    }
    ${twins.map(
      (twin) =>
        html`<p class="small">
          The same with severity ${badge(twin.severity)} is
          <a href="${issuePath(twin.pattern)}">an issue of its own</a>.
        </p>`,
    )}
    <p class="small muted">Pattern <code>${issue.pattern}</code></p>
  </section>`;
}

function toLatestCard(latest: LatestAlert | undefined): Html | '' {
  if (latest === undefined) return '';
  return html`<section class="card">
    <h2>Its latest alert</h2>
    ${latest.flags.length === 0 ? '' : html`<p class="small muted">${clip(latest.flags.join('; '), 400)}</p>`}
    ${entries(latest.annotations)}
    <details>
      <summary>Labels</summary>
      ${entries(latest.labels)}
    </details>
    ${latest.generator_url === '' ? '' : html`<p class="small">Rule: ${safeLink(latest.generator_url)}</p>`}
  </section>`;
}

function entries(values: Readonly<Record<string, string>>): Html {
  const all = Object.entries(values);
  return html`<dl class="facts small">
      ${all.slice(0, ENTRIES_SHOWN).map(
        ([name, value]) =>
          html`<dt>${clip(name, 60)}</dt>
            <dd>${clip(value, 400)}</dd>`,
      )}
    </dl>
    ${all.length > ENTRIES_SHOWN ? html`<p class="small muted">and ${all.length - ENTRIES_SHOWN} more</p>` : ''}`;
}

function readClassification(value: IssueLine['classification']): {
  category: string | null;
  nextStep: string | null;
  runbookUrl: string | null;
  likelyNoise: boolean;
} {
  const text = (name: string): string | null => {
    const found = value?.[name];
    return typeof found === 'string' && found !== '' ? found : null;
  };
  return {
    category: text('category'),
    nextStep: text('nextStep'),
    runbookUrl: text('runbookUrl'),
    likelyNoise: value?.['likelyNoise'] === true,
  };
}
