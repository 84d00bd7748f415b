/** The first page: what fires now, what the last day was, and whether the pipeline can be trusted. */
import { html } from 'hono/html';
import type { Audit } from '../../../shared/postgres/audit.ts';
import type { LastDay, OpenIncidentLine } from '../../../shared/postgres/overview.ts';
import { badge, empty, table, when } from './layout.ts';
import type { Html } from './layout.ts';
import { count, toSpan, toVerdict } from './sentences.ts';
import { frame, issueLink } from './view.ts';
import type { View } from './view.ts';

/** What each number of the audit means when it is not zero. */
const TROUBLE: Readonly<Record<keyof Audit, string>> = {
  unfinished: 'not decided or not told for more than 5 minutes',
  dead: 'could not be told to anyone in the last day',
  forgotten: 'held for a summary that is already over',
  miscounted: 'open incidents whose number of alerts is wrong',
  unproved: 'marked as told without a message that was sent, or the other way round',
};

export interface NowData {
  readonly open: readonly OpenIncidentLine[];
  readonly day: LastDay;
  readonly audit: Audit;
}

/** Renders the page. */
export function toNowPage(view: View, { open, day, audit }: NowData): Html {
  const total = open[0]?.total ?? 0;
  const criticals = open[0]?.criticals ?? 0;
  const head =
    total === 0
      ? 'Nothing is firing'
      : `${count(total, 'open incident')}${criticals > 0 ? `, ${criticals} critical` : ''}`;
  return frame(view, {
    title: head,
    here: 'now',
    content: html`<h1>${head}</h1>
      ${toAuditCard(audit)} ${total === 0 ? empty('No alert fires now.') : toOpenTable(view, open)}
      ${total > open.length ? html`<p class="muted">The first ${open.length} of ${total}. <a href="/issues?open=yes">All open issues</a></p>` : ''}
      <h2>The last 24 hours</h2>
      <div class="grid">
        ${number(day.alerts, day.alerts === 1 ? 'alert received' : 'alerts received')}
        ${number(day.told, 'told')} ${number(day.heldBack, 'held back')}
        ${day.moving > 0 ? number(day.moving, 'on the way') : ''}
        ${day.dead > 0 ? number(day.dead, 'could not be told') : ''}
        ${day.failedDeliveries > 0 ? number(day.failedDeliveries, html`<a href="/deliveries?status=dead">failed deliveries</a>`) : ''}
      </div>
      <p class="muted small">
        Alerts are counted once, however often they are sent again. Told and held back count pieces of news:
        an incident that began, grew, ended or became due.
      </p>`,
  });
}

/** The audit as a card: one quiet line when clean, loud when not. */
export function toAuditCard(audit: Audit): Html {
  const troubles = Object.entries(TROUBLE).filter(([name]) => audit[name as keyof Audit] > 0);
  if (troubles.length === 0)
    return html`<p class="card fine">Everything received was decided, and told where it had to be.</p>`;
  return html`<section class="card loud" role="alert">
    <h2>The pipeline is not clean</h2>
    <ul>
      ${troubles.map(([name, text]) => html`<li><strong>${audit[name as keyof Audit]}</strong> ${text}</li>`)}
    </ul>
    <p>Look at <a href="/deliveries?status=dead">failed deliveries</a> and <a href="/setup">setup</a>.</p>
  </section>`;
}

function toOpenTable(view: View, open: readonly OpenIncidentLine[]): Html {
  return table(
    'Open incidents, criticals first',
    [
      { label: 'Severity', isHead: true },
      { label: 'Issue', isHead: true },
      { label: 'Since' },
      { label: 'Alerts', isNumber: true },
      { label: 'Told' },
    ],
    open.map((incident) => [
      badge(incident.severity),
      issueLink(incident),
      html`<div>
        ${when(incident.opened_at, view.zone)}
        <div class="muted small">for ${toSpan(view.now.getTime() - incident.opened_at.getTime())}</div>
      </div>`,
      incident.open_episodes,
      toTold(view, incident),
    ]),
  );
}

function toTold(view: View, { told_at, channels, status, reason, why }: OpenIncidentLine): Html {
  if (told_at !== null)
    return html`<div>
      ${when(told_at, view.zone)}
      <div class="muted small">${channels?.join(', ') ?? ''}</div>
    </div>`;
  if (status === null) return html`<div>Not told: its first news is no longer stored</div>`;
  return html`<div>${toVerdict({ status, reason, why, quiet: false })}</div>`;
}

function number(value: number, label: Html | string): Html {
  return html`<div class="card"><span class="number">${value.toLocaleString('en-GB')}</span> ${label}</div>`;
}
